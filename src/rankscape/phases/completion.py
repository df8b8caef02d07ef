"""How many entries of a matrix each method needs to complete it, by its rank."""

import xarray as xr

import rankscape as rs
from rankscape.papers import PaperFigure
from rankscape.phases.diagram import Diagram
from rankscape.phases.methods import METHODS
from rankscape.phases.recovery import draw as draw_recovery
from rankscape.phases.recovery import measure


def cell(algorithm: str, rank: int, oversampling: float, seed: int, n: int) -> dict[str, float]:
    """One Gaussian problem, completed by one method."""
    lab = rs.data.gaussian(n, rank, oversampling, seed)
    return measure(lab.problem, lab.matrix, algorithm, rank, seed)


def draw(grid: xr.Dataset) -> PaperFigure:
    """A heat map a method."""
    return draw_recovery(grid, "completion", "Completion: depth 3 and a falling ridge need few entries, told no rank")


DIAGRAM = Diagram(
    cell,
    full={"rank": [1, 2, 3], "oversampling": [1.0, 1.2, 1.4, 1.7, 2.2, 3.0, 4.0], "algorithm": METHODS,
          "seed": range(4), "n": [24]},
    quick={"rank": [2], "oversampling": [1.4, 2.0, 3.2], "seed": range(2), "n": [18],
           "algorithm": ["nuclear norm", "told rank", "depth 2, GD", "depth 3, GD", "depth 3, annealed"]},
    draw=draw,
)  # fmt: skip
