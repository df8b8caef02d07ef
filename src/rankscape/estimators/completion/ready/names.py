"""Names of rows and columns, and where they stand."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypeAlias, get_args

import numpy as np

from rankscape.entries.checking import check_indices
from rankscape.entries.given.frame import plain
from rankscape.errors import InputError, did_you_mean
from rankscape.ground.checks import one_of
from rankscape.ground.final import final
from rankscape.ground.types import ArrayLike

By: TypeAlias = Literal["auto", "names", "positions"]

# Rows or columns, by position or by name.
Places: TypeAlias = ArrayLike | Sequence[object]


@final
@dataclass(frozen=True, eq=False)
class Names:
    """What the rows and columns of a matrix are called; None where they have no names.

    Examples
    --------
    >>> Names(np.array(["ann", "bob"]), None).positions(["bob"], [3], (2, 5), "auto")
    (array([1]), array([3]))
    """

    rows: np.ndarray | None = None
    columns: np.ndarray | None = None

    def positions(self, rows: Places, columns: Places, shape: tuple[int, int], by: By) -> tuple[np.ndarray, np.ndarray]:
        """Where pairs of rows and columns stand, counted from zero.

        Whole numbers are positions, unless rows (columns) are called by whole numbers: then they must mean the same
        either way, or `by` must say what is meant.
        """
        one_of("by", by, get_args(By))
        j = self._places(columns, "column", by)
        i = self.row_positions(rows, shape[0], by)
        return i, check_indices(j, "columns", len(i), shape[1])

    def row_positions(self, rows: Places, count: int, by: By) -> np.ndarray:
        """Where rows stand, of so many."""
        i = self._places(rows, "row", by)
        return check_indices(i, "rows", len(i), count)

    def same_columns(self, others: np.ndarray | None) -> None:
        """Refuse other columns, or these in another order, where both have names."""
        if self.columns is None or others is None or list(self.columns) == list(others):
            return
        k = next(k for k, pair in enumerate(zip(self.columns, others, strict=False)) if pair[0] != pair[1])
        raise InputError(f"Column {k} is called {plain(others[k])!r}, and {plain(self.columns[k])!r} in the matrix.")

    def _places(self, given: Places, axis: str, by: By) -> np.ndarray:
        known = self._row_places if axis == "row" else self._column_places
        whole = np.asarray(given).dtype.kind in "iu"
        # Whole numbers need no look-up where no name is one: of many million pairs this is what takes time.
        if by == "positions" or (whole and by == "auto" and not any(isinstance(name, int) for name in known)):
            return np.atleast_1d(np.asarray(given))
        wanted = _listed(given)
        if not known:
            if by == "auto" and not any(isinstance(place, str) for place in wanted):
                return np.asarray(wanted)  # whoever checks indices says what is wrong
            raise InputError(f"The {axis}s of this matrix have no names: give positions, counted from zero.")
        places = np.array([_place(plain(name), known, axis) for name in wanted], dtype=np.int64)
        if by == "auto" and whole and not np.array_equal(places, wanted):
            k = int(np.argmax(places != np.asarray(wanted)))
            raise InputError(
                f"The {axis}s are called by whole numbers: is {wanted[k]} a name or a position? Say by='names' or "
                "by='positions'."
            )
        return places

    @cached_property
    def _row_places(self) -> dict[Any, list[int]]:
        return _places_of(self.rows)

    @cached_property
    def _column_places(self) -> dict[Any, list[int]]:
        return _places_of(self.columns)


def _listed(given: Places) -> list[Any]:
    single = isinstance(given, str | tuple) or not hasattr(given, "__len__")  # a tuple is one name of two levels
    return [given] if single else list(given)  # pyright: ignore


def _places_of(labels: np.ndarray | None) -> dict[Any, list[int]]:
    places: dict[Any, list[int]] = {}
    for k, label in enumerate(() if labels is None else labels):
        places.setdefault(plain(label), []).append(k)
    return places


def _place(name: Any, known: dict[Any, list[int]], axis: str) -> int:
    found = known.get(name, [])
    if len(found) == 1:
        return found[0]
    if found:
        raise InputError(f"{len(found)} {axis}s are called {name!r}: say which by its position, by='positions'.")
    hint = did_you_mean(name, [label for label in known if isinstance(label, str)]) if isinstance(name, str) else ""
    raise InputError(f"No {axis} is called {name!r}{hint or '.'}")
