"""Paths of ridges: falling with the ridge, climbing by growing directions, and falling from a low ridge upwards.

A depth-3 ridge has minima of many ranks, and which one is reached depends on where the path comes from: from above
(a high ridge that is lowered) only strong directions survive, from below (a low ridge that is raised) a direction
lives until it cannot any more. Held-out entries compare them.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from rankscape.engine.sparse import ObservedEntries, entries_of_product
from rankscape.estimators.solve import Modes, live_rank, minimise, residual_modes, worth_growing

STAGE_ITERATIONS = 120
"""L-BFGS iterations per stage: warm starts need 20 to 100, and a stage that runs out goes on in the next one."""

GROWTH_ROUNDS = 3
"""Times that a stage may grow directions and minimise again."""

GROWTH_BATCH = 4
"""Directions tried at once; each has to lower the objective by itself."""

CLEARLY_WORSE = 1.25
"""Factor over the best held-out error that ends a path at once; any two stages in a row above `WORSE` end it too."""

WORSE = 1.01

TICK = 0.2
"""Seconds between two calls of the progress function inside a stage."""


@dataclass(frozen=True, eq=False)
class Record:
    """One point of a path; `modes` are kept at the ends of stages only."""

    step: int
    ridge: float
    rank: int
    singular_values: np.ndarray
    train_rmse: float
    heldout_rmse: float
    modes: Modes | None = None
    direction: str = ""

    @property
    def end(self) -> Modes:
        """The modes of a record that ends a stage."""
        assert self.modes is not None
        return self.modes


@dataclass(eq=False)
class Path:
    """Training entries (offset removed, rms 1), what is held out, and the records made so far.

    Attributes
    ----------
    entries : ObservedEntries
        What the factors are fitted to.
    heldout : tuple of ndarray
        Rows, columns and values of the held-out entries in the same units.
    depth, width : int
        Of the factorization.
    report : callable
        Called with each record and the share of the present phase that is done.
    """

    entries: ObservedEntries
    heldout: tuple[np.ndarray, np.ndarray, np.ndarray]
    depth: int
    width: int
    report: Callable[[Record, float], None] = lambda record, share: None
    records: list[Record] = field(default_factory=list)
    step: int = 0
    gradient_norm: float = 0.0

    def heldout_residual(self, modes: Modes) -> np.ndarray:
        """Prediction minus value on the held-out entries."""
        rows, columns, values = self.heldout
        return entries_of_product(rows, columns, modes.U * modes.s, modes.V) - values

    def record(self, modes: Modes, ridge: float, direction: str, keep: bool = True, share: float = 0.0) -> Record:
        """Measure, append and report one point."""
        rank = live_rank(modes, ridge, self.gradient_norm, self.depth)
        residual = self.entries.residual(modes.U * modes.s, modes.V)
        train, held = (float(np.sqrt(np.mean(r * r))) for r in (residual, self.heldout_residual(modes)))
        point = Record(self.step, ridge, rank, modes.s, train, held, modes if keep else None, direction)
        self.records.append(point)
        self.report(point, share)
        return point

    def stage(self, modes: Modes, ridge: float, direction: str, share: float, growth: bool, iterations: int) -> Record:
        """Minimise at one ridge, drop dead directions, and (with `growth`) add those that lower the objective."""
        rank = -1
        for round_ in range(GROWTH_ROUNDS + 1):
            modes = self._settle(modes, ridge, direction, share, iterations)
            room = min(GROWTH_BATCH, self.width - len(modes.s))
            if not growth or round_ == GROWTH_ROUNDS or room <= 0 or len(modes.s) <= rank:
                break  # also when what was grown last has died again
            rank = len(modes.s)
            grown = worth_growing(self.entries, residual_modes(self.entries, modes, room), ridge, self.depth)
            if not len(grown.s):
                break
            modes = modes.join(grown)
        return self.record(modes, ridge, direction, share=share)

    def _settle(self, modes: Modes, ridge: float, direction: str, share: float, iterations: int) -> Modes:
        before, clock = self.step, [time.monotonic()]

        def watch(taken: int, current: Callable[[], Modes]) -> None:
            self.step = before + taken
            if taken & (taken - 1) == 0:  # iterations 1, 2, 4, 8, ...: where the spectrum moves
                self.record(current(), ridge, direction, keep=False, share=share)
                clock[0] = time.monotonic()
            elif time.monotonic() - clock[0] > TICK:
                last = self.records[-1]
                self.report(last, share)
                clock[0] = time.monotonic()

        modes, taken, _ = minimise(self.entries, modes, ridge, self.depth, iterations, watch)
        self.step = before + taken
        top = residual_modes(self.entries, modes, 1)
        self.gradient_norm = float(top.s[0]) if len(top.s) else 0.0
        return modes.head(live_rank(modes, ridge, self.gradient_norm, self.depth))

    def run(
        self, modes: Modes, ridges: np.ndarray, direction: str, *, growth: bool = False, budget: int, done=None
    ) -> list[Record]:
        """Follow `ridges` with warm starts; stop when held-out entries have clearly had enough.

        Parameters
        ----------
        modes : Modes
            The start.
        ridges : ndarray
            In the order of the path.
        direction : str
            Kept in the records.
        growth : bool
            Whether missing directions are grown after each stage.
        budget : int
            Iterations after which no new stage begins.
        done : callable, optional
            Receives each stage's record; True ends the path.
        """
        stages: list[Record] = []
        start, first = modes, self.step
        for k, ridge in enumerate(ridges):
            share = max(k / len(ridges), (self.step - first) / budget)
            stages.append(self.stage(modes, float(ridge), direction, min(share, 1.0), growth, STAGE_ITERATIONS))
            modes = stages[-1].end
            if done is not None and done(stages[-1]):
                break
            if not len(modes.s):
                if k and ridges[k] > ridges[k - 1]:
                    break  # a rising ridge never brings anything back
                modes = start  # a falling one: all died at once, try the next ridge from the beginning
            if _past_the_best([r.heldout_rmse for r in stages]) or self.step - first >= budget:
                break
        return stages


def _past_the_best(errors: list[float]) -> bool:
    best = min(errors)
    if errors[-1] > CLEARLY_WORSE * best:
        return True
    return len(errors) > 2 and min(errors[-2:]) > WORSE * best
