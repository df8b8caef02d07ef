"""The fit to all entries, from the columns that a sample has shown, and what it misses of those held out."""

from dataclasses import replace

import numpy as np

from rankscape.entries import Entries
from rankscape.estimators.completion.at_scale.rivals import something_else
from rankscape.estimators.completion.at_scale.sample import is_large
from rankscape.estimators.completion.at_scale.search import STILL, SWEEPS, Found, longer, oriented, search
from rankscape.estimators.completion.fit import Fit, choose
from rankscape.estimators.completion.known import Known
from rankscape.estimators.completion.left_over import excess_kurtosis
from rankscape.estimators.completion.methods import OFFSET, named
from rankscape.estimators.completion.methods.averaged import Averaging
from rankscape.estimators.completion.offsets import Offset
from rankscape.estimators.completion.progress import Meter
from rankscape.estimators.completion.selection import Selection
from rankscape.estimators.completion.settings import Settings
from rankscape.estimators.completion.split import Split
from rankscape.estimators.completion.tails import HEAVY
from rankscape.estimators.completion.trial import Trial
from rankscape.ground.arrays import root_mean_square
from rankscape.ground.modes import modes_of
from rankscape.solvers.packed.orders import Orders
from rankscape.solvers.packed.posterior import NOISY, PackedPosterior, State


def select_at_scale(split: Split, settings: Settings, meter: Meter) -> Selection | None:
    """What a sample decides, fitted to all; None where entries are few, or a sample calls for something else."""
    if not is_large(split, settings):
        return None
    meter.begin("a sample of the entries")
    found, side = search(split, settings, settings.threads), longer(split)
    trial = Trial.begin(found.offset, found.sample.training, found.sample.heldout, settings, meter)
    OFFSET.fit(trial)
    if found.posterior.state.width and something_else(found, trial, found.posterior.missed(side), settings):
        return None
    meter.begin("all entries, from the sample")
    return _Whole(settings, found, side).selection(split, trial)


class _Whole:
    """Fits to all entries that go on from what a sample has shown."""

    def __init__(self, settings: Settings, found: Found, side: int):
        self.settings, self.found, self.side = settings, found, side
        self.state = found.posterior.state

    def selection(self, split: Split, trial: Trial) -> Selection | None:
        """The better of the offset alone and of all directions, without the held-out entries and then with them.

        None where these, or those that were fitted, have heavy tails.
        """
        orders = oriented(split.whole, split.held, self.found.offset, self.found.scale, self.side)
        states = [self.state.head(0), self.state] if self.state.width else [self.state]
        first = [self._sweeps(orders, state, self.sides) for state in states]
        fits = [self._fit(posterior, judged=True) for posterior in first]
        chosen = choose(fits)
        self.state = next(p for p, fit in zip(first, fits, strict=True) if fit is chosen).state
        last = self._sweeps(orders, self.state, self.sides, everything=True)
        kurtosis = last.kurtosis()
        if chosen.rank and max(kurtosis, excess_kurtosis(chosen.residual)) >= HEAVY:
            return None
        levels = [self._sweeps(orders, self.state.head(0), (True, True), everything) for everything in (False, True)]
        held = split.heldout
        baselines = {
            "column_mean": root_mean_square(_column_means(split)[held.columns] - held.values),
            "row_column_bias": self.found.scale * root_mean_square(levels[0].missed(self.side)),
        }
        lines, final = self.found.chosen, self._fit(last)
        shown = chosen if lines is None else _part(chosen, self.side, lines)
        level = self._fit(levels[1])
        offset = replace(level.offset, kind="row+column")
        known = Known(self.found.sample, shown, kurtosis, baselines, offset, level.noise)
        return Selection(lambda: final, chosen, replace(trial, fits=fits[:1]), split, self.again, known=known)

    def again(self, trial: Trial, fit: Fit, entries: Entries) -> Fit:
        """Fitted to other entries, from where these ended."""
        del trial, fit
        none = np.zeros(entries.count, dtype=bool)
        orders = oriented(entries, none, self.found.offset, self.found.scale, self.side)
        return self._fit(self._sweeps(orders, self.state, self.sides, everything=True))

    @property
    def sides(self) -> tuple[bool, bool]:
        """Which sides of the posterior have a bias."""
        rows, columns = self.found.offset.sides
        return (columns, rows) if self.side else (rows, columns)

    def _sweeps(
        self, orders: Orders, state: State, sides: tuple[bool, bool], everything: bool = False
    ) -> PackedPosterior:
        """Until the noise is still."""
        posterior = PackedPosterior(orders, state, sides, everything, self.settings.threads)
        posterior.converge(STILL, SWEEPS)
        return posterior

    def _fit(self, posterior: PackedPosterior, judged: bool = False) -> Fit:
        offset, scale = self.found.offset, self.found.scale
        factors = (posterior.right, posterior.left) if self.side else (posterior.left, posterior.right)
        modes = modes_of(*(factor[:, :-1] for factor in factors))
        row, column = (factor[:, -1] * scale for factor in factors)
        biased = Offset(offset.kind, offset.mean, row, column)
        residual = -scale * posterior.missed(self.side) if judged else np.zeros(0)
        noise = scale * posterior.state.noise**0.5
        if not posterior.state.width:
            return Fit(OFFSET, modes, biased, scale, noise, residual)
        memory = Averaging(posterior.state.width, NOISY**0.5)
        return Fit(named("averaged"), modes, biased, scale, noise, residual, memory)


def _column_means(split: Split) -> np.ndarray:
    """Means of the columns' training entries; that of all where there are none."""
    whole, held, n_in = split.whole, split.heldout, split.whole.shape[1]
    total = np.bincount(whole.columns, whole.values, n_in) - np.bincount(held.columns, held.values, n_in)
    counts = np.bincount(whole.columns, minlength=n_in) - np.bincount(held.columns, minlength=n_in)
    return np.where(counts > 0, total / np.maximum(counts, 1), total.sum() / counts.sum())


def _part(fit: Fit, side: int, lines: np.ndarray) -> Fit:
    """A fit as some lines of a side see it."""
    modes, offset = fit.modes, fit.offset
    if side:
        return replace(fit, modes=modes._replace(V=modes.V[lines]), offset=replace(offset, column=offset.column[lines]))
    return replace(fit, modes=modes._replace(U=modes.U[lines]), offset=replace(offset, row=offset.row[lines]))
