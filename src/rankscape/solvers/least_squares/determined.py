r"""Which cells of a low-rank matrix its observed entries determine.

Observed entries see a change ``(dU, dV)`` of the factors by :math:`J\,(dU, dV)_{ij} = dU_i \cdot V_j + U_i \cdot dV_j`.
What J does not see is free; a cell is locally determined when nothing free moves it. Random free changes tell, with
probability one: they are what is left of random changes when the part that J sees is taken away.
"""

from typing import NamedTuple

import numpy as np

from rankscape.entries.prepared import PreparedEntries, entries_of_product
from rankscape.ground.final import final

# Random changes: of 73,214 cells one is wrong about 769 and three about none.
PROBES = 3

# Motion of a cell, per length of its gradient, above which it is free. Rounding left up to 1e-10 of it, in 180 matrices
# near the limit, and free cells 2e-7 and more: a row may be free and hardly move.
MOVED = 1e-8

# Iterations from which on the part that the entries see is taken away twice: once left 1e-9 to 1e-5 of it.
HARD = 60

# Relative preconditioned residual at which conjugate gradients end, and most iterations: near the information limit
# about 300 are needed, far from it 30.
SMALL, MOST = 1e-11, 1000

# Directions of a row's or column's normal matrix below this share of its largest are not seen by its entries.
UNSEEN = 1e-11


class Factors(NamedTuple):
    """Factors ``left @ right.T`` with the coordinates of each that are free to change.

    A bias of rows is a free coordinate of the left factor that meets a column of ones, which is not free, of the right.
    """

    left: np.ndarray
    right: np.ndarray
    free_left: np.ndarray
    free_right: np.ndarray

    @property
    def of_left(self) -> np.ndarray:
        """What a change of the left factor is multiplied by, shape (n_in, free coordinates)."""
        return np.ascontiguousarray(self.right[:, self.free_left])

    @property
    def of_right(self) -> np.ndarray:
        """What a change of the right factor is multiplied by, shape (n_out, free coordinates)."""
        return np.ascontiguousarray(self.left[:, self.free_right])


class Change(NamedTuple):
    """A change of the free coordinates of both factors; arithmetic for conjugate gradients."""

    left: np.ndarray
    right: np.ndarray

    def plus(self, factor: float, other: "Change") -> "Change":
        """``self + factor * other``."""
        return Change(self.left + factor * other.left, self.right + factor * other.right)

    def dot(self, other: "Change") -> float:
        """Inner product."""
        return float((self.left * other.left).sum() + (self.right * other.right).sum())


@final
class Jacobian:
    """How the observed entries see changes of the factors, without a matrix of it."""

    def __init__(self, entries: PreparedEntries, factors: Factors):
        self.entries, self.factors, self.iterations = entries, factors, 0
        self.of_left, self.of_right = factors.of_left, factors.of_right
        ones = entries.with_weights(np.ones(entries.count))
        grams = ones.grams(factors.left, factors.right)
        free = factors.free_left, factors.free_right
        self.inverses = [_inverse(g[:, f[:, None], f]) for g, f in zip(grams, free, strict=True)]

    def __call__(self, change: Change) -> np.ndarray:
        """What the entries see, shape (m,)."""
        seen = self.entries
        moved = entries_of_product(seen.rows, seen.columns, change.left, self.of_left)
        return moved + entries_of_product(seen.rows, seen.columns, self.of_right, change.right)

    def transposed(self, values: np.ndarray) -> Change:
        """The change along which these values of the entries grow most."""
        sparse = self.entries.as_sparse(values)
        return Change(np.asarray(sparse @ self.of_left), np.asarray(sparse.T @ self.of_right))

    def preconditioned(self, change: Change) -> Change:
        """Each row and column by the inverse of its own normal matrix."""
        left, right = (np.einsum("nab,nb->na", M, x) for M, x in zip(self.inverses, change, strict=True))
        return Change(left, right)

    def solve(self, values: np.ndarray) -> Change:
        """The least change that explains these values of the entries best, by preconditioned conjugate gradients.

        `iterations` counts them, over all calls: many are needed where entries hardly determine the matrix.
        """
        rest = self.transposed(values)
        x = Change(np.zeros_like(rest.left), np.zeros_like(rest.right))
        along = ahead = self.preconditioned(rest)
        size = first = rest.dot(ahead)
        for _ in range(MOST):
            if not size > SMALL**2 * first:
                break
            self.iterations += 1
            seen = self(along)
            step = size / max(float(seen @ seen), 1e-300)
            x, rest = x.plus(step, along), rest.plus(-step, self.transposed(seen))
            ahead = self.preconditioned(rest)
            before, size = size, rest.dot(ahead)
            along = ahead.plus(size / before, along)
        return x


def _inverse(grams: np.ndarray) -> np.ndarray:
    """Pseudo-inverses: a row with few entries has a singular normal matrix."""
    values, vectors = np.linalg.eigh(grams)
    kept = values > UNSEEN * np.maximum(values[:, -1:], 1e-300)
    return (vectors * np.where(kept, 1 / np.where(kept, values, 1.0), 0.0)[:, None, :]) @ vectors.transpose(0, 2, 1)


class Motions(NamedTuple):
    """How far changes of the factors move each cell, as thin products: ``left[p] @ right[p].T`` for change p.

    ``left`` has shape (p, n_out, a + b), ``right`` (p, n_in, a + b); the first `split` columns of ``right`` and the
    others of ``left`` are the gradient of a cell.
    """

    left: np.ndarray
    right: np.ndarray
    split: int

    def at(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Root mean square motion of the cells at these positions, shape (k,)."""
        pairs = zip(self.left, self.right, strict=True)
        squares = sum((entries_of_product(rows, columns, x, y) ** 2 for x, y in pairs), np.zeros(len(rows)))
        return np.sqrt(squares / len(self.left))

    def moves(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Whether they move cells, by more than rounding: relative to the length of the cell's own gradient."""
        of_left = (self.right[0, :, : self.split] ** 2).sum(1)
        of_right = (self.left[0, :, self.split :] ** 2).sum(1)
        return self.at(rows, columns) > MOVED * np.sqrt(of_left[columns] + of_right[rows])


def free_motions(jacobian: Jacobian, probes: int = PROBES) -> Motions:
    """Motions that the entries do not see: a cell is determined when none of them moves it (`moves`).

    References
    ----------
    .. [singer2010] Singer, Cucuringu, "Uniqueness of low-rank matrix completion by rigidity theory", SIAM Journal on
       Matrix Analysis and Applications 31 (2010).
    .. [kiraly2015] Király, Theran, Tomioka, "The algebraic combinatorial approach for low-rank matrix completion",
       Journal of Machine Learning Research 16 (2015).
    """
    random = np.random.default_rng(0)
    like = jacobian.transposed(np.zeros(jacobian.entries.count))
    changes = []
    for _ in range(probes):
        change, before = Change(*(random.standard_normal(x.shape) for x in like)), jacobian.iterations
        change = change.plus(-1.0, jacobian.solve(jacobian(change)))
        if jacobian.iterations - before > HARD:
            change = change.plus(-1.0, jacobian.solve(jacobian(change)))
        changes.append(change)
    return _motions(jacobian, changes)


def noise_motions(jacobian: Jacobian, draws: int = 8) -> Motions:
    """How far noise of variance one in the entries moves the cells: their standard errors, without any ridge."""
    random, count = np.random.default_rng(0), jacobian.entries.count
    return _motions(jacobian, [jacobian.solve(random.standard_normal(count)) for _ in range(draws)])


def _motions(jacobian: Jacobian, changes: list[Change]) -> Motions:
    left = np.stack([np.hstack([change.left, jacobian.of_right]) for change in changes])
    right = np.stack([np.hstack([jacobian.of_left, change.right]) for change in changes])
    return Motions(left, right, jacobian.of_left.shape[1])
