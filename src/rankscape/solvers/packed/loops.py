"""The compiled loops that put entries in two orders, and multiply them as they stand there."""

import numpy as np

from rankscape.ground.jit import compiled

_loop = compiled("reassoc", "contract", "nsz")


@_loop
def fitted_first(first, last, starts, partners, values, held, shift, scale, middles, out_partners, out):
    """Each line's entries without those held out, and these behind them; `middles` says where they begin."""
    for i in range(first, last):
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
def turned_starts(starts, middles, partners, out_starts, out_middles):
    """Where the lines of the other side begin, and their held-out entries; the out arrays are zeros."""
    for i in range(len(middles)):
        for e in range(starts[i], starts[i + 1]):
            out_starts[partners[e] + 1] += 1
            out_middles[partners[e]] += e < middles[i]
    for j in range(len(out_middles)):
        out_starts[j + 1] += out_starts[j]
        out_middles[j] += out_starts[j]


@_loop
def turn(first, last, starts, middles, partners, values, out_starts, out_middles, out_partners, out):
    """The entries of the lines ``first .. last`` of the other side, in the order of this one."""
    fitted, held = out_starts[first:last].copy(), out_middles[first:last].copy()
    for i in range(len(middles)):
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
            out_partners[place] = i
            out[place] = values[e]


@_loop
def squares(first, last, starts, ends, partners, values, here, other, out):
    """``out_i = sum_e (y_e - here_i - other_j)^2``."""
    for i in range(first, last):
        total = 0.0
        for e in range(starts[i], ends[i]):
            left = values[e] - here[i] - other[partners[e]]
            total += left * left
        out[i] = total


@_loop
def multiply(first, last, starts, ends, partners, values, here, other, flip, table, out):
    """``out_i = sum_e +-(y_e - here_i - other_j) table_j``; `flip` 1 and 2 draw the signs of rows and of columns."""
    width = table.shape[1]
    for i in range(first, last):
        for k in range(width):
            out[i, k] = 0.0
        for e in range(starts[i], ends[i]):
            j = partners[e]
            left = np.float32(values[e] - here[i] - other[j])
            if flip and _negative(i if flip == 1 else j, j if flip == 1 else i):
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
