"""Stochastic gradient descent over measurements follows the same picture."""

import numpy as np
import xarray as xr

import rankscape as rs
from rankscape.dynamics import AbstractDynamics
from rankscape.papers.chou2024.sensing import SEED, STARTS, error_of, measured, records
from rankscape.papers.claims import Claim, between
from rankscape.papers.figure import PaperFigure
from rankscape.plot import Line, Panel
from rankscape.plot.panels import COLORS

RATE, STEPS, MEASUREMENTS, BATCH = 0.01, 20_000, 80, 2
# Range of the largest distance between the effective ranks of SGD and of gradient descent:
# noise moves the path, and the claims about its ends say that it does not lead it elsewhere.
APART = (0.02, 2.0)


def sgd(quick: bool = False, seed: int = 0) -> PaperFigure:
    """Batches of 2 of 80 measurements, drawn with replacement, beside full gradient descent with the same rate."""
    rules = {
        "gradient descent": rs.GradientDescent(RATE),
        "SGD, batches of 2": rs.SGD(RATE, batch_size=BATCH),
    }
    panels, claims, kept = [], [], {}
    for depth in (2, 3):
        runs = {name: _run(dynamics, depth, 50 if quick else 120, seed) for name, dynamics in rules.items()}
        lines = [
            Line(run.step.values, run.effective_rank.values, name, COLORS[i], 2.4 - i, ("-", "--")[i])
            for i, (name, run) in enumerate(runs.items())
        ]
        panels.append(Panel(f"depth {depth}", "effective rank of W", "step", lines, log_x=True, bounds=(0.9, 4.0),
                            span=(30, STEPS), references=[(1.6, "of the matrix")]))
        run = runs["SGD, batches of 2"]
        apart = float(np.max(np.abs(run.effective_rank.values - runs["gradient descent"].effective_rank.values)))
        claims.append(between(f"depth {depth}: largest distance of the effective ranks of SGD and gradient descent",
                              APART, apart))
        r = run.effective_rank.values
        seen = [float(r[0]), float(r.min()), float(r[-1])]
        holds = bool(r[0] > 2 and r.min() < 1.3 and abs(r[-1] - 1.6) < 0.1)
        claims.append(
            Claim(f"depth {depth}: effective rank at the start, lowest, at the end", [10, 1, 1.6], seen, holds,
                  "start above 2; lowest below 1.3; end +- 0.1")
        )
        errors = [float(each.error[-1]) for each in runs.values()]
        near = max(errors) < 0.05
        claims.append(Claim(f"depth {depth}: error of W, gradient descent and SGD", "below 0.05", errors, near))
        for name, each in runs.items():
            key = f"{name.split(',')[0].replace(' ', '_')}_depth_{depth}"
            kept[f"effective_rank_{key}"], kept[f"error_{key}"] = each.effective_rank.values, each.error.values
    steps = run.step.values
    return PaperFigure(
        "sgd", "SGD over measurements: the effective rank falls to about 1 and climbs to that of the matrix",
        {"eigenvalues": [1, 0.6], "n": 10, "measurements": MEASUREMENTS, "batch": BATCH, "learning_rate": RATE,
         "alpha": STARTS, "seed of operators and draws": SEED + seed},
        panels, xr.Dataset({name: ("step", values) for name, values in kept.items()}, coords={"step": steps}), claims,
    )


def _run(dynamics: AbstractDynamics, depth: int, count: int, seed: int) -> xr.Dataset:
    return rs.simulate(
        measured(MEASUREMENTS, seed), depth=depth, initialization=rs.Identical(STARTS[depth]), dynamics=dynamics,
        steps=STEPS, record=records(STEPS, count), seed=SEED + seed, observe={"error": error_of},
    ).dataset
