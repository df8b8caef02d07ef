"""The same questions on several kinds of problem and several of each: how often what the other figures show holds."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import xarray as xr

import rankscape as rs
from rankscape.data import KnownMatrix
from rankscape.papers.claims import Claim
from rankscape.papers.figure import PaperFigure
from rankscape.papers.wang2024.laboratory import WIDTH, leave, ridge_of
from rankscape.plot import Line, Panel
from rankscape.plot.panels import COLORS
from rankscape.solvers.descent.relaxation import relax
from rankscape.theory.landscape import hessian_signature

RIDGE, RATE, LOOSE = 0.4, 0.17, 2e-6


def _random(lab: KnownMatrix, seed: int) -> list[np.ndarray]:
    """A start of random factors, for problems without a decoy."""
    rng, n = np.random.default_rng(seed), len(lab.matrix)
    return [0.5 * rng.normal(size=shape) for shape in ((WIDTH, n), (WIDTH, WIDTH), (n, WIDTH))]


# Planted ones trap gradient descent, the others do not.
KINDS: dict[str, Callable[[int], KnownMatrix]] = {
    "planted, rank 2": lambda seed: rs.data.planted(seed=seed),
    "planted, rank 3": lambda seed: rs.data.planted(n=30, rank=3, seed=seed),
    "planted, strong": lambda seed: rs.data.planted(z=10.0, eps=0.28, beta=0.65, seed=seed),
    "gaussian": lambda seed: rs.data.gaussian(24, 2, 3.0, seed),
    "heavy-tailed": lambda seed: rs.data.heavy_tailed(24, 2, 3.0, seed=seed),
}


@dataclass(frozen=True)
class Fate:
    """What became of one problem."""

    start: int
    """Live modes at the minimum of gradient descent."""
    kind: str
    """Of that minimum, by its Hessian."""
    share: float
    """Of the runs of SGD that lost a mode."""
    ups: int
    lowest: int
    """Rank of the minimum below the run that fell lowest."""
    truth: int


def kinds(quick: bool = False, seed: int = 0) -> PaperFigure:
    """SGD from the minimum of gradient descent, on every kind: stuck by its Hessian, one way, and how far down."""
    seeds, steps, runs = range(seed, seed + (2 if quick else 6)), 100_000 if quick else 600_000, 3 if quick else 12
    fates = {name: [_fate(make(k), k, steps, runs) for k in seeds] for name, make in KINDS.items()}
    x = np.arange(len(KINDS))
    shares = {
        "a strict minimum, by the Hessian": lambda f: f.kind == "strict minimum",
        "of too high a rank": lambda f: f.start > f.truth,
        "SGD loses a mode": lambda f: f.share > 0,
        "SGD never gains one": lambda f: f.ups == 0,
    }
    lines = [Line(x, np.array([np.mean([ask(f) for f in fates[name]]) for name in KINDS]), text, COLORS[i], 0, "",
                  "os^v"[i], size=11 - 2 * i) for i, (text, ask) in enumerate(shares.items())]
    ranks = [Line(x, np.array([np.mean([getattr(f, what) for f in fates[name]]) for name in KINDS]), text, COLORS[i],
                  0, "", "so_"[i], size=9) for i, (what, text) in enumerate(
                      (("start", "gradient descent"), ("lowest", "after SGD, lowest run"), ("truth", "of the truth")))]
    ticks = ["planted 2", "planted 3", "strong", "gaussian", "heavy tails"]
    return PaperFigure(
        "kinds", "On which kinds of problem: stuck, down, never up",
        {"kinds": list(KINDS), "problem seeds": list(seeds), "ridge * m": RIDGE, "learning_rate": RATE, "steps": steps,
         "runs of each": runs, "width": WIDTH},
        [Panel("share of the problems", "share", "kind of problem", lines, ticks=ticks, bounds=(-0.05, 1.08),
               span=(-0.5, len(KINDS) - 0.5)),
         Panel("mean rank", "rank of the minimum", "kind of problem", ranks, ticks=ticks,
               span=(-0.5, len(KINDS) - 0.5))],
        xr.Dataset({what: (("kind", "problem"), [[getattr(f, what) for f in each] for each in fates.values()])
                    for what in ("start", "share", "ups", "lowest", "truth")}, coords={"kind": list(KINDS)}),
        _claims(fates), columns=2,
    )


def _fate(lab: KnownMatrix, seed: int, steps: int, runs: int) -> Fate:
    ridge, problem = ridge_of(lab, RIDGE), lab.problem
    begin = _random(lab, seed) if lab.decoy is None else lab.start(width=WIDTH)
    minimum = relax(problem, begin, ridge)
    seen = problem.rows, problem.columns, problem.values
    kind = hessian_signature(minimum.factors, *seen, ridge, tolerance=LOOSE).kind
    left = leave(lab, minimum.factors, rs.SGD(RATE, ridge), steps, range(runs), [steps])
    held = [k for k, end in enumerate(left.outcome) if end != rs.Outcome.DIVERGED]
    down, up = (np.atleast_1d(left.dataset[name].values)[held] for name in ("down_jumps", "up_jumps"))
    lowest = minimum.rank
    if held and down.max() > 0:
        lowest = relax(problem, left.select(held[int(np.argmax(down - up))]).factors, ridge).rank
    return Fate(minimum.rank, kind, float(np.mean(down > 0)) if held else 0.0, int(up.sum()), lowest, lab.rank)


def _claims(fates: dict[str, list[Fate]]) -> list[Claim]:
    claims = []
    for name, each in fates.items():
        asked = {
            "gradient descent stays for ever: a strict minimum": [f.kind == "strict minimum" for f in each],
            "no run gains a mode": [f.ups == 0 for f in each],
            "no run ends above the rank where it began": [f.lowest <= f.start for f in each],
        }
        if name.startswith("planted"):
            asked["the minimum has too high a rank"] = [f.start > f.truth for f in each]
        claims += [Claim(f"{name}: {text}", "every problem", answers, all(answers),
                         problems=(sum(answers), len(answers))) for text, answers in asked.items()]
    jumped = [f.share > 0 for name, each in fates.items() if name.startswith("planted") for f in each]
    share = float(np.mean(jumped))
    return [*claims, Claim("planted: share of the problems on which a run loses a mode", [0.5, 1], share, share >= 0.5,
                           problems=(sum(jumped), len(jumped)))]
