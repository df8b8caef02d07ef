"""The gaps of rows of one Gaussian, filled by what is expected there: rows with the same gaps at once."""

import numpy as np

from rankscape.ground.jit import compiled

# Patterns of gaps that NumPy goes through together: those of nearly as many gaps.
TOGETHER = 32

_loop = compiled("reassoc", "contract", "nsz")


@_loop
def sweep(M, k, back):
    """Sweep a symmetric matrix on index k in place, or back: afterwards it regresses all others on k."""
    p = len(M)
    pivot = M[k, k]
    if pivot == 0.0:
        return
    for i in range(p):
        if i != k:
            slope = M[i, k] / pivot
            for j in range(p):
                if j != k:
                    M[i, j] -= slope * M[k, j]
    sign = -1.0 if back else 1.0
    for i in range(p):
        if i != k:
            M[i, k] *= sign / pivot
            M[k, i] = M[i, k]
    M[k, k] = -1.0 / pivot


@_loop
def fill_patterns(starts, weights, mean, S, filled, distances, spread, expected, deviations):
    """Fill the rows of each pattern, and add up the covariances of their gaps; from S swept on every index few gaps are
    the shorter way. Where they have a length, also the squared Mahalanobis distance of each row (`distances`), and of
    each cell what the others of its row say (`expected`, `deviations`).
    """
    p = len(mean)
    M, swept = np.empty((p, p)), S.copy()
    for k in range(p):
        sweep(swept, k, False)
    seen, gaps = np.empty(p, np.int64), np.empty(p, np.int64)
    for g in range(len(starts) - 1):
        some, none = 0, 0
        for j in range(p):
            if np.isnan(filled[starts[g], j]):
                gaps[none] = j
                none += 1
            else:
                seen[some] = j
                some += 1
        back = none < some
        for a in range(p):  # a line for an assignment of arrays takes a second longer to compile
            for b in range(p):
                M[a, b] = swept[a, b] if back else S[a, b]
        there, holes = seen[:some], gaps[:none]
        for k in holes if back else there:
            sweep(M, k, back)
        for i in range(starts[g], starts[g + 1]):
            _fill_row(filled[i], mean, M, there, holes)
            if len(distances):
                distances[i] = _distance(filled[i], mean, M, there)
            if len(expected):
                _expect_row(filled[i], mean, M, there, holes, expected[i], deviations[i])
        total = 0.0
        for i in range(starts[g], starts[g + 1]):
            total += weights[i]
        for a in holes:
            for b in holes:
                spread[a, b] += total * M[a, b]


@fill_patterns.few()
def _fill_patterns(starts, weights, mean, S, filled, distances, spread, expected, deviations):
    patterns, counts = np.isnan(filled[starts[:-1]]), np.diff(starts)
    pattern_of, gaps = np.repeat(np.arange(len(counts)), counts), patterns.sum(1)
    totals = np.bincount(pattern_of, weights, len(counts))
    order, few = np.argsort(gaps, kind="stable"), int((gaps < len(mean) - gaps).sum())
    P = np.linalg.inv(S) if few else S
    for those, form, matrix in ((order[:few], _few_gaps, P), (order[few:], _many_gaps, S)):
        for some in np.array_split(those, -(-len(those) // TOGETHER)) if len(those) else ():
            number = np.full(len(counts), -1)
            number[some] = np.arange(len(some))
            lines = np.flatnonzero(number[pattern_of] >= 0)
            at, holes = number[pattern_of[lines]], patterns[some]
            away = np.where(holes[at], 0.0, filled[lines] - mean)
            pull, step, own, between = form(matrix, holes, totals[some], at, away)
            spread += between
            row = np.where(holes[at], mean + step, filled[lines])
            filled[lines] = row
            if len(distances):
                distances[lines] = np.maximum(np.einsum("ia,ia->i", away, pull), 0.0)
            if len(expected):
                expected[lines] = np.where(holes[at], row, row - pull / own[at])
                deviations[lines] = np.sqrt(np.where(holes, np.maximum(own, 0.0), 1 / own))[at]


def _few_gaps(P, holes, totals, at, away):
    """How patterns of few gaps are filled, from the inverse P of the covariance.

    What the seen part of a row pulls with, which is its inverse covariance times how far it is away; how far its gaps
    are away; the diagonals of that inverse and of the gaps' covariance; and this covariance, summed over rows.
    """
    n, p = holes.shape
    index, there = _places(holes)
    C, lines = _inverse(P, index, there), np.arange(len(at))[:, None]
    step = np.zeros_like(away)
    step[lines, index[at]] = np.einsum("iab,ib->ia", C[at], -(away @ P)[lines, index[at]])
    rows = P[index] * there[:, :, None]
    own = np.diag(P) - np.einsum("gka,gka->ga", C @ rows, rows)
    cells = index[:, :, None] * p + index[:, None, :]
    between = np.bincount(cells.ravel(), (C * totals[:, None, None]).ravel(), p * p).reshape(p, p)
    variances = np.zeros((n, p))
    variances[np.arange(n)[:, None], index] = np.einsum("gkk->gk", C)
    return (away + step) @ P, step, np.where(holes, variances, own), between


def _many_gaps(S, holes, totals, at, away):
    """How patterns of many gaps are filled, from the covariance of what is seen."""
    index, there = _places(~holes)
    C, lines = _inverse(S, index, there), np.arange(len(at))[:, None]
    pull = np.zeros_like(away)
    pull[lines, index[at]] = np.einsum("iab,ib->ia", C[at], away[lines, index[at]])
    rows = S[index] * there[:, :, None]
    between = S - rows.transpose(0, 2, 1) @ (C @ rows)
    between *= holes[:, :, None] & holes[:, None, :]
    inverse = np.zeros(holes.shape)
    inverse[np.arange(len(holes))[:, None], index] = np.einsum("gkk->gk", C)
    own = np.where(holes, np.einsum("gaa->ga", between), inverse)
    return pull, pull @ S, own, np.einsum("g,gab->ab", totals, between)


def _places(chosen):
    """The places that are chosen in each line, as many as in the fullest; and which of them are there."""
    counts = chosen.sum(1)
    index = np.argsort(~chosen, axis=1, kind="stable")[:, : counts.max()]
    return index, np.arange(index.shape[1]) < counts[:, None]


def _inverse(M, index, there):
    """Inverses of parts of a symmetric matrix, zero where no place is."""
    both = there[:, :, None] & there[:, None, :]
    part = np.where(both, M[index[:, :, None], index[:, None, :]], np.eye(index.shape[1]))
    return np.where(both, np.linalg.inv(part), 0.0)


@_loop
def _fill_row(row, mean, M, seen, gaps):
    for k in gaps:
        value = mean[k]
        for b in seen:
            value += (row[b] - mean[b]) * M[k, b]
        row[k] = value


@_loop
def _distance(row, mean, M, seen):
    """Squared Mahalanobis distance of what is seen, where M holds minus the inverse of its covariance."""
    total = 0.0
    for a in seen:
        for b in seen:
            total -= (row[a] - mean[a]) * M[a, b] * (row[b] - mean[b])
    return max(total, 0.0)


@_loop
def _expect_row(row, mean, M, seen, gaps, expected, deviations):
    """Gaps as they were filled; an entry as the others predict it, by the inverse covariance of what is seen."""
    for k in gaps:
        expected[k] = row[k]
        deviations[k] = np.sqrt(max(M[k, k], 0.0))
    for a in seen:
        pull = 0.0
        for b in seen:
            pull += M[a, b] * (row[b] - mean[b])
        expected[a] = row[a] - pull / M[a, a]
        deviations[a] = np.sqrt(-1.0 / M[a, a])
