r"""Noise that differs from row to row and from column to column: ``Var(y_ij) = noise^2 a_i b_j``.

Genes, people and pixels are not equally noisy. With the variances known, entries of a quiet row or column count for
more. They are read off the residuals of a fit, drawn towards one as far as chance explains that they differ: empirical
Bayes, as Smyth (2004) does it for genes.
"""

from typing import NamedTuple

import numpy as np

# Alternating estimates of the variances of rows and of columns.
ROUNDS = 3

# Smallest relative variance: a row that is fitted all but exactly must not decide alone.
LEAST = 0.05


class Variances(NamedTuple):
    """Variances of rows, ``a``, and of columns, ``b``, relative to that of the noise."""

    row: np.ndarray
    column: np.ndarray

    def at(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """The relative variance of the entries at these positions."""
        return self.row[rows] * self.column[columns]


def estimate_variances(
    rows: np.ndarray, columns: np.ndarray, residual: np.ndarray, shape: tuple[int, int], rank: int
) -> Variances:
    """Variances of rows and columns, from the residuals of a fit that spends `rank` parameters on each of them.

    >>> i, j = np.indices((200, 60)).reshape(2, -1)
    >>> noisy = np.random.default_rng(0).standard_normal(12_000) * np.where(j < 30, 1.0, 3.0)
    >>> found = estimate_variances(i, j, noisy, (200, 60), rank=0)
    >>> bool(found.row.std() < 0.02), bool(8 < found.column[30:].mean() / found.column[:30].mean() < 10)
    (True, True)
    """
    squares = residual * residual
    a, b = np.ones(shape[0]), np.ones(shape[1])
    for _ in range(ROUNDS):
        a = _relative(rows, squares / b[columns], shape[0], rank)
        b = _relative(columns, squares / a[rows], shape[1], rank)
    return Variances(a, b)


def _relative(groups: np.ndarray, squares: np.ndarray, size: int, rank: int) -> np.ndarray:
    """Mean squares of the groups over that of all, shrunk by their sampling variance."""
    count = np.bincount(groups, minlength=size)
    free = np.maximum(np.maximum(count - rank, 0.3 * count), 1e-9)  # what is fitted leaves less than the noise
    total = float(squares.sum())
    if not total > 0:
        return np.ones(size)
    found = np.bincount(groups, weights=squares, minlength=size) / free / (total / free.sum())
    kurtosis = min(float(np.mean(squares**2)) / float(np.mean(squares)) ** 2, 10.0)
    chance = (kurtosis - 1) / free
    excess = max(0.0, float(np.average((found - 1) ** 2 - chance, weights=free)))
    trust = excess / (excess + chance)
    return np.maximum(1 + trust * (found - 1), LEAST)
