"""How well entries are predicted that a model does not see, in units that do not depend on the model."""

import numpy as np

from rankscape.entries import Entries
from rankscape.entries.heldout import entry_hash
from rankscape.estimators.completion.completed.cells import AbstractCells
from rankscape.estimators.completion.ready.scaling import fit_scaling
from rankscape.estimators.completion.search.units import units_of
from rankscape.ground.arrays import root_mean_square

# Parts of the entries of each row that are hidden in turn: few enough that a row keeps most of what it has.
PARTS = 5


def column_units(observed: Entries) -> np.ndarray:
    """Standard deviations of columns where these differ much, as those of other quantities do; else ones.

    What settings of a model are compared by may not depend on how it scales: of its rules only that for sizes.

    Examples
    --------
    >>> X = np.random.default_rng(0).standard_normal((100, 2)) * [1.0, 1000.0]
    >>> (column_units(Entries.from_array(X)) / [1.0, 1000.0]).round()
    array([1., 1.])
    """
    units = units_of("auto", observed)
    if {units.kind, units.rival} & {"column", "both"}:
        return fit_scaling("column", observed).column
    return np.ones(observed.shape[1])


def parts_of(entries: Entries, count: int, seed: int = 0) -> np.ndarray:
    """Which of `count` parts each entry belongs to, by a hash; every row is spread over them evenly, shape (m,)."""
    order = np.lexsort((entry_hash(entries.rows, entries.columns, seed), entries.rows))
    counts = entries.counts()[0]
    start = np.repeat(np.cumsum(counts) - counts, counts)
    # Each row begins at another part: rows shorter than there are parts would all fill the first ones.
    begin = entry_hash(np.arange(len(counts)), np.zeros(len(counts), dtype=np.int64), seed + 1) % np.uint64(count)
    parts = np.empty(entries.count, dtype=np.int64)
    parts[order] = (np.arange(entries.count) - start + begin.astype(np.int64)[entries.rows[order]]) % count
    return parts


def hidden_errors(done: AbstractCells, entries: Entries) -> np.ndarray:
    """What is missed of every entry of new rows when it is hidden and the rest of its row is seen, shape (m,)."""
    parts, missed = parts_of(entries, PARTS), np.empty(entries.count)
    for part in range(PARTS):
        hidden = parts == part
        if hidden.any():
            filled = done.folded(entries.part(~hidden))
            missed[hidden] = filled[entries.rows[hidden], entries.columns[hidden]] - entries.values[hidden]
    return missed


def score_of(missed: np.ndarray, columns: np.ndarray, units: np.ndarray, weights: np.ndarray | None) -> float:
    """Minus the root mean square of errors in these units of their columns."""
    errors = missed / units[columns]
    if weights is None:
        return -root_mean_square(errors)
    return -float(np.sqrt(np.average(errors**2, weights=weights)))
