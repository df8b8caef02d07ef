"""What the scale alpha of the start does."""

import numpy as np
import xarray as xr

from rankscape import theory
from rankscape.papers.chou2024.lengths import TOLERANCE, flow_length, simulated_lengths, until_learned
from rankscape.papers.claims import Claim, ordered
from rankscape.papers.figure import PaperFigure
from rankscape.plot import Line, Panel
from rankscape.plot.panels import COLORS, STYLES

SPECTRUM = (5.0, 3.0, 1.5, 0.5)
DEPTH, RATE = 3, 1e-3
SHOWN = (0.05, 0.1, 0.2, 0.4)
RANKS = (1, 2, 3)


def alpha(quick: bool = False) -> PaperFigure:
    """A smaller start makes every plateau longer; above a critical alpha there is none."""
    runs = {a: until_learned(SPECTRUM, DEPTH, a, RATE) for a in SHOWN}
    critical = {rank: theory.critical_alpha(SPECTRUM, rank, DEPTH, TOLERANCE).alpha for rank in RANKS}
    fine = np.geomspace(0.04, 0.35, 40)
    # Theory is cheap everywhere; runs are made at a few of its places.
    few = fine[:: 13 if quick else 5]
    flow = np.array([[flow_length(SPECTRUM, DEPTH, a, rank) for rank in RANKS] for a in fine])
    seen = np.array([simulated_lengths(SPECTRUM, DEPTH, a, RATE) for a in few])
    claims = [_at_the_critical_alpha(rank, limit) for rank, limit in critical.items() if limit is not None]
    for k, rank in enumerate(RANKS):
        falls = bool(np.all(np.diff(seen[:, k]) <= 0))
        claims.append(ordered(f"length of the rank-{rank} plateau", "falls with alpha", seen[:, k].tolist(), falls))
    data = xr.Dataset(
        {"flow_length": (("alpha", "rank"), flow), "simulated_length": (("simulated_alpha", "rank"), seen)},
        coords={"rank": list(RANKS), "alpha": fine, "simulated_alpha": few},
    )
    for a, run in runs.items():
        data[f"effective_rank_alpha_{a:g}"] = (f"step_alpha_{a:g}", run.effective_rank.values)
        data[f"step_alpha_{a:g}"] = run.step.values
    return PaperFigure(
        "alpha", "A smaller start alpha makes the plateaus longer, and all of learning later",
        {"eigenvalues": SPECTRUM, "depth": DEPTH, "learning_rate": RATE, "tolerance": TOLERANCE, "critical": critical},
        [_ranks(runs), _lengths(fine, flow, few, seen)], data, claims,
    )


def _at_the_critical_alpha(rank: int, limit: float) -> Claim:
    """Half a percent below it the plateau is there, half a percent above it is not."""
    below, above = (simulated_lengths(SPECTRUM, DEPTH, limit * scale, RATE)[rank - 1] for scale in (0.995, 1.005))
    name = f"length of the rank-{rank} plateau 0.5 % below and above the critical alpha {limit:.6g}"
    return Claim(name, "positive, 0", [below, above], below > 0 >= above)


def _ranks(runs: dict[float, xr.Dataset]) -> Panel:
    lines = [
        Line(run.step.values, run.effective_rank.values, f"alpha = {a:g}", COLORS[i], style=STYLES[i])
        for i, (a, run) in enumerate(runs.items())
    ]
    last = max(float(run.step[-1]) for run in runs.values())
    return Panel(
        "effective rank", "effective rank of W", "step", lines, log_x=True, bounds=(0.9, 4.2), span=(100, last)
    )


def _lengths(fine: np.ndarray, flow: np.ndarray, few: np.ndarray, seen: np.ndarray) -> Panel:
    curves = [Line(fine, flow[:, k], f"rank {rank}, flow", COLORS[k], style=STYLES[k]) for k, rank in enumerate(RANKS)]
    points = [
        Line(few, seen[:, k], f"rank {rank}, simulated", COLORS[k], style="", marker="os^"[k])
        for k, rank in enumerate(RANKS)
    ]
    span = (float(fine[0]), float(fine[-1]))
    return Panel(
        "length of the plateaus (0: none)", "steps x learning rate", "alpha", curves + points, log_x=True, span=span
    )
