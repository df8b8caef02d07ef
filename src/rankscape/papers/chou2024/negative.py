"""Negative eigenvalues: lost from the identical start, learned late from the perturbed one."""

import numpy as np
import xarray as xr

from rankscape import theory
from rankscape.papers.chou2024.runs import bands, descend, edges_of, plateau_claims
from rankscape.papers.claims import Claim, between, close, ordered
from rankscape.papers.figure import PaperFigure
from rankscape.plot import Line, Panel
from rankscape.plot.panels import COLORS

SPECTRUM = (4.0, 2.0, 1.0, 0.0, -1.0, -3.0)
DEPTH, ALPHA, BETA, RATE = 3, 0.3, 0.1, 1e-3
STEPS = 30_000


def negative_eigenvalues(quick: bool = False) -> PaperFigure:
    """The identical start learns the positive part; the perturbed one learns all, but not in the order of modulus."""
    records = 150 if quick else 400
    learned = [lam for lam in SPECTRUM if lam]
    halves = {lam: theory.hitting_time(lam, lam / 2, DEPTH, ALPHA, RATE, beta=BETA) for lam in learned}
    plateaus = theory.plateaus(SPECTRUM, DEPTH, ALPHA, RATE, beta=BETA)
    # Recorded densely where an eigenvalue is half learned, and at the edges of plateaus.
    edges = [int(time.estimate) for time in halves.values()] + edges_of(plateaus)
    identical = descend(SPECTRUM, DEPTH, ALPHA, RATE, STEPS, records=records)
    perturbed = descend(SPECTRUM, DEPTH, ALPHA, RATE, STEPS, beta=BETA, edges=edges, records=records)
    claims = [*_time_claims(perturbed, halves), *_limit_claims(identical, perturbed)]
    claims += plateau_claims(perturbed, plateaus, "perturbed start")
    data = xr.merge([_named(identical, "identical"), _named(perturbed, "perturbed")], compat="no_conflicts")
    rank = Line(perturbed.step.values, perturbed.effective_rank.values, "perturbed", COLORS[0])
    lost = Line(identical.step.values, identical.effective_rank.values, "identical", COLORS[1], style="--")
    return PaperFigure(
        "negative-eigenvalues", "Negative eigenvalues need a perturbed start, and are learned late",
        {"eigenvalues": SPECTRUM, "depth": DEPTH, "alpha": ALPHA, "beta": BETA, "learning_rate": RATE},
        [
            _spectrum("identical start", identical, {}),
            _spectrum("perturbed start", perturbed, halves),
            Panel("effective rank", "effective rank of W", "step", [rank, lost],
                  log_x=True, bounds=(0.9, 3.5), span=(100, STEPS), bands=bands(plateaus),
                  shaded="guaranteed plateau of rank"),
        ], data, claims,
    )


def _time_claims(run: xr.Dataset, halves: dict[float, theory.HittingTime]) -> list[Claim]:
    claims, seen = [], {}
    for lam, time in halves.items():
        p = run.eigenvalues.isel(mode=SPECTRUM.index(lam)).values * np.sign(lam)
        seen[lam] = int(run.step.values[np.flatnonzero(p >= abs(lam) / 2)[0]])
        claims.append(
            between(f"perturbed start: step at which {lam:g} is half learned", (time.lower, time.upper), seen[lam])
        )
    predicted = sorted(halves, key=lambda lam: halves[lam].estimate)
    order = sorted(seen, key=lambda lam: seen[lam])
    claims.append(Claim("perturbed start: order of learning", predicted, order, predicted == order))
    return claims


def _limit_claims(identical: xr.Dataset, perturbed: xr.Dataset) -> list[Claim]:
    runs = {"identical": (identical, None), "perturbed": (perturbed, BETA)}
    claims = []
    for name, (run, beta) in runs.items():
        expected = theory.limit(SPECTRUM, DEPTH, ALPHA, beta).eigenvalues
        last = run.eigenvalues.isel(step=-1).values
        for lam, limit, found in zip(SPECTRUM, expected.tolist(), last.tolist(), strict=True):
            if lam:  # zero modes decay algebraically: see `rate`
                claims.append(close(f"{name} start: limit of the eigenvalue {lam:g}", limit, found, tolerance=0.01))
    falls = identical.eigenvalues.isel(mode=SPECTRUM.index(-1.0)).values
    claims.append(
        ordered("identical start: the eigenvalue -1", "stays positive", [float(falls.min())], falls.min() >= 0)
    )
    return claims


def _spectrum(title: str, run: xr.Dataset, halves: dict[float, theory.HittingTime]) -> Panel:
    lines = []
    for i, lam in enumerate(SPECTRUM):
        style = "-" if lam >= 0 else "--"
        lines.append(
            Line(run.step.values, run.eigenvalues.values[:, i], f"{lam:g}", 0.85 * i / len(SPECTRUM), style=style)
        )
    if halves:
        times = np.array([time.estimate for time in halves.values()], dtype=float)
        lines.append(Line(times, np.array(list(halves)) / 2, "half learned, predicted", style="", marker="o"))
    return Panel(title, "eigenvalues of W", "step", lines, log_x=True, span=(100, STEPS))


def _named(run: xr.Dataset, name: str) -> xr.Dataset:
    kept = run[["eigenvalues", "effective_rank"]].drop_attrs()
    return kept.rename({"step": f"step_{name}"} | {str(v): f"{v}_{name}" for v in kept})
