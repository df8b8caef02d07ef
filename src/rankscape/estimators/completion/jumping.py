"""The falling part by SGD on single entries: it also leaves minima of too high a rank, and never comes back."""

import warnings
from dataclasses import dataclass

import numpy as np

from rankscape.dynamics import SGD
from rankscape.entries import Entries
from rankscape.entries.prepared import outer_factors
from rankscape.errors import DivergenceWarning, RunFailed
from rankscape.ground.modes import Modes, modes_of
from rankscape.initialization import Factors
from rankscape.problem import Completion
from rankscape.run.outcome import Outcome
from rankscape.run.simulation import simulate
from rankscape.solvers.ridge_minimum import balanced_factors

# Passes over the entries at each ridge, and most steps.
EPOCHS, MOST = 50, 5_000_000

# First learning rate, on entries of rms 1, and the one below which something else must be wrong.
RATE, LEAST = 0.1, 1e-5


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
        start = Factors(balanced_factors(modes, depth))
        self.seed += 1
        while self.rate > LEAST:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DivergenceWarning)
                dynamics = SGD(self.rate, ridge)
                run = simulate(
                    self._problem, initialization=start, dynamics=dynamics, steps=steps, record=[steps], seed=self.seed
                )
            if run.outcome != Outcome.DIVERGED:
                return modes_of(*outer_factors([np.asarray(W) for W in run.factors])), steps
            self.rate /= 2
        raise RunFailed("SGD blows up at every learning rate: scale the rows and columns, or use path='minima'.")
