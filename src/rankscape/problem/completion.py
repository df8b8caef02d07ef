"""Completion: some entries of the matrix are seen."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from rankscape.entries import Entries
from rankscape.entries.checking import check_labels, warn_empty
from rankscape.entries.duplicates import Duplicates
from rankscape.entries.given import Given, given_of
from rankscape.entries.given.given import MatrixLike
from rankscape.entries.given.long import of_long
from rankscape.entries.heldout import choose_heldout
from rankscape.errors import InputError
from rankscape.ground.arrays import finite_array
from rankscape.ground.checks import share
from rankscape.ground.final import final
from rankscape.ground.types import ArrayLike, EntryValues, Matrix, SparseMatrix
from rankscape.problem.base import AbstractProblem

if TYPE_CHECKING:
    from narwhals.typing import IntoDataFrame


@final
@dataclass(frozen=True, eq=False, init=False, repr=False)
class Completion(AbstractProblem):
    r"""Fit the observed entries, :math:`f(W) = \frac{1}{2m} \sum_{(i,j)\ \mathrm{observed}} (W_{ij} - y_{ij})^2`.

    Parameters
    ----------
    rows, columns : array_like of int, shape (m,)
        Position of each observed entry, counted from zero.
    values : array_like of shape (m,)
        The entries :math:`y_{ij}`.
    shape : (int, int)
        ``(n_out, n_in)`` of the whole matrix.
    duplicates : {"error", "mean", "last"}
        What to do when a position occurs twice.
    row_labels, column_labels : array_like, optional
        Names of the rows and columns, kept for output.

    Raises
    ------
    InputError
        Nothing is observed, an index is out of range, a value is not finite, a position occurs twice.

    Warns
    -----
    FallbackWarning
        Some row or column has no entry at all: the data say nothing about it, and it is left to the
        initialization and the ridge.

    Examples
    --------
    >>> import numpy as np, rankscape as rs
    >>> problem = rs.Completion.from_array([[1.0, np.nan], [2.0, 3.0]])
    >>> problem
    Completion(shape=(2, 2), observed=3)
    >>> float(problem.loss(np.zeros((2, 2))))               # (1 + 4 + 9) / (2 * 3)
    2.3333333333333335

    References
    ----------
    .. [wang2024] Wang, Jacot, "Implicit bias of SGD in L2-regularized linear DNNs: One-way jumps from high to low
       rank", ICLR 2024.
    """

    arrays: ClassVar[tuple[str, ...]] = ("rows", "columns", "values", "weights", "filled")
    data: ClassVar[tuple[str, ...]] = ("rows", "columns", "values")
    entries: Entries
    row_labels: np.ndarray | None = field(default=None)
    column_labels: np.ndarray | None = field(default=None)
    heldout: "Completion | None" = field(default=None)

    def __init__(
        self,
        rows: ArrayLike,
        columns: ArrayLike,
        values: ArrayLike,
        shape: tuple[int, int],
        *,
        duplicates: Duplicates = "error",
        row_labels: ArrayLike | None = None,
        column_labels: ArrayLike | None = None,
    ):
        y = finite_array(values, "values", ndim=1, copy=False)
        entries = Entries(rows, columns, y, shape, duplicates=duplicates)
        warn_empty(entries)
        named_rows = check_labels(row_labels, "row_labels", entries.shape[0])
        named_columns = check_labels(column_labels, "column_labels", entries.shape[1])
        self._set(entries, named_rows, named_columns, heldout=None)

    def _set(self, entries, row_labels, column_labels, heldout) -> None:
        named = dict(
            entries=entries, shape=entries.shape, row_labels=row_labels, column_labels=column_labels, heldout=heldout
        )
        for name, value in named.items():
            object.__setattr__(self, name, value)

    # Not properties: an engine lays its compiler's versions of these arrays over them (`AbstractProblem.binder`).
    # Always int64, because they go into what identifies a problem, where the type counts.
    rows = cached_property(lambda self: self.entries.rows.astype(np.int64, copy=False))
    columns = cached_property(lambda self: self.entries.columns.astype(np.int64, copy=False))
    values = cached_property(lambda self: self.entries.values)

    def __repr__(self) -> str:
        held = f", heldout={len(self.heldout.values)}" if self.heldout is not None else ""
        return f"Completion(shape={self.shape}, observed={len(self.values)}{held})"

    # -- made from what people have ------------------------------------------------------------------------

    @classmethod
    def from_array(cls, array: MatrixLike) -> "Completion":
        """From a matrix whose missing entries are NaN, NA, None or masked: an array, a frame, an xarray `DataArray`.

        The names that a frame or a `DataArray` has are kept.
        """
        return cls.of_given(given_of(array, "array"))

    @classmethod
    def of_given(cls, given: Given) -> "Completion":
        """Of a matrix as it was given; one without any entry is refused."""
        return cls.of_entries(given.entries, given.row_labels, given.column_labels)

    @classmethod
    def of_entries(
        cls, entries: Entries, row_labels: np.ndarray | None = None, column_labels: np.ndarray | None = None
    ) -> "Completion":
        """Of entries that are settled already; a matrix without any is refused, lines without any are told."""
        if not entries.count:
            raise InputError(f"No entry of the matrix of shape {entries.shape} is observed: all are missing.")
        warn_empty(entries)
        return cls.of(entries, row_labels, column_labels)

    @classmethod
    def of(
        cls,
        entries: Entries,
        row_labels: np.ndarray | None = None,
        column_labels: np.ndarray | None = None,
        heldout: "Completion | None" = None,
    ) -> "Completion":
        """Around entries that are checked already."""
        problem = object.__new__(cls)
        problem._set(entries, row_labels, column_labels, heldout)
        return problem

    @classmethod
    def from_sparse(cls, matrix: SparseMatrix) -> "Completion":
        """From a ``scipy.sparse`` array: stored entries are the observed ones, stored zeros included."""
        if not hasattr(matrix, "tocoo"):
            raise InputError(f"A scipy.sparse array is needed, got {type(matrix).__name__}; see from_array.")
        return cls.of_given(given_of(matrix, "matrix"))

    @classmethod
    def from_frame(
        cls, frame: "IntoDataFrame", rows: str, columns: str, values: str, *, duplicates: Duplicates = "error"
    ) -> "Completion":
        """From a long pandas, polars or pyarrow frame: one line for each observed entry.

        `rows`, `columns` and `values` name columns of `frame`; the labels are sorted and kept. A line without a
        value is no entry.
        """
        entries, row_labels, column_labels = of_long(frame, rows, columns, values, duplicates)
        warn_empty(entries)
        return cls.of(entries, row_labels, column_labels)

    # -- the loss ------------------------------------------------------------------------------------------

    @cached_property
    def weights(self) -> Matrix:
        """Dense ``1/m`` on observed entries, 0 elsewhere."""
        return self.entries.dense(np.full(len(self.values), 1.0 / len(self.values)), fill=0.0)

    @cached_property
    def filled(self) -> Matrix:
        """Dense values on observed entries, 0 elsewhere."""
        return self.entries.dense(fill=0.0)

    def loss(self, W: Any) -> Any:
        """``1/(2m)`` times the sum of squared residuals over the observed entries."""
        # Values and gradient differ in form: this needs no dense mask.
        residual = W[self.rows, self.columns] - self.values
        return 0.5 * (residual * residual).mean()

    def gradient(self, W: Any) -> Any:
        """``(W - y)/m`` on observed entries, 0 elsewhere; dense."""
        return self.weights * (W - self.filled)  # dense: the products beside it cost more

    def residual_of_factors(self, factors: Sequence[Matrix], block: int = 1 << 16) -> EntryValues:
        """``W_ij - y_ij`` of the observed entries without forming W: memory stays at `block` rows of factors."""
        left, right = factors[-1], factors[0]
        for factor in reversed(factors[1:-1]):
            left = left @ factor
        if len(factors) == 1:
            return right[self.rows, self.columns] - self.values
        right = np.ascontiguousarray(right.T)  # rows of both are gathered; columns would miss the cache
        residual = np.empty(len(self.values), dtype=left.dtype)
        for start in range(0, len(residual), block):  # all at once would copy a row of both factors for every entry
            part = slice(start, start + block)
            product = np.einsum("ek,ek->e", left[self.rows[part]], right[self.columns[part]])
            residual[part] = product - self.values[part]
        return residual

    def loss_of_factors(self, factors: Sequence[Matrix]) -> float:
        """`loss` of the product, through the dense product only when that is the cheaper way."""
        n_out, n_in = self.shape
        if n_out * n_in <= 4 * len(self.values):  # the ratio that `entries.prepared.DENSE_RATIO` measures
            return super().loss_of_factors(factors)
        return 0.5 * float(np.mean(self.residual_of_factors(factors) ** 2))

    def heldout_loss_of_factors(self, factors: Sequence[Matrix]) -> float | None:
        """The same loss over the held-out entries."""
        return None if self.heldout is None else self.heldout.loss_of_factors(factors)

    def smoothness(self) -> float:
        """``1/m``."""
        return 1.0 / len(self.values)

    def sample_smoothness(self) -> float:
        """1: SGD follows the mean of its batch."""
        return 1.0

    def scale(self) -> float:
        """The spectral norm of the zero-filled matrix divided by the share of observed entries."""
        from scipy.sparse import coo_array
        from scipy.sparse.linalg import svds

        share = len(self.values) / (self.shape[0] * self.shape[1])
        matrix = coo_array((self.values, (self.rows, self.columns)), shape=self.shape).tocsr()
        if min(self.shape) < 3:  # too small for the iteration
            return float(np.linalg.norm(matrix.toarray(), 2)) / share
        # A fixed start: the answer may not depend on chance.
        largest: Any = svds(matrix, k=1, v0=np.ones(min(self.shape)), return_singular_vectors=False)
        return float(largest[0]) / share

    @property
    def training(self) -> "Completion":
        """The problem of the training entries alone: what is held out is forgotten."""
        return self._part(np.ones(len(self.values), dtype=bool))

    # -- held-out entries ----------------------------------------------------------------------------------

    def split(self, fraction: float = 0.1, seed: int = 0) -> "Completion":
        """Hold out a share of the entries; training then sees the others only.

        Which entries are held out is decided by a hash of (row, column, seed), so it does not depend on the
        order of the entries. Every row and column that has entries keeps at least one for training.

        Parameters
        ----------
        fraction : float
            The share to hold out, between 0 and 1.
        seed : int
            Another seed holds out other entries.

        Returns
        -------
        Completion
            The training problem; its `heldout` is the problem of the held-out entries.
        """
        fraction = share("fraction", fraction)
        held = choose_heldout(self.rows, self.columns, self.shape, fraction, seed)
        if not held.any():  # the hash falls as it falls: of few entries it may choose none
            raise InputError(
                f"Holding out {fraction:g} of {len(self.values)} entries leaves none to judge by; "
                "give more entries or a larger fraction."
            )
        return self._part(~held, heldout=self._part(held))

    def _part(self, keep: np.ndarray, heldout: "Completion | None" = None) -> "Completion":
        return self.of(self.entries.part(keep), self.row_labels, self.column_labels, heldout)
