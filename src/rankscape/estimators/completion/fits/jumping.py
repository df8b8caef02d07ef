"""The falling part by SGD on single entries: it also leaves minima of too high a rank, and never comes back."""

from dataclasses import dataclass

import numpy as np

from rankscape.dynamics import SGD
from rankscape.entries import Entries
from rankscape.entries.prepared import outer_factors
from rankscape.ground.modes import Modes, balanced_factors, modes_of
from rankscape.initialization import Factors
from rankscape.problem import Completion
from rankscape.run.simulation import simulate
from rankscape.run.trajectory import Trajectory
from rankscape.solvers.descent.stable_rate import with_stable_rate

# Passes over the entries at each ridge, and most steps.
EPOCHS, MOST = 50, 5_000_000

# First learning rate, on entries of rms 1.
RATE = 0.1


@dataclass
class SGDJumps:
    """SGD at one ridge after another; the learning rate is halved whenever it is too large.

    Attributes
    ----------
    entries : Entries
        Of rms 1, drawn uniformly, one a step.
    seed : int
        Of the draws; each ridge has its own.
    rate : float
        The learning rate that has not blown up so far.
    """

    entries: Entries
    seed: int
    rate: float = RATE

    def __post_init__(self):
        self._problem = Completion.of(self.entries)

    def __call__(self, modes: Modes, ridge: float, depth: int) -> tuple[Modes, int]:
        """SGD from balanced factors of `modes`; where it ends, and its steps."""
        steps = int(min(EPOCHS * self.entries.count, MOST))
        start = Factors(balanced_factors(modes, [len(modes.s)] * (depth - 1)))
        self.seed += 1

        def stage(rate: float) -> Trajectory:
            dynamics = SGD(rate, ridge)
            return simulate(
                self._problem, initialization=start, dynamics=dynamics, steps=steps, record=[steps], seed=self.seed,
                throw=True,
            )  # fmt: skip

        run, self.rate = with_stable_rate(stage, self.rate, instead="path='minima'")
        return modes_of(*outer_factors([np.asarray(W) for W in run.factors])), steps
