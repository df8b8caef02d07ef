"""The rigorous bounds on the times of learning, beside the exact times."""

import numpy as np
import xarray as xr

from rankscape import theory
from rankscape.papers.claims import Claim
from rankscape.papers.figure import PaperFigure
from rankscape.plot import Line, Panel
from rankscape.plot.panels import COLORS

# Of the draws, plus the seed that is asked for.
SEED = 2024
KINDS = ("identical, lambda > 0", "identical, lambda < 0", "perturbed")


def time_bounds(quick: bool = False, seed: int = 0) -> PaperFigure:
    r"""Lower and upper bound over the exact step, for random :math:`N, \lambda, \alpha, \eta` and levels."""
    draws = 60 if quick else 400
    rng = np.random.default_rng(SEED + seed)
    tables = {kind: _measure(kind, draws, rng) for kind in KINDS}
    claims = []
    for kind, table in tables.items():
        wrong = int(np.sum((table["lower"] > table["exact"]) | (table["exact"] > table["upper"])))
        claims.append(Claim(f"{kind}: exact times outside of the bounds, of {draws}", 0, wrong, wrong == 0))
        off = int(np.max(np.abs(table["estimate"] - table["exact"])))
        claims.append(Claim(f"{kind}: predictor off by at most, in steps", 2, off, off <= 2))
    data = xr.Dataset(
        {name: (("kind", "draw"), np.stack([table[name] for table in tables.values()])) for name in tables[KINDS[0]]},
        coords={"kind": list(KINDS)},
    )
    return PaperFigure(
        "time-bounds", "Each exact time lies between its bounds; they close as the step shrinks",
        {"seed of the draws": SEED + seed, "draws": draws, "depth": "2 to 6", "level": "10 % to 99 % of the way"},
        [_panel(kind, table) for kind, table in tables.items()], data, claims,
    )


def _measure(kind: str, draws: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Bounds, predictor and exact time of random settings; the size of a step relative to its limit beside them."""
    names = ("share", "exact", "lower", "upper", "estimate")
    rows = []
    while len(rows) < draws:
        depth, share = int(rng.integers(2, 7)), float(np.exp(rng.uniform(np.log(0.003), np.log(0.9))))
        size, alpha = float(np.exp(rng.uniform(np.log(0.3), np.log(3)))), float(rng.uniform(0.3, 0.7))
        sign = -1 if kind == KINDS[1] or (kind == KINDS[2] and rng.random() < 0.5) else 1
        beta = float(alpha * rng.uniform(0.2, 1)) if kind == KINDS[2] else None
        lam, start = sign * size, alpha ** (depth - 1) * (alpha - (beta or 0.0))
        goal = lam if beta is not None or lam > 0 else 0.0
        level = start + float(rng.uniform(0.1, 0.99)) * (goal - start)
        kind_of_limit = "monotone" if beta is None else "uniform"
        eta = share * theory.step_limit([lam], depth, alpha, beta, kind=kind_of_limit).value
        exact = theory.hitting_time(lam, level, depth, alpha, eta, beta, method="exact", max_steps=200_000)
        bound = theory.hitting_time(lam, level, depth, alpha, eta, beta)
        guess = theory.hitting_time(lam, level, depth, alpha, eta, beta, method="predict")
        if exact.failed is None and bound.failed is None and exact.estimate > 0:
            rows.append((share, exact.estimate, bound.lower, bound.upper, guess.estimate))
    return dict(zip(names, np.array(rows, dtype=float).T, strict=True))


def _panel(kind: str, table: dict[str, np.ndarray]) -> Panel:
    order = np.argsort(table["share"])
    x = table["share"][order]
    ratio = {name: (table[name] / table["exact"])[order] for name in ("lower", "upper", "estimate")}
    lines = [
        Line(x, ratio["upper"], "upper bound", COLORS[1], style="", marker="v"),
        Line(x, ratio["lower"], "lower bound", COLORS[0], style="", marker="^"),
        Line(x, ratio["estimate"], "predictor", style="", marker="."),
    ]
    return Panel(
        kind, "divided by the exact time", "learning rate / its limit", lines,
        log_x=True, span=(0.003, 0.9), bounds=(0.4, 1.8), references=[(1.0, "exact time")],
    )
