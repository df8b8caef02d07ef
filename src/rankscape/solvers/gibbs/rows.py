"""The compiled loops of a sweep: every row of one factor drawn given the other factor.

Normal equations of eight rows are factored side by side, one row in each lane of a vector register: alone, a Cholesky
factorization of so few unknowns is a chain of dependent operations and takes most of a sweep.
"""

import numpy as np

from rankscape.ground.jit import compiled

# Rows that are factored side by side: doubles of a 512-bit register, or of two of 256 bits.
LANES = 8

_loop = compiled("reassoc", "contract", "nsz")


@_loop
def draw_rows(starts, others, order, target, precision, partner, shift, prior, pull, normal, mean, drawn):
    """Draw each row ``x_i`` of a factor from ``N(mean_i, A_i^-1)``, its distribution given all others.

    ``A_i = prior + sum_e w_e p_e p_e^T`` and ``A_i mean_i = pull_i + sum_e w_e (t_e - shift_e) p_e``, over the entries
    ``e`` of the row, whose partners on the other side are ``p``. `order` says where in `target` and `precision` each
    entry stands; without it they are in row order. The draws add ``L^-T normal_i`` with ``A_i = L L^T``.
    """
    n, width = mean.shape
    most = 0
    for i in range(n):
        most = max(most, starts[i + 1] - starts[i])
    block = np.empty((width + 1, most + 1))  # the partners of one row, and behind them its targets
    A, x, z = np.empty((width, width, LANES)), np.empty((width, LANES)), np.empty((width, LANES))
    for first in range(0, n, LANES):
        rows = min(LANES, n - first)
        for lane in range(LANES):
            i = min(first + lane, n - 1)  # lanes that are left over repeat the last row, and are not read
            count = starts[i + 1] - starts[i]
            _gather(starts[i], count, others, order, target, precision, partner, shift, block)
            for a in range(width):
                x[a, lane] = pull[i, a] + _dot(block[a], block[width], count)
                z[a, lane] = normal[i, a]
                for b in range(a + 1):
                    A[a, b, lane] = prior[a, b] + _dot(block[a], block[b], count)
        _condition(A, x, z)
        for lane in range(rows):
            for a in range(width):
                mean[first + lane, a] = x[a, lane]
                drawn[first + lane, a] = x[a, lane] + z[a, lane]


@_loop
def _gather(start, count, others, order, target, precision, partner, shift, block):
    """The partners and targets of one row, times the roots of the precisions."""
    width = len(block) - 1
    for k in range(count):
        e = start + k
        j = others[e]
        if len(order):
            e = order[e]
        root, value = np.sqrt(precision[e]), target[e]
        if len(shift):
            value -= shift[j]
        for a in range(width):
            block[a, k] = root * partner[j, a]
        block[width, k] = root * value


@_loop
def _dot(x, y, count):
    total = 0.0
    for k in range(count):
        total += x[k] * y[k]
    return total


@_loop
def _condition(A, x, z):
    """In each lane ``x <- A^-1 x`` and ``z <- L^-T z``, with the lower half of ``A = L L^T``; A is overwritten."""
    width, total = len(A), np.empty(LANES)
    for a in range(width):
        for b in range(a + 1):
            for lane in range(LANES):
                total[lane] = A[a, b, lane]
            for c in range(b):
                for lane in range(LANES):
                    total[lane] -= A[a, c, lane] * A[b, c, lane]
            if b < a:
                for lane in range(LANES):
                    A[a, b, lane] = total[lane] * A[b, b, lane]
            else:
                for lane in range(LANES):  # the diagonal holds inverses: dividing is what takes the time
                    A[a, a, lane] = 1.0 / np.sqrt(max(total[lane], 1e-300))
        for c in range(a):
            for lane in range(LANES):
                x[a, lane] -= A[a, c, lane] * x[c, lane]
        for lane in range(LANES):
            x[a, lane] *= A[a, a, lane]
    for a in range(width - 1, -1, -1):
        for c in range(a + 1, width):
            for lane in range(LANES):
                x[a, lane] -= A[c, a, lane] * x[c, lane]
                z[a, lane] -= A[c, a, lane] * z[c, lane]
        for lane in range(LANES):
            x[a, lane] *= A[a, a, lane]
            z[a, lane] *= A[a, a, lane]
