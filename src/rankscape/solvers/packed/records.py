"""Records of the rows of a factor: their moments in single precision, one after the other.

A record of ``(x, b)``, k directions and a bias, holds the lower half of ``E[x x^T]``, ``E[x b]``, ``E[b^2]``, ``E[x]``
and ``E[b]``: what a row needs of its partners is the sum of their records. Entries have to be noisy: where next to
nothing is left over, what single precision rounds away counts.
"""

from typing import NamedTuple

import numpy as np

from rankscape.solvers.packed import record_loops

# Root mean square of each direction of the factors at the start, and the share of the entries' power that is noise
# then, for entries of rms 1. Lower shares fit noise first; at 0.9 everything dies where few entries are seen.
LOUD, NOISY = 0.3, 0.5


class State(NamedTuple):
    """What a sweep begins with: nothing of the rows, which follow from the columns.

    Attributes
    ----------
    records : ndarray of float32, shape (n_in, size)
        Of the columns.
    width : int
        Directions.
    spreads : (ndarray, ndarray), shape (width + 1,)
        Prior variances of the rows and of the columns, the bias last.
    noise : float
        Variance.
    """

    records: np.ndarray
    width: int
    spreads: tuple[np.ndarray, np.ndarray]
    noise: float

    @classmethod
    def begin(cls, vectors: np.ndarray, biases: tuple[np.ndarray, np.ndarray]) -> "State":
        """From directions of the columns, and first biases."""
        size = np.sqrt(np.mean(vectors**2, axis=0))
        means = np.column_stack([vectors * (LOUD / np.maximum(size, 1e-300)), biases[1]])
        spreads = [np.append(np.full(vectors.shape[1], LOUD**2), np.mean(bias**2)) for bias in biases]
        return cls(records_of(means), vectors.shape[1], (spreads[0], spreads[1]), NOISY)

    def head(self, width: int) -> "State":
        """The first directions alone."""
        k = self.width
        half, kept = k * (k + 1) // 2, width * (width + 1) // 2
        at = [*range(kept), *range(half, half + width), half + k]
        at += [*range(half + k + 1, half + k + 1 + width), half + 2 * k + 1]
        spreads = [np.append(spread[:width], spread[-1]) for spread in self.spreads]
        return State(np.ascontiguousarray(self.records[:, at]), width, (spreads[0], spreads[1]), self.noise)


class Moments(NamedTuple):
    """Records of rows and of columns in one basis."""

    rows: np.ndarray
    columns: np.ndarray
    width: int

    def transposed(self) -> "Moments":
        """Rows as columns."""
        return Moments(self.columns, self.rows, self.width)

    def variance(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Of ``u_i . v_j + a_i + b_j`` at these cells."""
        out = np.empty(len(rows))
        record_loops.variances(rows, columns, self.rows, self.columns, self.width, out)
        return out


def record_size(width: int) -> int:
    """Numbers of a record."""
    return width * (width + 1) // 2 + 2 * width + 2


def means_of(records: np.ndarray, width: int) -> np.ndarray:
    """``E[(x, b)]`` of each row, shape (n, width + 1)."""
    return records[:, record_size(width) - width - 1 :].astype(np.float64)


def records_of(means: np.ndarray) -> np.ndarray:
    """Records of rows that are known for certain, from ``(x, b)``."""
    k = means.shape[1] - 1
    a, b = np.tril_indices(k)
    x, bias = means[:, :k], means[:, k:]
    return np.hstack([x[:, a] * x[:, b], x * bias, bias**2, x, bias]).astype(np.float32)
