"""One ridge: minimise over the factors, count the live directions, drop the dead ones, grow missing ones."""

from collections.abc import Callable

import numpy as np
from scipy.sparse.linalg import svds

from rankscape.entries.prepared import PreparedEntries, outer_factors, value_and_gradient
from rankscape.ground.linalg import thin_svd
from rankscape.ground.modes import Modes, balanced_factors, modes_of
from rankscape.solvers.descent.quasi_newton import minimise_smooth

# Relative decrease of the objective at which a stage ends: the bias of the ridge is far above it.
TOLERANCE = 1e-9

# Share of the smallest singular value possible at a critical point below which a direction is dead: solvers stop
# near a critical point, not on it, and there the bound is exact (equality without noise).
DEAD = 0.1

# Matrices up to this many entries get their leading singular vectors from a dense decomposition.
DENSE_SVD = 50_000


def leading_modes(entries: PreparedEntries, values: np.ndarray, count: int) -> Modes:
    """The `count` leading singular triplets of the sparse matrix that holds `values` on the observed pattern."""
    n_out, n_in = entries.shape
    matrix = entries.as_sparse(values)
    count = min(count, n_out, n_in)
    if n_out * n_in <= DENSE_SVD or count >= min(n_out, n_in) - 1:
        U, s, Vt = thin_svd(matrix.toarray())
        return Modes(U, s, Vt.T).head(count)
    start = np.random.default_rng(0).standard_normal(min(n_out, n_in))  # ARPACK's own start is not reproducible
    U, s, Vt = svds(matrix, k=count, v0=start, tol=1e-3)  # pyright: ignore[reportArgumentType]
    order = np.argsort(-s)
    return Modes(np.asarray(U)[:, order], s[order], np.asarray(Vt)[order].T)


def starting_modes(entries: PreparedEntries, width: int) -> Modes:
    """Leading modes of the zero-filled matrix divided by the observed share: unbiased for the whole matrix."""
    share = entries.count / (entries.shape[0] * entries.shape[1])
    return leading_modes(entries, entries.values / share, width)


def killing_ridge(largest: float, shape: tuple[int, int], depth: int) -> float:
    r"""The ridge at which even a mode of size `largest` is better off at zero, all entries being seen.

    From the one-mode problem ``c/2 (s - a)^2 + ridge L s^(2/L)`` with ``c = 1/(n_out n_in)``: zero is the global
    minimum when ``a < (L-1)/(L-2) * (kappa (L-2))^(L/(2(L-1)))`` with ``kappa = 2 ridge / c``; depth 2: ``a < kappa``.
    """
    L = depth
    kappa = largest if L == 2 else (largest * (L - 2) / (L - 1)) ** (2 * (L - 1) / L) / (L - 2)
    return kappa / (2 * shape[0] * shape[1])


def minimise(
    entries: PreparedEntries,
    modes: Modes,
    ridge: float,
    depth: int,
    iterations: int,
    watch: Callable[[int, Callable[[], Modes]], None] | None = None,
) -> tuple[Modes, int, bool]:
    """L-BFGS on the balanced factors of `modes`; the result's modes, the iterations taken, and whether it converged.

    `watch` receives each iteration's number and a function that computes its modes.
    """
    if not len(modes.s):
        return modes, 0, True
    start = balanced_factors(modes, [len(modes.s)] * (depth - 1))
    shapes = [W.shape for W in start]
    ends = np.cumsum([0] + [W.size for W in start]).tolist()
    places = [(slice(*ends), shape) for *ends, shape in zip(ends, ends[1:], shapes, strict=False)]
    m = entries.count  # the half-sum itself, not its average: keeps the objective well above the stopping floor
    unpack = lambda x: [x[place].reshape(shape) for place, shape in places]

    def objective(x):
        value, gradient = value_and_gradient(entries, unpack(x), ridge)
        return m * value, m * np.concatenate([G.ravel() for G in gradient])

    modes_at = lambda x: modes_of(*outer_factors(unpack(x)))
    see = (lambda taken, x: None) if watch is None else (lambda taken, x: watch(taken, lambda: modes_at(x)))
    x = np.concatenate([W.ravel() for W in start])
    found = minimise_smooth(objective, x, iterations, TOLERANCE, see)
    return modes_at(found.x), found.iterations, found.converged


def residual_mode(entries: PreparedEntries, modes: Modes) -> Modes:
    """The leading triplet of minus the gradient of the loss, ``-R/m``: where another direction would help most."""
    residual = entries.residual(modes.U * modes.s, modes.V)
    return leading_modes(entries, -residual / entries.count, 1)


def live_rank(modes: Modes, ridge: float, gradient_norm: float, depth: int) -> int:
    r"""The number of live directions: those above `DEAD` times the smallest value a critical point allows.

    Every nonzero singular value of a critical point exceeds ``(2 ridge / ||G||)^(L/(L-2))`` with ``G`` the gradient
    of the loss, because ``U^T G V = -2 ridge S^(2/L-1)`` there (from Wang, Jacot 2024). Depth 2 has no such gap;
    a millionth of the largest value is the threshold then.
    """
    if not len(modes.s) or modes.s[0] == 0:
        return 0
    threshold = 1e-10 * modes.s[0]
    if depth == 2:
        threshold = 1e-6 * modes.s[0]
    elif gradient_norm > 0:
        bound = (2 * ridge / gradient_norm) ** (depth / (depth - 2))
        threshold = max(threshold, DEAD * bound)
    return int((modes.s > threshold).sum())
