"""The compiled loops that put entries in two orders, and multiply them as they stand there."""

import numpy as np

from rankscape.ground.jit import compiled

_loop = compiled("reassoc", "contract", "nsz")


@_loop
def fitted_first(starts, partners, values, held, shift, scale, middles, out_partners, out):
    """Each line's entries without those held out, and these behind them; `middles` says where they begin."""
    for i in range(len(middles)):
        at, behind = starts[i], starts[i + 1]
        for e in range(starts[i], starts[i + 1]):
            behind -= held[e]
        middles[i] = behind
        for e in range(starts[i], starts[i + 1]):
            if held[e]:
                place = behind
                behind += 1
            else:
                place = at
                at += 1
            out_partners[place] = partners[e]
            out[place] = (values[e] - shift) / scale


@_loop
def count_turned(starts, middles, partners, out, out_fitted):
    """Add how many entries each line of the other side has (``out_j+1``), and how many of them are fitted."""
    for i in range(len(middles)):
        for e in range(starts[i], starts[i + 1]):
            out[partners[e] + 1] += 1
            out_fitted[partners[e]] += e < middles[i]


@_loop
def turn(begin, end, starts, middles, partners, values, first, last, fitted, held, out_partners, out):
    """Put the entries of the lines ``begin .. end`` into the lines ``first .. last`` of the other side.

    `fitted` and `held` say where the next one goes, and are moved on.
    """
    for i in range(end - begin):
        for e in range(starts[i], starts[i + 1]):
            j = partners[e] - first
            if j < 0 or j >= last - first:
                continue
            if e < middles[i]:
                place = fitted[j]
                fitted[j] += 1
            else:
                place = held[j]
                held[j] += 1
            out_partners[place] = begin + i
            out[place] = values[e]


@_loop
def turn_dealt(lines, partners, values, are_held, first, last, fitted, held, out_partners, out):
    """The same of entries that are all of these lines, one by one."""
    for e in range(len(lines)):
        j = partners[e] - first
        if are_held[e]:
            place = held[j]
            held[j] += 1
        else:
            place = fitted[j]
            fitted[j] += 1
        out_partners[place] = lines[e]
        out[place] = values[e]


@_loop
def squares(starts, ends, partners, values, here, other, out):
    """``out_i = sum_e (y_e - here_i - other_j)^2``."""
    for i in range(len(out)):
        total = 0.0
        for e in range(starts[i], ends[i]):
            left = values[e] - here[i] - other[partners[e]]
            total += left * left
        out[i] = total


@_loop
def multiply(first, starts, ends, partners, values, here, other, flip, table, out):
    """``out_i = sum_e +-(y_e - here_i - other_j) table_j``; `flip` 1 and 2 draw the signs of rows and of columns.

    The signs are those of the lines from the `first` on.
    """
    width = table.shape[1]
    for i in range(len(out)):
        for k in range(width):
            out[i, k] = 0.0
        for e in range(starts[i], ends[i]):
            j = partners[e]
            left = np.float32(values[e] - here[i] - other[j])
            if flip and _negative(first + i if flip == 1 else j, j if flip == 1 else first + i):
                left = -left
            for k in range(width):
                out[i, k] += left * table[j, k]


@_loop
def _negative(row, column):
    """Half of all cells: the last bit of a hash of a cell (the finaliser of SplitMix64)."""
    x = np.uint64(row) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(column) * np.uint64(0xD1B54A32D192ED03)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return (x ^ (x >> np.uint64(31))) & np.uint64(1) == np.uint64(1)
