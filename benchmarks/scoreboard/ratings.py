"""Triplets with hidden ratings: errors in stars, clipped to the range that is seen."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from peers import GUESSED_RANK

DRAWS = 100
"""Of myfm, as its documentation has it; ten are burnt."""


@dataclass(frozen=True, eq=False)
class RatingsCase:
    """Ratings ``values`` at ``rows, columns``; where `hidden`, they are asked for."""

    rows: np.ndarray
    columns: np.ndarray
    values: np.ndarray
    hidden: np.ndarray
    floor: float = 1e-6

    @property
    def shape(self) -> tuple[int, int]:
        """Of the matrix."""
        return int(self.rows.max()) + 1, int(self.columns.max()) + 1

    @property
    def digest(self) -> str:
        """Two cases with one digest are the same question."""
        parts = (self.rows, self.columns, self.values, self.hidden)
        return hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()[:16]

    def error(self, guess: np.ndarray) -> float:
        """Root mean square error of the hidden ratings."""
        known = self.values[~self.hidden]
        guess = np.clip(guess, known.min(), known.max())
        return float(np.sqrt(np.mean((guess - self.values[self.hidden]) ** 2)))

    def ours(self, limit: float) -> dict[str, Any]:
        """Fit rankscape with its defaults to a sparse matrix."""
        import ours
        from scipy.sparse import csr_array

        seen = ~self.hidden
        matrix = csr_array((self.values[seen], (self.rows[seen], self.columns[seen])), shape=self.shape)
        fit, said = ours.predicted(matrix, self.rows[self.hidden], self.columns[self.hidden], limit)
        if fit.failure:
            return {"failed": fit.failure, "seconds": fit.seconds}
        error = self.error(fit.answer[1])
        stated = said["expected"] or said["heldout"]
        return {"seconds": fit.seconds, "error": error, "over_stated": error / stated if stated else None} | said

    def candidates(self) -> dict[str, Callable[[], np.ndarray]]:
        """Who can fill ratings."""
        return {"damped bias": self._bias, "myfm": self._factorization_machine}

    def _bias(self, damped: float = 5.0, rounds: int = 20) -> np.ndarray:
        seen, (n, m) = ~self.hidden, self.shape
        i, j, v = self.rows[seen], self.columns[seen], self.values[seen]
        mean, row, column = v.mean(), np.zeros(n), np.zeros(m)
        for _ in range(rounds):
            column = np.bincount(j, v - mean - row[i], m) / (np.bincount(j, minlength=m) + damped)
            row = np.bincount(i, v - mean - column[j], n) / (np.bincount(i, minlength=n) + damped)
        return mean + row[self.rows[self.hidden]] + column[self.columns[self.hidden]]

    def _factorization_machine(self) -> np.ndarray:
        """Gibbs draws of rank 10 on the identifiers alone."""
        import myfm

        model = myfm.MyFMRegressor(rank=GUESSED_RANK, random_seed=0)
        seen = ~self.hidden
        model.fit(
            self._indicators(seen),
            self.values[seen],
            n_iter=DRAWS,
            n_kept_samples=DRAWS - 10,
            group_shapes=list(self.shape),
        )
        return model.predict(self._indicators(self.hidden))

    def _indicators(self, which: np.ndarray) -> Any:
        from scipy.sparse import csr_matrix

        count, (n, m) = int(which.sum()), self.shape
        at = np.column_stack([self.rows[which], n + self.columns[which]]).ravel()
        return csr_matrix((np.ones(2 * count), at, np.arange(0, 2 * count + 1, 2)), shape=(count, n + m))


def split(path: Path, share: float, seed: int) -> RatingsCase:
    """Hide a random share of the ratings of an NPZ file with ``i``, ``j``, ``v``."""
    with np.load(path) as stored:
        rows, columns = (np.unique(stored[name], return_inverse=True)[1].astype(np.int64) for name in "ij")
        values = stored["v"].astype(float)
    return RatingsCase(rows, columns, values, np.random.default_rng(seed).random(len(values)) < share)
