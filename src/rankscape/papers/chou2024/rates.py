"""What the learning rate does."""

import warnings

import numpy as np
import xarray as xr

from rankscape import theory
from rankscape.errors import RankscapeWarning
from rankscape.papers.chou2024.runs import descend
from rankscape.papers.claims import Claim, between, close, ordered
from rankscape.papers.figure import PaperFigure
from rankscape.plot import Line, Panel
from rankscape.plot.panels import COLORS, STYLES

SPECTRUM = (5.0, 3.0, 1.5, 0.5)
DEPTH, ALPHA = 3, 0.1
BELOW = (0.2, 0.05, 0.01, 0.001)
# Learning rates as shares of the monotone limit.
BEYOND = (0.9, 1.5, 2.1)


def learning_rate(quick: bool = False) -> PaperFigure:
    r"""Below the limit :math:`1/(N\lambda^{2-2/N})` only the clock changes; above it p oscillates, then two-cycles."""
    limit = theory.step_limit(SPECTRUM, DEPTH, ALPHA).value
    shares = BELOW[:3] if quick else BELOW
    runs, claims = {}, []
    for share in shares:
        time = theory.hitting_time(0.5, 0.475, DEPTH, ALPHA, share * limit)
        edges = int(time.lower), int(time.upper)
        run = runs[share] = descend(SPECTRUM, DEPTH, ALPHA, share * limit, edges[1] + 1, edges=edges)
        seen = int(run.step.values[np.flatnonzero(run.eigenvalues.values[:, 3] >= 0.475)[0]])
        claims.append(between(f"{share:g} of the limit: step at which 0.5 is learned to 95 %", edges, seen))
    single_limit = theory.step_limit([1.0], 2, ALPHA).value
    single = {share: _every_step(share * single_limit, 60) for share in BEYOND}
    data = xr.merge(
        [
            *(_named(run.effective_rank, "effective_rank", share) for share, run in runs.items()),
            *(_named(run.eigenvalues.isel(mode=0, drop=True), "eigenvalue", share) for share, run in single.items()),
        ],
        compat="no_conflicts",
    )
    return PaperFigure(
        "learning-rate", "Below the limit the learning rate only changes the clock; above it, what happens",
        {"eigenvalues": SPECTRUM, "depth": DEPTH, "alpha": ALPHA, "limit": limit,
         "single": {"eigenvalue": 1, "depth": 2}},
        [_ranks(runs, limit), _waves(single)], data, claims + _beyond_the_limit(single, single_limit),
    )


def _every_step(learning_rate: float, steps: int) -> xr.Dataset:
    with warnings.catch_warnings():  # above the limit on purpose
        warnings.simplefilter("ignore", RankscapeWarning)
        return descend([1.0], 2, ALPHA, learning_rate, steps, edges=range(0, steps, 10))


def _beyond_the_limit(single: dict[float, xr.Dataset], limit: float) -> list[Claim]:
    paths = {share: run.eigenvalues.values[:, 0] for share, run in single.items()}
    monotone = bool(np.all(np.diff(paths[0.9]) >= -1e-15))
    swing = paths[1.5] - 1
    # Signs of what is left of the swing by rounding are no turns.
    turns = int(np.sum(np.diff(np.sign(swing[np.abs(swing) > 1e-9])) != 0))
    # At depth 2 the two points obey p q = 1 / eta^2 and p + q = lam + 1 / eta: here 16/21 and 25/21.
    cycle = sorted(_every_step(2.1 * limit, 2001).eigenvalues.values[-2:, 0].tolist())
    oscillates = turns > 5 and abs(swing[-1]) < 1e-6
    return [
        ordered("0.9 of the limit", "monotone convergence", [float(paths[0.9][-1])], monotone),
        ordered("1.5 of the limit: turns, distance", "oscillates and converges", [turns, float(swing[-1])], oscillates),
        close("2.1 of the limit: lower point of the two-cycle", 16 / 21, cycle[0], tolerance=1e-9),
        close("2.1 of the limit: upper point of the two-cycle", 25 / 21, cycle[1], tolerance=1e-9),
    ]


def _ranks(runs: dict[float, xr.Dataset], limit: float) -> Panel:
    lines = [
        Line(run.step.values * share * limit, run.effective_rank.values, f"{share:g} of the limit", COLORS[i],
             style=STYLES[i], width=3.0 - 0.7 * i)
        for i, (share, run) in enumerate(runs.items())
    ]
    last = max(float(run.step[-1]) * share for share, run in runs.items()) * limit
    return Panel(
        "below the limit", "effective rank of W", "steps x learning rate", lines,
        log_x=True, bounds=(0.9, 4.1), span=(0.1, last),
    )


def _waves(single: dict[float, xr.Dataset]) -> Panel:
    lines = [
        Line(
            run.step.values,
            run.eigenvalues.values[:, 0],
            f"{share:g} of the limit",
            COLORS[i],
            1.2,
            STYLES[i],
            "os^"[i],
        )
        for i, (share, run) in enumerate(single.items())
    ]
    return Panel("eigenvalue 1, depth 2", "eigenvalue of W", "step", lines, span=(0, 24))


def _named(values: xr.DataArray, name: str, share: float) -> xr.Dataset:
    return values.drop_attrs().rename(step=f"step_{share:g}").to_dataset(name=f"{name}_{share:g}")
