"""How long a rank stays constant, by the scale of the start and the depth: all or nothing, on two sides of a line."""

import numpy as np
import xarray as xr

from rankscape.papers import PaperFigure
from rankscape.papers.chou2024.lengths import TOLERANCE, flow_length, simulated_lengths
from rankscape.papers.claims import Claim
from rankscape.phases.cells import heat_map, place, staircase
from rankscape.phases.diagram import Diagram
from rankscape.plot import Panel
from rankscape.plot.panels import ACCENT
from rankscape.theory import critical_alpha

EIGENVALUES = (8.0, 2.0, 0.5)
# Plateaus that end; that of the last rank does not.
RANKS = (1, 2)
LEARNING_RATE = 0.002
# Relative distance from the line within which the finite learning rate may decide.
MARGIN = 0.03


def cell(alpha: float, depth: int) -> dict[str, float]:
    """The lengths of the plateaus in one run of gradient descent, in flow time; 0 where there is none."""
    lengths = simulated_lengths(EIGENVALUES, depth, alpha, LEARNING_RATE)
    return {f"length_{rank}": length for rank, length in zip(RANKS, lengths, strict=True)}


def draw(grid: xr.Dataset) -> PaperFigure:
    """One heat map a rank, with the line that theory draws."""
    depths, alphas = grid.depth.values, grid.alpha.values
    length = xr.concat([grid[f"length_{rank}"] for rank in RANKS], xr.IndexVariable("rank", list(RANKS)))
    length = length.transpose("rank", "depth", "alpha").rename("length")
    flow = [[[flow_length(EIGENVALUES, int(N), float(a), L) for a in alphas] for N in depths] for L in RANKS]
    line = [[critical_alpha(EIGENVALUES, L, int(N), tolerance=TOLERANCE).alpha for N in depths] for L in RANKS]
    data = xr.Dataset({"length": length, "flow_length": (length.dims, np.array(flow)),
                       "critical_alpha": (("rank", "depth"), np.array(line, dtype=float))})  # fmt: skip
    data = data.reset_coords(drop=True)
    return PaperFigure(
        "plateau-length", "A rank lasts only from starts below a critical scale, and the deeper the longer",
        {"eigenvalues": EIGENVALUES, "learning_rate": LEARNING_RATE, "tolerance": TOLERANCE,
         "alpha": alphas.tolist(), "depth": depths.tolist()},
        [_panel(data.sel(rank=rank)) for rank in RANKS], data, _claims(data), columns=2,
    )  # fmt: skip


def _panel(data: xr.Dataset) -> Panel:
    length = data.length
    texts = [["-" if v == 0 else f"{v:.2g}" if v < 100 else f"{v:.0e}".replace("e+0", "e") for v in row]
             for row in length.values]  # fmt: skip
    places = [place(data.alpha.values, float(alpha)) for alpha in data.critical_alpha]
    return heat_map(
        f"how long rank {int(data['rank'])} lasts, in flow time", np.log10(length.where(length > 0)),
        ("depth", "alpha, scale of the start", "log10 of the length"), (-2.0, 5.0), texts,
        [staircase(places, "predicted: largest alpha with a plateau", ACCENT)],
    )  # fmt: skip


def _claims(data: xr.Dataset) -> list[Claim]:
    claims = []
    for rank in RANKS:
        each = data.sel(rank=rank)
        below, above = each.alpha < (1 - MARGIN) * each.critical_alpha, each.alpha > (1 + MARGIN) * each.critical_alpha
        there = each.length > 0
        wrong = int((below & ~there).sum() + (above & there).sum())
        claims.append(Claim(f"rank {rank}: cells on the wrong side of the critical alpha", 0, wrong, wrong == 0))
        long = each.length.where(below & (each.flow_length > 1))
        off = float(np.abs(long / each.flow_length - 1).max())
        claims.append(Claim(f"rank {rank}: largest relative distance of a length above 1 from gradient flow", [0, 0.05],
                            off, off < 0.05))  # fmt: skip
    return claims


DIAGRAM = Diagram(
    cell,
    full={"alpha": [0.03, 0.04, 0.05, 0.07, 0.1, 0.14, 0.19, 0.25, 0.32, 0.4, 0.5, 0.6], "depth": [2, 3, 4, 5, 6]},
    quick={"alpha": [0.04, 0.07, 0.14, 0.25, 0.4, 0.6], "depth": [2, 3, 4]},
    draw=draw,
)  # fmt: skip
