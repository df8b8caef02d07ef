"""The same picture where theory is open: a matrix seen through measurements, a random start, stochastic gradients."""

import numpy as np
import xarray as xr

import rankscape as rs
from rankscape.papers.claims import Claim, ordered
from rankscape.papers.figure import PaperFigure
from rankscape.plot import Line, Panel
from rankscape.plot.panels import COLORS, STYLES

# Of the operators, plus the seed that is asked for.
SEED = 5
# Rank 2 in dimension 10; its effective rank is 1.6.
TARGET = np.diag([1.0, 0.6, *[0.0] * 8])
# alpha by depth.
STARTS = {2: 0.01, 3: 0.1, 4: 0.2}


def sensing(quick: bool = False, seed: int = 0) -> PaperFigure:
    """Gaussian measurements of a rank-2 matrix: fewer than its 100 entries, from below the threshold to well above."""
    counts = (30, 45, 80) if quick else (30, 45, 60, 80)
    depths = (2, 3) if quick else (2, 3, 4)
    steps = 4_000 if quick else 10_000
    runs = {(m, N): _sense(m, N, steps, seed) for N in depths for m in counts}
    panels = [
        Panel(
            f"depth {N}", "effective rank of W", "step",
            [
                Line(run.step.values, run.effective_rank.values, f"{m} measurements", COLORS[i], 1.8, STYLES[i])
                for i, m in enumerate(counts)
                for run in [runs[m, N]]
            ],
            log_x=True, bounds=(0.9, 4.0), span=(10, steps), references=[(1.6, "of the matrix")],
        )
        for N in depths
    ]
    errors = {key: float(run.error[-1]) for key, run in runs.items()}
    x = np.arange(len(counts))
    curves = [
        Line(x, np.array([errors[m, N] for m in counts]), f"depth {N}", COLORS[i], 1.8, STYLES[i], "os^"[i])
        for i, N in enumerate(depths)
    ]
    panels.append(
        Panel("at the end", "relative error of W", "measurements", curves, log=True, ticks=list(map(str, counts)))
    )
    return PaperFigure(
        "sensing", "Sensing: the effective rank falls to 1, then climbs to that of the matrix when enough is measured",
        {"eigenvalues": [1, 0.6], "n": 10, "measurements": counts, "alpha": STARTS, "learning_rate": 0.05,
         "seed of the operators": SEED + seed},
        panels, _data(runs), _sensing_claims(runs, errors, counts, depths), columns=2,
    )


def measured(count: int, seed: int) -> rs.Sensing:
    """Gaussian measurements of `TARGET`, the first `count` of one list, divided by the root of their number."""
    operators = np.random.default_rng(SEED + seed).normal(size=(100, *TARGET.shape))[:count] / np.sqrt(count)
    return rs.Sensing(operators, operators.reshape(count, -1) @ TARGET.ravel())


def records(steps: int, count: int) -> np.ndarray:
    """Step 0 and about `count` log-spaced steps."""
    return np.unique(np.append(np.geomspace(1, steps, count).round(), 0)).astype(int)


def error_of(factors: list[np.ndarray]) -> float:
    """``||W - target||_F / ||target||_F``."""
    return float(np.linalg.norm(rs.product(factors) - TARGET) / np.linalg.norm(TARGET))


def _sense(count: int, depth: int, steps: int, seed: int) -> xr.Dataset:
    return rs.simulate(
        measured(count, seed), depth=depth, initialization=rs.Identical(STARTS[depth]),
        dynamics=rs.GradientDescent(0.05), steps=steps, record=records(steps, 120), observe={"error": error_of},
    ).dataset


def _sensing_claims(runs, errors, counts, depths) -> list[Claim]:
    claims = []
    for N in depths:
        run = runs[counts[-1], N]
        r = run.effective_rank.values
        # The rank falls first, from that of the start.
        least = int(np.argmin(r))
        name = f"depth {N}, {counts[-1]} measurements"
        seen = [float(r[0]), float(r[least]), float(r[-1])]
        holds = least > 0 and r[least] < 1.3 and abs(r[-1] - 1.6) < 0.1
        claims.append(
            Claim(f"{name}: effective rank at the start, lowest, at the end", [10, 1, 1.6], seen, bool(holds),
                  "falls; lowest below 1.3; end +- 0.1")
        )
        falls = [errors[m, N] for m in counts]
        claims.append(ordered(f"depth {N}: error", "falls with measurements", falls, bool(np.all(np.diff(falls) < 0))))
    # Rank 2 in dimension 10 has 36 degrees of freedom: just above them depth helps most.
    near = [errors[45, N] for N in depths]
    claims.append(ordered("45 measurements: error", "falls with depth", near, bool(np.all(np.diff(near) < 0))))
    return claims


def _data(runs) -> xr.Dataset:
    data = xr.Dataset()
    for (m, N), run in runs.items():
        step = f"step_depth_{N}"
        data = data.assign_coords({step: run.step.values})
        for name in ("effective_rank", "error"):
            data[f"{name}_depth_{N}_measurements_{m}"] = (step, run[name].values)
    return data
