"""Pictures of a table: where it is seen, and its values as shades; of a large one, blocks of it."""

from typing import TYPE_CHECKING

import numpy as np

from rankscape.entries import Entries

if TYPE_CHECKING:
    from rankscape.estimators import CompletedMatrix

# Longest sides of a picture.
TALL, WIDE = 240, 320


def seen(entries: Entries, shape: tuple[int, int]) -> np.ndarray:
    """The share of each block that is seen; the matrix itself is never formed.

    >>> seen(Entries([0, 1], [1, 0], [5.0, 6.0], (2, 2)), (2, 2))
    array([[0., 1.],
           [1., 0.]])
    """
    rows, columns = edges(shape)
    counts = np.zeros((len(rows) - 1, len(columns) - 1))
    places = np.searchsorted(rows, entries.rows, "right") - 1, np.searchsorted(columns, entries.columns, "right") - 1
    np.add.at(counts, places, 1.0)
    return counts / np.outer(np.diff(rows), np.diff(columns))


def shades(done: "CompletedMatrix") -> dict[str, np.ndarray]:
    """The matrix between 0 and 1, by its columns where their sizes differ: as given, and completed."""
    matrix = done.matrix
    axis = 0 if done.scaling.kind in ("column", "both") else None
    low, high = (np.nanquantile(matrix, q, axis=axis, keepdims=True) for q in (0.02, 0.98))
    scaled = np.clip((matrix - low) / np.where(high > low, high - low, 1.0), 0, 1)
    given = np.full(matrix.shape, np.nan)
    at = done.observed.rows, done.observed.columns
    given[at] = scaled[at]
    first = np.ix_(*(sides[:-1] for sides in edges(matrix.shape)))
    return {"given": given[first], "completed": scaled[first]}


def edges(shape: tuple[int, ...]) -> list[np.ndarray]:
    """Where the blocks of a picture begin and end."""
    return [
        np.unique(np.linspace(0, n, min(n, most) + 1).astype(int)) for n, most in zip(shape, (TALL, WIDE), strict=True)
    ]


def sampling(shape: tuple[int, int]) -> str:
    """What a picture leaves out, as a sentence; empty where it shows every cell.

    >>> sampling((100, 50))
    ''
    >>> sampling((7000, 100))
    'The table is larger than a picture: a point of “Seen” is the share of 30 × 1 cells, elsewhere the first of them.'
    """
    block = [-(-n // most) for n, most in zip(shape, (TALL, WIDE), strict=True)]
    if block == [1, 1]:
        return ""
    cells = f"{block[0]:,} × {block[1]:,}"
    return (
        f"The table is larger than a picture: a point of “Seen” is the share of {cells} cells,"
        " elsewhere the first of them."
    )
