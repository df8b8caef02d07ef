"""The compiled loops over observed entries: they come in row order, and `starts` says where each row begins.

Factors are read in blocks of columns that stay in the cache. A row and a column keep the order of their entries
whatever the size of a block, which decides the speed, and the last digits of sums that several entries enter at once.
"""

import numpy as np

from rankscape.ground.jit import compiled

# Cells of a table up to which all of them are multiplied, seen or not.
CELLS = 100_000

_loop = compiled("reassoc", "contract", "nsz")  # lets a dot product use vector registers; NaN and infinity stay honest


@_loop
def thin_gradient(starts, columns, values, weights, left, right, block, R_right, Rt_left):
    """Add ``R @ right`` and ``R.T @ left`` to the two last arrays, and return ``sum w r^2``; no weights mean ones.

    Four entries of a row at a time: they read and write its factor and its sum once.
    """
    total = 0.0
    at = starts[:-1].copy()  # where each row goes on in the next block of columns
    for high in range(block, len(right) + block, block):
        for i in range(len(at)):
            e, end, x, out = at[i], starts[i + 1], left[i], R_right[i]
            while e + 3 < end and columns[e + 3] < high:
                j, k, l, m = columns[e], columns[e + 1], columns[e + 2], columns[e + 3]
                t, u, v, w = right[j], right[k], right[l], right[m]
                p, q, r, s = -values[e], -values[e + 1], -values[e + 2], -values[e + 3]
                for a in range(len(x)):
                    p += x[a] * t[a]
                    q += x[a] * u[a]
                    r += x[a] * v[a]
                    s += x[a] * w[a]
                if len(weights):
                    total += weights[e] * p * p + weights[e + 1] * q * q
                    total += weights[e + 2] * r * r + weights[e + 3] * s * s
                    p, q, r, s = p * weights[e], q * weights[e + 1], r * weights[e + 2], s * weights[e + 3]
                else:
                    total += (p * p + q * q) + (r * r + s * s)
                for a in range(len(x)):
                    out[a] += (p * t[a] + q * u[a]) + (r * v[a] + s * w[a])
                for to, step in ((j, p), (k, q), (l, r), (m, s)):
                    for a in range(len(x)):
                        Rt_left[to, a] += step * x[a]
                e += 4
            while e < end and columns[e] < high:
                j = columns[e]
                p = -values[e]
                for a in range(len(x)):
                    p += x[a] * right[j, a]
                weight = weights[e] if len(weights) else 1.0
                total += weight * p * p
                p *= weight
                for a in range(len(x)):
                    out[a] += p * right[j, a]
                    Rt_left[j, a] += p * x[a]
                e += 1
            at[i] = e
    return total


@thin_gradient.few()
def _thin_gradient(starts, columns, values, weights, left, right, block, R_right, Rt_left):
    missed = np.empty_like(values)
    _entries(_rows_of(starts), columns, left, right, missed)
    missed -= values
    weighted = missed * weights if len(weights) else missed
    R = _sparse(starts, columns, weighted, len(right))
    R_right += R @ right
    Rt_left += R.T @ left
    return float(weighted @ missed)


@_loop
def add_gram(weight, x, out):
    """Add the lower half of ``weight x x^T``."""
    for a in range(len(x)):
        scaled = weight * x[a]
        for b in range(a + 1):
            out[a, b] += scaled * x[b]


@_loop
def grams(starts, columns, weights, left, right, block, of_rows, of_columns):
    """Add the lower halves of ``sum_j w_ij right_j right_j^T`` and ``sum_i w_ij left_i left_i^T``."""
    at = starts[:-1].copy()
    for high in range(block, len(right) + block, block):
        for i in range(len(at)):
            e = at[i]
            while e < starts[i + 1] and columns[e] < high:
                weight = weights[e] if len(weights) else 1.0  # an array without length: numba knows no None here
                add_gram(weight, right[columns[e]], of_rows[i])
                add_gram(weight, left[i], of_columns[columns[e]])
                e += 1
            at[i] = e


@grams.few()
def _grams(starts, columns, weights, left, right, block, of_rows, of_columns):
    seen = _sparse(starts, columns, weights if len(weights) else np.ones(len(columns)), len(right))
    if len(left) * len(right) <= CELLS:
        seen = seen.toarray()
    for table, factor, out in ((seen, right, of_rows), (seen.T, left, of_columns)):
        outer = (factor[:, :, None] * factor[:, None, :]).reshape(len(factor), -1)
        out += np.tril((table @ outer).reshape(out.shape))


def _sparse(starts, columns, values, width):
    from scipy.sparse import csr_array

    return csr_array((values, columns, starts), shape=(len(starts) - 1, width))


def _rows_of(starts):
    return np.repeat(np.arange(len(starts) - 1), np.diff(starts))


@_loop
def gather(starts, columns, values, table, out):
    """Add ``sum_e values_e table[columns_e]`` to each row of `out`: a sparse matrix times a wide one."""
    for i in range(len(out)):
        for e in range(starts[i], starts[i + 1]):
            value, j = values[e], columns[e]
            for k in range(out.shape[1]):
                out[i, k] += value * table[j, k]


@gather.few()
def _gather(starts, columns, values, table, out):
    out += _sparse(starts, columns, values, len(table)) @ table


@_loop
def pack_seconds(mean, covariance, out):
    """The lower half of ``mean mean^T + covariance`` of each row, one after the other."""
    for i in range(len(mean)):
        at = 0
        for a in range(mean.shape[1]):
            for b in range(a + 1):
                out[i, at] = mean[i, a] * mean[i, b] + covariance[i, a, b]
                at += 1


@pack_seconds.few()
def _pack_seconds(mean, covariance, out):
    a, b = np.tril_indices(mean.shape[1])
    out[:] = mean[:, a] * mean[:, b] + covariance[:, a, b]


@_loop
def unpack(halves, out):
    """Symmetric matrices from their lower halves."""
    for i in range(len(out)):
        at = 0
        for a in range(out.shape[1]):
            for b in range(a + 1):
                out[i, a, b] = halves[i, at]
                out[i, b, a] = halves[i, at]
                at += 1


@unpack.few()
def _unpack(halves, out):
    a, b = np.tril_indices(out.shape[1])
    place = np.empty(out.shape[1:], np.intp)
    place[a, b] = place[b, a] = np.arange(len(a))
    out[:] = halves[:, place]


@_loop
def mirror(matrices):
    """Copy the lower half of each matrix to its upper half."""
    for i in range(len(matrices)):
        for a in range(matrices.shape[1]):
            for b in range(a):
                matrices[i, b, a] = matrices[i, a, b]


@mirror.few()
def _mirror(matrices):
    a, b = np.tril_indices(matrices.shape[1], -1)
    matrices[:, b, a] = matrices[:, a, b]


@_loop
def entries(rows, columns, left, right, out):
    """``out_e = <left_i, right_j>``."""
    for e in range(len(rows)):
        dot = 0.0
        for k in range(left.shape[1]):
            dot += left[rows[e], k] * right[columns[e], k]
        out[e] = dot


@entries.few()
def _entries(rows, columns, left, right, out):
    np.einsum("ek,ek->e", left.take(rows, axis=0), right.take(columns, axis=0), out=out)


@_loop
def find(starts, columns, at_rows, at_columns, out):
    """The place of the entry in each of these cells, -1 where none is, by bisection of its row."""
    for k in range(len(out)):
        low, high = starts[at_rows[k]], starts[at_rows[k] + 1]
        end = high
        while low < high:
            middle = (low + high) // 2
            if columns[middle] < at_columns[k]:
                low = middle + 1
            else:
                high = middle
        out[k] = low if low < end and columns[low] == at_columns[k] else -1


@find.few()
def _find(starts, columns, at_rows, at_columns, out):
    width = max(columns.max(initial=0), at_columns.max(initial=0)) + 1
    cells, asked = _rows_of(starts) * width + columns, at_rows * width + at_columns
    place = np.searchsorted(cells, asked)
    found = place < len(cells)
    found[found] = cells[place[found]] == asked[found]
    out[:] = np.where(found, place, -1)


@_loop
def connect(first, rows, starts, columns, parents):
    """Join some of all rows, from the `first` on, with the columns (behind them) of their entries.

    Disjoint sets, of which the smaller root becomes the parent of the larger one; paths are halved on the way. At the
    begin `parents` are themselves.
    """
    for i in range(len(starts) - 1):
        for e in range(starts[i], starts[i + 1]):
            a, b = first + i, rows + columns[e]
            while parents[a] != a:
                parents[a] = parents[parents[a]]
                a = parents[a]
            while parents[b] != b:
                parents[b] = parents[parents[b]]
                b = parents[b]
            if a < b:
                parents[b] = a
            elif b < a:
                parents[a] = b


@connect.few()
def _connect(first, rows, starts, columns, parents):
    known = parents.tolist()
    connect.py_func(first, rows, starts.tolist(), columns.tolist(), known)  # as it stands: lists are fast enough
    parents[:] = known


@_loop
def roots_of(parents):
    """The first of all that each one is connected to."""
    for k in range(len(parents)):  # a parent comes before its child, and has its root by now
        parents[k] = parents[parents[k]]


@roots_of.few()
def _roots_of(parents):
    known = parents.tolist()
    roots_of.py_func(known)
    parents[:] = known
