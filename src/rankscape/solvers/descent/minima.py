r"""WHICH minima there are: from many starts down the gradient flow to rest, each counted once and certified."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from rankscape.errors import InputError
from rankscape.factorization import product
from rankscape.ground.checks import positive, whole
from rankscape.ground.linalg import thin_svd
from rankscape.ground.modes import Modes, balanced_factors
from rankscape.ground.types import Matrix
from rankscape.problem import AbstractProblem, Completion, Estimation
from rankscape.solvers.descent.relaxation import Relaxed, relax
from rankscape.theory.landscape import entries, hessian_signature

# Products that differ by less than this part of their size are one minimum.
SAME = 1e-4

# Parameters up to which the Hessian is formed.
LARGEST = 3000

# Largest rank of a start where nothing else is asked for.
RICHEST = 12


@dataclass(frozen=True, eq=False)
class Minimum:
    """A point at rest of loss plus ridge, and what the Hessian says of it.

    Attributes
    ----------
    rank : int
        Of the product.
    loss, objective : float
        Without and with the ridge.
    singular_values : array of shape (rank,)
        Of the product, those that are alive.
    factors : list of array
        Balanced, of hidden widths `rank` (at least 1): a start for `jump_probability`, and with more hidden units a
        point of the same kind.
    kind : str
        "strict minimum" (up to rotations of hidden spaces), "strict saddle", "degenerate" or "not critical", by the
        signs of the Hessian, with one hidden unit more in every layer than are alive; "too large" where it was not
        formed.
    smallest : float
        The curvature of smallest modulus among those that are not zero by symmetry; NaN where it was not formed.
    gradient : float
        Norm of the gradient of the objective.
    found : int
        How many starts ended here.
    """

    rank: int
    loss: float
    objective: float
    singular_values: np.ndarray
    factors: list[Matrix] = field(repr=False)
    kind: str
    smallest: float
    gradient: float
    found: int

    @property
    def product(self) -> Matrix:
        """``W``."""
        return product(self.factors)


def minima(
    problem: AbstractProblem,
    ridge: float,
    depth: int = 3,
    *,
    restarts: int = 24,
    largest_rank: int | None = None,
    seed: int = 0,
) -> list[Minimum]:
    r"""Local minima of :math:`f(W_N \cdots W_1) + \lambda \sum_l \|W_l\|_F^2`, the lowest first.

    Starts are the zero matrix, truncations of what is seen, random balanced factors of ranks 1, 2, ..., and every
    minimum that was found without one of its modes. Each goes down the gradient flow (`relax`), and where it comes to
    rest the Hessian says whether that is a minimum. The list is what was found: more starts may find more.

    Parameters
    ----------
    problem : Completion or Estimation
        The loss f.
    ridge : float
        :math:`\lambda`, above 0.
    depth : int
        N, at least 2. At depth 2 the minima have one rank.
    restarts : int
        Random starts.
    largest_rank : int, optional
        Of a start; the smaller side of the matrix, up to 12, if left out.
    seed : int
        Of the random starts.

    Returns
    -------
    list of Minimum
        Those of kind "strict minimum", "degenerate" or "too large".

    Examples
    --------
    >>> import numpy as np, rankscape as rs
    >>> found = rs.minima(rs.Estimation(np.diag([3.0, 2.0, 1.0])), ridge=0.09, restarts=6)
    >>> [(m.rank, round(m.objective, 3), m.kind) for m in found[:2]]
    [(3, 1.225, 'strict minimum'), (2, 1.472, 'strict minimum')]

    References
    ----------
    .. [wang2024] Wang, Jacot, "Implicit bias of SGD in L2-regularized linear DNNs: One-way jumps from high to low
       rank", ICLR 2024.
    """
    if not isinstance(problem, Completion | Estimation):
        raise InputError(
            f"`minima` certifies by the Hessian of a Completion or an Estimation, got {type(problem).__name__}; relax "
            "from starts of your own instead."
        )
    lam, N = positive("ridge", ridge), whole("depth", depth, least=2)
    count = whole("restarts", restarts, least=0)
    most = min(*problem.shape, RICHEST) if largest_rank is None else whole("largest_rank", largest_rank, least=1)
    rested: list[tuple[Matrix, Relaxed, int]] = []
    waiting = list(_starts(problem, min(most, *problem.shape), count, seed))
    dropped = 0
    while waiting:
        end = relax(problem, balanced_factors(_modes(waiting.pop(0)), [most] * (N - 1)), lam)
        W = product(end.factors)
        if not end.converged or _known(rested, W):
            continue
        rested.append((W, end, 1))
        if dropped <= count:  # what is left when a mode of a minimum is lost: there the next lower minimum begins
            waiting += list(_without_one(W, end.rank))
            dropped += end.rank
    found = [_certified(problem, W, end, lam, N, times) for W, end, times in rested]
    kept = [m for m in found if m.kind in ("strict minimum", "degenerate", "too large")]
    return sorted(kept, key=lambda minimum: minimum.objective)


def _starts(problem: Completion | Estimation, most: int, count: int, seed: int) -> Iterator[Matrix]:
    """Matrices to start from."""
    rng, (n_out, n_in), scale = np.random.default_rng(seed), problem.shape, problem.scale()
    yield np.zeros(problem.shape)
    U, sigma, Vt = thin_svd(-np.asarray(problem.gradient(np.zeros(problem.shape))))
    for k in range(1, most + 1):
        if sigma[k - 1] > 1e-9 * sigma[0]:
            yield (U[:, :k] * (scale * sigma[:k] / sigma[0])) @ Vt[:k]
    for number in range(count):
        k = 1 + number % most
        left, right = (np.linalg.qr(rng.normal(size=(n, k)))[0] for n in (n_out, n_in))
        yield (left * (scale * rng.uniform(0.1, 1.0, k))) @ right.T


def _without_one(W: Matrix, rank: int) -> Iterator[Matrix]:
    """W without one of its modes, for each of them."""
    U, sigma, Vt = thin_svd(W)
    for k in range(rank):
        others = [mode for mode in range(rank) if mode != k]
        yield (U[:, others] * sigma[others]) @ Vt[others]


def _modes(W: Matrix) -> Modes:
    U, sigma, Vt = thin_svd(W)
    live = sigma > 1e-9 * max(sigma[0], np.finfo(float).tiny)
    return Modes(U[:, live], sigma[live], Vt[live].T)


def _known(rested: list[tuple[Matrix, Relaxed, int]], W: Matrix) -> bool:
    """Whether this product was found before; it is counted there."""
    for place, (other, end, times) in enumerate(rested):
        if np.linalg.norm(W - other) <= SAME * max(1e-6, float(np.linalg.norm(other))):
            rested[place] = other, end, times + 1
            return True
    return False


def _certified(
    problem: Completion | Estimation, W: Matrix, end: Relaxed, ridge: float, depth: int, times: int
) -> Minimum:
    """The minimum, with what its Hessian says."""
    U, sigma, Vt = thin_svd(W)
    live, width = Modes(U[:, : end.rank], sigma[: end.rank], Vt[: end.rank].T), max(end.rank, 1)
    factors = balanced_factors(live, [width] * (depth - 1))
    kind, smallest = "too large", np.nan
    if sum(problem.shape) * (end.rank + 1) + (depth - 2) * (end.rank + 1) ** 2 <= LARGEST:
        # One unit more: what a dead unit may do, no second one does any other way.
        roomy = balanced_factors(live, [end.rank + 1] * (depth - 1))
        signature = hessian_signature(roomy, *_seen(problem), ridge=ridge, weight=_weight(problem), tolerance=1e-6)
        kind, smallest = signature.kind, signature.smallest
    loss = float(problem.loss(W))
    penalty = ridge * sum(float(np.vdot(factor, factor)) for factor in factors)
    return Minimum(end.rank, loss, loss + penalty, sigma[: end.rank], factors, kind, smallest, end.gradient, times)


def _seen(problem: Completion | Estimation) -> Sequence[np.ndarray]:
    if isinstance(problem, Completion):
        return problem.rows, problem.columns, problem.values
    return tuple(entries(problem.target))


def _weight(problem: Completion | Estimation) -> float:
    return 1.0 / len(problem.values) if isinstance(problem, Completion) else 1.0
