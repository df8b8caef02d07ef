"""Entries made ready for selection: in one unit, and split into those that are fitted and those that judge."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from rankscape.entries import Entries
from rankscape.entries.heldout import choose_heldout
from rankscape.errors import InputError
from rankscape.estimators.completion.ready.scaling import Scaling, fit_scaling
from rankscape.estimators.completion.settings import Settings
from rankscape.ground.final import final

# Spread of the entries, as a share of the largest, below which they all count as equal.
CONSTANT = 1e-12

# Added to the seed of the held-out entries: whoever tests the estimator on `Completion.split` with the same seed hides
# the entries that it would hold out itself.
OWN = 0x9D2C5680

# Entries that are held out at most: more judge no better, and all that is known of each of them takes memory.
JUDGES = 2_000_000

# Entries that are held out at least, up to a sixth of those of a table of fewer than `SMALL`: of 13 entries a hash
# chooses none in one of four, and then no rank could be defended (rank 1 of 5 x 3 cells: found in 89 %, so in 100 %).
LEAST, SMALL = 2, 100


@final
@dataclass(frozen=True, eq=False)
class Split:
    """The entries of one completion.

    Attributes
    ----------
    observed : Entries
        As they were given.
    scaling : Scaling
        From the units in which all is fitted and judged to those of the data. The largest entry is one in them,
        because squares of 1e200 do not exist.
    held : ndarray of bool
        Which of them are held out.
    whole : Entries
        All of them, in these units.
    trust : ndarray, optional
        Weights of a robust fit, beside those of the entries. What is held out judges without them: it stands for cells
        whose noise nobody knows.
    """

    observed: Entries
    scaling: Scaling
    held: np.ndarray
    whole: Entries
    trust: np.ndarray | None = None

    @cached_property
    def training(self) -> Entries:
        """Those that choose a fit; of very many nobody may ask for them, and they are as large as all."""
        return self.whole.part(~self.held)

    @cached_property
    def heldout(self) -> Entries:
        """Those that judge it."""
        return self._judging(self.held)

    @property
    def unit(self) -> float:
        """What one is, in standard units where rows or columns are scaled, in the units of the data elsewhere."""
        return self.scaling.unit

    @classmethod
    def of(cls, observed: Entries, scaling: Scaling, held: np.ndarray, trust: np.ndarray | None = None) -> "Split":
        """Entries in the units of a scaling, whose weights have a mean of one."""
        weights = observed.weights
        if trust is not None:
            weights = trust if weights is None else trust * weights
        whole = scaling.divide(observed).with_weights(_of_mean_one(weights))
        return cls(observed, scaling, held, whole, trust)

    def apart(self, held: np.ndarray) -> tuple[Entries, Entries]:
        """Those of all entries that a mask leaves, to fit, and those that it holds out, to judge."""
        return self.whole.part(~held), self._judging(held)

    def _judging(self, held: np.ndarray) -> Entries:
        heldout = self.whole.part(held)
        if self.trust is None:
            return heldout
        own = _of_mean_one(self.observed.weights)
        return heldout.with_weights(None if own is None else own[held])

    def root_trust(self, held: np.ndarray) -> np.ndarray:
        """Roots of the weights that a robust fit gives to entries that a mask holds out; ones without it."""
        trust = _of_mean_one(self.trust)
        return np.ones(int(held.sum())) if trust is None else np.sqrt(trust[held])

    def another(self, settings: Settings) -> "Split":
        """The same entries, of which the seed of these settings holds out others."""
        return replace(self, held=hold_out(self.whole, settings))

    def scaled(self, kind: str) -> "Split":
        """The same entries, rows or columns divided by their size or not."""
        return Split.of(self.observed, fit_scaling(kind, self.observed), self.held)

    def keeping(self, kept: np.ndarray, trust: np.ndarray, kind: str) -> "Split":
        """Only those of `observed` that a mask keeps, trusted by these weights; their sizes are measured anew."""
        used = self.observed.part(kept)
        return Split.of(used, fit_scaling(kind, used), self.held[kept], trust[kept])

    def part(self, side: int, most: int) -> "Split":
        """Some of the rows (side 0) or columns (1), drawn so that about `most` entries are left; all where fewer."""
        count, size = self.observed.count, self.observed.shape[side]
        if count <= most:
            return self
        part = self.lines(side, np.random.default_rng(0).random(size) < most / count)
        return Split.of(part.observed, part.scaling.in_unit_of(part.observed), part.held, part.trust)

    def lines(self, side: int, chosen: np.ndarray) -> "Split":
        """The rows (side 0) or columns (1) that a mask chooses, in the same units."""
        number = np.cumsum(chosen) - 1
        lines = (self.observed.rows, self.observed.columns)[side]
        keep = np.concatenate([k.start + np.flatnonzero(chosen[lines[k]]) for k in self.observed.slices])
        part, scaling = self.observed.part(keep), self.scaling
        rows, columns, (n_out, n_in) = part.rows, part.columns, part.shape
        if side == 0:
            rows, n_out, scaling = number[rows], int(chosen.sum()), replace(scaling, row=scaling.row[chosen])
        else:
            columns, n_in, scaling = number[columns], int(chosen.sum()), replace(scaling, column=scaling.column[chosen])
        part = Entries.sorted(rows, columns, part.values, (n_out, n_in), part.weights)
        return Split.of(part, scaling, self.held[keep], None if self.trust is None else self.trust[keep])

    @property
    def constant(self) -> bool:
        """Whether all entries are equal."""
        low, high = self.whole.extremes
        return high - low <= CONSTANT


def _of_mean_one(weights: np.ndarray | None) -> np.ndarray | None:
    """Only ratios of weights count: with a mean of one they leave the size of the objective as it is."""
    return None if weights is None else weights / weights.mean()


def hold_out(observed: Entries, settings: Settings) -> np.ndarray:
    """A mask of the entries that a hash of (row, column, seed) chooses."""
    seed, share = OWN + settings.seed, min(settings.validation_fraction, JUDGES / max(observed.count, 1))
    held = choose_heldout(observed.rows, observed.columns, observed.shape, share, seed)
    least = min(LEAST, observed.count // 6) if observed.count < SMALL else 0
    while share < 1 and held.sum() < least:
        share = min(2 * share, 1.0)
        held = choose_heldout(observed.rows, observed.columns, observed.shape, share, seed)
    return held


def split(observed: Entries, held: np.ndarray | None, settings: Settings, kind: str = "none") -> Split:
    """Hold entries out: those that a mask marks, or, without one, those that a hash of (row, column, seed) chooses.

    `kind` says whether rows or columns are divided by their size.
    """
    if settings.path == "sgd" and observed.weights is not None:
        raise InputError("path='sgd' draws all entries equally often: it takes no `weights`.")
    held = hold_out(observed, settings) if held is None else held
    return Split.of(observed, fit_scaling(kind, observed), held)
