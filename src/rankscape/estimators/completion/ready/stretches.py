"""Gaps that lie together along an ordered axis, as of a sensor that was out for a day: held-out entries that do too.

Beside an entry that is held out by itself lie its neighbours, which tell it; beside most cells of a long gap lie none.
"""

import numpy as np

from rankscape.entries import Entries
from rankscape.estimators.completion.ready.gaps import IMPOSED, KEPT, KEPT_OF_COLUMN, impose

# Mean distance of missing cells to the next entry of their line over that of entries held out at random, from which on
# gaps are stretches; and the share of them before the first entry of their line or behind the last one, from which on
# they are ends: these cannot come at other places. Gaps longer than this share of the axis cannot either: they would be
# cut, or come to lie at its ends.
APART, ENDS, LONG = 1.25, 0.5, 1 / 8

Cells = tuple[np.ndarray, np.ndarray]


def in_stretches(training: Entries, heldout: Entries, cells: Cells, axis: str) -> bool:
    """Whether cells to be filled have their neighbours along an axis farther away than entries held out at random."""
    missing = np.minimum(*distances(training, cells, axis))
    random = np.minimum(*distances(training, (heldout.rows, heldout.columns), axis))
    missing, random = missing[np.isfinite(missing)], random[np.isfinite(random)]
    return bool(len(missing) and len(random) and missing.mean() > APART * random.mean())


def impose_stretches(entries: Entries, cells: Cells, axes: tuple[str, ...], seed: int) -> np.ndarray:
    """A mask of entries to hold out, in stretches along these axes as the cells to be filled are.

    Gaps at the ends of lines, and long ones, are given to other lines, as all are where there is no axis; others are
    moved along the axes, all in the same way, so that what is missing at once stays so.
    """
    fixed = [axis for axis in axes if _fixed(entries, cells, axis)]
    if axes and not fixed:
        return _shifted(entries, axes, seed)
    if fixed != ["rows"]:
        return impose(entries, seed)
    held = np.zeros(entries.count, dtype=bool)
    held[np.lexsort((entries.rows, entries.columns))] = impose(entries.transposed(), seed)
    return held


def _fixed(seen: Entries, cells: Cells, axis: str) -> bool:
    """Whether gaps cannot be moved: most cells have entries on one side only, or gaps are as long as the axis."""
    before, after = distances(seen, cells, axis)
    known = np.isfinite(np.minimum(before, after))
    if not known.any():
        return False
    lengths = (before + after)[known] - 1
    inside = np.isfinite(lengths)
    return bool(1 - inside.mean() > ENDS or lengths[inside].mean() > LONG * seen.shape[axis == "columns"])


def distances(seen: Entries, cells: Cells, axis: str) -> tuple[np.ndarray, np.ndarray]:
    """Places along an axis from each cell to the last entry of its line before it and the first behind it."""
    length, number = seen.shape[axis == "columns"], int(axis == "rows")
    line, place = cells[number].astype(np.int64), cells[1 - number]
    lines, places = (seen.rows, seen.columns)[number].astype(np.int64), (seen.rows, seen.columns)[1 - number]
    key, asked = np.sort(lines * length + places), line * length + place
    found = []
    for side in (-1, 0):
        at = np.searchsorted(key, asked) + side
        near = key[np.clip(at, 0, len(key) - 1)]
        same = (at >= 0) & (at < len(key)) & (near // length == line)
        found.append(np.where(same, np.abs(near - asked), np.inf))
    return found[0], found[1]


def _shifted(entries: Entries, axes: tuple[str, ...], seed: int) -> np.ndarray:
    """Where the gaps would lie, had they come at other places of the ordered axes.

    Places follow one another from a random one on, until enough entries are held out; lines without entries have no gap
    that could be moved, and rows and columns keep what `impose` leaves them.
    """
    random = np.random.default_rng([0x57E7, seed])
    seen = np.isfinite(entries.dense())
    gaps = ~seen & seen.any(axis=1, keepdims=True) & seen.any(axis=0)
    for number, axis in enumerate(("rows", "columns")):
        if axis in axes:
            size = seen.shape[number]
            gaps = np.roll(gaps, int(random.integers(size // 8 + 1, size - size // 8)), axis=number)
    hidden = _enough(gaps & seen, "rows" not in axes, IMPOSED * entries.count, random)
    columns = seen.sum(0) - hidden.sum(0) < np.maximum(KEPT, KEPT_OF_COLUMN * seen.sum(0))
    rows = seen.sum(1) - hidden.sum(1) < np.minimum(KEPT, seen.sum(1))
    hidden[:, columns], hidden[rows] = False, False
    return hidden[entries.rows, entries.columns]


def _enough(hidden: np.ndarray, across: bool, wanted: float, random: np.random.Generator) -> np.ndarray:
    """Only so many of the cells: of places that follow one another, from a random one on."""
    lines = hidden.T if across else hidden
    start = int(random.integers(len(lines)))
    count = np.cumsum(np.roll(lines.sum(1), -start))
    kept = np.roll(np.arange(len(lines)) <= np.searchsorted(count, wanted), start)
    return hidden & (kept if across else kept[:, None])
