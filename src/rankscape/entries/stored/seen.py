"""The names of lines that come part by part, and how many records each of them has."""

from collections.abc import Iterable
from pathlib import Path
from typing import Self

import numpy as np

from rankscape.ground.final import final
from rankscape.ground.stored import appearing

# Names that wait until they are sorted into the others: at least, and as a share of these.
WAITING = 1_000_000

# Range of whole numbers, over how many there are, up to which a table finds their place.
DENSE = 8


@final
class Seen:
    """Names, each once and sorted; or positions, where there are none.

    Examples
    --------
    >>> seen = Seen()
    >>> seen.add(np.array(["b", "a"]), np.array([2, 1]))
    >>> seen.add(np.array(["a", "cc"]), np.array([5, 1]))
    >>> seen.names.tolist(), seen.counts.tolist(), seen.places(np.array(["cc", "b"])).tolist()
    (['a', 'b', 'cc'], [6, 2, 1], [2, 1])
    """

    def __init__(self) -> None:
        self._names: np.ndarray | None = None
        self._counts = np.zeros(0, np.int64)
        self._waiting: list[tuple[np.ndarray, np.ndarray]] = []
        self._table: tuple[int, np.ndarray] | None = None

    def add(self, names: np.ndarray, counts: np.ndarray) -> None:
        """Some names, each once, and the records of each."""
        self._waiting.append((names, counts))
        if sum(len(names) for names, _ in self._waiting) > max(WAITING, len(self._counts)):
            self._settle()

    def add_positions(self, positions: np.ndarray) -> None:
        """Lines that are counted from zero."""
        self._count(np.bincount(positions))

    @property
    def positions(self) -> bool:
        """Whether lines have positions alone."""
        return self._names is None and not self._waiting

    def name(self, place: int) -> str:
        """Of one line, for people."""
        return str(place if self.positions else self.names[place])

    @property
    def names(self) -> np.ndarray:
        """Sorted."""
        self._settle()
        assert self._names is not None
        return self._names

    @property
    def counts(self) -> np.ndarray:
        """Records of each."""
        self._settle()
        return self._counts

    def places(self, names: np.ndarray) -> np.ndarray:
        """Where names stand that were seen."""
        if self._table is None:
            self._table = _table(self.names)
        first, table = self._table
        return table[names - first] if len(table) else np.searchsorted(self.names, names).astype(np.int32)

    # -- from one process to another -----------------------------------------------------------------------

    def save(self, path: Path) -> None:
        """Names and counts, in a file."""
        self._settle()
        with appearing(path) as file:
            arrays = {} if self._names is None else {"names": self._names}
            np.savez(file, allow_pickle=False, counts=self._counts, **arrays)

    @classmethod
    def merged(cls, paths: Iterable[Path]) -> Self:
        """All that lie in these files; the same whatever was merged before."""
        seen = cls()
        for path in paths:
            with np.load(path, allow_pickle=False) as arrays:
                if "names" in arrays:
                    seen.add(arrays["names"], arrays["counts"])
                else:
                    seen._count(arrays["counts"])
        return seen

    def _count(self, counts: np.ndarray) -> None:
        longer, other = (self._counts, counts) if len(counts) < len(self._counts) else (counts, self._counts)
        self._counts = longer.copy()
        self._counts[: len(other)] += other

    def _settle(self) -> None:
        if not self._waiting:
            return
        parts = self._waiting if self._names is None else [(self._names, self._counts), *self._waiting]
        names, counts = (np.concatenate(part) for part in zip(*parts, strict=True))
        self._names, place = np.unique(names, return_inverse=True)
        self._counts = np.bincount(place, counts, len(self._names)).astype(np.int64)
        self._waiting.clear()


def _table(names: np.ndarray) -> tuple[int, np.ndarray]:
    """The place of each whole number between the smallest and the largest; none where these are few of many."""
    if names.dtype.kind not in "iu" or int(names[-1]) - int(names[0]) > DENSE * len(names):
        return 0, np.zeros(0, np.int32)
    table = np.zeros(int(names[-1]) - int(names[0]) + 1, np.int32)
    table[names - names[0]] = np.arange(len(names))
    return names[0], table
