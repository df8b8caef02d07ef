"""One offset on one set of entries: what the methods work on, and the fits they offer."""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from rankscape.entries import Entries
from rankscape.entries.prepared import PreparedEntries
from rankscape.estimators.completion.fits.fit import Fit
from rankscape.estimators.completion.fits.ridge_path import Record, RidgePath
from rankscape.estimators.completion.ready.offsets import Offset
from rankscape.estimators.completion.settings import Settings
from rankscape.ground.arrays import root_mean_square
from rankscape.ground.modes import Modes
from rankscape.solvers.least_squares.known_rank import Polished
from rankscape.solvers.noise.noise_variances import Variances, estimate_variances
from rankscape.solvers.posterior import Posterior

if TYPE_CHECKING:
    from rankscape.estimators.completion.methods.base import Method
    from rankscape.estimators.completion.progress import Meter

# Most numbers that the covariances of a posterior may hold.
MEMORY = 4e7

# Rows for each column (or the reverse) from which on the columns' factor is known so well that only the rows' need
# averaging: on six tables of 5 to 20 columns draws, and minima of a ridge, changed errors by less than 0.1 %.
LOPSIDED = 50

# Numbers that the first factors may hold (the solver keeps two dozen copies), and directions they always may have.
ROOM, FEW = 5e5, 16


@dataclass(frozen=True, eq=False)
class Climb:
    """Where a climb ended.

    Attributes
    ----------
    fits : list of Polished
        The least squares fits on the way that may be of use; the last one is the best.
    exact : bool
        Whether the last one reproduces the entries.
    more : bool
        Whether its residual holds more than chance explains, as far as is known.
    tried : int
        The rank of the last attempt, also of one that the entries could not determine; 0 without any.
    left : float
        Root mean square residual of its fit, over that of one direction less (of none for a first attempt); zero when
        there was none.
    """

    fits: list[Polished]
    exact: bool
    more: bool
    tried: int = 0
    left: float = 0.0


# Residual of an exact fit as a share of how far entries vary, and in roundings of the entries: the level of a column of
# times in seconds since 1970 is 1.7e9, and a low rank met the level alone, and was called exact, from 1e8 on.
VARIED, ROUNDING = 1e-5, 4.0


@dataclass(eq=False)
class Trial:
    """One offset, taken away from some entries; methods fit what is left, of rms 1.

    Attributes
    ----------
    offset : Offset
        Fitted to the entries.
    scale : float
        Of the entries without it.
    path : RidgePath
        Those entries, those held out, and the records.
    root_weights : ndarray
        Roots of the weights of the held-out entries.
    settings : Settings
        What may be tried.
    simpler : Trial, optional
        The same entries without a simpler offset, tried before this one.
    richest : bool
        Whether no richer offset will be tried: then, and only then, the costly methods are worth their time.
    climb : Climb, optional
        How the climb ended; that of the simpler offset while there is none of its own.
    noise_only : bool
        Whether no rank can be sharp, because of noise.
    averaged : int, optional
        Directions of the best average, once there is one.
    mostly_noise : bool, optional
        Whether noise is most of the entries, once averaging has found out.
    fits : list of Fit
        Offered so far; the offset alone is the first.
    """

    offset: Offset
    scale: float
    path: RidgePath
    root_weights: np.ndarray
    settings: Settings
    simpler: "Trial | None" = None
    richest: bool = True
    climb: Climb | None = None
    noise_only: bool = False
    averaged: int | None = None
    mostly_noise: bool | None = None
    fits: list[Fit] = field(default_factory=list)

    @classmethod
    def begin(
        cls, offset: Offset, training: Entries, heldout: Entries, settings: Settings, meter: "Meter", **place: Any
    ) -> "Trial":
        """Take an offset, fitted to the training entries, away from both parts."""
        values = training.values - offset.of(training)
        # All thresholds of the methods are for entries of rms 1.
        scale = root_mean_square(values) or 1.0  # nothing is left: any scale will do
        entries = PreparedEntries(training.with_values(values / scale))
        held = heldout.with_values((heldout.values - offset.of(heldout)) / scale)
        jump = None
        if settings.path == "sgd":  # simulations take long to import
            from rankscape.estimators.completion.fits.jumping import SGDJumps

            jump = SGDJumps(training.with_values(entries.values), settings.seed)
        path = RidgePath(entries, held, settings.depths[0], jump)
        path.report = lambda record: meter.record(record, scale)
        trial = cls(offset, scale, path, heldout.root_weights, settings, **place)
        return trial

    # -- what methods ask of it ----------------------------------------------------------------------------

    @property
    def entries(self) -> PreparedEntries:
        """What is fitted: without the offset, of rms 1."""
        return self.path.entries

    @property
    def exact(self) -> float:
        """Root mean square residual, on entries of rms 1, that counts as none: where a level dwarfs them, of the rest.

        Beside a level of 1e9 noise of one is a residual of 1e-9, and no exact fit.
        """
        usual, rounding = self.settings.exact, ROUNDING * self.settings.resolution
        return max(min(usual, VARIED * float(self.entries.values.std())), min(usual, rounding))

    @property
    def judged(self) -> bool:
        """Whether held-out entries can judge its fits."""
        return len(self.root_weights) > 0

    @property
    def lopsided(self) -> bool:
        """Whether one side is so much longer that the factor of the short one is as good as known."""
        return max(self.entries.shape) >= LOPSIDED * min(self.entries.shape)

    @property
    def width(self) -> int:
        """Twice the largest rank that so many entries could determine, room for directions that die; few at size."""
        size = sum(self.entries.shape)
        return min(
            self.settings.most(self.entries.shape), 2 * self.entries.count // size + 4, max(FEW, int(ROOM / size))
        )

    def affordable(self, width: int) -> int:
        """Directions that the entries can determine and the memory can hold, at most `width`."""
        size, count = sum(self.entries.shape), self.entries.count
        return max(1, min(width, count // size, int((MEMORY / size) ** 0.5)))

    def with_biases(self) -> tuple[PreparedEntries, Offset]:
        """The entries with the biases of the offset in them, for a method that fits its own; and the offset without."""
        entries, offset = self.entries, self.offset
        if not any(offset.sides):
            return entries, offset
        biases = offset.row[entries.rows] + offset.column[entries.columns]
        whole = entries.with_values(entries.values + biases / self.scale)
        return whole, replace(offset, row=0 * offset.row, column=0 * offset.column)

    def posterior(self, modes: Modes, noise: float) -> tuple[Posterior, Offset]:
        """A posterior of the entries, which fits its own biases when the offset has some; and its fixed offset."""
        entries, offset = self.with_biases()
        row, column = self.offset.row / self.scale, self.offset.column / self.scale
        first = tuple(b if has else None for b, has in zip((row, column), offset.sides, strict=True))
        return Posterior(entries, modes, noise, first), offset

    # -- what they give back -------------------------------------------------------------------------------

    def fit(self, method: "Method", modes: Modes, noise: float, offset: Offset | None = None, **facts: Any) -> Fit:
        """What a method found, with its error on held-out entries; not yet offered."""
        offset = self.offset if offset is None else offset
        held = self.path.heldout
        residual = self.path.heldout_residual(modes.U * modes.s, modes.V) * self.scale
        residual += offset.of(held) - self.offset.of(held)
        return Fit(method, modes, offset, self.scale, noise, residual * self.root_weights, **facts)

    def offer(self, fit: Fit) -> Fit:
        """A fit that may be chosen."""
        self.fits.append(fit)
        return fit

    def note(self, fit: Fit, phase: str) -> None:
        """A record of a fit, with its own biases."""
        held = fit.rmse / self.scale if len(fit.residual) else float("nan")
        errors = root_mean_square(self.residual(fit)), held
        record = Record(self.path.step, 0.0, fit.rank, fit.modes.s, *errors, phase)
        self.path.records.append(record)
        self.path.report(record)

    def residual(self, fit: Fit) -> np.ndarray:
        """Prediction minus value of the entries, which are scaled to rms 1."""
        modes, seen = fit.modes, self.entries
        shift = fit.offset.at(seen.rows, seen.columns) - self.offset.at(seen.rows, seen.columns)
        return seen.residual(modes.U * modes.s, modes.V) + shift / self.scale

    def biased(self, offset: Offset, biases: tuple[np.ndarray, ...]) -> Offset:
        """An offset with further biases, which are in units of this trial."""
        row, column = (b * self.scale for b in biases)
        return replace(offset, row=offset.row + row, column=offset.column + column)

    # -- the same fit once more ----------------------------------------------------------------------------

    def variances_of(self, fit: Fit) -> Variances:
        """How noisy each row and each column is, by what a fit leaves of the entries."""
        seen = self.entries
        return estimate_variances(seen.rows, seen.columns, self.residual(fit), seen.shape, fit.rank)

    def again(self, fit: Fit) -> Fit:
        """A fit made on other entries, by its method on these; with its variances of rows and columns, if any."""
        if fit.variances is None or not fit.method.weighs:
            return fit.method.again(self, fit)
        seen = self.entries
        weights = seen.weighted(1 / fit.variances.at(seen.rows, seen.columns))
        path = replace(self.path, entries=seen.with_weights(weights / weights.mean()), minima={})
        found = fit.method.again(replace(self, path=path, fits=self.fits[:1]), fit)
        self.path.step = path.step
        return replace(found, variances=fit.variances)
