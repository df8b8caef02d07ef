"""A frame that is read by position, whatever its columns are called."""

from typing import Any

import numpy as np

from rankscape.ground.final import final


@final
class Frame:
    """A narwhals frame; of pandas also its index, of pyarrow the index that pandas wrote into it.

    Attributes
    ----------
    columns : list
        Names of the columns that are data.
    row_labels : ndarray or None
        The index, where it is not just numbers from zero.
    """

    def __init__(self, table: Any):
        self.native = table.to_native()
        self.pandas = table.implementation.is_pandas_like()
        names = list(self.native.columns) if self.pandas else table.columns
        # By position: names of pandas' columns may be numbers, dates or tuples.
        self.table = _numbered(self.native) if self.pandas else table
        index = [] if self.pandas else _index_columns(self.native)
        self.at = [j for j, name in enumerate(names) if name not in index]
        self.columns = [names[j] for j in self.at]
        self.count = self.table.shape[0]
        self.row_labels = self._index() if self.pandas else None
        if len(index) == 1:
            self.row_labels = table[index[0]].to_numpy()

    def _index(self) -> np.ndarray | None:
        index = self.native.index
        counted = index.nlevels == 1 and index.dtype.kind == "i" and np.array_equal(index, np.arange(len(index)))
        return None if counted else listed(index)

    def column(self, j: int) -> Any:
        """A column as a narwhals series."""
        return self.table[:, self.at[j]]

    def column_labels(self, kept: list[int]) -> np.ndarray | None:
        """Names of these columns; None where they are just numbers from zero."""
        names = [self.columns[j] for j in kept]
        counted = all(isinstance(name, int | np.integer) for name in names) and names == list(range(len(names)))
        return None if counted else listed(names)

    def row(self, position: int | None) -> str:
        """Where a row is, in words."""
        if position is None:
            return ""
        label = position if self.row_labels is None else self.row_labels[position]
        return f"row {plain(label)!r}"

    def floats(self) -> np.ndarray | None:
        """All at once where all columns are floating numbers of NumPy or polars; None where they must be read alone."""
        kinds = {str(kind) for kind in self.table.schema.values()}
        if not kinds <= {"Float64", "Float32"} or len(self.at) != self.table.shape[1]:
            return None
        whole = self.table.to_numpy()
        return whole.astype(np.float64, copy=False) if whole.dtype.kind == "f" else None


def listed(labels: Any) -> np.ndarray:
    """Labels as an array of one dimension: tuples stay single labels."""
    labels = list(labels)
    if any(isinstance(label, tuple) for label in labels):
        array = np.empty(len(labels), dtype=object)
        array[:] = labels
        return array
    kinds = {type(label) for label in labels}
    return np.array(labels, dtype=None if len(kinds) == 1 else object)


def plain(label: Any) -> Any:
    """A label as Python has it: NumPy's own types would show themselves in errors."""
    return label.item() if isinstance(label, np.str_ | np.number | np.bool_) else label


def _numbered(frame: Any) -> Any:
    import narwhals as nw

    return nw.from_native(frame.set_axis([f"c{k}" for k in range(frame.shape[1])], axis=1), eager_only=True)


def _index_columns(native: Any) -> list[str]:
    """Columns of a pyarrow table that were the index of a pandas frame."""
    kept = getattr(getattr(native, "schema", None), "pandas_metadata", None) or {}
    return [name for name in kept.get("index_columns", []) if isinstance(name, str)]
