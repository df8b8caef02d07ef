"""The path of a ridge: its minima, one after another, and what was measured on them."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np

from rankscape.entries import Entries
from rankscape.entries.prepared import PreparedEntries, entries_of_product
from rankscape.estimators.completion.fits.parts import ROUNDED, Parts
from rankscape.ground.arrays import root_mean_square
from rankscape.ground.modes import Modes
from rankscape.solvers.descent.ridge_minimum import killing_ridge, live_rank, minimise, residual_mode, starting_modes
from rankscape.solvers.least_squares.known_rank import PATIENT, Polished, polish

# First ridge, as a share of the one that kills even the largest direction, and the number of its halvings.
FIRST, STAGES = 0.1, 14

# L-BFGS iterations of a stage, least and most: warm starts need no more, and a stage goes on in the next one.
ITERATIONS = 30, 100

# Multiplications that a stage should take; decides between the two.
WORK = 5e8

# Seconds between two calls of the progress function inside a stage.
TICK = 0.2

# From a point, a ridge and a depth to a point, and the steps taken.
Jump = Callable[[Modes, float, int], tuple[Modes, int]]


@dataclass(frozen=True, eq=False)
class Record:
    """One point of a path."""

    step: int
    ridge: float
    rank: int
    singular_values: np.ndarray
    train_rmse: float
    heldout_rmse: float
    phase: str
    depth: int = 0


class Minimum(NamedTuple):
    """Where one ridge ended: the minimum, and its error on held-out entries of rms 1."""

    modes: Modes
    ridge: float
    depth: int
    heldout_rmse: float


@dataclass(eq=False)
class RidgePath:
    """Training entries (offset removed, rms 1), what is held out, and the records made so far.

    Attributes
    ----------
    entries : PreparedEntries
        What the factors are fitted to.
    heldout : Entries
        The held-out entries in the same units; empty when nothing is held out.
    depth : int
        Of the factorization, where a phase does not say otherwise.
    jump : callable, optional
        SGD from a point at a ridge and a depth, before the minimum below is sought.
    report : callable
        Called with each record.
    minima : dict
        The best minimum of each phase and depth, by the error on held-out entries.
    """

    entries: PreparedEntries
    heldout: Entries
    depth: int
    jump: Jump | None = None
    report: Callable[[Record], None] = lambda record: None
    records: list[Record] = field(default_factory=list)
    minima: dict[tuple[str, int], Minimum] = field(default_factory=dict)
    step: int = 0

    @cached_property
    def parts(self) -> Parts:
        """Of the matrix, between which there is no entry."""
        return Parts.of(self.entries)

    def heldout_residual(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """Prediction minus value on the held-out entries."""
        held = self.heldout
        return entries_of_product(held.rows, held.columns, left, right) - held.values

    def record(self, modes: Modes, ridge: float, phase: str, rank: int | None = None, depth: int = 0) -> Record:
        """Measure, append and report one point."""
        left = modes.U * modes.s
        train = root_mean_square(self.entries.residual(left, modes.V))
        held = root_mean_square(self.heldout_residual(left, modes.V))
        rank = len(modes.s) if rank is None else rank
        point = Record(self.step, ridge, rank, modes.s, train, held, phase, depth or self.depth)
        self.records.append(point)
        self.report(point)
        return point

    def settle(self, modes: Modes, ridge: float, phase: str, depth: int = 0) -> Modes:
        """Minimise at one ridge, after SGD if there is any, and drop the directions that are dead there."""
        depth = depth or self.depth
        if self.jump is not None and len(modes.s):
            modes, taken = self.jump(modes, ridge, depth)
            self.step += taken
            self.record(modes, ridge, "jumping", depth=depth)
        before, clock = self.step, [time.monotonic()]
        noticed = self._gradient_norm(modes)

        def watch(taken: int, current: Callable[[], Modes]) -> None:
            self.step = before + taken
            if taken & (taken - 1) == 0:  # iterations 1, 2, 4, 8, ...: where the spectrum moves
                here = current()
                self.record(here, ridge, phase, live_rank(here, ridge, noticed, depth), depth)
                clock[0] = time.monotonic()
            elif time.monotonic() - clock[0] > TICK:
                self.report(self.records[-1])
                clock[0] = time.monotonic()

        modes, taken, _ = minimise(self.entries, modes, ridge, depth, self._iterations(len(modes.s)), watch)
        self.step = before + taken
        modes = self.parts.shared(modes.head(self.live_rank(modes, ridge, depth)))
        held = self.record(modes, ridge, phase, depth=depth).heldout_rmse
        known = self.minima.get((phase, depth))
        if len(modes.s) and (known is None or held < known.heldout_rmse):
            self.minima[phase, depth] = Minimum(modes, ridge, depth, held)
        return modes

    def polish(self, modes: Modes, patience: int = PATIENT) -> Polished:
        """Least squares at this rank; what no entry sees, between parts, is as small as the parts are."""
        fit = polish(self.entries, modes, patience)
        self.step += fit.steps
        return fit._replace(modes=self.parts.shared(fit.modes, ROUNDED))

    def falling(self, width: int) -> Iterator[Modes]:
        """The minima along a ridge that falls from one where few of `width` directions live."""
        start = starting_modes(self.entries, width)
        top = killing_ridge(float(start.s[0]), self.entries.shape, self.depth)
        modes = start
        for stage in range(STAGES):
            modes = self.settle(modes, FIRST * top * 0.5**stage, "falling")
            yield modes
            if not len(modes.s):
                modes = start  # all died at once: the next ridge begins anew

    def live_rank(self, modes: Modes, ridge: float, depth: int) -> int:
        """The number of directions that are not dead at this point."""
        return live_rank(modes, ridge, self._gradient_norm(modes), depth)

    def _gradient_norm(self, modes: Modes) -> float:
        top = residual_mode(self.entries, modes)
        return float(top.s[0]) if len(top.s) else 0.0

    def _iterations(self, width: int) -> int:
        work = width * (50 * sum(self.entries.shape) + 6 * self.entries.count)
        return int(np.clip(WORK / max(work, 1), *ITERATIONS))
