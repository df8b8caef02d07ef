"""From labelled numbers to heat maps, and intervals of the shares that are written in them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from rankscape.plot import Cells, Line, Panel

if TYPE_CHECKING:
    import xarray as xr

# The 97.5 % quantile of the normal law: intervals of 95 %.
NORMAL = 1.959963984540054


def heat_map(
    title: str,
    values: "xr.DataArray",
    words: tuple[str, str, str],
    limits: tuple[float, float],
    texts: Sequence[Sequence[str]] | None = None,
    lines: Sequence[Line] = (),
) -> Panel:
    """A panel of a matrix labelled by its two dimensions, rows first; `words` for rows, columns and colours."""
    rows, columns = ([f"{v:g}" for v in values[dim].values] for dim in values.dims)
    written = [[f"{v:.3g}" for v in row] for row in values.values] if texts is None else [list(row) for row in texts]
    cells = Cells(np.asarray(values.values, dtype=float), rows, columns, written, words[2], limits)
    return Panel(title, words[0], words[1], list(lines), cells=cells)


def place(axis: np.ndarray, value: float) -> float:
    """Where a positive value lies along cells that stand for the ascending `axis`, by logarithms; the ends go on.

    >>> round(place(np.array([1.0, 10.0, 100.0]), 1000.0), 9), place(np.array([1.0, 4.0]), 2.0)
    (3.0, 0.5)
    """
    x, at = np.log(axis), np.log(value)
    k = int(np.clip(np.searchsorted(x, at) - 1, 0, len(x) - 2))
    return float(k + (at - x[k]) / (x[k + 1] - x[k]))


def staircase(places: Sequence[float], label: str, color: str) -> Line:
    """A frontier that crosses row i at ``places[i]``."""
    x = np.repeat(np.asarray(places, dtype=float), 2)
    y = np.repeat(np.arange(len(places) + 1.0), 2)[1:-1] - 0.5
    return Line(x, y, label, color)


def wilson(hits: np.ndarray, trials: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    r"""Wilson's 95 % confidence interval of a probability from k hits in n independent trials.

    .. math:: \frac{k + z^2/2}{n + z^2} \pm \frac{z}{n + z^2} \sqrt{\frac{k (n - k)}{n} + \frac{z^2}{4}}

    >>> [round(float(end), 4) for end in wilson(np.array(0), np.array(10))]
    [0.0, 0.2775]
    """
    k, n, z = np.asarray(hits, dtype=float), np.asarray(trials, dtype=float), NORMAL
    middle = (k + z**2 / 2) / (n + z**2)
    half = z / (n + z**2) * np.sqrt(k * (n - k) / np.maximum(n, 1) + z**2 / 4)
    low, high = np.clip(middle - half, 0.0, 1.0), np.clip(middle + half, 0.0, 1.0)
    return np.where(k == 0, 0.0, low), np.where(k == n, 1.0, high)  # which rounding misses


def with_interval(share: np.ndarray, low: np.ndarray, high: np.ndarray) -> list[list[str]]:
    """The share in percent, and its interval below."""
    return [
        ["" if np.isnan(p) else f"{100 * p:.0f} %\n{100 * a:.0f}-{100 * b:.0f}" for p, a, b in zip(*row, strict=True)]
        for row in zip(share, low, high, strict=True)
    ]
