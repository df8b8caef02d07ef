"""One mode alone: its minimum, the barrier before it, and the thresholds, by depth."""

import numpy as np
import xarray as xr

import rankscape as rs
from rankscape.papers.claims import Claim, close
from rankscape.papers.figure import PaperFigure
from rankscape.plot import Line, Panel
from rankscape.plot.panels import COLORS, STYLES
from rankscape.theory.landscape import critical_points, scalar_thresholds

RIDGE, RATE, STEPS = 0.5, 0.05, 8_000
# Size of all modes at the start, above every minimum.
ABOVE = 4.0
# By depth: sizes at the start that are above the barrier of some targets only.
STARTS = {2: (), 3: (0.03, 0.1, 0.3), 4: (0.1, 0.2, 0.4)}


def scalar_landscape(quick: bool = False) -> PaperFigure:
    """The objective of one mode, where gradient descent ends, and from which size of the target on a mode survives."""
    depths = (2, 3, 4)
    targets = np.arange(0.5, 3.5, 0.005)  # a percent of a threshold is more
    ends = {N: _ends(N, (*STARTS[N], ABOVE), targets) for N in depths}
    landscape = [_objective(N, i) for i, N in enumerate(depths)]
    # At depth 2 there is no barrier to mark.
    marks = [Line(*_critical(N), "", COLORS[i], 0, "", "os^"[i]) for i, N in enumerate(depths) if N > 2]
    parts = [
        Panel("objective of a mode with target 2.5", "loss + ridge, minus its value at 0", "size s of the mode",
              [*landscape, *marks], references=[(0.0, "at s = 0")]),
        *[_bifurcation(N, targets, ends[N]) for N in depths],
        _thresholds(depths),
    ]
    data = {f"end_depth_{N}_start_{s}": ("target", end) for N in depths for s, end in ends[N].items()}
    return PaperFigure(
        "scalar-landscape", "One mode: at depth 3 and more zero stays a minimum, and a barrier stands before the other",
        {"ridge": RIDGE, "weight": 1, "learning_rate": RATE, "steps": STEPS, 
         "starts": {N: [*s, ABOVE] for N, s in STARTS.items()}},
        parts, xr.Dataset(data, coords={"target": targets}),
        [claim for N in depths for claim in _claims(N, targets, ends[N])],
    )


def _ends(depth: int, starts: tuple[float, ...], targets: np.ndarray) -> dict[float, np.ndarray]:
    """Where gradient descent ends on each target, from each size: modes do not see each other."""
    sizes = [rs.Identical(s ** (1 / depth)) for s in starts]
    runs = rs.simulate(
        rs.Estimation(eigenvalues=targets), depth=depth, initialization=sizes,
        dynamics=rs.GradientDescent(RATE, RIDGE), steps=STEPS, record=[STEPS],
    )
    return dict(zip(starts, runs.eigenvalues.values[:, -1], strict=True))


def _objective(depth: int, place: int) -> Line:
    s = np.linspace(0, 3.4, 300)
    mode = critical_points(2.5, depth, RIDGE)
    return Line(s, mode.objective(s) - mode.objective(0.0), f"depth {depth}", COLORS[place], 1.8, STYLES[place])


def _critical(depth: int) -> tuple[np.ndarray, np.ndarray]:
    mode = critical_points(2.5, depth, RIDGE)
    s = np.array([mode.barrier, mode.minimum])
    return s, mode.objective(s) - mode.objective(0.0)


def _bifurcation(depth: int, targets: np.ndarray, ends: dict[float, np.ndarray]) -> Panel:
    """Minimum and barrier by target, with the ends of gradient descent from above, and where each start survives."""
    mode = critical_points(targets, depth, RIDGE)
    minimum = np.where(mode.minimum > 0, mode.minimum, np.nan)
    lines = [Line(targets, minimum, "predicted minimum", COLORS[0])]
    # Markers on every target would hide the predicted curve.
    thin = slice(None, None, max(1, len(targets) // 30))
    lines.append(Line(targets[thin], ends[ABOVE][thin], "descent from 4", COLORS[1], 0, "", "."))
    if depth > 2:
        barrier = np.where(mode.minimum > 0, mode.barrier, np.nan)
        lines.append(Line(targets, barrier, "predicted barrier", COLORS[0], 1.8, "--"))
        least = np.array([_least(targets, ends[s]) for s in STARTS[depth]])
        lines.append(Line(least, np.array(STARTS[depth]), "least survivor", COLORS[2], 0, "", "s"))
    return Panel(f"depth {depth}: minimum and barrier", "size s of the mode", "size a of its target", lines,
                 span=(0.0, float(targets[-1])), bounds=(-0.1, 3.2))


def _thresholds(depths: tuple[int, ...]) -> Panel:
    kappa = np.geomspace(0.01, 10, 60)
    lines = []
    for i, N in enumerate(depths):
        at = np.array([scalar_thresholds(N, k) for k in kappa])
        lines.append(Line(kappa, at[:, 1], f"depth {N}: exists", COLORS[i], 1.8, STYLES[i]))
        if N > 2:
            lines.append(Line(kappa[::6], at[::6, 3], f"depth {N}: is global", COLORS[i], 0, "", "os^"[i]))
    return Panel("from which target on the minimum ...", "size a of the target", "ridge: 2 lambda / weight", lines,
                 log=True, log_x=True, span=(0.01, 10))


def _claims(depth: int, targets: np.ndarray, ends: dict[float, np.ndarray]) -> list[Claim]:
    """What was predicted for every target, and the thresholds to within the spacing of the targets."""
    mode, spacing = critical_points(targets, depth, RIDGE), float(targets[1] - targets[0])
    limits = scalar_thresholds(depth, 2 * RIDGE)
    above = ends[ABOVE]
    claims = [
        close(f"depth {depth}: least target that survives", limits.a_local, _least(targets, above), 1.01 * spacing),
        _clear(f"depth {depth}: distance of the end from the minimum, off the threshold",
               np.abs(above - mode.minimum)[np.abs(targets - limits.a_local) > 0.05]),
    ]
    for s in STARTS[depth]:
        predicted = float(targets[mode.barrier < s][0])
        claims.append(close(f"depth {depth}: least target that a start of {s} survives", predicted,
                            _least(targets, ends[s]), 1.01 * spacing))
    grid = np.linspace(0, 4, 20_001)
    best = [grid[np.argmin(critical_points(a, depth, RIDGE).objective(grid))] for a in targets]
    # By search, which knows nothing of the formula for the threshold.
    lowest = float(targets[np.array(best) > 1e-3][0])
    claims.append(close(f"depth {depth}: least target whose minimum beats zero, by search on a grid",
                        limits.a_global, lowest, 1.01 * spacing))
    return claims


def _least(targets: np.ndarray, ends: np.ndarray) -> float:
    return float(targets[ends > 1e-3][0])


def _clear(name: str, distance: np.ndarray) -> Claim:
    return Claim(name, [0, 1e-6], float(distance.max()), bool(distance.max() < 1e-6))
