"""Down, never up: many seeds from one trap, and a long run at the bottom."""

import numpy as np
import xarray as xr

import rankscape as rs
from rankscape.papers.claims import Claim, attempted
from rankscape.papers.figure import PaperFigure
from rankscape.papers.wang2024.elsewhere import Case, Statement, fall, with_others
from rankscape.papers.wang2024.laboratory import (
    RATE,
    RIDGE,
    SETTINGS,
    WIDTH,
    bottom,
    jumps_of,
    laboratory,
    leave,
    ridge_of,
    trap,
)
from rankscape.plot import Line, Panel
from rankscape.plot.panels import COLORS
from rankscape.solvers.descent.relaxation import relax
from rankscape.theory.landscape import balanced_factors

# Asked of other problems.
NEVER_UP = Statement("no mode gained", "no run of SGD gains a mode")
DIE = Statement("disturbed modes die", "the modes beyond the minimum near the truth, disturbed, die under SGD")


def one_way(quick: bool = False, seed: int = 0) -> PaperFigure:
    """Many seeds leave the trap of rank 3, and none of them, nor a long run at the bottom, comes up."""
    lab, seeds, rng = laboratory(seed), range(20 if quick else 100), np.random.default_rng(0)
    ridge, steps, long = ridge_of(lab, RIDGE), 500_000, 4_000_000 if quick else 100_000_000
    runs = leave(lab, trap(lab), rs.SGD(RATE, ridge), steps, seeds, [0, steps])
    first = np.sort([lane[0][0] if lane else steps + 1 for lane in jumps_of(runs)])
    up = int(runs.up_jumps.sum())
    mean = float(np.minimum(first, steps).sum() / max(1, np.sum(first <= steps)))
    # Disturbed: a mode at exactly zero could not come back, whatever the noise does.
    awake = [W + 0.1 * rng.normal(size=W.shape) for W in bottom(lab)]
    low = rs.simulate(
        lab.problem, initialization=rs.Factors(awake), dynamics=rs.SGD(0.1, ridge), steps=long, seed=0,
        record=rs.LogSpaced(80), monitor=rs.RankMonitor(),
    ).dataset
    t = np.linspace(0, 1.2 * first[first <= steps].max(initial=1.0), 200)
    stay = Line(
        np.append(0, first), 1 - np.arange(len(first) + 1) / len(first), f"{len(seeds)} seeds", COLORS[0], steps=True
    )
    third = low.singular_values.values[:, 1:4]
    parts = [
        Panel("seeds still at rank 3", "share of the seeds", "step",
              [stay, Line(t, np.exp(-t / mean), "exponential law of the same mean", COLORS[1], 1.8, "--")],
              span=(0, float(t[-1])), bounds=(0.0, 1.02)),
        Panel("jumps of each seed", "jumps", "seed",
              [Line(np.arange(len(first)), runs.down_jumps.values, "down", COLORS[0], 0, "", "v"),
               Line(np.arange(len(first)), runs.up_jumps.values, "up", COLORS[1], 0, "", "^")],
              bounds=(-0.2, 2.2), whole=True),
        Panel("a long run at the bottom", "singular values of W", "step",
              [Line(low.step.values, third[:, i], f"singular value {i + 2}", COLORS[i], 1.8, ("-", "--", ":")[i])
               for i in range(3)], log=True, log_x=True, span=(1, long), bounds=(1e-18, 30)),
    ]
    jumped = int(np.sum(first <= steps))
    claims = [
        Claim("share of the seeds that jump within the budget", [0.9, 1], jumped / len(first),
              jumped >= 0.9 * len(first)),
        Claim("jumps up over all seeds", 0, up, up == 0),
        attempted("mean time to the jump over its standard deviation (1 for a law without memory)", [0.6, 1.7],
                  lambda: _spread(first, steps), [0.6, 1.7]),
        Claim("long run at the bottom: jumps up", 0, int(low.up_jumps), int(low.up_jumps) == 0),
        Claim("long run at the bottom: live modes at the end", 2, int(low.alive_modes[-1]),
              int(low.alive_modes[-1]) == 2),
        Claim("long run at the bottom: third singular value at the start and at the end", "dies",
              [float(third[0, 1]), float(third[-1, 1])], bool(third[0, 1] > 1e-3 and third[-1, 1] < 1e-12)),
    ]
    data = {"first_jump": ("seed", first), "singular_values": (("step", "index"), low.singular_values.values)}
    figure = PaperFigure(
        "one-way", "Down, never up: many seeds from one trap, and a long run at the bottom",
        SETTINGS | {"learning_rate": RATE, "steps": steps, "seeds": len(seeds), "long run": {"steps": long,
                    "learning_rate": 0.1, "seed": 0}},
        parts, xr.Dataset(data, coords={"step": low.step.values}), claims,
    )
    return with_others(figure, _elsewhere, quick, seed)


def _spread(first: np.ndarray, steps: int) -> tuple[float, bool]:
    """The mean of the times over their standard deviation, where nearly all have come; others are cut at the end."""
    came = np.mean(first <= steps)
    if came < 0.9:
        raise ValueError(f"{came:.0%} of the seeds jump: too few to tell")
    ratio = float(first.mean() / max(first.std(), 1e-9))
    return ratio, 0.6 <= ratio <= 1.7


def _elsewhere(one: Case) -> dict[Statement, bool | None]:
    """Runs from where gradient descent is stuck, and one from the disturbed minimum near the truth."""
    near = relax(one.lab.problem, balanced_factors(one.lab.matrix, 3, WIDTH), one.ridge)
    rng = np.random.default_rng(0)
    awake = [W + 0.05 * rng.normal(size=W.shape) for W in near.factors]
    run = leave(one.lab, awake, one.sgd(0.5), 400_000, [0], [400_000])
    diverged = run.outcome[0] == rs.Outcome.DIVERGED
    dead = float(run.singular_values.values[0, -1, near.rank]) < 1e-9
    return {NEVER_UP: fall(one, one.sgd()).up == 0,
            DIE: None if diverged else dead}
