"""One fit: what was fitted to the entries of a trial, by which method, and its error on what it did not see."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rankscape.entries import Entries
from rankscape.estimators.choice import ties
from rankscape.estimators.completion.models.low_rank import LowRank
from rankscape.estimators.completion.ready.offsets import Offset
from rankscape.ground.final import final
from rankscape.ground.modes import Modes
from rankscape.solvers.noise.noise_variances import Variances

if TYPE_CHECKING:
    from rankscape.estimators.completion.methods.base import Method

# Share of the entries' mean square that is noise, beyond which they are mostly noise.
NOISY = 0.5

# Factor over the best held-out error up to which a simpler fit is taken.
HARDLY = 1.02


class Forgetful(NamedTuple):
    """What a method remembers of a fit that has nothing to remember."""


NOTHING = Forgetful()


@final
@dataclass(frozen=True, eq=False)
class Fit:
    """A fit ``scale * W + offset``; errors in the units of the data.

    Attributes
    ----------
    method : Method
        That made it; it knows how to fit again, what the entries must determine, and why in words.
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
    memory : NamedTuple
        What the method itself needs to fit again from here, a record of its own.
    variances : Variances, optional
        Of rows and columns, where they are not all taken for equal.
    exact, converged : bool
        Whether the entries are reproduced; whether the last solver ended by its tolerance.
    known : (ndarray, ndarray), optional
        Rows and columns that the entries determine; the others are guesses. All without it.
    """

    method: "Method"
    modes: Modes
    offset: Offset
    scale: float
    noise: float
    residual: np.ndarray = field(default_factory=lambda: np.zeros(0))
    memory: NamedTuple = NOTHING
    variances: Variances | None = None
    exact: bool = False
    converged: bool = True
    known: tuple[np.ndarray, np.ndarray] | None = None

    @property
    def rank(self) -> int:
        """The number of directions."""
        return len(self.modes.s)

    @property
    def mostly_noise(self) -> bool:
        """Whether the noise is most of what was fitted."""
        return self.noise**2 > NOISY * self.scale**2

    @property
    def rmse(self) -> float:
        """Root mean square of the held-out residual."""
        return float(np.sqrt(np.mean(self.residual**2))) if len(self.residual) else np.inf

    def modes_in(self, scale: float) -> Modes:
        """The modes for entries that are scaled otherwise."""
        return self.modes._replace(s=self.modes.s * (self.scale / scale))


def model_of(fit: Fit) -> LowRank:
    """A fit, in the units of the entries that it was fitted to."""
    modes = fit.modes._replace(s=fit.modes.s * fit.scale)
    return LowRank(modes, fit.offset, fit.noise, fit.variances)


def spectral_gap(fit: Fit, entries: Entries) -> float:
    """The smallest singular value kept, over what noise alone would show on these entries; infinite without noise."""
    n_out, n_in = entries.shape
    # The largest singular value of noise alone on this pattern, scaled to the whole matrix.
    edge = fit.noise / fit.scale * (n_out**0.5 + n_in**0.5) / (entries.count / (n_out * n_in)) ** 0.5
    return float(fit.modes.s[-1]) / edge if fit.rank and not fit.exact and edge else np.inf


def choose(fits: list[Fit]) -> Fit:
    """The simplest method and smallest rank (of which the best) that ties with the best, and is at most `HARDLY` worse.

    However few are held out: on matrices from 6 x 5 to 15 x 12 with noise the Bayesian information criterion, which
    needs none, gave errors half as large again.
    """
    best = min(fits, key=lambda fit: fit.rmse)
    near = [fit for fit in fits if ties(fit.residual**2, best.residual**2) and fit.rmse <= HARDLY * best.rmse]
    return min(near, key=lambda fit: (fit.method.richness, fit.rank, fit.rmse))
