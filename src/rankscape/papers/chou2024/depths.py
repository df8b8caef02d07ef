"""What the depth does."""

import numpy as np
import xarray as xr

from rankscape.papers.chou2024.lengths import TOLERANCE, flow_length, simulated_lengths, until_learned
from rankscape.papers.claims import Claim, close, ordered
from rankscape.papers.figure import PaperFigure
from rankscape.plot import Line, Panel
from rankscape.plot.panels import COLORS, STYLES

PAIR = (2.0, 1.0)
RATE = 1e-3
DEPTHS = (2, 3, 4, 5, 6)
# What is held fixed while the depth grows: alpha, or the start of the product.
FIXED = {"alpha = 0.3": {N: 0.3 for N in DEPTHS}, "alpha^N = 0.001": {N: 1e-3 ** (1 / N) for N in DEPTHS}}


def depth(quick: bool = False) -> PaperFigure:
    """Depth lengthens plateaus, whether alpha or the product's start alpha^N is held fixed."""
    depths = DEPTHS[:4] if quick else DEPTHS
    flow = {name: np.array([flow_length(PAIR, N, starts[N], 1) for N in depths]) for name, starts in FIXED.items()}
    seen = {
        name: np.array([simulated_lengths(PAIR, N, starts[N], RATE)[0] for N in depths])
        for name, starts in FIXED.items()
    }
    panels = [_ranks(name, {N: until_learned(PAIR, N, starts[N], RATE) for N in DEPTHS[:4]})
              for name, starts in FIXED.items()]
    data = xr.Dataset(
        {
            "flow_length": (("fixed", "depth"), np.array(list(flow.values()))),
            "simulated_length": (("fixed", "depth"), np.array(list(seen.values()))),
            "alpha": (("fixed", "depth"), np.array([[starts[N] for N in depths] for starts in FIXED.values()])),
        },
        coords={"depth": list(depths), "fixed": list(FIXED)},
    )
    return PaperFigure(
        "depth", "Depth separates the eigenvalues: the rank-1 plateau lasts longer",
        {"eigenvalues": PAIR, "learning_rate": RATE, "tolerance": TOLERANCE, "alpha": FIXED},
        [*panels, _lengths(depths, flow, seen)], data, _claims(depths, flow, seen),
    )


def _claims(depths, flow: dict[str, np.ndarray], seen: dict[str, np.ndarray]) -> list[Claim]:
    claims = []
    for name in FIXED:
        for N, expected, found in zip(depths, flow[name].tolist(), seen[name].tolist(), strict=True):
            claims.append(close(f"{name}, depth {N}: length of the rank-1 plateau", expected, found, tolerance=0.01))
        # Depths without a plateau have no length to compare.
        there = seen[name][seen[name] > 0]
        grows = bool(np.all(np.diff(there) > 0))
        claims.append(ordered(f"{name}: length of the rank-1 plateau", "grows with depth", seen[name].tolist(), grows))
    return claims


def _ranks(name: str, runs: dict[int, xr.Dataset]) -> Panel:
    lines = [
        Line(run.step.values * RATE, run.effective_rank.values, f"depth {N}", COLORS[i], style=STYLES[i])
        for i, (N, run) in enumerate(runs.items())
    ]
    # One axis for all depths: the deepest takes longest.
    last = max(float(run.step[-1]) for run in runs.values()) * RATE
    return Panel(
        f"{name} held fixed", "effective rank of W", "steps x learning rate", lines,
        log_x=True, bounds=(0.98, 1.8), span=(0.5, last),
    )


def _lengths(depths, flow: dict[str, np.ndarray], seen: dict[str, np.ndarray]) -> Panel:
    x = np.arange(len(depths))
    lines = []
    for i, name in enumerate(FIXED):
        lines.append(Line(x, flow[name], f"{name}, flow", COLORS[i], style=STYLES[i]))
        lines.append(Line(x, seen[name], f"{name}, simulated", COLORS[i], style="", marker="os"[i]))
    return Panel(
        "length of the rank-1 plateau (0: none)",
        "steps x learning rate",
        "depth",
        lines,
        ticks=[str(N) for N in depths],
    )
