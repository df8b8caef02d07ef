"""What noise alone looks like: the law of its singular values, its edge, and how far chance moves either."""

import numpy as np

# Intervals in which the law of the noise is tabulated.
CELLS = 2000

# What the largest value of noise exceeds once in a hundred matrices, in units of the law of Tracy and Widom.
ONE_IN_A_HUNDRED = 2.02


def hard_threshold(noise: float, shape: tuple[int, int]) -> float:
    r"""The singular value of a noisy matrix of which one half is best kept: below it, zero is better than all of it.

    .. math:: \tau = \sigma\sqrt{n}\,\sqrt{2(b+1) + \frac{8b}{b + 1 + \sqrt{b^2 + 14b + 1}}}, \qquad b = m/n \le 1

    for entries with independent noise of standard deviation :math:`\sigma`: Gavish, Donoho (2014). The same holds for
    the eigenvalues of a symmetric matrix whose entries above the diagonal are independent.

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


def noise_top(noise: float, shape: tuple[int, int], symmetric: bool = False) -> float:
    r"""What the largest singular value of noise alone exceeds in one matrix of a hundred.

    The squared one is distributed about :math:`(\sqrt m + \sqrt n)^2` in units of
    :math:`(\sqrt m + \sqrt n)(m^{-1/2} + n^{-1/2})^{1/3}` (Johnstone 2001), the largest eigenvalue of a symmetric
    matrix about :math:`2 \sqrt n` in units of :math:`n^{-1/6}` (Tracy, Widom 1996).

    >>> round(noise_top(1.0, (100, 400)), 2), round(noise_top(1.0, (100, 100), symmetric=True), 2)
    (30.53, 20.94)
    """
    edge = noise_edge(1.0, shape)
    if symmetric:
        return float(noise * (edge + ONE_IN_A_HUNDRED * shape[0] ** (-1 / 6)))
    unit = edge * (shape[0] ** -0.5 + shape[1] ** -0.5) ** (1 / 3)
    return float(noise * np.sqrt(edge**2 + ONE_IN_A_HUNDRED * unit))


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


def misfit(singular_values: np.ndarray, rank: int, noise: float, shape: tuple[int, int]) -> float:
    """The largest distance between the distribution of what is left beyond `rank` and that of noise, from 0 to 1."""
    left = np.sort(singular_values[rank:])
    if not noise or not len(left):
        return 0.0
    s, share = noise_law((shape[0] - rank, shape[1] - rank))
    expected = np.interp(left / noise, s, share)
    # The empirical distribution jumps at each value; the middle of the jump is compared, which favours neither side.
    return float(np.abs(expected - (np.arange(len(left)) + 0.5) / len(left)).max())


def chance_misfit(left: int, symmetric: bool = False) -> float:
    """The misfit that noise alone exceeds in about one matrix of a hundred, by the number of values that are left.

    Singular values repel one another, so they follow their law far more closely than independent draws. Of eight to
    three hundred values of noise, square to 1:12, with two directions above it, one in a hundred exceeded 1.2 to 3.0
    over their number; this formula is 1.5 to 3.4. Eigenvalues of opposite signs do not repel one another: 1.8 to 4.1,
    and the formula is 2.0 to 4.5.

    >>> round(chance_misfit(148), 4)
    0.0209
    """
    return float((1.3 if symmetric else 1.0) * (0.6 + 0.5 * np.log(max(left, 1))) / max(left, 1))
