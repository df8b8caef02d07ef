"""How likely SGD is to leave a minimum of too high a rank in a given time, by learning rate and ridge."""

from functools import cache

import numpy as np
import xarray as xr

import rankscape as rs
from rankscape.errors import InputError
from rankscape.papers import PaperFigure
from rankscape.papers.claims import Claim
from rankscape.papers.wang2024.laboratory import SETTINGS, laboratory, leave, ridge_of, trap
from rankscape.phases.cells import heat_map, place, staircase, wilson, with_interval
from rankscape.phases.diagram import Diagram
from rankscape.plot.panels import ACCENT
from rankscape.theory.escape import mean_exit_time, supporting_target

# Learning rate times ridge * m below which no jump is seen in such a time.
QUIET = 0.01


def cell(learning_rate: float, ridge_m: float, seed: int, steps: int) -> dict[str, float]:
    """One run of SGD from the minimum where gradient descent is stuck, up to its first jump down."""
    lab = laboratory()
    dynamics = rs.SGD(learning_rate, ridge_of(lab, ridge_m))
    run = leave(lab, _minimum(ridge_m), dynamics, steps, [seed], [0], rs.RankMonitor(stop="down"))
    jumped, died = int(run.down_jumps[0]) > 0, run.outcome[0] == rs.Outcome.DIVERGED
    return {"jumped": float(jumped and not died), "diverged": float(died), "up_jumps": float(run.up_jumps[0])}


@cache  # the runs of one ridge share it: every seed would find the same
def _minimum(ridge_m: float) -> list[np.ndarray]:
    return trap(laboratory(), ridge_m)


def draw(grid: xr.Dataset) -> PaperFigure:
    """Shares of the runs that jumped with their intervals, and where theory puts the middle."""
    grid = grid.squeeze("steps").transpose("ridge_m", "learning_rate", "seed", ...)
    died, steps = grid.diverged.sum("seed"), int(grid.steps)
    trials = grid.sizes["seed"] - died
    jumps = grid.jumped.sum("seed")
    share = (jumps / trials.where(trials > 0)).rename("probability")
    low, high = wilson(jumps.values, trials.values)
    middle = [_middle(float(ridge_m), steps) for ridge_m in grid.ridge_m]
    data = xr.Dataset({"probability": share, "low": (share.dims, low), "high": (share.dims, high), "runs": trials,
                       "diverged": died, "up_jumps": grid.up_jumps.sum("seed"),
                       "predicted_learning_rate": ("ridge_m", middle)}).reset_coords(drop=True)  # fmt: skip
    panel = heat_map(
        f"runs that jumped in {steps} steps, and the 95 % interval", share,
        ("ridge * m", "learning rate", "probability of a jump down"), (0.0, 1.0),
        with_interval(share.values, low, high),
        [staircase([place(grid.learning_rate.values, rate) for rate in middle],
                   "predicted for a mode that one entry holds: half of the runs", ACCENT)],
    )  # fmt: skip
    return PaperFigure(
        "jump-probability", "Large learning rates and ridges make ranks jump",
        SETTINGS | {"ridge * m": grid.ridge_m.values.tolist(), "learning_rate": grid.learning_rate.values.tolist(),
                    "steps": steps, "runs": grid.sizes["seed"], "confidence": 0.95},
        [panel], data, _claims(data), columns=1,
    )  # fmt: skip


def _middle(ridge_m: float, steps: int) -> float:
    """The learning rate with which half of the modes that one entry holds are lost in this time."""
    lab = laboratory()
    sigma = np.linalg.svd(rs.product(_minimum(ridge_m)))[1]
    target = supporting_target(float(sigma[2]), SETTINGS["depth"], ridge_m)
    wanted = steps / len(lab.problem.values) / np.log(2)
    low, high = 0.005, 1.0
    for _ in range(10):  # halvings of the logarithm of 200, so the rate is known to half a percent
        middle = float(np.sqrt(low * high))
        low, high = (low, middle) if _epochs(target, ridge_m, middle) < wanted else (middle, high)
    return high


def _epochs(target: float, ridge_m: float, learning_rate: float) -> float:
    try:
        return mean_exit_time(target, SETTINGS["depth"], ridge_m, learning_rate).epochs
    except InputError:  # no minimum is left at this rate: the mode is lost at once
        return 0.0


def _claims(data: xr.Dataset) -> list[Claim]:
    strength = data.ridge_m * data.learning_rate
    quiet = float(data.probability.where(strength < QUIET).max())
    strongest = float(data.probability.where(strength == strength.where(data.runs > 0).max()).max())
    drops = max(
        (float(data.low[i, j] - data.high[i, k]) for i in range(data.sizes["ridge_m"])
         for j in range(data.sizes["learning_rate"]) for k in range(j + 1, data.sizes["learning_rate"])
         if data.runs[i, k] > 0), default=0.0,
    )  # fmt: skip
    ups = int(data.up_jumps.sum())
    return [
        Claim(f"largest probability where learning rate * ridge * m < {QUIET}", 0, quiet, quiet == 0),
        Claim("probability at the largest learning rate and ridge", [0.9, 1], strongest, strongest >= 0.9),
        Claim("most by which an interval lies above one at a larger learning rate", [None, 0], drops, drops <= 0),
        Claim("jumps up", 0, ups, ups == 0),
    ]


DIAGRAM = Diagram(
    cell,
    full={"ridge_m": [0.3, 0.325, 0.35, 0.375, 0.4, 0.425, 0.45],
          "learning_rate": [0.02, 0.04, 0.06, 0.08, 0.1, 0.12, 0.14, 0.16, 0.18, 0.2], "seed": range(24),
          "steps": [400_000]},
    quick={"ridge_m": [0.35, 0.4, 0.45], "learning_rate": [0.02, 0.08, 0.14, 0.2], "seed": range(6),
           "steps": [100_000]},
    draw=draw,
)  # fmt: skip
