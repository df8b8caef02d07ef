"""How many Gaussian measurements of a matrix each method needs to find it, by its rank."""

import numpy as np
import xarray as xr

import rankscape as rs
from rankscape.papers import PaperFigure
from rankscape.phases.diagram import Diagram
from rankscape.phases.methods import METHODS
from rankscape.phases.recovery import draw as draw_recovery
from rankscape.phases.recovery import measure


def cell(algorithm: str, rank: int, oversampling: float, seed: int, n: int) -> dict[str, float]:
    """One Gaussian matrix of spectral norm 1, found from measurements by one method."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=(n, rank)) @ rng.normal(size=(rank, n))
    truth /= np.linalg.norm(truth, 2)
    problem = rs.Sensing.gaussian(truth, round(oversampling * rank * (2 * n - rank)), seed=seed)
    return measure(problem, truth, algorithm, rank, seed)


def draw(grid: xr.Dataset) -> PaperFigure:
    """A heat map a method."""
    return draw_recovery(grid, "sensing", "Sensing: depth 3 and a falling ridge need few measurements, told no rank")


DIAGRAM = Diagram(
    cell,
    full={"rank": [1, 2, 3], "oversampling": [0.8, 1.2, 1.5, 1.8, 2.1, 2.5], "algorithm": METHODS,
          "seed": range(4), "n": [14]},
    quick={"rank": [2], "oversampling": [1.2, 1.5, 2.4], "seed": range(2), "n": [12],
           "algorithm": ["nuclear norm", "told rank", "depth 2, GD", "depth 3, GD", "depth 3, annealed"]},
    draw=draw,
)  # fmt: skip
