"""The rank that is left at the end, by ridge and learning rate: gradient descent beside SGD from the same start."""

import numpy as np
import xarray as xr

import rankscape as rs
from rankscape.papers import PaperFigure
from rankscape.papers.claims import Claim
from rankscape.papers.wang2024.laboratory import SETTINGS, WIDTH, laboratory, leave, ridge_of
from rankscape.phases.cells import heat_map
from rankscape.phases.diagram import Diagram
from rankscape.plot import Panel
from rankscape.solvers.descent.relaxation import relax

NAMES = {"gd": "gradient descent", "sgd": "SGD on single entries"}


def cell(dynamics: str, ridge_m: float, learning_rate: float, steps: int, runs: int) -> dict[str, float]:
    """The median rank of the minima to which runs belong at their end; they start from the decoy, of twice the rank."""
    lab, ridge = laboratory(), ridge_of(laboratory(), ridge_m)
    kind, count = (rs.GradientDescent, 1) if dynamics == "gd" else (rs.SGD, runs)
    batch = leave(lab, lab.start(width=WIDTH), kind(learning_rate, ridge), steps, range(count), [steps])
    ends = [W for W, end in zip(batch.all_factors, batch.outcome, strict=True) if end != rs.Outcome.DIVERGED]
    ranks = [relax(lab.problem, W, ridge).rank for W in ends]
    return {"rank": float(np.median(ranks)) if ranks else -1.0, "diverged": 1 - len(ends) / count,
            "up_jumps": float(np.sum(batch.up_jumps))}  # fmt: skip


def draw(grid: xr.Dataset) -> PaperFigure:
    """One heat map for each kind of dynamics; a cell where most runs diverged has no rank."""
    grid = grid.squeeze(["steps", "runs"]).transpose("dynamics", "ridge_m", "learning_rate")
    data = grid[["diverged", "up_jumps"]].assign(rank=grid["rank"].where(grid.diverged <= 0.5)).reset_coords(drop=True)
    data = data.drop_attrs().assign_coords(dynamics=[str(name) for name in data.dynamics.values])
    return PaperFigure(
        "final-rank", "Gradient descent keeps modes that SGD forgets; too much ridge loses the true ones as well",
        SETTINGS | {"ridge * m": grid.ridge_m.values.tolist(), "learning_rate": grid.learning_rate.values.tolist(),
                    "steps": int(grid.steps), "runs of SGD": int(grid.runs), "true rank": laboratory().rank},
        [_panel(data.sel(dynamics=name), title) for name, title in NAMES.items()], data, _claims(data), columns=2,
    )  # fmt: skip


def _panel(data: xr.Dataset, title: str) -> Panel:
    texts = [["diverged" if np.isnan(v) else f"{v:g}" for v in row] for row in data["rank"].values]
    words = ("ridge * m", "learning rate", "median rank")
    return heat_map(f"{title}: final rank", data["rank"], words, (0.0, 4.0), texts)


def _claims(data: xr.Dataset) -> list[Claim]:
    gd, sgd = (data["rank"].sel(dynamics=name) for name in NAMES)
    truth = laboratory().rank
    both = gd.notnull() & sgd.notnull()
    above = int((sgd > gd).where(both).sum())
    forgets = int(((gd > truth) & (sgd == truth)).sum())
    lost = float(sgd.isel(ridge_m=-1).max())
    ups = int(data.up_jumps.sum())
    quiet = (sgd - gd).isel(learning_rate=0).where(gd.isel(learning_rate=0) > truth)
    return [
        Claim("cells where SGD ends above gradient descent", 0, above, above == 0),
        Claim("cells where gradient descent is stuck and SGD finds the true rank", [1, None], forgets, forgets >= 1),
        Claim("smallest learning rate: ranks by which SGD and gradient descent differ where that is stuck", 0,
              float(abs(quiet).max()), float(abs(quiet).max()) == 0),
        Claim("largest ridge: final rank of SGD", f"below {truth}", lost, lost < truth),
        Claim("jumps up", 0, ups, ups == 0),
    ]  # fmt: skip


DIAGRAM = Diagram(
    cell,
    full={"dynamics": ["gd", "sgd"], "ridge_m": [0.2, 0.3, 0.35, 0.4, 0.45, 0.6, 0.9, 1.6, 2.5, 4.0],
          "learning_rate": [0.02, 0.04, 0.08, 0.12, 0.16, 0.2, 0.25, 0.3], "steps": [200_000], "runs": [3]},
    quick={"dynamics": ["gd", "sgd"], "ridge_m": [0.3, 0.4, 0.45, 1.6, 4.0], "learning_rate": [0.04, 0.1, 0.16],
           "steps": [60_000], "runs": [1]},
    draw=draw,
)  # fmt: skip
