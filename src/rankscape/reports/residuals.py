"""What a model leaves unexplained, binned so that its size does not depend on that of the matrix."""

import numpy as np

from rankscape.plot import Line, Panel
from rankscape.plot.panels import ACCENT, COLORS, MUTED

# Bins of the histogram, and where it ends, in root mean squares; what lies beyond counts in the last bin.
BINS, WIDEST = 40, 4.0

# Bins of equal count along the predictions, and the entries that each of them has at least.
GROUPS, LEAST = 20, 10


def root_mean_square(values: np.ndarray) -> float:
    """Of values whose squares may not exist as numbers.

    >>> root_mean_square(np.array([3e200, -4e200])) / 1e200 > 3.5, root_mean_square(np.zeros(2))
    (True, 0.0)
    """
    largest = float(np.abs(values).max(initial=0.0))
    return largest * float(np.sqrt(np.mean((values / largest) ** 2))) if largest else 0.0


def safe_std(values: np.ndarray) -> float:
    """Standard deviation of values whose squares may not exist as numbers.

    >>> safe_std(np.array([1e200, 3e200])) / 1e200, safe_std(np.zeros(0))
    (1.0, 0.0)
    """
    return root_mean_square(values - values.mean()) if len(values) else 0.0


def residual_panels(predicted: np.ndarray, residual: np.ndarray) -> list[Panel]:
    """The distribution of ``value - prediction``, and whether its middle or width depends on the prediction.

    Examples
    --------
    >>> panels = residual_panels(np.linspace(1, 5, 200), np.sin(np.arange(200.0)))
    >>> int(panels[0].lines[0].y.sum().round()), len(panels[1].lines[0].x)
    (100, 20)
    """
    rms = root_mean_square(residual)
    if not rms > 0:
        return []
    panels = [_histogram(residual / rms)]
    groups = min(GROUPS, len(residual) // LEAST)
    return panels if groups < 2 else [*panels, _along(predicted, residual, groups)]


def _histogram(scaled: np.ndarray) -> Panel:
    edges = np.linspace(-WIDEST, WIDEST, BINS + 1)
    # What lies beyond the edge counts in the last bin: an outlier must not vanish from the picture.
    inside = np.clip(scaled, edges[0], edges[-1])
    share = 100 * np.histogram(inside, edges)[0] / len(scaled)
    middle = (edges[1:] + edges[:-1]) / 2
    bell = 100 * np.exp(-(middle**2) / 2) / np.sqrt(2 * np.pi) * (edges[1] - edges[0])
    lines = [
        Line(edges[:-1], share, "these entries", COLORS[0], steps=True),
        Line(middle, bell, "a normal distribution", MUTED, width=1.4, style="--"),
    ]
    return Panel("How large", "percent of entries", "residual / its root mean square", lines, bounds=None)


def _along(predicted: np.ndarray, residual: np.ndarray, groups: int) -> Panel:
    order = np.argsort(predicted, kind="stable")
    # Bins of equal count: those of equal width would be empty where predictions are rare.
    parts = [(predicted[part], residual[part]) for part in np.array_split(order, groups)]
    x = np.array([p.mean() for p, _ in parts])
    low, middle, high = np.array([np.quantile(r, [0.1, 0.5, 0.9]) for _, r in parts]).T
    lines = [
        Line(x, middle, "half of them below", ACCENT),
        Line(x, high, "90% below", COLORS[0], width=1.4, style="--"),
        Line(x, low, "10% below", COLORS[0], width=1.4, style=":"),
    ]
    return Panel("Where", "value minus prediction", "prediction", lines)


def worst(
    groups: np.ndarray, residual: np.ndarray, size: int, least: int = 5, most: int = 3
) -> list[tuple[int, float]]:
    """The groups with the largest root mean square residual among those with enough entries.

    >>> worst(np.array([0, 0, 1, 1, 2]), np.array([1.0, 1, 3, 3, 9]), 3, least=2)
    [(1, 3.0), (0, 1.0)]
    """
    counts = np.bincount(groups, minlength=size)
    largest = float(np.abs(residual).max(initial=0.0)) or 1.0
    squares = np.bincount(groups, weights=(residual / largest) ** 2, minlength=size)
    rms = largest * np.sqrt(squares / np.maximum(counts, 1))
    # The worst of many small groups is worst by chance.
    enough = np.flatnonzero(counts >= least)
    order = enough[np.argsort(-rms[enough], kind="stable")][:most]
    return [(int(k), float(rms[k])) for k in order]
