"""Regression whose covariances need not commute: what is certain nevertheless."""

from dataclasses import dataclass

import numpy as np

from rankscape.errors import InputError
from rankscape.ground.checks import whole
from rankscape.ground.types import ArrayLike
from rankscape.theory.exact.regression import covariances, relative_commutator
from rankscape.theory.inputs import matrix_of


@dataclass(frozen=True)
class RegressionBound:
    """What is certain of the loss of a regression, whether its covariances commute or not."""

    rate: float
    """The excess of the loss over its least value falls at least like ``exp(-rate * t)`` here; 0 says nothing."""
    commutator: float
    """As in `RegressionModes`."""
    assumptions: tuple[str, ...]


def regression_bound(
    input_covariance: ArrayLike, cross_covariance: ArrayLike, W: ArrayLike, depth: int
) -> RegressionBound:
    r"""How fast gradient flow of balanced factors must lower the loss at ``W``, after Polyak and Lojasiewicz.

    With s the smallest singular value of W and :math:`\sigma_+` the smallest positive eigenvalue of
    :math:`\Sigma_{xx}`,

    .. math:: -\frac{d}{dt} \log(f - f_{\min}) \ge 2 \mu \sigma_+, \qquad \mu = N s^{2-2/N},

    where N becomes 1 if W is not square, and the bound 0 if W does not have full rank. It holds as long as s stays.

    Parameters
    ----------
    input_covariance, cross_covariance
        As in `regression_modes`.
    W : array_like of shape (n_out, n_in)
        The product.
    depth : int
        N.

    Examples
    --------
    >>> bound = regression_bound([[1.0, 0.5], [0.5, 1.0]], [[1.0, 0.0], [0.0, 2.0]], [[1.0, 0.0], [0.0, 1.0]], depth=3)
    >>> round(bound.rate, 6), round(bound.commutator, 6)
    (3.0, 0.25)
    """
    Sxx, Syx = covariances(input_covariance, cross_covariance)
    product, N = matrix_of("W", W), whole("depth", depth, least=1)
    if product.shape != Syx.shape:
        raise InputError(f"`W` has shape {product.shape}, but the covariances need {Syx.shape}.")
    s = float(np.linalg.svd(product, compute_uv=False)[-1])
    sigma = np.linalg.eigvalsh(Sxx)
    seen = sigma[sigma > len(Sxx) * np.finfo(float).eps * max(sigma[-1], 0.0)]
    terms = N if product.shape[0] == product.shape[1] else 1
    mu = 1.0 if N == 1 else terms * s ** (2 - 2 / N)
    assumptions = ("gradient flow without ridge", "balanced factors", "as long as the smallest singular value stays")
    return RegressionBound(2 * mu * float(seen[0]) if len(seen) else 0.0, relative_commutator(Sxx, Syx), assumptions)
