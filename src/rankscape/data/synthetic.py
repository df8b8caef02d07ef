r"""Laboratory problems: random low-rank matrices with holes, all of whose entries are known.

`planted` is made to trap: gradient descent falls into a minimum of twice the true rank, and noise gets it out.
`gaussian` and `heavy_tailed` are generic: on them the true rank is found without noise as well.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from rankscape.errors import InputError
from rankscape.factorization import chain_widths
from rankscape.ground.checks import nonnegative, positive, whole
from rankscape.ground.modes import Modes, balanced_factors
from rankscape.problem.completion import Completion

if TYPE_CHECKING:
    from rankscape.ground.types import ArrayLike


@dataclass(frozen=True, eq=False)
class KnownMatrix:
    """A completion problem together with the matrix that it asks for.

    Attributes
    ----------
    problem : Completion
        What is seen.
    matrix : array of shape (n, n)
        The truth.
    rank : int
        Its rank.
    decoy : array of shape (n, n), optional
        Of `planted`: a matrix of twice the rank that fits what is seen at a smaller cost.
    """

    problem: Completion
    matrix: np.ndarray
    rank: int
    decoy: np.ndarray | None = field(default=None, repr=False)

    @property
    def unseen(self) -> np.ndarray:
        """True where no entry is observed."""
        hidden = np.ones(self.matrix.shape, dtype=bool)
        hidden[self.problem.rows, self.problem.columns] = False
        return hidden

    def test_error(self, W: "ArrayLike") -> float:
        """The mean squared error of `W` over the unseen entries."""
        return float(np.mean((np.asarray(W) - self.matrix)[self.unseen] ** 2))

    def relative_error(self, W: "ArrayLike") -> float:
        """The norm of the error over the unseen entries, relative to the norm of the truth there."""
        return float(np.sqrt(self.test_error(W) / self.test_error(np.zeros_like(self.matrix))))

    def start(self, depth: int = 3, width: int = 8) -> list[np.ndarray]:
        """Balanced factors of the decoy: from here gradient descent ends in the trap. For ``rs.Factors(...)``."""
        if self.decoy is None:
            raise InputError("Only `planted` problems have a decoy to start from; start from rs.Gaussian(scale).")
        U, sigma, Vt = np.linalg.svd(self.decoy)
        # Rounding leaves 1e-16 beyond the rank, and its cube root in a factor would be a mode that lives.
        sigma = np.where(np.arange(len(sigma)) < 2 * self.rank, sigma, 0.0)
        return balanced_factors(Modes(U, sigma, Vt.T), chain_widths(self.matrix.shape, depth, width)[1:-1])


def planted(
    n: int = 24,
    rank: int = 2,
    z: float = 8.0,
    eps: float = 0.35,
    beta: float = 0.5,
    fraction: float = 0.6,
    seed: int = 0,
    jitter: float = 0.05,
) -> KnownMatrix:
    r"""A matrix of rank r with robust minima of rank up to 2r, into which gradient descent falls.

    With ``b = n - r`` and a diagonal matrix :math:`D = \mathrm{diag}(z(1 + k \cdot \mathrm{jitter}))_{k < r}`,

    .. math:: A = \begin{pmatrix} U \\ D \end{pmatrix} \begin{pmatrix} V \\ \epsilon I_r \end{pmatrix}^T
                = \begin{pmatrix} U V^T & \epsilon U \\ D V^T & \epsilon D \end{pmatrix},
       \qquad U^T U = V^T V = \frac{b \beta}{\sqrt r}\, I_r,

    U and V random, of shape (b, r). Each entry is seen with probability `fraction`, apart from the r strong rows
    :math:`D V^T`, where nothing is seen, and the corner :math:`\epsilon D`, where everything is.

    What is seen can be fitted in two ways: by the truth, which has to fill the strong rows with large entries, or by
    the `decoy`, which leaves them empty and pays for the corner with r further modes. The second is a
    local minimum of the ridge-regularized loss of depth 3 and more. About half of the pull that keeps a further mode
    alive comes from its entry of the corner, the rest from others (`theory.escape.holders`): SGD forgets the mode when
    these are not drawn for long enough, and then the strong rows fill.
    The dynamics are those of Wang, Jacot (2024); the matrix is rankscape's own.

    Parameters
    ----------
    n : int
        Rows and columns.
    rank : int
        r, at most ``n / 2``.
    z : float
        Size of the strong rows; larger hides more.
    eps : float
        Size of the weak columns; ``z * eps`` is the size of the corner.
    beta : float
        Size of the bulk :math:`U V^T`.
    fraction : float
        Share of the entries that are seen, up to 1.
    seed : int
        Of NumPy's default generator.
    jitter : float
        Makes the strong rows differ in size.

    Returns
    -------
    KnownMatrix
        With a `decoy`, and balanced factors of it as ``start()``.

    Examples
    --------
    >>> import rankscape as rs
    >>> lab = rs.data.planted(seed=0)
    >>> len(lab.problem.values), round(float((lab.problem.values**2).sum()), 3)
    (311, 89.804)
    >>> lab.test_error(lab.matrix), round(lab.test_error(lab.decoy), 2)
    (0.0, 3.95)

    References
    ----------
    .. [wang2024] Wang, Jacot, "Implicit bias of SGD in L2-regularized linear DNNs: One-way jumps from high to low
       rank", ICLR 2024.
    """
    n, r = whole("n", n, least=2), whole("rank", rank, least=1)
    if 2 * r > n:
        raise InputError(f"`rank` must be at most n / 2 = {n // 2}, got {r}: the trap has twice the rank.")
    b, rng = n - r, np.random.default_rng(whole("seed", seed, least=0))
    scale = np.sqrt(b * positive("beta", beta)) / r**0.25  # so that U V^T has entries of size beta at every rank
    U, V = (np.linalg.qr(rng.normal(size=(b, r))).Q * scale for _ in range(2))
    # Strong rows of one size would be one singular value r times, whose vectors rounding would choose.
    strong = positive("z", z) * (1 + nonnegative("jitter", jitter) * np.arange(r))
    matrix = np.vstack([U, np.diag(strong)]) @ np.vstack([V, positive("eps", eps) * np.eye(r)]).T
    seen = rng.random((n, n)) < _fraction(fraction)
    seen[b:] = False  # the strong rows
    seen[b:, b:] = True  # the corner, r entries of which hold up the decoy
    decoy = matrix.copy()
    decoy[b:, :b] = 0.0
    return KnownMatrix(Completion.from_array(np.where(seen, matrix, np.nan)), matrix, r, decoy)


def gaussian(n: int, rank: int, oversampling: float, seed: int = 0) -> KnownMatrix:
    """A product of two Gaussian factors, scaled to entries of root mean square 1, seen at random.

    A matrix of rank r has ``r (2n - r)`` degrees of freedom; `oversampling` times as many entries are seen, uniformly
    at random, but so that each row and each column has at least r of them: below, the truth is not determined.

    Parameters
    ----------
    n, rank : int
        The matrix has shape (n, n).
    oversampling : float
        Seen entries over degrees of freedom, at least 1.
    seed : int
        Of NumPy's default generator.

    Examples
    --------
    >>> import rankscape as rs
    >>> rs.data.gaussian(n=20, rank=2, oversampling=2.0).problem
    Completion(shape=(20, 20), observed=152)
    """
    return _generic(n, rank, oversampling, seed, spread=0.0)


def heavy_tailed(n: int, rank: int, oversampling: float, seed: int = 0, spread: float = 0.75) -> KnownMatrix:
    """As `gaussian`, with rows and columns of log-normal sizes, as in ratings and counts.

    Row i is multiplied by ``exp(spread * g_i)`` with a standard normal ``g_i``, each column likewise, and the result
    is scaled to root mean square 1. The largest rows decide which learning rate is stable.

    Parameters
    ----------
    n, rank, oversampling, seed
        As in `gaussian`.
    spread : float
        Standard deviation of the logarithm of the sizes.

    Examples
    --------
    >>> import numpy as np, rankscape as rs
    >>> lab = rs.data.heavy_tailed(n=20, rank=2, oversampling=2.0)
    >>> bool(np.isclose((lab.matrix**2).mean(), 1))
    True
    """
    return _generic(n, rank, oversampling, seed, positive("spread", spread))


def _generic(n: int, rank: int, oversampling: float, seed: int, spread: float) -> KnownMatrix:
    n = whole("n", n, least=1)
    r, rng = whole("rank", rank, least=1, most=n), np.random.default_rng(whole("seed", seed, least=0))
    sizes = np.exp(spread * rng.normal(size=(2, n)))
    matrix = np.outer(*sizes) * (rng.normal(size=(n, r)) @ rng.normal(size=(r, n)))
    matrix /= np.sqrt(np.mean(matrix**2))  # so that learning rates and ridges mean the same at every size and rank
    seen = _seen(n, r, positive("oversampling", oversampling), rng)
    return KnownMatrix(Completion.from_array(np.where(seen, matrix, np.nan)), matrix, r)


def _seen(n: int, r: int, oversampling: float, rng: np.random.Generator) -> np.ndarray:
    """The first entries of a random order; where a row or column would be short, its first r come before all others."""
    count = round(oversampling * r * (2 * n - r))
    key = rng.random((n, n))
    needed = (key.argsort(0).argsort(0) < r) | (key.argsort(1).argsort(1) < r)  # the rank of each key in its line
    if not needed.sum() <= count <= n * n:
        least, most = (entries / (r * (2 * n - r)) for entries in (needed.sum(), n * n))
        raise InputError(
            f"`oversampling` must lie between {least:.3g}, for {r} entries in each row and column, and {most:.3g}, for "
            f"all entries; got {oversampling:g}."
        )
    seen = np.zeros(n * n, dtype=bool)
    # Keys lie in [0, 1): less one, those that are needed come first and keep their order.
    seen[np.argsort(np.where(needed, key - 1, key), axis=None)[:count]] = True
    return seen.reshape(n, n)


def _fraction(value: object) -> float:
    number = positive("fraction", value)
    if number > 1:
        raise InputError(f"`fraction` is a share of the entries, at most 1, got {value!r}.")
    return number
