"""The entries of a matrix that are seen: the one type for them, from a file to a completed matrix."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from rankscape.entries.checking import check_indices, check_shape, check_weights
from rankscape.entries.duplicates import Duplicates, Refuse, index_type, settle
from rankscape.errors import InputError
from rankscape.ground.arrays import finite_array, fixed, place, real_array, slices
from rankscape.ground.final import final
from rankscape.ground.groups import sums_of
from rankscape.ground.memory import check_bytes
from rankscape.ground.stored import Stored, let_go, room

if TYPE_CHECKING:
    from rankscape.entries.prepared import Method, PreparedEntries


# Rows and columns together of a matrix whose very counts may not fit the memory.
MANY_LINES = 10**7


@final
@dataclass(frozen=True, eq=False, init=False, repr=False)
class Entries:
    r"""Observed entries :math:`y_{ij}` of a matrix, sorted by row and then by column; read-only.

    They are checked, sorted and merged here and nowhere else, so whatever holds an `Entries` (a problem, a table, a
    completed matrix) can rely on it, and no result depends on the order in which entries were given.

    Parameters
    ----------
    rows, columns : array_like of int, shape (m,)
        Position of each observed entry, counted from zero.
    values : array_like of float, shape (m,)
        The entries; finite.
    shape : (int, int)
        ``(n_out, n_in)`` of the whole matrix.
    weights : array_like of float, shape (m,), optional
        Positive weights of the squared residuals; all one without them.
    duplicates : {"error", "mean", "last"}
        What to do when a position occurs twice.
    refuse : callable, optional
        Called with two positions in the lists that give the same cell, to raise an error that knows more: a line, say.

    Raises
    ------
    InputError
        An index outside the shape, a value that is not finite, a weight that is not positive, a position given twice.

    Examples
    --------
    >>> seen = Entries([1, 0], [0, 2], [5.0, 3.0], shape=(2, 3))
    >>> seen, seen.values.tolist()
    (Entries(shape=(2, 3), observed=2), [3.0, 5.0])
    """

    rows: np.ndarray
    columns: np.ndarray
    values: np.ndarray
    shape: tuple[int, int]
    weights: np.ndarray | None = None

    def __init__(
        self,
        rows: Any,
        columns: Any,
        values: Any,
        shape: tuple[int, int],
        weights: Any = None,
        *,
        duplicates: Duplicates = "error",
        refuse: Refuse | None = None,
    ):
        shape = check_shape(shape)
        y = finite_array(values, "values", ndim=1, empty=True, copy=False)
        i = check_indices(rows, "rows", len(y), shape[0])
        j = check_indices(columns, "columns", len(y), shape[1])
        w = None if weights is None else check_weights(weights, i, j)
        settled = settle(i, j, y, w, shape, duplicates, refuse)
        if settled[0] is i:  # not sorted into arrays of our own: these may be the caller's, who may write to them
            settled = i.copy(), j.copy(), y.copy(), w
        self._set(*settled, shape)

    def _set(self, rows, columns, values, weights, shape) -> None:
        for array in (rows, columns, values, weights):
            if array is not None:  # problems, splits and fits share these very arrays: nobody may write to them
                array.setflags(write=False)
        named = dict(rows=rows, columns=columns, values=values, weights=weights, shape=shape)
        for name, value in named.items():
            object.__setattr__(self, name, value)

    @classmethod
    def sorted(
        cls,
        rows: np.ndarray,
        columns: np.ndarray,
        values: np.ndarray,
        shape: tuple[int, int],
        weights: np.ndarray | None = None,
    ) -> "Entries":
        """Trusted arrays that are checked, sorted and merged already: kept as they are, and made read-only."""
        entries = object.__new__(cls)
        entries._set(rows, columns, values, weights, shape)
        return entries

    @classmethod
    def from_array(cls, array: Any, where: str = "The array") -> "Entries":
        """The entries of a dense matrix that are not NaN, and not masked.

        >>> Entries.from_array([[1.0, np.nan], [2.0, 3.0]]).columns.tolist()
        [0, 0, 1]
        """
        dense = real_array(array, where.strip("`"), copy=False)
        if dense.ndim != 2:
            raise InputError(f"A matrix has two dimensions, got shape {dense.shape}.")
        if np.isinf(dense).any():
            k = int(np.argmax(np.isinf(dense)))
            raise InputError(f"{where} holds {dense.flat[k]} at {place(k, dense.shape)}; missing entries are NaN.")
        rows, columns = np.nonzero(~np.isnan(dense))  # row by row, so these are in order
        return cls.sorted(rows, columns, dense[rows, columns], dense.shape)

    def __repr__(self) -> str:
        return f"Entries(shape={self.shape}, observed={self.count})"

    def __iter__(self) -> Iterator[np.ndarray]:
        """Rows, columns, values: ``*entries`` stands where a function asks for the three."""
        yield from (self.rows, self.columns, self.values)

    @property
    def count(self) -> int:
        """The number m of observed entries."""
        return len(self.values)

    @property
    def root_weights(self) -> np.ndarray:
        """Square roots of the weights, one where there are none, shape (m,)."""
        return np.ones(self.count) if self.weights is None else np.sqrt(self.weights)

    # -- the same entries, otherwise -----------------------------------------------------------------------

    def part(self, keep: np.ndarray) -> "Entries":
        """The entries that a mask chooses, or numbers in ascending order."""
        if keep.dtype == bool:
            return self._gathered(lambda part: keep[part])
        return self._gathered(lambda part: keep[slice(*np.searchsorted(keep, (part.start, part.stop)))] - part.start)

    def some(self, number: int) -> "Entries":
        """About so many of them, drawn at random; the same ones every time."""
        random, share = np.random.default_rng(0), number / self.count
        return self._gathered(lambda part: random.random(part.stop - part.start) < share)

    def _gathered(self, chosen: Callable[[slice], np.ndarray]) -> "Entries":
        """Those that a mask chooses, or numbers, which are asked for part by part."""
        arrays = [array for array in (*self, self.weights) if array is not None]
        found = []
        for part in self.slices:
            kept = chosen(part)
            found.append([array[part][kept] for array in arrays])
        rows, columns, values, *weights = (np.concatenate(pieces) for pieces in zip(*found, strict=True))
        return Entries.sorted(rows, columns, values, self.shape, weights[0] if weights else None)

    @property
    def slices(self) -> Iterator[slice]:
        """Parts of them, one after the other, few enough to be copied; pages of files go when they are read."""
        for part in slices(self.count):
            yield part
            let_go(*self)

    @cached_property
    def extremes(self) -> tuple[float, float]:
        """The smallest and the largest value."""
        found = [(self.values[k].min(initial=np.inf), self.values[k].max(initial=-np.inf)) for k in self.slices]
        low, high = zip(*found, strict=True)
        return float(min(low)), float(max(high))

    def split(self, held: np.ndarray) -> tuple["Entries", "Entries"]:
        """Those that a mask leaves, and those that it holds out."""
        return self.part(~held), self.part(held)

    def merge(self, new: "Entries") -> "Entries":
        """Both lists of entries, in a matrix that holds both; where a position occurs in both, the new one counts."""
        shape = max(self.shape[0], new.shape[0]), max(self.shape[1], new.shape[1])
        rows, columns, values = (
            np.concatenate([getattr(self, name), getattr(new, name)]) for name in ("rows", "columns", "values")
        )
        weights = None
        if self.weights is not None or new.weights is not None:
            weights = np.concatenate([np.ones(e.count) if e.weights is None else e.weights for e in (self, new)])
        # "last" is the new one, because it stands behind and sorting keeps that order.
        settled = settle(rows, columns, values, weights, shape, "last")
        return Entries.sorted(*settled[:3], shape, settled[3])

    def with_values(self, values: np.ndarray) -> "Entries":
        """The same positions and weights with other values, in this order."""
        return Entries.sorted(self.rows, self.columns, np.asarray(values, np.float64), self.shape, self.weights)

    def changed(self, values: Callable[[slice], np.ndarray]) -> "Entries":
        """The same positions with the values of each part anew: in memory, or where these entries are."""
        made = room(self.count, np.float64, self.values)
        for part in self.slices:
            made[part] = values(part)
        return self.with_values(made.mapped() if isinstance(made, Stored) else made)

    def with_weights(self, weights: np.ndarray | None) -> "Entries":
        """The same entries with other weights, in this order; None for equal ones."""
        w = None if weights is None else check_weights(weights, self.rows, self.columns)
        return Entries.sorted(self.rows, self.columns, self.values, self.shape, w)

    def transposed(self) -> "Entries":
        """The entries of the transposed matrix."""
        shape = self.shape[1], self.shape[0]
        settled = settle(self.columns, self.rows, self.values, self.weights, shape, "error")
        return Entries.sorted(*settled[:3], shape, settled[3])

    def prepared(self, method: "Method" = "auto") -> "PreparedEntries":
        """The same entries, ready for many evaluations: densely, sparsely, or as is faster."""
        from rankscape.entries.prepared import PreparedEntries

        return PreparedEntries(self, method)

    def find(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """The place of the entry in each of these cells, -1 where none is seen, shape (k,).

        >>> Entries([0, 1], [2, 0], [3.0, 5.0], shape=(2, 3)).find(np.array([1, 1, 0]), np.array([0, 1, 2])).tolist()
        [1, -1, 0]
        """
        from rankscape.entries import loops

        place = np.empty(len(rows), dtype=np.int64)
        loops.find(self.row_starts, fixed(self.columns), fixed(rows), fixed(columns), place)
        let_go(self.columns)
        return place

    @cached_property
    def row_starts(self) -> np.ndarray:
        """Where each row begins among the entries, and where the last one ends, shape ``(n_out + 1,)``."""
        return np.append(0, np.cumsum(self.counts()[0])).astype(index_type(self.count))

    # -- out of a matrix, and back into one ----------------------------------------------------------------

    def at(self, matrix: Any) -> Any:
        """The entries of a matrix (NumPy or JAX) at these positions, shape (m,)."""
        return matrix[self.rows, self.columns]

    def dense(self, values: np.ndarray | None = None, fill: float = np.nan) -> np.ndarray:
        """The matrix of these entries (or of other `values` at their places), `fill` where nothing is seen."""
        matrix = np.full(self.shape, fill)
        matrix[self.rows, self.columns] = self.values if values is None else values
        return matrix

    def counts(self) -> tuple[np.ndarray, np.ndarray]:
        """How many entries each row has, shape (n_out,), and each column, (n_in,)."""
        return self._counts

    @cached_property
    def _counts(self) -> tuple[np.ndarray, np.ndarray]:
        if sum(self.shape) > MANY_LINES:
            check_bytes(
                8.0 * sum(self.shape),
                f"Counting the entries of {sum(self.shape):,} rows and columns",
                "Number only those that have entries.",
            )
        counts = sums_of(self.rows, self.shape[0]), sums_of(self.columns, self.shape[1])
        for array in counts:
            array.setflags(write=False)
        return counts
