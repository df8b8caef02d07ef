"""The compiled loops over records (`records`) and the entries that refer to them.

Four records are added in single precision at a time, and the sums of four in double precision.
"""

import numpy as np

from rankscape.ground.jit import compiled
from rankscape.solvers.conditioning import solve_and_invert

_loop = compiled("reassoc", "contract", "nsz")


@_loop
def update(starts, ends, partners, values, other, noise, precision, k, biased, out, seconds, firsts, rest):
    """Condition the lines of a block on the other side: new records, and their sums.

    `precision` is that of the prior, `seconds` and `firsts` become the sums of ``E[x x^T]`` and ``E[x] E[x]^T``, `rest`
    those of ``E[b^2]``, ``E[b]^2`` and the expected squared residual.
    """
    half = k * (k + 1) // 2
    size = half + 2 * k + 2
    mean_at = half + k + 1
    sums, products = np.empty(size), np.empty(k + 1)
    A, x = np.empty((k + 1, k + 1)), np.empty(k + 1)
    free = k + 1 if biased else k
    x[k] = 0.0
    for i in range(len(out)):
        begin, end = starts[i], ends[i]
        power, total = _sums(begin, end, partners, values, other, mean_at, sums, products)
        at = 0
        for a in range(k):
            for b in range(a + 1):
                A[a, b] = sums[at] / noise
                at += 1
            A[a, a] += precision[a]
            x[a] = (products[a] - sums[half + a]) / noise
            A[k, a] = sums[mean_at + a] / noise
        A[k, k] = (end - begin) / noise + precision[k]
        x[k] = (total - sums[size - 1]) / noise if biased else 0.0
        solve_and_invert(A, x, free)
        if not biased:
            for a in range(k + 1):
                A[k, a] = 0.0
        bias, square = x[k], A[k, k] + x[k] * x[k]
        missed = power - 2.0 * (products[k] + total * bias) + sums[half + k] + (end - begin) * square
        missed += 2.0 * bias * sums[size - 1]
        at = 0
        for a in range(k):
            for b in range(a + 1):
                mean = x[a] * x[b]
                second = A[a, b] + mean
                seconds[a, b] += second
                firsts[a, b] += mean
                missed += (2.0 if b < a else 1.0) * sums[at] * second
                out[i, at] = second
                at += 1
            cross = A[k, a] + x[a] * bias
            missed += 2.0 * (sums[half + a] - products[a]) * x[a] + 2.0 * sums[mean_at + a] * cross
            out[i, half + a] = cross
            out[i, mean_at + a] = x[a]
        out[i, half + k] = square
        out[i, size - 1] = bias
        rest[0] += square
        rest[1] += bias * bias
        rest[2] += missed


@_loop
def _sums(begin, end, partners, values, other, mean_at, sums, products):
    """Sums of the partners' records, of the values times their means; returns sums of squares and of values."""
    size = len(sums)
    sums[:] = 0.0
    products[:] = 0.0
    power, total = 0.0, 0.0
    e = begin
    while e + 3 < end:
        r, s, t, u = other[partners[e]], other[partners[e + 1]], other[partners[e + 2]], other[partners[e + 3]]
        y, z, v, w = values[e], values[e + 1], values[e + 2], values[e + 3]
        for a in range(size):
            sums[a] += (r[a] + s[a]) + (t[a] + u[a])
        for a in range(mean_at, size):
            products[a - mean_at] += (y * r[a] + z * s[a]) + (v * t[a] + w * u[a])
        power += (y * y + z * z) + (v * v + w * w)
        total += (y + z) + (v + w)
        e += 4
    while e < end:
        r, y = other[partners[e]], values[e]
        for a in range(size):
            sums[a] += r[a]
        for a in range(mean_at, size):
            products[a - mean_at] += y * r[a]
        power += y * y
        total += y
        e += 1
    return power, total


@_loop
def rotate(first, last, records, k, turned, out):
    """Records of ``turned^T x``, of fewer directions where it is not square."""
    kept = turned.shape[1]
    half, kept_half = k * (k + 1) // 2, kept * (kept + 1) // 2
    second, partly = np.empty((k, k)), np.empty((k, kept))
    for i in range(first, last):
        at = 0
        for a in range(k):
            for b in range(a + 1):
                second[a, b] = records[i, at]
                second[b, a] = records[i, at]
                at += 1
        for a in range(k):
            for c in range(kept):
                total = 0.0
                for b in range(k):
                    total += second[a, b] * turned[b, c]
                partly[a, c] = total
        at = 0
        for c in range(kept):
            for d in range(c + 1):
                total = 0.0
                for a in range(k):
                    total += turned[a, c] * partly[a, d]
                out[i, at] = total
                at += 1
        for begin, to in ((half, kept_half), (half + k + 1, kept_half + kept + 1)):
            for c in range(kept):
                total = 0.0
                for a in range(k):
                    total += turned[a, c] * records[i, begin + a]
                out[i, to + c] = total
            out[i, to + kept] = records[i, begin + k]


@_loop
def missed(starts, ends, partners, values, left, right, at, out):
    """Value minus ``x_i . x_j + b_i + b_j`` of means ``(x, b)``, kept in `out` from ``at_i`` on."""
    k = left.shape[1] - 1
    for i in range(len(left)):
        for e in range(starts[i], ends[i]):
            j = partners[e]
            dot = left[i, k] + right[j, k]
            for a in range(k):
                dot += left[i, a] * right[j, a]
            out[at[i] + e - starts[i]] = values[e] - dot


@_loop
def left_over(starts, ends, partners, values, left, right, k, noise, least, beyond, of_other):
    """Sums of the squares and fourth powers of what records leave of entries, and how many of these stand alone.

    The leverage of one that does is, in its line and in its partner's, above `least`, and above the mean of so few
    entries by `beyond` standard deviations of a Beta distribution; ``of_other_j`` counts the partner's entries.
    """
    half = k * (k + 1) // 2
    mean_at, last_at = half + k + 1, half + 2 * k + 1
    square, fourth, alone = 0.0, 0.0, 0
    for i in range(len(left)):
        u = left[i]
        for e in range(starts[i], ends[i]):
            v = right[partners[e]]
            rest = float(values[e]) - u[last_at] - v[last_at]
            for a in range(k):
                rest -= u[mean_at + a] * v[mean_at + a]
            square += rest * rest
            fourth += rest * rest * rest * rest
            few = min(ends[i] - starts[i], of_other[partners[e]])
            share = min(k / few, 1.0)
            limit = noise * max(least, share + beyond * np.sqrt(2.0 * share * (1.0 - share) / (few + 2.0)))
            if limit < noise and _leverage(u, v, k) > limit and _leverage(v, u, k) > limit:
                alone += 1
    return square, fourth, alone


@_loop
def _leverage(here, other, k):
    """``x^T C x``: the covariance of one record and the mean of another."""
    mean_at, at, total = k * (k + 1) // 2 + k + 1, 0, 0.0
    for a in range(k):
        x = other[mean_at + a]
        for b in range(a + 1):
            part = x * other[mean_at + b] * (float(here[at]) - float(here[mean_at + a]) * here[mean_at + b])
            total += part if a == b else 2.0 * part
            at += 1
    return total


@_loop
def variances(rows, columns, left, right, k, out):
    """Variance of ``x_i . x_j + b_i + b_j`` from two records: the expected square less the square of the mean."""
    half = k * (k + 1) // 2
    mean_at, last = half + k + 1, half + 2 * k + 1
    for e in range(len(out)):
        u, v = left[rows[e]], right[columns[e]]
        mean, square = float(u[last]) + v[last], float(u[half + k]) + v[half + k] + 2.0 * u[last] * v[last]
        at = 0
        for a in range(k):
            for _ in range(a):
                square += 2.0 * u[at] * v[at]
                at += 1
            square += float(u[at]) * v[at]
            at += 1
            mean += float(u[mean_at + a]) * v[mean_at + a]
            square += 2.0 * (float(u[half + a]) * v[mean_at + a] + float(u[mean_at + a]) * v[half + a])
        out[e] = max(square - mean * mean, 0.0)
