r"""What to keep of each singular value of ``X = W + Z``, where the entries of Z are independent normal of variance 1.

Two answers. Where W has few directions each is shrunk by itself, in closed form (`optimal`). Where its spectrum is of
any other kind, the values around a value say how far the noise has pushed it (`rotation_invariant`). What either costs
is estimated in `stein`.

A symmetric X is handled with its eigenvalues; its noise has variance 1 above the diagonal, and 2 on it.
"""

from collections.abc import Iterator
from typing import Literal, NamedTuple

import numpy as np

Norm = Literal["frobenius", "operator", "nuclear"]

# Radius of the semicircle that stands for a value, over the value and m^(-1/3). Of 0.5, 1 and 2 the error at low rank
# was 0.2540, 0.2564 and 0.2771; on photographs they do not differ.
RADIUS = 0.5

# Pairs of values that are held at once.
PAIRS = 1_000_000


class Shrunk(NamedTuple):
    """What is kept of each value, and how fast that grows with the value: ``slopes[i] = d kept[i] / d values[i]``."""

    kept: np.ndarray
    slopes: np.ndarray


def optimal(sizes: np.ndarray, shape: tuple[int, int], norm: Norm = "frobenius") -> Shrunk:
    r"""The best values for few directions, each by itself.

    With :math:`b = m/n \le 1` and in units of :math:`\sqrt n`, a direction of size x shows as
    :math:`y^2 = (x^2 + 1)(x^2 + b) / x^2`, and along singular vectors that are off; below :math:`1 + \sqrt b` nothing
    shows. The value that makes the error smallest is

    .. math::

        \frac{\sqrt{(y^2 - b - 1)^2 - 4b}}{y}, \qquad \frac{x^2 + b}{y}, \qquad
        \frac{x^4 - b - \sqrt b\, x y}{x^2 y}

    in the Frobenius, operator and nuclear norm (Gavish, Donoho 2017; the second: Leeb 2022). With b = 1 the same holds
    for the eigenvalues of symmetric matrices.

    Parameters
    ----------
    sizes : ndarray
        Singular values, or the moduli of eigenvalues.
    shape : (int, int)
        Of the matrix.
    norm : {"frobenius", "operator", "nuclear"}
        The norm in which the error is to be small.

    Examples
    --------
    >>> optimal(np.array([30.0, 19.9]), (100, 100)).kept.round(2)  # the edge is 20
    array([22.36,  0.  ])

    References
    ----------
    .. [gavish2017] Gavish, Donoho, "Optimal shrinkage of singular values", IEEE Transactions on Information Theory 63
       (2017).
    .. [leeb2022] Leeb, "Optimal singular value shrinkage for operator norm loss: Extending to non-square matrices",
       Statistics & Probability Letters 186 (2022).
    """
    m, n = sorted(shape)
    b, y = m / n, np.asarray(sizes, float) / np.sqrt(n)
    seen = y > 1 + np.sqrt(b)
    y = np.where(seen, y, 2 + np.sqrt(b))  # any value above the edge; what is not seen is set to zero below
    root = np.sqrt(np.maximum((y**2 - b - 1) ** 2 - 4 * b, 1e-300))
    x = np.sqrt((y**2 - b - 1 + root) / 2)
    growth = y * x / root  # of x with y
    if norm == "operator":
        kept = (x**2 + b) / y
        slopes = 2 * x * growth / y - kept / y
    elif norm == "nuclear":
        kept = (x**2 - b / x**2) / y - np.sqrt(b) / x
        slopes = ((2 * x + 2 * b / x**3) / y + np.sqrt(b) / x**2) * growth - (x**2 - b / x**2) / y**2
        seen &= kept > 0
    else:
        kept = root / y
        slopes = 2 * (y**2 - b - 1) / root - kept / y
    return Shrunk(np.where(seen, kept * np.sqrt(n), 0.0), np.where(seen, slopes, 0.0))


def rotation_invariant(values: np.ndarray, shape: tuple[int, int], symmetric: bool = False) -> Shrunk:
    r"""The best values where nothing is known of the singular vectors, whatever the spectrum.

    .. math:: f_i = s_i - \frac{n - m}{s_i} - \sum_j \bigl( K_j(s_i - s_j) + K_j(s_i + s_j) \bigr),

    K the Hilbert transform of a semicircle of radius :math:`R_j = s_j m^{-1/3} / 2` and mass 1. Stein found it for
    covariances; the semicircles keep near values from pushing one another without bound (Ledoit, Wolf 2020). It is the
    optimum for large matrices (Troiani et al. 2022). For symmetric matrices it is
    :math:`f_i = \lambda_i - 2 \sum_j K_j(\lambda_i - \lambda_j)`. Values that break the order are averaged; then what
    has changed its sign is set to zero, and what exceeds the value is cut to it.

    Parameters
    ----------
    values : ndarray
        Singular values or signed eigenvalues, in any order.
    shape : (int, int)
        Of the matrix.
    symmetric : bool
        Whether `values` are eigenvalues.

    Examples
    --------
    >>> rotation_invariant(np.array([300.0, 150.0]), (2, 10_000)).kept.round(1)  # s - n/s
    array([266.7,  83.3])

    References
    ----------
    .. [ledoit2020] Ledoit, Wolf, "Analytical nonlinear shrinkage of large-dimensional covariance matrices", Annals of
       Statistics 48 (2020).
    .. [troiani2022] Troiani, Erba, Krzakala, Maillard, Zdeborova, "Optimal denoising of rotationally invariant
       rectangular matrices", MSML 2022.
    """
    from scipy.optimize import isotonic_regression

    order = np.argsort(values, kind="stable")
    s = np.asarray(values, float)[order]
    pull = _Pull(s, abs(shape[0] - shape[1]), symmetric)
    raw, own = pull.on_each()
    pooled = isotonic_regression(raw)
    group = np.repeat(np.arange(len(pooled.blocks) - 1), np.diff(pooled.blocks))
    slopes = (own + pull.of_each_on(group)) / np.diff(pooled.blocks)[group]
    low, high = np.minimum(s, 0), np.maximum(s, 0)
    cut = (pooled.x <= low) | (pooled.x >= high)
    # Where it is cut at the value itself it grows with it; where it is zero it stays there.
    slopes = np.where(cut, np.where(s > 0, pooled.x >= high, pooled.x <= low), slopes)
    kept = np.clip(pooled.x, low, high)
    back = np.argsort(order)
    return Shrunk(kept[back], slopes[back])


class _Pull:
    """How the noise has moved every value, by all of them; each stands for a semicircle, and for its mirror image."""

    def __init__(self, s: np.ndarray, longer: int, symmetric: bool):
        self.s, self.longer = s, longer
        size = np.maximum(np.abs(s), 1e-9 * np.sqrt(len(s) + longer))  # of zero there is no radius
        self.size = size
        # Eigenvalues are as dense around zero as anywhere within the noise, whose radius is 2 sqrt(n).
        wide = np.maximum(size, np.sqrt(len(s))) if symmetric else size
        self.radius, self.moving = RADIUS * len(s) ** (-1 / 3) * wide, (wide == size) / np.where(s < 0, -size, size)
        self.signs, self.weight = ((1,), 2.0) if symmetric else ((1, -1), 1.0)

    def on_each(self) -> tuple[np.ndarray, np.ndarray]:
        """The values without their push, and how fast they grow when a value moves and the semicircles do not."""
        raw = self.s - self.longer / self.size
        own = 1 + self.longer / self.size**2
        for part in self._parts():
            for sign in self.signs:
                K, D, _ = _hilbert(self.s[part, None] - sign * self.s, self.radius)
                raw[part] -= self.weight * K.sum(axis=1)
                own[part] -= self.weight * D.sum(axis=1)
        return raw, own

    def of_each_on(self, group: np.ndarray) -> np.ndarray:
        """How much the sum of the values of its group grows by the move of the semicircle of each."""
        out = np.zeros(len(self.s))
        for part in self._parts():
            same = group[:, None] == group[part]
            for sign in self.signs:
                K, D, z = _hilbert(self.s[:, None] - sign * self.s[part], self.radius[part])
                out[part] += self.weight * ((sign * D + self.moving[part] * (K + z * D)) * same).sum(axis=0)
        return out

    def _parts(self) -> Iterator[slice]:
        step = max(1, PAIRS // len(self.s))
        return (slice(at, at + step) for at in range(0, len(self.s), step))


def _hilbert(z: np.ndarray, radius: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The Hilbert transform of semicircles around zero, at z; its derivative; and z."""
    far = np.abs(z)
    root = np.sqrt(np.maximum(far**2 - radius**2, 0))
    inside = far <= radius
    K = 2 * z / np.where(inside, radius**2, far * (far + root))
    D = 2 / np.where(inside, radius**2, -np.maximum((far + root) * root, 1e-300))
    return K, D, z
