"""A learning rate that follows the curvature."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rankscape.ground.checks import positive, whole
from rankscape.ground.final import final

# Least curvature that counts: where all factors are zero nothing moves at any rate, but no rate may be infinite.
FLAT = 1e-30


@final
@dataclass(frozen=True)
class Curvature:
    r"""A learning rate of `GradientDescent` that follows the curvature: every step as long as is safe.

    With :math:`\ell` the smoothness of the loss, :math:`\sigma` the largest norm of a factor and G the gradient with
    respect to W, the curvature along the N factors is about

    .. math:: N \ell \sigma^{2N-2} + (N-1) \|G\| \sigma^{N-2} + 2\lambda,

    all norms spectral, and the rate is `safety` over it. So the way out of a small start, which takes most of the steps
    at one rate for all, takes few. Step k is no time here: what theory says of steps needs a constant rate.

    Parameters
    ----------
    safety : float
        The rate in units of the inverse curvature; below 1 the loss falls in practice.
    refresh : int
        Steps for which a rate holds, counted from step 0 of the run. In between the factors move little.

    Examples
    --------
    >>> import rankscape as rs
    >>> run = rs.simulate(rs.Estimation(eigenvalues=[2.0, 1.0]), depth=3, initialization=rs.Identical(alpha=0.1),
    ...                   dynamics=rs.GradientDescent(rs.rates.Curvature()), steps=150, record=[0, 150])
    >>> run.learning_rate.values.round(2).tolist(), run.singular_values.values[-1].round(2).tolist()
    ([1.25, 0.07], [2.0, 1.0])
    """

    safety: float = 0.5
    refresh: int = 5

    def __post_init__(self):
        object.__setattr__(self, "safety", positive("safety", self.safety))
        object.__setattr__(self, "refresh", whole("refresh", self.refresh, least=1))

    def at(self, smoothness: float, sizes: Sequence[float], slope: float, ridge: float = 0.0) -> float:
        """The rate where the factors have these norms and the gradient with respect to W has norm `slope`."""
        N, sigma = len(sizes), max(sizes)
        # Of a single factor the second term is nothing; the power would be that of a norm that may be zero.
        bent = (N - 1) * slope * sigma ** (N - 2) if N > 1 else 0.0
        curvature = N * smoothness * sigma ** (2 * N - 2) + bent + 2 * ridge
        return self.safety / max(curvature, FLAT)

    def describe(self) -> dict[str, Any]:
        """The numbers, as JSON."""
        return {"safety": self.safety, "refresh": self.refresh}
