r"""What a shrinkage of singular values costs, estimated without the truth: Stein's unbiased estimate of risk."""

import numpy as np

from rankscape.solvers.noise.shrinkage import Shrunk

# Pairs of values that are held at once.
PAIRS = 1_000_000


def stein_risk(values: np.ndarray, shrunk: Shrunk, shape: tuple[int, int], symmetric: bool = False) -> float:
    r"""An estimate of :math:`\|F - W\|_F^2`, for ``X = W + Z`` with singular values s and F the same with values f.

    .. math::

        -mn + \sum_i (s_i - f_i)^2 + 2 \Bigl( \sum_i f_i' + (n - m) \sum_i \frac{f_i}{s_i}
        + \sum_{i \ne j} \frac{s_i f_i - s_j f_j}{s_i^2 - s_j^2} \Bigr)

    has that mean, if the entries of Z are independent normal of variance 1. For symmetric matrices, with variance 1
    above the diagonal and 2 on it, it is
    :math:`-n(n+1) + \sum (\lambda - f)^2 + 4 \sum f' + 2 \sum_{i \ne j} (f_i - f_j) / (\lambda_i - \lambda_j)`.

    Parameters
    ----------
    values : ndarray
        Singular values, or signed eigenvalues.
    shrunk : Shrunk
        What is kept of them.
    shape : (int, int)
        Of the matrix.
    symmetric : bool
        Whether `values` are eigenvalues.

    Examples
    --------
    >>> from rankscape.solvers.noise.shrinkage import Shrunk
    >>> s = np.array([5.0, 2.0])
    >>> stein_risk(s, Shrunk(s, np.ones(2)), (2, 3)), stein_risk(s, Shrunk(0 * s, 0 * s), (2, 3))  # nm; |X|^2 - nm
    (6.0, 23.0)

    References
    ----------
    .. [candes2013] Candes, Sing-Long, Trzasko, "Unbiased risk estimates for singular value thresholding and spectral
       estimators", IEEE Transactions on Signal Processing 61 (2013).
    """
    s, f = np.asarray(values, float), shrunk.kept
    removed = float(((s - f) ** 2).sum())
    if symmetric:
        mixed = _quotients(s, f, shrunk.slopes)
        return removed + 4 * float(shrunk.slopes.sum()) + 2 * mixed - len(s) * (len(s) + 1)
    size = np.maximum(s, 1e-300)
    own = (f / size + shrunk.slopes) / 2  # the derivative of s f with respect to s^2
    mixed = _quotients(s**2, s * f, own)
    divergence = float(shrunk.slopes.sum()) + abs(shape[0] - shape[1]) * float((f / size).sum()) + mixed
    return removed + 2 * divergence - shape[0] * shape[1]


def _quotients(at: np.ndarray, value: np.ndarray, slope: np.ndarray) -> float:
    """The sum of all quotients of differences of two; where two places agree, the derivative."""
    total, step = 0.0, max(1, PAIRS // len(at))
    tie = 1e-14 * float(np.abs(at).max(initial=0.0))
    for first in range(0, len(at), step):
        part = slice(first, first + step)
        apart, rise = at[part, None] - at, value[part, None] - value
        near = np.abs(apart) <= tie
        total += float(np.where(near, slope[part, None], rise / np.where(near, 1.0, apart)).sum())
    return total - float(slope.sum())  # without each with itself
