"""A matrix with hidden cells: what is given, what is judged, and how."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import peers

# An error below this share of the noise, or of the unit without noise, is none: two exact fits differ by rounding, and
# the mean of many entries by luck.
NOISE_SHARE, ROUNDING = 0.01, 1e-9


@dataclass(frozen=True, eq=False)
class MatrixCase:
    """A dense matrix, some cells of which are hidden.

    Parameters
    ----------
    given
        NaN where nothing is known.
    truth
        The matrix that is asked for: without noise where it is made, as recorded where it is real.
    judged
        The cells that count: all hidden ones, unless a section asks for less.
    unit
        What errors are divided by: a number, or one for each column.
    observed
        The same matrix with noise everywhere, as fresh observations of the hidden cells; None where real.
    ordered
        "rows", "columns" or "both": the axes along which neighbours are alike.
    told
        What else a section knows, for `ours`.
    """

    given: np.ndarray
    truth: np.ndarray
    judged: np.ndarray
    unit: Any
    observed: np.ndarray | None = None
    ordered: str = ""
    standardised: bool = False
    told: dict[str, Any] = field(default_factory=dict)

    @property
    def shape(self) -> tuple[int, int]:
        """Of the matrix."""
        n, m = self.given.shape
        return n, m

    @property
    def hidden(self) -> np.ndarray:
        """All cells that are not given and whose truth is known."""
        return np.isnan(self.given) & np.isfinite(self.truth)

    @property
    def digest(self) -> str:
        """Two cases with one digest are the same question."""
        return hashlib.sha256(self.given.tobytes() + self.judged.tobytes()).hexdigest()[:16]

    @property
    def floor(self) -> float:
        """The error that counts as none."""
        noise = 0.0 if self.observed is None else float(np.median(np.abs(self.observed - self.truth))) / 0.6745
        return max(ROUNDING, NOISE_SHARE * noise / float(np.mean(self.unit)))

    def error(self, filled: np.ndarray, cells: np.ndarray | None = None) -> float:
        """Root mean square error of the judged cells (or of these) in units of the case."""
        cells = self.judged if cells is None else cells
        return float(np.sqrt(np.mean(((filled - self.truth) / self.unit)[cells] ** 2))) if cells.any() else 0.0

    def ours(self, limit: float) -> dict[str, Any]:
        """Fit rankscape with its defaults and read its result."""
        import ours

        return ours.completed(self, limit)

    def candidates(self) -> dict[str, Callable[[], np.ndarray]]:
        """The peers that this matrix is small enough for, each as a call that fills it."""
        shift, scale = (0.0, 1.0) if not self.standardised else _standard(self.given)
        given = (self.given - shift) / scale
        chosen = peers.able(self.shape, self.ordered)
        return {p.name: lambda p=p: p.complete(given) * scale + shift for p in chosen}


def _standard(given: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and spread of the columns: people standardise before they impute with distances or penalties."""
    spread = np.nanstd(given, 0)
    return np.nanmean(given, 0), np.where(spread > 0, spread, 1.0)


def hide(matrix: np.ndarray, mask: np.ndarray, ordered: str = "", **more: Any) -> MatrixCase:
    """A case of a real matrix: `mask` is hidden where something is known, but each column keeps one entry."""
    known = np.isfinite(matrix)
    mask = mask & known
    for j in np.flatnonzero((known & ~mask).sum(0) == 0):
        mask[np.flatnonzero(known[:, j])[:1], j] = False
    more.setdefault("unit", float(np.nanstd(matrix)))
    return MatrixCase(np.where(mask, np.nan, matrix), matrix, mask, ordered=ordered, **more)
