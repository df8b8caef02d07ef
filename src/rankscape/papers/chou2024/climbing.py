"""Eigenvalues are learned one after another, so the effective rank climbs from plateau to plateau."""

import numpy as np
import xarray as xr

from rankscape import theory
from rankscape.papers.chou2024.runs import bands, descend, edges_of, plateau_claims
from rankscape.papers.claims import Claim, between, close, ordered
from rankscape.papers.figure import PaperFigure
from rankscape.plot import Line, Panel
from rankscape.plot.panels import COLORS

SPECTRUM = (5.0, 3.0, 1.5, 0.5, 0.0)
RATE = 1e-3
# Depth 2 separates its eigenvalues only from a tiny start; deeper products from a moderate one.
ALPHAS = {2: 1e-3, 3: 0.1, 4: 0.2}


def eigenvalues(quick: bool = False) -> PaperFigure:
    r"""Eigenvalues of the product, and those of gradient flow at :math:`t = \eta k`.

    .. math:: d_{k+1} = d_k + \eta d_k^{N-1}(\lambda - d_k^N), \qquad p = d^N
    """
    panels, claims, kept = [], [], {}
    for depth, alpha in ALPHAS.items():
        times = [theory.hitting_time(lam, 0.95 * lam, depth, alpha, RATE) for lam in SPECTRUM if lam > 0]
        steps = round(1.6 * times[-1].upper)
        halves = [theory.hitting_time(lam, 0.5 * lam, depth, alpha, RATE) for lam in SPECTRUM if lam > 0]
        edges = [int(edge) for time in times + halves for edge in (time.lower, time.upper)]
        run = descend(SPECTRUM, depth, alpha, RATE, steps, edges=edges, records=150 if quick else 400)
        panels.append(_eigenvalue_panel(run, depth, alpha))
        claims += _time_claims(run, times, depth)
        kept[depth] = run[["eigenvalues", "effective_rank"]]
    return PaperFigure(
        "eigenvalues", "Gradient descent learns one eigenvalue after another; the larger, the earlier",
        {"eigenvalues": SPECTRUM, "alpha": ALPHAS, "learning_rate": RATE, "start": "identical"},
        panels, by_depth(kept), claims,
    )


def effective_rank(quick: bool = False) -> PaperFigure:
    r"""The effective rank :math:`\|W\|_* / \|W\|` beside the plateaus that theory guarantees."""
    panels, claims, kept = [], [], {}
    for depth, alpha in ALPHAS.items():
        plateaus = theory.plateaus(SPECTRUM, depth, alpha, RATE)
        steps = round(1.6 * max(edges_of(plateaus)))
        run = descend(SPECTRUM, depth, alpha, RATE, steps, edges=edges_of(plateaus), records=150 if quick else 400)
        levels = [(p.effective_rank, f"rank-{p.rank} projection") for p in plateaus]
        panels.append(
            Panel(
                f"depth {depth}, alpha = {alpha:g}",
                "effective rank of W",
                "step",
                [Line(run.step.values, run.effective_rank.values, "gradient descent", COLORS[0])],
                log_x=True,
                bounds=(0.8, 2.8),
                references=levels,
                bands=bands(plateaus),
                shaded="guaranteed plateau of rank",
                span=(steps / 300, steps),
            )
        )
        claims += plateau_claims(run, plateaus, f"depth {depth}")
        claims.append(_one_turn(run, depth))
        kept[depth] = run[["effective_rank"]]
    return PaperFigure(
        "effective-rank", "The effective rank climbs over the plateaus (shaded) that theory guarantees for each rank",
        {"eigenvalues": SPECTRUM, "alpha": ALPHAS, "learning_rate": RATE, "tolerance": 0.05, "start": "identical"},
        panels, by_depth(kept), claims,
    )


def _eigenvalue_panel(run: xr.Dataset, depth: int, alpha: float) -> Panel:
    steps, p = run.step.values, run.eigenvalues.values
    # Few points for the flow: dots beside the curves of the run, not curves over them.
    some = np.unique(np.geomspace(max(steps[-1] / 300, 1), steps[-1], 22).round())
    lines = []
    for i, lam in enumerate(SPECTRUM):
        flow = theory.flow_value(lam, some * RATE, depth, alpha)
        lines.append(Line(steps, p[:, i], f"gradient descent, towards {lam:g}", 0.85 * i / len(SPECTRUM)))
        lines.append(Line(some, np.asarray(flow), "gradient flow" if i == 0 else "", "#1f2933", style="", marker="."))
    references = [(lam, "") for lam in SPECTRUM[:4]]
    return Panel(
        f"depth {depth}, alpha = {alpha:g}", "eigenvalues of W", "step", lines,
        log_x=True, references=references, span=(float(steps[-1]) / 300, float(steps[-1])),
    )


def _time_claims(run: xr.Dataset, times: list[theory.HittingTime], depth: int) -> list[Claim]:
    claims = []
    for i, time in enumerate(times):
        lam = SPECTRUM[i]
        past = np.flatnonzero(run.eigenvalues.values[:, i] >= 0.95 * lam)
        seen = int(run.step.values[past[0]])
        claims.append(
            between(f"depth {depth}: step at which {lam:g} is learned to 95 %", (time.lower, time.upper), seen)
        )
    claims += [_lag_claim(run, i, depth) for i in range(len(times))]
    return claims


def _lag_claim(run: xr.Dataset, mode: int, depth: int) -> Claim:
    r"""Gradient descent and gradient flow differ by :math:`\tfrac12 \ln(h(d)/h(\alpha))` steps, to first order."""
    lam, alpha = SPECTRUM[mode], ALPHAS[depth]

    def h(d: float) -> float:
        return d ** (depth - 1) * (lam - d**depth)

    seen = float(np.interp(lam / 2, run.eigenvalues.values[:, mode], run.step.values))
    lag = seen - float(theory.flow_time(lam, lam / 2, depth, alpha)) / RATE
    expected = 0.5 * float(np.log(h((lam / 2) ** (1 / depth)) / h(alpha)))
    return close(f"depth {depth}: steps behind gradient flow at half of {lam:g}", expected, lag, tolerance=0.5)


def _one_turn(run: xr.Dataset, depth: int) -> Claim:
    """The rank falls to 1 and rises; only the decay of the zero mode may turn it once more."""
    r = run.effective_rank.values
    least = int(np.argmin(r))
    steps = run.step.values
    rises = np.diff(r[least:]) >= -1e-3  # the zero mode decays through the plateaus
    name = f"depth {depth}: effective rank falls to about 1, then rises"
    seen = [float(r[0]), float(r[least]), int(steps[least]), float(r[-1])]
    return ordered(name, "start > lowest < end", seen, bool(np.all(np.diff(r[: least + 1]) <= 1e-12) and rises.all()))


def by_depth(kept: dict[int, xr.Dataset]) -> xr.Dataset:
    """One data set; each depth has its own steps."""
    renamed = [
        run.drop_attrs().rename({"step": f"step_depth_{N}"} | {str(name): f"{name}_depth_{N}" for name in run})
        for N, run in kept.items()
    ]
    return xr.merge(renamed, compat="override", join="outer")
