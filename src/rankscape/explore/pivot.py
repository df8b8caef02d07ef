"""Runs of a sweep as cells of two axes."""

import numpy as np

# Values of an axis that are shown.
WIDEST = 60


def pivot(numbers: np.ndarray, columns: list[np.ndarray]) -> tuple[np.ndarray, list[np.ndarray], np.ndarray]:
    """Means over the runs of each cell, the values along its axes, and the first run of each cell."""
    found = [
        np.unique(column.astype(str) if column.dtype.kind == "O" else column, return_inverse=True) for column in columns
    ]
    if len(found) == 1:
        found.append((np.array([""]), np.zeros(len(numbers), dtype=int)))
    (xs, i), (ys, j) = found
    place = j.ravel() * len(xs) + i.ravel()
    known = np.isfinite(numbers)
    size = len(xs) * len(ys)
    counts = np.bincount(place[known], minlength=size)
    sums = np.bincount(place[known], numbers[known], size)
    first = np.full(size, -1)
    first[place[::-1]] = np.arange(len(numbers))[::-1]
    grid = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
    return grid.reshape(len(ys), len(xs)), [xs, ys], first.reshape(len(ys), len(xs))


def sampled(
    grid: np.ndarray, edges: list[np.ndarray], runs: np.ndarray, names: tuple[str, str]
) -> tuple[np.ndarray, list[np.ndarray], np.ndarray, list[str]]:
    """Of long axes some values, evenly, and a sentence for each."""
    kept = [np.unique(np.linspace(0, len(edge) - 1, min(len(edge), WIDEST)).astype(int)) for edge in edges]
    said = [
        f"{len(edge):,} values of {name} are too many for a picture: {WIDEST} of them are shown."
        for name, edge in zip(names, edges, strict=True)
        if len(edge) > WIDEST
    ]
    cells = np.ix_(kept[1], kept[0])
    return grid[cells], [edge[k] for edge, k in zip(edges, kept, strict=True)], runs[cells], said
