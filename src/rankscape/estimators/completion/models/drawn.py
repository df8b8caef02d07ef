"""A mean over draws of thin factors, each seen through a link: rates and chances have no low rank themselves."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from rankscape.entries import Entries
from rankscape.entries.prepared import PreparedEntries, entries_of_product
from rankscape.estimators.completion.models.base import Model
from rankscape.estimators.completion.models.links import Link
from rankscape.ground.final import final
from rankscape.solvers.gibbs.sampler import conditioned_rows

# Draws of a new row, given each of the columns' draws, of which the last one counts.
STEPS = 15


@final
@dataclass(frozen=True, eq=False)
class Drawn(Model):
    """``mean over draws d of link(left_d @ right_d^T)``.

    Attributes
    ----------
    link : Link
        From a fitted value to the mean of an entry.
    left, right : ndarray, shapes (draws, n_out, k + 2) and (draws, n_in, k + 2)
        Factors with biases as directions: ``(u, a, 1)`` and ``(v, 1, b)``.
    noise : ndarray, shape (draws,)
        Variance of the noise of each draw.
    """

    link: Link
    left: np.ndarray
    right: np.ndarray
    noise: np.ndarray

    @property
    def shape(self) -> tuple[int, int]:
        """``(n_out, n_in)`` of the matrix."""
        return self.left.shape[1], self.right.shape[1]

    def at(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """The values at pairs of positions, shape (k,)."""
        return sum((self.link.mean(*draw) for draw in self.draws_at(rows, columns)), np.zeros(())) / len(self.noise)

    def noise_at(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """By the means there: large counts are noisier than small ones."""
        return self.link.noise_of(self.at(rows, columns))

    def dense(self) -> np.ndarray:
        """The value of every cell."""
        means = (self.link.mean(a @ b.T, float(noise)) for a, b, noise in self._draws())
        return sum(means, np.zeros(())) / len(self.noise)

    def folded(self, entries: Entries) -> np.ndarray:
        """New rows are drawn given each of the columns' draws."""
        return self.of_rows(entries).dense()

    def of_rows(self, entries: Entries) -> "Drawn":
        """The same columns, with other rows."""
        seen, rows = PreparedEntries(entries, "sparse"), []
        for d, (left, right, noise) in enumerate(self._draws()):
            likelihood = self.link.likelihood(seen, float(noise))
            rows.append(conditioned_rows(seen, likelihood, left, right, STEPS, np.random.default_rng(d)))
        return replace(self, left=np.array(rows))

    def draws_at(self, rows: np.ndarray, columns: np.ndarray) -> Iterator[tuple[np.ndarray, float]]:
        """The fitted values of each draw at these positions, and the variance of its noise."""
        for a, b, noise in self._draws():
            yield entries_of_product(rows, columns, a, b), float(noise)

    def _draws(self) -> Iterator[tuple[np.ndarray, np.ndarray, float]]:
        yield from zip(self.left, self.right, self.noise, strict=True)
