"""What the diagrams of completion and sensing share: what a cell measures, and how shares are drawn and compared."""

import numpy as np
import xarray as xr

from rankscape.papers import PaperFigure
from rankscape.papers.claims import Claim
from rankscape.phases.baselines import Problem, least_squares
from rankscape.phases.cells import heat_map, place, wilson, with_interval
from rankscape.phases.methods import METHODS, estimate
from rankscape.plot import Line, Panel
from rankscape.plot.panels import ACCENT

# Relative error below which a matrix counts as recovered.
RECOVERED = 0.01
# Share by which few random problems may put one method before another that is as good.
SLACK = 0.25


def measure(problem: Problem, truth: np.ndarray, algorithm: str, rank: int, seed: int) -> dict[str, float]:
    """Relative errors of a method, as it is and after least squares at the rank that it found, and that rank."""
    W, found = estimate(problem, algorithm, rank, seed)
    polished = least_squares(problem, W, found)[0]
    raw, error = (float(np.linalg.norm(M - truth) / np.linalg.norm(truth)) for M in (W, polished))
    return {"raw_error": raw, "error": error, "rank_found": float(found)}


def draw(grid: xr.Dataset, name: str, title: str) -> PaperFigure:
    """A heat map a method: the share of the problems that it recovers, by rank and oversampling."""
    methods = [method for method in METHODS if method in grid.algorithm.values]
    grid = grid.squeeze("n").sel(algorithm=methods).transpose("algorithm", "rank", "oversampling", "seed")
    recovered = grid.error < RECOVERED
    count = grid.sizes["seed"]
    low, high = wilson(recovered.sum("seed").values, np.array(count))
    share, size = recovered.mean("seed"), ("algorithm", "rank", "oversampling")
    data = xr.Dataset(
        {
            "recovered": share,
            "low": (size, low),
            "high": (size, high),
            "error": grid.error,
            "raw_error": grid.raw_error,
            "rank_found": grid.rank_found,
        }
    ).reset_coords(drop=True)
    data = data.assign_coords(algorithm=[str(method) for method in methods])
    n = int(grid["n"])
    return PaperFigure(
        name, title,
        {"n": n, "rank": data["rank"].values.tolist(), "oversampling": data.oversampling.values.tolist(),
         "problems": count, "recovered below": RECOVERED, "confidence": 0.95},
        [_panel(data.sel(algorithm=method), method) for method in methods], data, _claims(data), columns=3,
    )  # fmt: skip


def _panel(data: xr.Dataset, method: str) -> Panel:
    limit = place(data.oversampling.values, 1.0)
    line = Line(np.full(2, limit), np.array([-0.5, data.sizes["rank"] - 0.5]), "information limit", ACCENT)
    texts = with_interval(data.recovered.values, data.low.values, data.high.values)
    words = ("rank", "observations over degrees of freedom", "share recovered")
    return heat_map(method, data.recovered, words, (0.0, 1.0), texts, [line])


def _claims(data: xr.Dataset) -> list[Claim]:
    share = data.recovered.mean("rank")
    total = {str(method): float(share.sel(algorithm=method).mean()) for method in data.algorithm.values}
    deep, told, convex = total["depth 3, annealed"], total["told rank"], total["nuclear norm"]
    most = share.isel(oversampling=-1)
    enough = {name: _enough(share.sel(algorithm=name)) for name in ("depth 3, annealed", "nuclear norm")}
    best = max(total, key=lambda name: total[name])
    below = float(share.where(share.oversampling < 1).max())
    limit = [] if np.isnan(below) else [
        Claim("fewer observations than degrees of freedom: largest share recovered", 0, below, below == 0)]  # fmt: skip
    return [
        *limit,
        Claim("oversampling from which on nine in ten are recovered: depth 3, annealed, before the nuclear norm",
              "smaller", list(enough.values()), enough["depth 3, annealed"] < enough["nuclear norm"]),
        Claim("share of all problems: depth 3, annealed, minus nuclear norm", [0, 1], deep - convex, deep > convex),
        Claim("share of all problems: depth 3, annealed, minus depth 2", [0, 1], deep - total["depth 2, GD"],
              deep > total["depth 2, GD"]),
        Claim(f"share of all problems: best method ({best}) minus told-rank least squares", [0, SLACK],
              total[best] - told, total[best] - told <= SLACK),
        Claim("largest oversampling: share that depth 3, annealed, and told-rank least squares recover", [0.9, 1],
              [float(most.sel(algorithm=name)) for name in ("depth 3, annealed", "told rank")],
              bool(most.sel(algorithm=["depth 3, annealed", "told rank"]).min() >= 0.9)),
    ]  # fmt: skip


def _enough(share: xr.DataArray) -> float:
    """The least oversampling from which on nine in ten problems are recovered; infinite when there is none."""
    short = np.flatnonzero(share.values < 0.9)
    first = short[-1] + 1 if short.size else 0
    return float(share.oversampling[first]) if first < share.size else float("inf")
