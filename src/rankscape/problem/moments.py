"""Moments of a regression: all that its loss and its full gradients see of the samples."""

from typing import NamedTuple

import numpy as np

from rankscape.errors import InputError
from rankscape.ground.checks import nonnegative
from rankscape.ground.linalg import thin_svd
from rankscape.ground.types import Matrix

# What rounding leaves: of an asymmetry, of negative eigenvalues, of outputs where there are no inputs.
ROUNDING = 1e-10


class Moments(NamedTuple):
    r"""The loss as a distance, :math:`\tfrac12 \|W R^\top - B\|_F^2 + c` with :math:`R^\top R = \Sigma_{xx}`."""

    input_covariance: Matrix
    cross_covariance: Matrix
    root: Matrix  # R, a row for each direction that the inputs span
    image: Matrix  # B, what the least-squares solution makes of them
    floor: np.ndarray  # c, the least loss


def of_samples(X: Matrix, Y: Matrix) -> Moments:
    """The moments of samples, by one decomposition of the inputs: their squares would lose half of the digits."""
    count = len(X)
    U, s, Vt = thin_svd(X)
    kept = s > max(X.shape) * np.finfo(float).eps * s[0]
    U, root = U[:, kept], s[kept, None] * Vt[kept] / count**0.5
    fit = U.T @ Y
    left = Y - U @ fit
    floor = np.array(0.5 * np.vdot(left, left) / count)
    return Moments(X.T @ X / count, Y.T @ X / count, root, fit.T / count**0.5, floor)


def of_covariances(Sxx: Matrix, Syx: Matrix, output_variance: float | None) -> Moments:
    """The same from covariances, checked to be those of any samples."""
    if Sxx.shape[0] != Sxx.shape[1] or Syx.shape[1] != Sxx.shape[0]:
        raise InputError(
            f"`input_covariance` must be (n_in, n_in) and `cross_covariance` (n_out, n_in), got {Sxx.shape} and "
            f"{Syx.shape}."
        )
    size = float(np.abs(Sxx).max())
    gap = float(np.abs(Sxx - Sxx.T).max())
    if gap > ROUNDING * size:
        raise InputError(f"`input_covariance` is not symmetric: entries differ from the transpose by up to {gap:.3g}.")
    sigma, V = np.linalg.eigh((Sxx + Sxx.T) / 2)
    if sigma[0] < -ROUNDING * size:
        raise InputError(f"`input_covariance` has a negative eigenvalue, {sigma[0]:.3g}: no inputs have it.")
    kept = sigma > len(Sxx) * np.finfo(float).eps * max(sigma[-1], 0.0)
    beyond = float(np.linalg.norm(Syx @ V[:, ~kept]))
    if beyond > ROUNDING**0.5 * float(np.linalg.norm(Syx)):
        raise InputError(
            f"`cross_covariance` is not zero where the inputs have no variance (its norm there is {beyond:.3g}): no "
            "samples have such covariances."
        )
    lengths = np.sqrt(sigma[kept])
    image = Syx @ V[:, kept] / lengths
    floor = 0.0
    if output_variance is not None:
        explained = float(np.vdot(image, image))
        floor = 0.5 * (nonnegative("output_variance", output_variance) - explained)
        if floor < -ROUNDING * explained:
            raise InputError(
                f"`output_variance` is {output_variance:g}, but the inputs alone explain {explained:g}: it must be at "
                "least that."
            )
    return Moments(Sxx, Syx, lengths[:, None] * V[:, kept].T, image, np.array(max(floor, 0.0)))
