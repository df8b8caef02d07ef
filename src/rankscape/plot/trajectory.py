"""The trajectory in three panels: the spectrum, the rank, the errors."""

from typing import TYPE_CHECKING

import numpy as np

from rankscape.errors import InputError
from rankscape.ground.checks import shown
from rankscape.plot.panels import COLORS, MUTED, Line, Panel

if TYPE_CHECKING:
    import xarray as xr

    from rankscape.ground.labelled import Labelled

# Singular values that are drawn; more would only be a smear.
MOST_MODES = 60

# Decades of the spectrum that are shown below its largest value, where that is least.
DECADES = 8

# Values of a diverged run from which on it is drawn no further: ticks beside them must exist as numbers.
CEILING = 1e200

# Errors whose largest and least differ by less than this factor are drawn on a linear axis.
FLAT = 3.0


def trajectory_panels(dataset: "xr.Dataset | Labelled", references: dict[str, float] | None = None) -> list[Panel]:
    """What to draw of a run or of a completion path.

    Parameters
    ----------
    dataset : xarray.Dataset or Labelled
        With dimension ``step``: of a `Trajectory`, or the `path` of a `CompletedMatrix`.
    references : dict of str to float, optional
        Errors to compare with, drawn as horizontal lines.

    Returns
    -------
    list of Panel
        Spectrum, rank, errors; each may be empty.

    Raises
    ------
    InputError
        A batch of runs.

    Examples
    --------
    >>> import rankscape as rs
    >>> run = rs.simulate(rs.Estimation(eigenvalues=[2.0, 1.0]), depth=3, initialization=rs.Identical(alpha=0.2),
    ...                   dynamics=rs.GradientDescent(0.01), steps=500)
    >>> len(trajectory_panels(run.dataset))
    3
    """
    if not all(hasattr(dataset, name) for name in ("dims", "attrs", "step")):
        raise InputError(f"`dataset` must be the data set of a run, as `run.dataset`, got {shown(dataset)}.")
    if "run" in dataset.dims:
        raise InputError("This is a batch of runs: draw one of them, `run.select(k).dataset`.")
    log_x = _log_steps(np.asarray(dataset.step))
    chosen = dataset.attrs.get("chosen")
    common = dict(xlabel="step", log_x=log_x, mark=None if chosen is None else (float(chosen), "chosen"))
    return [_spectrum(dataset, common), _ranks(dataset, common), _errors(dataset, common, references or {})]


def _log_steps(steps: np.ndarray) -> bool:
    """Log-spaced records are drawn on a logarithmic axis."""
    later = steps[steps > 0]
    return len(later) > 2 and float(np.median(later)) < 0.2 * float(later[-1])


def _spectrum(dataset: "xr.Dataset | Labelled", common: dict) -> Panel:
    values = np.asarray(dataset.singular_values)[:, :MOST_MODES] if "singular_values" in dataset else np.empty((0, 0))
    floor = _floor(values[:, 0]) if values.size else 0.0
    shown = _between(floor, values)
    alive = np.flatnonzero(np.isfinite(shown).any(axis=0))
    lines = [
        Line(np.asarray(dataset.step), shown[:, k], color=0.9 * float(k) / max(len(alive), 2), width=1.2) for k in alive
    ]
    bounds = (float(np.nanmin(shown)) / 2, float(np.nanmax(shown)) * 2) if lines else None
    return Panel("Singular values of W", "singular value", lines=lines, log=True, bounds=bounds, **common)


def _floor(largest: np.ndarray) -> float:
    """`DECADES` below the least of the largest singular values; one that dies does not drag it down for ever."""
    seen = largest[np.isfinite(largest) & (largest > 0)]
    return max(float(seen.min()), float(seen[0]) * 10.0**-DECADES) * 10.0**-DECADES if len(seen) else 0.0


def _ranks(dataset: "xr.Dataset | Labelled", common: dict) -> Panel:
    named = {"rank": "rank", "numerical_rank": "numerical rank", "effective_rank": "effective rank ‖W‖∗/‖W‖₂"}
    present = [name for name in named if name in dataset and not ("rank" in dataset and name == "numerical_rank")]
    lines = [
        Line(
            np.asarray(dataset.step),
            np.asarray(dataset[name], dtype=float),
            named[name],
            color,
            steps=name != "effective_rank",
        )
        for name, color in zip(present, (MUTED, COLORS[0]), strict=False)
    ]
    return Panel("Rank", "rank", lines=lines, whole=True, **common)


def _errors(dataset: "xr.Dataset | Labelled", common: dict, references: dict[str, float]) -> Panel:
    named = {
        "train_rmse": "train RMSE",
        "heldout_rmse": "held-out RMSE",
        "loss": "loss",
        "objective": "loss + ridge",
        "heldout_loss": "held-out loss",
    }
    present = [name for name in named if name in dataset]
    if "objective" in present and np.allclose(dataset.objective, dataset.loss, equal_nan=True):
        present.remove("objective")
    lines = [
        Line(np.asarray(dataset.step), _between(0.0, np.asarray(dataset[name])), named[name], COLORS[k])
        for k, name in enumerate(present)
    ]
    levels = [(level, name) for name, level in references.items() if np.isfinite(level)]
    seen = np.concatenate([[level for level, _ in levels if level > 0], *(line.y for line in lines)])
    seen = seen[np.isfinite(seen)]
    log = len(seen) > 0 and seen.max() > FLAT * seen.min()
    name = "error" if "train_rmse" in present else "loss"
    return Panel("Errors" if name == "error" else "Loss", name, lines=lines, log=bool(log), references=levels, **common)


def _between(floor: float, values: np.ndarray) -> np.ndarray:
    """The values that a logarithmic axis can show, NaN for the others."""
    return np.where((values > floor) & (values < CEILING), values, np.nan)
