"""Which cells are seen, as features of rows and columns: what somebody rates says what they like."""

from typing import NamedTuple

import numpy as np

from rankscape.entries.prepared import PreparedEntries

# Directions of the pattern that are kept at most. Held-out error of film ratings with 10 / 30 / 100 of them: .783,
# .782, .781 (FilmTrust), .875, .871, .870 (MovieLens 100k); without any .786 and .889.
MOST = 100

# Numbers that they may take.
ROOM = 2e7

# Directions beyond those, and passes over the pattern, with which the leading ones are found.
SPARE, PASSES = 10, 3

# Passes with which the largest direction of a pattern is found, from so many starts.
LONG, STARTS = 10, 4

# Factor by which the largest direction has to exceed that of random signs.
BEYOND = 1.1


class Features(NamedTuple):
    """Features of each row of one side, shape (n, 2 + guessed): one, the log of its count, directions of the pattern.

    The last ones, `guessed` of them, may mean nothing.
    """

    values: np.ndarray
    guessed: int


def seen_features(entries: PreparedEntries, random: np.random.Generator) -> tuple[Features, Features]:
    r"""Features of rows and of columns, from the positions of the entries alone.

    The pattern S of ones, without what the counts r and c of rows and columns explain, is scaled to
    ``(S - r c^T / m)_ij / (r_i c_j)^(1/4)``; its leading singular vectors, times their singular values over the fourth
    roots of the counts, are the features: near the sum of item vectors of Koren's SVD++, but for both sides at once.
    Where the largest of them is no larger than with random signs, the pattern holds nothing and none are taken.

    References
    ----------
    .. [koren2008] Koren, "Factorization meets the neighborhood: A multifaceted collaborative filtering model", KDD
       2008.
    """
    counts = [np.maximum(np.bincount(at, minlength=n), 1.0) for at, n in _sides(entries)]
    directions = _directions(entries, counts, random)
    sides = []
    for count, found in zip(counts, directions, strict=True):
        popular = np.log1p(count) - np.log1p(count).mean()
        spread = popular.std()
        found = found * (count**-0.25)[:, None]
        # The leading one is of mean square one; the others keep their size beside it.
        size = np.sqrt(np.mean(found[:, :1] ** 2)) if found.shape[1] else 1.0
        known = np.ones(len(count)), popular / spread if spread > 1e-12 else popular
        sides.append(Features(np.column_stack([*known, found / (size or 1.0)]), found.shape[1]))
    return sides[0], sides[1]


def _sides(entries: PreparedEntries):
    return zip((entries.rows, entries.columns), entries.shape, strict=True)


def _directions(entries: PreparedEntries, counts: list[np.ndarray], random: np.random.Generator) -> list[np.ndarray]:
    """Leading singular vectors of the scaled pattern times their singular values; none where chance has as much."""
    weights = (counts[0][entries.rows] * counts[1][entries.columns]) ** -0.25
    pattern = _Pattern(entries, weights, [count**0.75 / entries.count**0.5 for count in counts])
    flipped = _Pattern(entries, weights * random.choice([-1.0, 1.0], entries.count), [0 * count for count in counts])
    most = min(MOST, int(ROOM / sum(entries.shape)), *(n // 2 for n in entries.shape))
    if not most or _largest(pattern, random) <= BEYOND * _largest(flipped, random):
        return [np.zeros((n, 0)) for n in entries.shape]
    small = int(entries.shape[1] < entries.shape[0])  # the side where vectors are made orthogonal
    Q = random.standard_normal((entries.shape[small], min(most + SPARE, entries.shape[small])))
    for _ in range(PASSES):
        Q = np.linalg.qr(pattern.times(1 - small, pattern.times(small, Q)))[0]
    other = pattern.times(small, Q)
    w, E = np.linalg.eigh(other.T @ other)
    E = E[:, ::-1][:, :most]
    sides = Q @ (E * np.sqrt(np.maximum(w[::-1][:most], 0.0))), other @ E
    return [sides[small], sides[1 - small]]


class _Pattern:
    """A sparse matrix less an outer product."""

    def __init__(self, entries: PreparedEntries, weights: np.ndarray, expected: list[np.ndarray]):
        sparse = entries.as_sparse(weights)
        self.operators, self.expected = (sparse.T.tocsr(), sparse), expected

    def times(self, side: int, X: np.ndarray) -> np.ndarray:
        """The matrix times vectors of its columns (1), or its transpose times vectors of its rows (0)."""
        return self.operators[side] @ X - np.outer(self.expected[1 - side], self.expected[side] @ X)


def _largest(pattern: _Pattern, random: np.random.Generator) -> float:
    """The largest singular value, by power iteration."""
    X = random.standard_normal((len(pattern.expected[1]), STARTS))
    for _ in range(LONG):
        X = pattern.times(0, pattern.times(1, X))
        X /= np.maximum(np.linalg.norm(X, axis=0), 1e-300)
    return float(np.linalg.norm(pattern.times(1, X), axis=0).max())
