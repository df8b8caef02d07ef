"""What may be chosen: fits of the training entries, each with its error on the held-out ones."""

from dataclasses import dataclass, field

import numpy as np

from rankscape.estimators.completion.baselines import Offset
from rankscape.estimators.completion.methods.solve import Modes
from rankscape.estimators.completion.methods.unequal import Variances

# How rich each of them is: on a tie the simpler one is taken.
#
# "climbed" is one best pair of factors of the rank found, "averaged" the mean of many directions under a prior read off
# the data (variational Bayes), "penalised" the minimum at a low ridge, "sampled" the mean of draws (Gibbs), for data
# that
# are mostly noise.
METHODS = {"offset": 0, "climbed": 1, "averaged": 2, "penalised": 2, "sampled": 3}

# Factor over the best held-out error up to which a simpler fit is taken.
HARDLY = 1.02


@dataclass(frozen=True, eq=False)
class Candidate:
    """A fit ``scale * W + offset``; errors in the units of the data.

    Attributes
    ----------
    method : str
        One of `METHODS`.
    modes : Modes
        Of W, whose entries have an rms near 1.
    offset : Offset
        With the biases that were fitted.
    scale : float
        Of W.
    noise : float
        Standard deviation of the noise, in the units of the data.
    residual : ndarray
        On the held-out entries, times the root of their weights.
    sweeps, width, quiet : int, int, float
        Of the posterior, and the directions and the share of noise that averaging started with.
    ridge, depth : float, int
        Of the factorization whose minimum this is, on entries scaled to rms 1; zero where there is none.
    variances : Variances, optional
        Of rows and columns, where they are not all taken for equal.
    exact, converged : bool
        Whether the entries are reproduced; whether the last solver ended by its tolerance.
    known : (ndarray, ndarray), optional
        Rows and columns that the entries determine; the others are guesses. All without it.
    """

    method: str
    modes: Modes
    offset: Offset
    scale: float
    noise: float
    residual: np.ndarray = field(default_factory=lambda: np.zeros(0))
    sweeps: int = 0
    width: int = 0
    quiet: float = 0.0
    ridge: float = 0.0
    depth: int = 0
    variances: Variances | None = None
    exact: bool = False
    converged: bool = True
    known: tuple[np.ndarray, np.ndarray] | None = None

    @property
    def rank(self) -> int:
        """The number of directions."""
        return len(self.modes.s)

    @property
    def rmse(self) -> float:
        """Root mean square of the held-out residual."""
        return float(np.sqrt(np.mean(self.residual**2))) if len(self.residual) else np.inf


def choose(candidates: list[Candidate]) -> Candidate:
    """The simplest method and smallest rank (of which the best) hardly worse than the best.

    That is by at most one standard error, and by at most `HARDLY` in all.

    The standard error is that of the mean *paired* difference of squared held-out residuals, so what is hard for
    both does not count. However few are held out: on matrices from 6 x 5 to 15 x 12 with noise the Bayesian information
    criterion, which needs none, gave errors half as large again.
    """
    best = min(candidates, key=lambda c: c.rmse)
    near = [c for c in candidates if ties(c.residual, best.residual) and c.rmse <= HARDLY * best.rmse]
    return min(near, key=lambda c: (METHODS[c.method], c.rank, c.rmse))


def ties(residual: np.ndarray, best: np.ndarray) -> bool:
    """Whether a residual is within one standard error of the best one, entry by entry."""
    difference = residual**2 - best**2
    if len(difference) < 2:
        return not difference.mean() > 0
    return bool(difference.mean() <= difference.std(ddof=1) / np.sqrt(len(difference)))
