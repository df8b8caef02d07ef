"""A denoised or a sensed matrix: what was kept of each direction, and how descent learned them."""

from typing import TYPE_CHECKING

import numpy as np

from rankscape.errors import InputError
from rankscape.ground.checks import real, shown
from rankscape.plot.panels import COLORS, MUTED, Line, Panel

if TYPE_CHECKING:
    from rankscape.ground.labelled import Labelled

# Directions that are drawn; more would only be a smear.
MOST = 60


def denoising_panels(path: "Labelled", stop: int) -> list[Panel]:
    """What to draw of a denoised matrix.

    Parameters
    ----------
    path : Labelled
        ``path_`` of a `DeepMatrixDenoiser`.
    stop : int
        The step at which descent stopped.

    Returns
    -------
    list of Panel
        The sizes of directions before and after, and how they were learned.

    Examples
    --------
    >>> import rankscape as rs
    >>> rng = np.random.default_rng(0)
    >>> noisy = 3 * np.outer(rng.normal(size=40), rng.normal(size=30)) + rng.normal(size=(40, 30))
    >>> model = rs.estimators.DeepMatrixDenoiser().fit(noisy)
    >>> [panel.title for panel in denoising_panels(model.path_, model.stop_step_)]
    ['Directions', 'What descent has learned']
    """
    if not all(hasattr(path, name) for name in ("target", "kept", "learned", "step")):
        raise InputError(f"`path` must be the `path_` of a fitted denoiser, got {shown(path)}.")
    mark = (real("stop", stop), "stop")
    order = np.argsort(-np.abs(path.target))[:MOST]
    sizes, kept = np.abs(path.target[order]), np.abs(path.kept[order])
    number = np.arange(1, len(order) + 1, dtype=float)
    seen = Line(number, _positive(sizes), "in the data", MUTED, style="", marker="o")
    ours = Line(number, _positive(kept), "kept", COLORS[1], style="", marker="o", size=3.0)
    spectrum = Panel("Directions", "singular value", "direction", [seen, ours], log=True)
    learned = np.abs(path.learned[:, order])
    shades = 0.9 * number / max(len(order), 2)
    lines = [Line(path.step, learned[:, k], color=float(shades[k]), width=1.2) for k in range(len(order))]
    return [spectrum, Panel("What descent has learned", "singular value", "step", lines, log_x=True, mark=mark)]


def _positive(values: np.ndarray) -> np.ndarray:
    """What a logarithmic axis can show."""
    return np.where(values > 0, values, np.nan)
