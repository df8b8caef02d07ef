"""Minima of too low a rank can be avoided: from a point whose objective is low enough, no descent ends in one."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import xarray as xr

import rankscape as rs
from rankscape.data import KnownMatrix
from rankscape.papers.claims import Claim, close
from rankscape.papers.figure import PaperFigure
from rankscape.papers.wang2024.laboratory import WIDTH, rank_after
from rankscape.plot import Line, Panel
from rankscape.plot.panels import COLORS, STYLES
from rankscape.theory.landscape import RankCertificate, balanced_factors, rank_certificate

# The ridge over the largest one that certifies the true rank; disturbances of the truth's factors that are tried.
SHARE, NOISES = 0.5, (0.4, 0.3, 0.2, 0.15, 0.1, 0.05, 0.02, 0.0)
# Size of the entries of the start that is not certified.
SMALL = 0.005

KINDS: dict[str, Callable[[int], KnownMatrix]] = {
    "planted": lambda seed: rs.data.planted(seed=seed),
    "gaussian": lambda seed: rs.data.gaussian(24, 2, 3.0, seed),
    "heavy-tailed": lambda seed: rs.data.heavy_tailed(24, 2, 3.0, seed=seed),
}


@dataclass(frozen=True, eq=False)
class Descent:
    """Two descents on one problem with one ridge: from a certified start, and from a small one."""

    certificate: RankCertificate
    rank: int
    """Certified at the start."""
    objective: np.ndarray
    second: dict[str, np.ndarray]
    """The second singular value of W along both."""
    ends: dict[str, int]
    """The rank of the minimum below the end of both."""
    steps: np.ndarray


def avoided(quick: bool = False, seed: int = 0) -> PaperFigure:
    """Gradient descent below the bound of rank 1 keeps rank 2; from a small start the same ridge leads to less."""
    steps = 2_000 if quick else 20_000
    found = {name: _descent(make(seed), seed, steps) for name, make in KINDS.items()}
    bound = [Line(d.steps[1:], d.objective[1:] / d.certificate.bounds[1], name, COLORS[i], 1.8, STYLES[i])
             for i, (name, d) in enumerate(found.items())]
    second = [Line(d.steps[1:], np.maximum(values[1:], 1e-12), f"{name}, {how} start", COLORS[i], 1.8,
                   "-" if how == "certified" else ":")
              for i, (name, d) in enumerate(found.items()) for how, values in d.second.items()]
    return PaperFigure(
        "avoided", "Minima of too low a rank are avoided from a start whose objective is below the bound of that rank",
        {"kinds": list(KINDS), "ridge over the largest certified one": SHARE, "steps": steps, "width": WIDTH,
         "disturbances": NOISES, "small start": SMALL},
        [Panel("objective over the least loss of rank 1", "(loss + ridge) / bound", "step", bound, log=True, log_x=True,
               span=(1, steps), references=[(1.0, "no matrix of rank 1 is below")]),
         Panel("second singular value", "second singular value of W", "step", second, log=True, log_x=True,
               span=(1, steps))],
        xr.Dataset({f"objective_{name}": ("record", d.objective) for name, d in found.items()}),
        [claim for name, d in found.items() for claim in _claims(name, d)] + [_sharp()], columns=2,
    )


def _descent(lab: KnownMatrix, seed: int, steps: int) -> Descent:
    problem, rng = lab.problem, np.random.default_rng(seed)
    certificate = rank_certificate(problem.rows, problem.columns, problem.values, problem.shape, rank=2)
    ridge = SHARE * certificate.largest_ridge(2, lab.matrix, 3)
    truth = balanced_factors(lab.matrix, 3, WIDTH)

    def objective(factors: list[np.ndarray]) -> float:
        return problem.loss_of_factors(factors) + ridge * sum(float(np.sum(W**2)) for W in factors)

    moves = [rng.normal(size=W.shape) * np.std(W) for W in truth]
    starts = ([W + noise * move for W, move in zip(truth, moves, strict=True)] for noise in NOISES)
    # As far from the truth as the certificate reaches.
    certified = next(start for start in starts if certificate.rank(objective(start)) >= 2)
    small = [SMALL * rng.normal(size=W.shape) for W in truth]
    top = float(np.linalg.norm(lab.matrix, 2))
    rate = 0.2 * len(problem.values) / (3 * top ** (4 / 3))
    runs = {
        how: rs.simulate(problem, initialization=rs.Factors(start), dynamics=rs.GradientDescent(rate, ridge),
                         steps=steps, record=rs.LogSpaced(60))
        for how, start in (("certified", certified), ("small", small))
    }
    ridge_m = ridge * len(problem.values)
    return Descent(
        certificate, certificate.rank(objective(certified)), runs["certified"].objective.values,
        {how: run.singular_values.values[:, 1] for how, run in runs.items()},
        {how: rank_after(lab, run.factors, ridge_m) for how, run in runs.items()}, runs["certified"].step.values,
    )


def _claims(name: str, d: Descent) -> list[Claim]:
    rise = float(np.max(np.diff(d.objective), initial=0.0))
    return [
        Claim(f"{name}: rank certified at the start", 2, d.rank, d.rank >= 2, "2 or more"),
        Claim(f"{name}: largest rise of the objective", [0, 1e-12], rise, rise <= 1e-12),
        Claim(f"{name}: rank of the minimum below the certified start", 2, d.ends["certified"],
              d.ends["certified"] >= d.rank, "the certified one or more"),
        Claim(f"{name}: rank of the minimum below the small start", "too low", d.ends["small"],
              d.ends["small"] < d.rank, "less than certified"),
    ]


def _sharp() -> Claim:
    """Where every entry is seen the bound is the loss of the best matrix of rank 1, and no less."""
    T = np.random.default_rng(0).normal(size=(6, 5))
    rows, columns = (place.ravel() for place in np.indices(T.shape))
    bound = float(rank_certificate(rows, columns, T.ravel(), T.shape, rank=2).bounds[1])
    U, s, Vt = np.linalg.svd(T)
    best = float(np.mean((T - s[0] * np.outer(U[:, 0], Vt[0])) ** 2) / 2)
    return close("every entry seen: the bound of rank 1 over the loss of the best such matrix", 1.0, bound / best, 1e-9)
