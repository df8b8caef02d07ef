"""Regression with inputs of any covariance: the modes that move alone, where they end and how long they take."""

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from rankscape.errors import InputError
from rankscape.ground.checks import nonnegative, positive, share, whole
from rankscape.ground.types import ArrayLike, Matrix
from rankscape.theory.inputs import matrix_of
from rankscape.theory.landscape.scalar import critical_points

# Commutator, relative to its terms, that rounding and a decomposition may leave.
COMMUTES = 1e-8

# Relative gap between eigenvalues of the inputs below which their basis is chosen by the outputs.
CLUSTER = 1e-8

ASSUMPTIONS = (
    "squared error of a linear network, seen by its covariances",
    "Sigma_xx commutes with Sigma_yx^T Sigma_yx",
    "a balanced start along their common vectors",
    "hidden widths of at least the number of modes",
)


@dataclass(frozen=True, eq=False)
class RegressionModes:
    r"""The modes of a regression whose two covariances share their vectors.

    With :math:`\Sigma_{xx} = V \operatorname{diag}(\sigma) V^\top` and
    :math:`\Sigma_{yx} = U \operatorname{diag}(c) V^\top`, the product of :math:`W_1 = \alpha V^\top, \dots,
    W_N = \alpha U` stays :math:`U \operatorname{diag}(d^N) V^\top`,

    .. math:: \dot d_i = c_i d_i^{N-1} - \sigma_i d_i^{2N-1} - 2\lambda d_i .

    Without a ridge that is the equation of a target :math:`c_i / \sigma_i` in a time that runs :math:`\sigma_i` times
    as fast. Modes are ordered by c, in which order small starts learn them.

    Attributes
    ----------
    strengths, curvatures : array of shape (mode,)
        :math:`c_i` and :math:`\sigma_i`, ``min(n_out, n_in)`` of them.
    targets : array of shape (mode,)
        :math:`c_i / \sigma_i`, singular values of the least-squares solution; 0 where the inputs have no variance.
    U, V : array of shape (n_out, mode) and (n_in, mode)
        Their vectors.
    commutator : float
        :math:`\|[\Sigma_{xx}, \Sigma_{yx}^\top \Sigma_{yx}]\| / (\|\Sigma_{xx}\| \|\Sigma_{yx}\|^2)`, 0 up to rounding.
    assumptions : tuple of str
        What must hold for the modes to move alone.
    """

    strengths: np.ndarray
    curvatures: np.ndarray
    targets: np.ndarray
    U: Matrix = field(repr=False)
    V: Matrix = field(repr=False)
    commutator: float
    assumptions: tuple[str, ...] = field(default=ASSUMPTIONS, repr=False)

    def ends(self, depth: int, alpha: float, ridge: float = 0.0) -> np.ndarray:
        """Where gradient flow takes the product's modes from factors ``alpha``: 0 below the barrier of a ridge.

        Examples
        --------
        >>> modes = regression_modes([[2.0, 0.0], [0.0, 0.5]], [[3.0, 0.0], [0.0, 0.2]])
        >>> modes.ends(depth=3, alpha=0.5).round(6).tolist(), modes.ends(3, 0.5, ridge=0.2).round(6).tolist()
        ([1.5, 0.4], [1.317566, 0.0])
        """
        N, alpha, lam = whole("depth", depth, least=1), nonnegative("alpha", alpha), nonnegative("ridge", ridge)
        c, sigma = self.strengths, self.curvatures
        start = np.full(len(c), alpha**N)
        seen = sigma > 0
        if N == 1:
            return np.where(seen | (lam > 0), c / np.where(seen | (lam > 0), sigma + 2 * lam, 1.0), start)
        unseen = 0.0 if lam > 0 else start
        if lam == 0 or N == 2:
            grown = np.maximum(c - (2 * lam if N == 2 else 0.0), 0.0) / np.where(seen, sigma, 1.0)
            return np.where(seen, grown if alpha > 0 else 0.0, unseen)
        modes = zip(self.targets, sigma, strict=True)
        return np.array([self._end(*mode, N, float(alpha**N), lam) for mode in modes])

    @staticmethod
    def _end(target: float, sigma: float, N: int, start: float, lam: float) -> float:
        points = critical_points(target, N, lam, sigma) if sigma > 0 and target > 0 else None
        return float(points.minimum) if points is not None and start > points.barrier else 0.0

    def learning_times(self, depth: int, alpha: float, level: float = 0.5, ridge: float = 0.0) -> np.ndarray:
        r"""Flow time until each mode has come to a share `level` of where it `ends`; in steps, times 1/learning rate.

        .. math:: t_i = \int \frac{dx}{c_i e^{(N-2)x} - \sigma_i e^{(2N-2)x} - 2\lambda}, \qquad x = \log d_i

        Infinite for modes that are not learned, 0 for those that start at their level or above it.
        """
        from scipy.integrate import quad

        N, alpha, part = whole("depth", depth, least=1), positive("alpha", alpha), share("level", level)
        levels, times = part * self.ends(N, alpha, ridge), []
        for c, sigma, goal in zip(self.strengths, self.curvatures, levels, strict=True):
            if goal <= 0 or sigma == 0:
                times.append(np.inf)
                continue

            def slowness(x: float, c: float = c, sigma: float = sigma) -> float:
                return 1 / (c * np.exp((N - 2) * x) - sigma * np.exp((2 * N - 2) * x) - 2 * ridge)

            span = np.log(alpha), np.log(goal) / N
            times.append(quad(slowness, *span, limit=200, epsrel=1e-11)[0] if span[1] > span[0] else 0.0)
        return np.array(times)

    def step_limits(self, depth: int, alpha: float, ridge: float = 0.0) -> np.ndarray:
        """The learning rate above which gradient descent does not settle where each mode `ends`."""
        N, p = whole("depth", depth, least=1), self.ends(depth, alpha, ridge)
        d, c, sigma = p ** (1 / N), self.strengths, self.curvatures
        bend = (2 * N - 1) * sigma * d ** (2 * N - 2) - (N - 1) * c * (d ** (N - 2) if N > 1 else 1.0) + 2 * ridge
        return np.divide(2.0, bend, out=np.full(len(c), np.inf), where=bend > 0)


def regression_modes(input_covariance: ArrayLike, cross_covariance: ArrayLike) -> RegressionModes:
    r"""The common modes of :math:`\Sigma_{xx}` and :math:`\Sigma_{yx}`, or how far they are from having any.

    Parameters
    ----------
    input_covariance : array_like of shape (n_in, n_in)
        :math:`\Sigma_{xx}`, symmetric.
    cross_covariance : array_like of shape (n_out, n_in)
        :math:`\Sigma_{yx}`.

    Returns
    -------
    RegressionModes

    Raises
    ------
    InputError
        :math:`\Sigma_{xx}` does not commute with :math:`\Sigma_{yx}^\top \Sigma_{yx}`: the text says how far it is from
        that, and what to use instead; see `regression_bound` for what holds nevertheless.

    Examples
    --------
    >>> modes = regression_modes([[2.0, 0.0], [0.0, 0.5]], [[0.0, 0.2], [3.0, 0.0]])
    >>> modes.strengths.tolist(), modes.targets.tolist(), modes.learning_times(depth=3, alpha=0.1).round(2).tolist()
    ([3.0, 0.2], [1.5, 0.4], [3.08, 44.17])

    References
    ----------
    .. [saxe2014] Saxe, McClelland, Ganguli, "Exact solutions to the nonlinear dynamics of learning in deep linear
       neural networks", ICLR 2014.
    """
    Sxx, Syx = covariances(input_covariance, cross_covariance)
    gap = relative_commutator(Sxx, Syx)
    if gap > COMMUTES:
        raise InputError(
            f"The covariances do not commute: ||[Sigma_xx, Sigma_yx^T Sigma_yx]|| = {gap:.2g} ||Sigma_xx|| "
            "||Sigma_yx||^2, so modes do not move alone. `end_to_end_flow(problem.gradient, ...)` follows the product "
            "of balanced factors exactly, `regression_bound` bounds its loss, and white inputs always commute."
        )
    sigma, V = np.linalg.eigh(Sxx)
    M = Syx.T @ Syx
    # Where the inputs are white, the outputs choose the basis; two decompositions side by side would not agree there.
    edges = np.flatnonzero(np.diff(sigma) > CLUSTER * max(abs(sigma[-1]), np.finfo(float).tiny)) + 1
    for start, stop in pairwise([0, *edges.tolist(), len(sigma)]):
        inside = V[:, start:stop]
        V[:, start:stop] = inside @ np.linalg.eigh(inside.T @ M @ inside)[1]
    image = Syx @ V
    strength = np.linalg.norm(image, axis=0)
    order = np.argsort(-strength, kind="stable")[: min(Syx.shape)]
    c, V = strength[order], V[:, order]
    c[c <= len(Sxx) * np.finfo(float).eps * (c[0] if len(c) else 0.0)] = 0.0
    sigma = np.einsum("ik,ij,jk->k", V, Sxx, V)
    sigma[sigma <= len(Sxx) * np.finfo(float).eps * np.abs(Sxx).max()] = 0.0
    targets = np.divide(c, sigma, out=np.zeros_like(c), where=sigma > 0)
    return RegressionModes(c, sigma, targets, _completed(image[:, order], c), V, gap)


def _completed(image: Matrix, c: np.ndarray) -> Matrix:
    """Orthonormal columns: those of the image over their lengths, and any others where the length is zero."""
    known = int(np.sum(c > 0))
    U = image.copy()
    U[:, :known] /= c[:known]
    Q = np.linalg.qr(np.hstack([U[:, :known], np.eye(len(U))]))[0]
    U[:, known:] = Q[:, known : U.shape[1]]
    return U


def covariances(input_covariance: ArrayLike, cross_covariance: ArrayLike) -> tuple[Matrix, Matrix]:
    """Both matrices, checked to be of shapes that fit, the first symmetric."""
    Sxx, Syx = matrix_of("input_covariance", input_covariance), matrix_of("cross_covariance", cross_covariance)
    if Sxx.shape[0] != Sxx.shape[1] or Syx.shape[1] != len(Sxx):
        raise InputError(
            f"`input_covariance` must be (n_in, n_in) and `cross_covariance` (n_out, n_in), got {Sxx.shape} and "
            f"{Syx.shape}."
        )
    if np.abs(Sxx - Sxx.T).max() > 1e-10 * np.abs(Sxx).max():
        raise InputError("`input_covariance` is not symmetric.")
    return (Sxx + Sxx.T) / 2, Syx


def relative_commutator(Sxx: Matrix, Syx: Matrix) -> float:
    """The commutator of ``Sxx`` and ``Syx^T Syx`` relative to their norms; 0 where one of them is."""
    sizes = np.linalg.norm(Sxx, 2), np.linalg.norm(Syx, 2)
    if min(sizes) == 0:
        return 0.0
    A, B = Sxx / sizes[0], Syx / sizes[1]
    return float(np.linalg.norm(A @ (B.T @ B) - (B.T @ B) @ A, 2))
