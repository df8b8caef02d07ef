"""Loss and gradient of a deep factorization on the observed entries alone, in O(observed * width).

Only one product of the factors is ever needed entry by entry: with ``P = W_L ... W_2`` and ``Q = W_1^T`` an
observed entry is a dot product of two short rows, and every layer's gradient is a thin product around ``R Q``
and ``R^T P``, where ``R`` is the sparse matrix of residuals. One pass over the entries gives both: it goes through
blocks of columns that stay in the cache and through each block row by row, so it needs no second copy of the entries
in column order, no array of residuals, and its result is the same on every run.
"""

import copy
from collections.abc import Sequence
from typing import Literal

import numpy as np
from scipy import sparse

from rankscape.entries import loops
from rankscape.entries.duplicates import index_type
from rankscape.entries.observed import Entries
from rankscape.ground.arrays import fixed
from rankscape.ground.final import final

# Entries of the matrix per observed entry below which three BLAS products with a mask beat the sparse loops.
# Measured at widths 10 to 60 on 200 x 200, 427 x 640 and 943 x 1682: the break-even lies between 3 and 6.
DENSE_RATIO = 4.0

# Largest matrix (in entries) that the dense way may form: 160 MB for each of its three arrays.
DENSE_LIMIT = 20_000_000

# Bytes of a block of columns, with what is summed for it. Measured with 20 million entries at widths 16 and 32: at 4 MB
# a pass takes 0.9 of the time at 2 MB and 0.7 of that at 1 MB.
BLOCK = 4_000_000

Method = Literal["auto", "sparse", "dense"]


def entries_of_product(rows: np.ndarray, columns: np.ndarray, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Entries ``(left @ right.T)[rows, columns]`` without the product; `left` (n_out, k), `right` (n_in, k).

    >>> import numpy as np
    >>> entries_of_product(np.array([0]), np.array([1]), np.array([[2.0]]), np.array([[1.0], [3.0]]))
    array([6.])
    """
    out = np.empty(len(rows))
    loops.entries(fixed(rows), fixed(columns), np.ascontiguousarray(left), np.ascontiguousarray(right), out)
    return out


@final
class PreparedEntries:
    """Observed entries that are ready for many evaluations.

    Parameters
    ----------
    entries : Entries
        Their values and weights are kept and not copied; positions take half the memory here.
    method : {"auto", "sparse", "dense"}
        "auto" takes the dense way when ``n_out * n_in <= DENSE_RATIO * m`` and the matrix fits `DENSE_LIMIT`.
    """

    def __init__(self, entries: Entries, method: Method = "auto"):
        self.shape, self.count = entries.shape, entries.count
        self.row_starts = entries.row_starts
        self.columns = fixed(entries.columns, index_type(self.shape[1]))
        self.values = fixed(entries.values, np.float64)
        self.weights = fixed(np.empty(0) if entries.weights is None else entries.weights, np.float64)
        self.rows = fixed(entries.rows, index_type(self.shape[0]))
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
        R_right, Rt_left = np.zeros_like(left), np.zeros_like(right)
        block = max(1, BLOCK // max(16 * right.shape[1], 1))
        parts = self.row_starts, self.columns, self.values, self.weights
        return loops.thin_gradient(*parts, left, right, block, R_right, Rt_left), R_right, Rt_left

    def grams(self, left: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Gram matrices of what each row sees of `right`, (n_out, k, k), and each column of `left`, (n_in, k, k)."""
        width = left.shape[1]
        of_rows, of_columns = (np.zeros((size, width, width)) for size in self.shape)
        left, right = np.ascontiguousarray(left), np.ascontiguousarray(right)
        block = max(1, BLOCK // max(8 * width * (width + 1), 1))
        loops.grams(self.row_starts, self.columns, self.weights, left, right, block, of_rows, of_columns)
        loops.mirror(of_rows)
        loops.mirror(of_columns)
        return of_rows, of_columns

    def with_values(self, values: np.ndarray) -> "PreparedEntries":
        """The same positions and weights with other values, in row order."""
        twin = copy.copy(self)
        twin.values = fixed(values, np.float64)
        if self.dense:
            twin._filled = twin._scatter(twin.values)
        return twin

    def with_weights(self, weights: np.ndarray) -> "PreparedEntries":
        """The same entries with other weights, in row order."""
        twin = copy.copy(self)
        twin.weights = fixed(weights, np.float64)
        if self.dense:
            twin._mask = twin._scatter(twin.weights)
        return twin

    def part(self, keep: np.ndarray, compact: bool = True) -> tuple["PreparedEntries", np.ndarray, np.ndarray]:
        """The chosen entries, and the rows and columns they lie in; `compact` leaves all other rows and columns out."""
        i, j, shape = self.rows[keep], self.columns[keep], self.shape
        weights = self.weights[keep] if len(self.weights) else None
        (rows, of_row), (columns, of_column) = _numbered(i, shape[0]), _numbered(j, shape[1])
        if compact:
            i, j, shape = of_row[i], of_column[j], (len(rows), len(columns))
        method = "sparse" if not self.dense else "auto"
        part = Entries.sorted(i, j, self.values[keep], shape, weights)
        return PreparedEntries(part, method), rows, columns

    def transposed(self) -> "PreparedEntries":
        """The entries of the transposed matrix."""
        weights = self.weights if len(self.weights) else None
        entries = Entries.sorted(self.rows, self.columns, self.values, self.shape, weights)
        return PreparedEntries(entries.transposed(), "dense" if self.dense else "sparse")

    def residual(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """``W_ij - y_ij`` of ``W = left @ right.T`` in row order, shape (m,)."""
        return entries_of_product(self.rows, self.columns, left, right) - self.values

    def weighted(self, values: np.ndarray) -> np.ndarray:
        """Values in row order times the weights, shape (m,)."""
        return values * self.weights if len(self.weights) else values

    def as_sparse(self, values: np.ndarray) -> sparse.csr_array:
        """Values in row order as a sparse matrix of the observed pattern."""
        return sparse.csr_array((values, self.columns, self.row_starts), shape=self.shape)


def _numbered(indices: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """The indices that occur, ascending, and the new number of each of them."""
    occurs = np.bincount(indices, minlength=size) > 0
    return np.flatnonzero(occurs), (np.cumsum(occurs) - 1).astype(index_type(size))


def outer_factors(factors: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """``W_L ... W_2`` (n_out, k) and ``W_1^T`` (n_in, k), whose product with the second transposed is ``W``."""
    left = factors[-1]
    for factor in reversed(factors[1:-1]):
        left = left @ factor
    return left, factors[0].T


def value_and_gradient(
    entries: PreparedEntries, factors: Sequence[np.ndarray], ridge: float
) -> tuple[float, list[np.ndarray]]:
    r"""Evaluate :math:`\frac{1}{2m}\sum_{ij\,\mathrm{observed}} (W_{ij}-y_{ij})^2 + \lambda\sum_l\|W_l\|_F^2`.

    Parameters
    ----------
    entries : PreparedEntries
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
    >>> one = Entries([0], [0], [3.0], shape=(1, 1)).prepared()
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
        G /= m  # in place: at size one array more takes as long as a tenth of the entries
        G += 2 * ridge * W
        gradient.append(G)
        below = W if below is None else W @ below
    return value, gradient
