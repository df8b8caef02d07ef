"""Ranks fall, one way only: figures about Wang, Jacot (2024).

Each function simulates, predicts, and checks one against the other; `FIGURES` names them for the command line.
"""

from collections.abc import Callable

from rankscape.papers.figure import PaperFigure
from rankscape.papers.wang2024.absorbing_sets import soft_rank_margins
from rankscape.papers.wang2024.annealing import annealing
from rankscape.papers.wang2024.avoided import avoided
from rankscape.papers.wang2024.controls import controls
from rankscape.papers.wang2024.grid import rank_grid
from rankscape.papers.wang2024.jump_times import jump_times
from rankscape.papers.wang2024.kinds import kinds
from rankscape.papers.wang2024.minima import minima
from rankscape.papers.wang2024.one_way import one_way
from rankscape.papers.wang2024.real_data import real_data
from rankscape.papers.wang2024.recovery import recovery
from rankscape.papers.wang2024.sampling import batches, reshuffling
from rankscape.papers.wang2024.scalar import scalar_landscape
from rankscape.papers.wang2024.stuck import stuck

FIGURES: dict[str, Callable[..., PaperFigure]] = {
    "scalar-landscape": scalar_landscape,
    "minima": minima,
    "avoided": avoided,
    "stuck": stuck,
    "kinds": kinds,
    "one-way": one_way,
    "jump-times": jump_times,
    "reshuffling": reshuffling,
    "batches": batches,
    "soft-rank": soft_rank_margins,
    "annealing": annealing,
    "controls": controls,
    "rank-grid": rank_grid,
    "recovery": recovery,
    "real-data": real_data,
}
