"""Loss and gradient of a deep factorization on the observed entries alone, in O(observed * width).

Only one product of the factors is ever needed entry by entry: with ``P = W_L ... W_2`` and ``Q = W_1^T`` an
observed entry is a dot product of two short rows, and every layer's gradient is a thin product around ``R Q``
and ``R^T P``, where ``R`` is the sparse matrix of residuals. Both are row-owned loops, one in row order and one
in column order, so no two iterations add to the same number and the result is the same on every run.
"""

import copy
from collections.abc import Sequence
from typing import Literal

import numpy as np
from scipy import sparse

from rankscape.engine.jit import compiled

DENSE_RATIO = 4.0
"""Entries of the matrix per observed entry below which three BLAS products with a mask beat the sparse loops.
Measured at widths 10 to 60 on 200 x 200, 427 x 640 and 943 x 1682: the break-even lies between 3 and 6."""

DENSE_LIMIT = 20_000_000
"""Largest matrix (in entries) that the dense way may form: 160 MB for each of its three arrays."""

_loop = compiled("reassoc", "contract", "nsz")  # lets a dot product use vector registers; NaN and infinity stay honest

Method = Literal["auto", "sparse", "dense"]


@_loop
def _row_pass(starts, columns, values, weights, left, right, residual, out):
    """``residual_e = w_e (<left_i, right_j> - y_e)`` and ``out_i = sum_j residual_ij right_j``, row by row.

    No weights mean ones.
    """
    total = 0.0
    weighted = len(weights) > 0
    width = left.shape[1]
    for i in range(len(starts) - 1):
        for k in range(width):
            out[i, k] = 0.0
        for e in range(starts[i], starts[i + 1]):
            j = columns[e]
            dot = 0.0
            for k in range(width):
                dot += left[i, k] * right[j, k]
            dot -= values[e]
            square = dot * dot
            if weighted:
                dot *= weights[e]
                square *= weights[e]
            residual[e] = dot
            total += square
            for k in range(width):
                out[i, k] += dot * right[j, k]
    return total


@_loop
def _column_pass(starts, rows, order, residual, left, out):
    """``out_j = sum_i residual_ij left_i``, column by column; `order` leads from column order to row order."""
    width = left.shape[1]
    for j in range(len(starts) - 1):
        for k in range(width):
            out[j, k] = 0.0
        for e in range(starts[j], starts[j + 1]):
            weight = residual[order[e]]
            i = rows[e]
            for k in range(width):
                out[j, k] += weight * left[i, k]


@_loop
def _grams(starts, columns, weights, right, out):
    """``out_i = sum_j w_ij right_j right_j^T`` over the observed entries of row i, starting from zeros."""
    width = right.shape[1]
    for i in range(len(starts) - 1):
        for e in range(starts[i], starts[i + 1]):
            j = columns[e]
            weight = weights[e] if len(weights) else 1.0
            for a in range(width):
                scaled = weight * right[j, a]
                for b in range(a + 1):
                    out[i, a, b] += scaled * right[j, b]
        for a in range(width):
            for b in range(a):
                out[i, b, a] = out[i, a, b]


@_loop
def _entries(rows, columns, left, right, out):
    """``out_e = <left_i, right_j>``."""
    for e in range(len(rows)):
        dot = 0.0
        for k in range(left.shape[1]):
            dot += left[rows[e], k] * right[columns[e], k]
        out[e] = dot


def entries_of_product(rows: np.ndarray, columns: np.ndarray, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Entries ``(left @ right.T)[rows, columns]`` without the product; `left` (n_out, k), `right` (n_in, k).

    >>> import numpy as np
    >>> entries_of_product(np.array([0]), np.array([1]), np.array([[2.0]]), np.array([[1.0], [3.0]]))
    array([6.])
    """
    out = np.empty(len(rows))
    _entries(rows, columns, np.ascontiguousarray(left), np.ascontiguousarray(right), out)
    return out


class ObservedEntries:
    """The observed entries in row order and in column order, ready for many evaluations.

    Parameters
    ----------
    rows, columns : ndarray of int, shape (m,)
        Positions, each at most once, in any order: they are sorted, so the order cannot change a result.
    values : ndarray of float, shape (m,)
        The entries ``y``.
    shape : (int, int)
        ``(n_out, n_in)``.
    weights : ndarray of float, shape (m,), optional
        Positive weights of the squared residuals; all one without them.
    method : {"auto", "sparse", "dense"}
        "auto" takes the dense way when ``n_out * n_in <= DENSE_RATIO * m`` and the matrix fits `DENSE_LIMIT`.
    """

    def __init__(
        self,
        rows: np.ndarray,
        columns: np.ndarray,
        values: np.ndarray,
        shape: tuple[int, int],
        method: Method = "auto",
        weights: np.ndarray | None = None,
    ):
        by_row = np.lexsort((columns, rows))
        self.rows, self.columns = (np.asarray(a)[by_row].astype(np.int64) for a in (rows, columns))
        self.values = np.asarray(values, dtype=np.float64)[by_row]
        self.shape = (int(shape[0]), int(shape[1]))
        self.weights = np.empty(0) if weights is None else np.asarray(weights, dtype=np.float64)[by_row]
        self.count = len(self.values)
        self._by_column = np.lexsort((self.rows, self.columns))
        self._rows_by_column = self.rows[self._by_column]
        self.row_starts = _starts(self.rows, self.shape[0])
        self.column_starts = _starts(self.columns, self.shape[1])
        size = self.shape[0] * self.shape[1]
        small = size <= min(DENSE_LIMIT, DENSE_RATIO * self.count)
        self.dense = method == "dense" or (method == "auto" and small)
        if self.dense:
            self._mask = self._scatter(self.weighted(np.ones(self.count)))
            self._filled = self._scatter(self.values)

    def _scatter(self, values: np.ndarray) -> np.ndarray:
        dense = np.zeros(self.shape)
        dense[self.rows, self.columns] = values
        return dense

    def thin_gradient(self, left: np.ndarray, right: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        r"""Squared residual ``sum w_ij r_ij^2``, ``R @ right`` and ``R.T @ left`` for ``W = left @ right.T``.

        ``r_ij = W_ij - y_ij``, and ``R`` holds ``w_ij r_ij`` on observed entries and 0 elsewhere; `left` (n_out, k),
        `right` (n_in, k).
        """
        left, right = np.ascontiguousarray(left), np.ascontiguousarray(right)
        if self.dense:
            R = left @ right.T
            if len(self.weights):
                R -= self._filled
                total = float(np.vdot(R, R * self._mask))
                R *= self._mask
            else:
                R *= self._mask
                R -= self._filled
                total = float(np.vdot(R, R))
            return total, R @ right, R.T @ left
        residual, G_left, G_right = np.empty(self.count), np.empty_like(left), np.empty_like(right)
        total = _row_pass(self.row_starts, self.columns, self.values, self.weights, left, right, residual, G_left)
        _column_pass(self.column_starts, self._rows_by_column, self._by_column, residual, left, G_right)
        return total, G_left, G_right

    def grams(self, left: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Gram matrices of what each row sees of `right`, (n_out, k, k), and each column of `left`, (n_in, k, k)."""
        width = left.shape[1]
        of_rows, of_columns = (np.zeros((size, width, width)) for size in self.shape)
        by_column = self.weights[self._by_column] if len(self.weights) else self.weights
        _grams(self.row_starts, self.columns, self.weights, np.ascontiguousarray(right), of_rows)
        _grams(self.column_starts, self._rows_by_column, by_column, np.ascontiguousarray(left), of_columns)
        return of_rows, of_columns

    def with_values(self, values: np.ndarray) -> "ObservedEntries":
        """The same positions and weights with other values, in row order."""
        twin = copy.copy(self)
        twin.values = np.asarray(values, dtype=np.float64)
        if self.dense:
            twin._filled = twin._scatter(twin.values)
        return twin

    def part(self, keep: np.ndarray, compact: bool = True) -> tuple["ObservedEntries", np.ndarray, np.ndarray]:
        """The chosen entries, and the rows and columns they lie in; `compact` leaves all other rows and columns out."""
        i, j, shape = self.rows[keep], self.columns[keep], self.shape
        weights = self.weights[keep] if len(self.weights) else None
        rows, columns = np.unique(i), np.unique(j)
        if compact:
            i, j, shape = np.searchsorted(rows, i), np.searchsorted(columns, j), (len(rows), len(columns))
        return (
            ObservedEntries(i, j, self.values[keep], shape, "sparse" if not self.dense else "auto", weights),
            rows,
            columns,
        )

    def transposed(self) -> "ObservedEntries":
        """The entries of the transposed matrix."""
        weights = self.weights if len(self.weights) else None
        shape = self.shape[1], self.shape[0]
        return ObservedEntries(
            self.columns, self.rows, self.values, shape, "dense" if self.dense else "sparse", weights
        )

    def residual(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """``W_ij - y_ij`` of ``W = left @ right.T`` in row order, shape (m,)."""
        return entries_of_product(self.rows, self.columns, left, right) - self.values

    def weighted(self, values: np.ndarray) -> np.ndarray:
        """Values in row order times the weights, shape (m,)."""
        return values * self.weights if len(self.weights) else values

    def as_sparse(self, values: np.ndarray) -> sparse.csr_array:
        """Values in row order as a sparse matrix of the observed pattern."""
        return sparse.csr_array((values, self.columns, self.row_starts), shape=self.shape)


def _starts(indices: np.ndarray, size: int) -> np.ndarray:
    return np.concatenate(([0], np.cumsum(np.bincount(indices, minlength=size)))).astype(np.int64)


def outer_factors(factors: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """``W_L ... W_2`` (n_out, k) and ``W_1^T`` (n_in, k), whose product with the second transposed is ``W``."""
    left = factors[-1]
    for factor in reversed(factors[1:-1]):
        left = left @ factor
    return left, factors[0].T


def value_and_gradient(
    entries: ObservedEntries, factors: Sequence[np.ndarray], ridge: float
) -> tuple[float, list[np.ndarray]]:
    r"""Evaluate :math:`\frac{1}{2m}\sum_{ij\,\mathrm{observed}} (W_{ij}-y_{ij})^2 + \lambda\sum_l\|W_l\|_F^2`.

    Parameters
    ----------
    entries : ObservedEntries
        The ``m`` observed entries.
    factors : sequence of ndarray
        ``[W_1, ..., W_L]`` with ``W_1: (d_1, n_in)`` and ``W_L: (n_out, d_{L-1})``, depth ``L >= 2``.
    ridge : float
        :math:`\lambda`; a ridge of the un-averaged half-sum of squares is ``m`` times this one.

    Returns
    -------
    value : float
        The objective.
    gradient : list of ndarray
        Its derivative with respect to each factor, in the shapes of `factors`.

    Examples
    --------
    >>> import numpy as np
    >>> one = ObservedEntries(np.array([0]), np.array([0]), np.array([3.0]), (1, 1))
    >>> value, gradient = value_and_gradient(one, [np.array([[1.0]]), np.array([[2.0]])], ridge=0.0)
    >>> value, gradient[0].item(), gradient[1].item()
    (0.5, -2.0, -1.0)
    """
    m = entries.count
    left, right = outer_factors(factors)
    total, RQ, RtP = entries.thin_gradient(left, right)
    value = total / (2 * m) + ridge * sum(float(np.vdot(W, W)) for W in factors)
    gradient: list[np.ndarray] = [RtP.T / m + 2 * ridge * factors[0]]
    # For l >= 2: (W_L ... W_{l+1})^T (R Q) (W_{l-1} ... W_2)^T; the right part grows as the loop climbs.
    above = [RQ]  # (W_L ... W_{l+1})^T R Q, from the top layer down
    for W in reversed(factors[2:]):
        above.append(W.T @ above[-1])
    below = None  # W_{l-1} ... W_2, the identity for l = 2
    for W, top in zip(factors[1:], reversed(above), strict=True):
        G = top if below is None else top @ below.T
        gradient.append(G / m + 2 * ridge * W)
        below = W if below is None else W @ below
    return value, gradient
