"""How much noise a matrix carries, read off its singular values, and which directions are worth keeping in it."""

import numpy as np

# Intervals in which the law of the noise is tabulated.
CELLS = 2000

# Most times that the level and the number of directions above it are found from each other.
ROUNDS = 20


def hard_threshold(noise: float, shape: tuple[int, int]) -> float:
    r"""The singular value below which a direction of a noisy matrix costs more than it brings.

    .. math:: \tau = \sigma\sqrt{n}\,\sqrt{2(b+1) + \frac{8b}{b + 1 + \sqrt{b^2 + 14b + 1}}}, \qquad b = m/n \le 1

    for entries with independent noise of standard deviation :math:`\sigma`: Gavish, Donoho (2014). The same holds for
    the eigenvalues of a symmetric matrix whose entries above the diagonal are independent: the best multiple of a
    direction of size :math:`\tau` is half of it, in both.

    >>> round(hard_threshold(1.0, (100, 100)) / 10, 4)
    2.3094
    """
    m, n = sorted(shape)
    b = m / n
    return float(noise * np.sqrt(n) * np.sqrt(2 * (b + 1) + 8 * b / (b + 1 + np.sqrt(b**2 + 14 * b + 1))))


def noise_edge(noise: float, shape: tuple[int, int]) -> float:
    r"""The largest singular value of noise alone, for large matrices: :math:`\sigma(\sqrt m + \sqrt n)`.

    >>> noise_edge(0.5, (100, 400))
    15.0
    """
    return float(noise * (np.sqrt(shape[0]) + np.sqrt(shape[1])))


def noise_law(shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    r"""Singular values of noise with :math:`\sigma = 1`, and the share of them that is smaller (Marchenko, Pastur).

    With :math:`s^2 = n(1 + b - 2\sqrt b \cos\varphi)` the density is :math:`2 n \sin^2\varphi / (\pi s^2)` in
    :math:`\varphi \in [0, \pi]`. For :math:`b = 1` it is the law of the moduli of the eigenvalues of a symmetric
    matrix (the semicircle).

    >>> s, share = noise_law((100, 100))
    >>> round(float(np.interp(0.5, share, s)) / 10, 4)  # the median of the quarter circle
    0.8079
    """
    m, n = sorted(shape)
    b, phi = m / n, (np.arange(CELLS) + 0.5) * np.pi / CELLS
    mass = np.sin(phi) ** 2 / (1 + b - 2 * np.sqrt(b) * np.cos(phi))
    edges = np.arange(CELLS + 1) * np.pi / CELLS
    s = np.sqrt(n * np.maximum(1 + b - 2 * np.sqrt(b) * np.cos(edges), 0.0))
    return s, np.append(0.0, np.cumsum(mass) / mass.sum())


def noise_level(singular_values: np.ndarray, shape: tuple[int, int]) -> float:
    r"""The standard deviation of the noise: the median singular value over that of noise with :math:`\sigma = 1`.

    The r directions above the threshold are no noise: without them, what is left is like noise of shape
    ``(m - r, n - r)``. Level and r are found from each other, so a rank that is not small against the shape does not
    raise the level.

    Parameters
    ----------
    singular_values : ndarray
        All of them, descending; of a symmetric matrix the moduli of the eigenvalues.
    shape : (int, int)
        Of the matrix.
    """
    rank, level = 0, 0.0
    for _ in range(ROUNDS):
        s, share = noise_law((shape[0] - rank, shape[1] - rank))
        level = float(np.median(singular_values[rank:]) / np.interp(0.5, share, s))
        above = int(np.count_nonzero(singular_values > hard_threshold(level, shape)))
        if above <= rank:  # the level falls from round to round
            break
        rank = min(above, min(shape) - 1)  # one direction has to be left: of none there is no median
    return level


def misfit(singular_values: np.ndarray, rank: int, noise: float, shape: tuple[int, int]) -> float:
    """The largest distance between the distribution of what is left beyond `rank` and that of noise, from 0 to 1."""
    left = np.sort(singular_values[rank:])
    if not noise or not len(left):
        return 0.0
    s, share = noise_law((shape[0] - rank, shape[1] - rank))
    expected = np.interp(left / noise, s, share)
    # The empirical distribution jumps at each value; the middle of the jump is compared, which favours neither side.
    return float(np.abs(expected - (np.arange(len(left)) + 0.5) / len(left)).max())
