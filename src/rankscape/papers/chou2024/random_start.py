"""From a small random start the same plateaus appear in the same order."""

from itertools import pairwise

import numpy as np
import xarray as xr

import rankscape as rs
from rankscape.papers.claims import Claim, between
from rankscape.papers.figure import PaperFigure
from rankscape.plot import Line, Panel
from rankscape.plot.panels import COLORS, STYLES

SPECTRUM = (5.0, 3.0, 1.5)
# Effective ranks of the target's projections to rank 1, 2 and 3.
LEVELS = (1.0, 1.6, 1.9)
# Scale, learning rate and steps by depth.
SETTINGS = {2: (1e-3, 5e-3, 2_000), 3: (0.03, 5e-3, 5_000), 4: (0.1, 4e-3, 5_000)}
NEAR = 0.05


def random_start(quick: bool = False, seed: int = 0) -> PaperFigure:
    """Independent normal entries in every factor, several seeds, n = 10."""
    count = 2 if quick else 4
    seeds = range(count * seed, count * (seed + 1))
    target = rs.Estimation(np.diag([*SPECTRUM, *[0.0] * 7]))
    panels, claims, kept = [], [], {}
    for depth, (scale, rate, steps) in SETTINGS.items():
        record = np.unique(np.append(np.geomspace(1, steps, 80 if quick else 250).round(), 0)).astype(int)
        run = rs.simulate(
            target, depth=depth, initialization=rs.Gaussian(scale), dynamics=rs.GradientDescent(rate),
            steps=steps, record=record, seed=list(seeds),
        ).dataset
        lines = [
            Line(run.step.values, r, f"seed {seeds[k]}", COLORS[k], 1.6, STYLES[k])
            for k, r in enumerate(run.effective_rank.values)
        ]
        levels = [(level, f"rank-{L} projection") for L, level in enumerate(LEVELS, start=1)]
        panels.append(Panel(f"depth {depth}, scale {scale:g}", "effective rank of W", "step", lines,
                            log_x=True, bounds=(0.9, 3.5), span=(20, steps), references=levels))
        claims += [_order(run.isel(run=k), f"depth {depth}, start {k + 1}") for k in range(count)]
        if depth == 2:
            claims += [_escape(run.isel(run=k), scale, rate, f"depth 2, start {k + 1}") for k in range(count)]
        kept[f"effective_rank_depth_{depth}"] = (("seed", f"step_depth_{depth}"), run.effective_rank.values)
        kept[f"step_depth_{depth}"] = run.step.values
    return PaperFigure(
        "random-start", "A small random start: the same plateaus in the same order",
        {"eigenvalues": SPECTRUM, "n": 10, "scale, learning_rate, steps": SETTINGS, "seeds": list(seeds)},
        panels, xr.Dataset(kept, coords={"seed": list(seeds)}), claims,
    )


def _order(run: xr.Dataset, where: str) -> Claim:
    """After the initial decrease, the effective rank is near 1, then 1.6, then 1.9 for whole intervals."""
    r, steps = run.effective_rank.values, run.step.values
    falls, least = float(r[0]) > LEVELS[-1], int(np.argmin(r))
    seen = []
    for level in LEVELS:
        near = least + np.flatnonzero(np.abs(r[least:] - level) < NEAR)
        seen.append([int(steps[near[0]]), int(steps[near[-1]])] if near.size else None)
    apart = None not in seen and all(a[1] < b[0] for a, b in pairwise(seen))
    return Claim(f"{where}: steps near effective rank 1, 1.6, 1.9", "one after another", seen, bool(apart and falls))


def _escape(run: xr.Dataset, scale: float, rate: float, where: str) -> Claim:
    r"""A small random start is a power iteration first: one mode is out at :math:`\ln(\sigma_1/s^2)/(2\sigma_1)`."""
    predicted = np.log(SPECTRUM[0] / scale**2) / (2 * SPECTRUM[0]) / rate
    seen = float(np.interp(SPECTRUM[0] / 2, run.singular_values.values[:, 0], run.step.values))
    # The overlap of a random start with the leading vectors shifts the time by some of its size.
    interval = (round(0.7 * predicted), round(1.3 * predicted))
    return between(f"{where}: step at which 5 is half learned", interval, round(seen))
