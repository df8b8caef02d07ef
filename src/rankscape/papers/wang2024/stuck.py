"""Gradient descent is stuck where SGD is not."""

from itertools import pairwise
from typing import Any

import numpy as np
import xarray as xr

import rankscape as rs
from rankscape.data import KnownMatrix
from rankscape.papers.claims import Claim
from rankscape.papers.figure import PaperFigure
from rankscape.papers.wang2024.elsewhere import Case, Statement, fall, with_others
from rankscape.papers.wang2024.laboratory import (
    WIDTH,
    jumps_of,
    leave,
    ridge_of,
)
from rankscape.plot import Band, Line, Panel
from rankscape.plot.panels import COLORS, STYLES
from rankscape.solvers.descent.relaxation import Relaxed, relax
from rankscape.theory.landscape import hessian_signature

# A laboratory problem with a trap of rank 4.
DEEP: dict[str, Any] = dict(z=10.0, eps=0.28, beta=0.65)
DEEP_RIDGE, DEEP_RATE = 0.3, 0.2
# Ridges times m, one after another, with gradient descent, after the run.
LOWERED = (0.3, 0.1, 0.03, 0.01, 0.003, 0.001)
# The first step that is drawn.
FIRST = 1000
# Share of the ridge's part below which a gradient counts as zero: relaxations end near it.
LOOSE = 2e-6
# Asked of other problems.
STAYS = Statement("strict minimum", "gradient descent stays for ever, in a strict minimum")
HIGH = Statement("rank too high", "the rank of that minimum is above that of the truth")
FALLS = Statement("SGD loses a mode", "a run of SGD from there loses a mode", chance=True)
BETTER = Statement("then smaller error", "then, the ridge lowered, its test error is smaller", chance=True)


def stuck(quick: bool = False, seed: int = 0) -> PaperFigure:
    """From the very same minimum: gradient descent stays, which its Hessian proves, and SGD falls."""
    lab = rs.data.planted(**DEEP, seed=seed)
    ridge, seeds = ridge_of(lab, DEEP_RIDGE), range(8)
    trapped = relax(lab.problem, lab.start(width=WIDTH), ridge)
    start, start_rank = trapped.factors, trapped.rank
    seen = lab.problem.rows, lab.problem.columns, lab.problem.values
    kind = hessian_signature(start, *seen, ridge, tolerance=LOOSE).kind
    steps, gd_steps = (1_500_000, 20_000) if quick else (4_000_000, 300_000)
    observe = {"test_error": lambda factors: lab.test_error(rs.product(factors))}
    gd = rs.simulate(
        lab.problem, initialization=rs.Factors(start), dynamics=rs.GradientDescent(DEEP_RATE, ridge), steps=gd_steps,
        observe=observe, monitor=rs.RankMonitor(), record=rs.LogSpaced(40),
    )
    record = np.unique(np.append(np.geomspace(FIRST, steps, 61 if quick else 241).round().astype(int), 0))
    runs = leave(lab, start, rs.SGD(DEEP_RATE, ridge), steps, seeds, record, observe=observe)
    jumps = jumps_of(runs)
    # The first of the seeds that fall lowest.
    shown = max(range(len(jumps)), key=lambda k: (-jumps[k][-1][2] if jumps[k] else -start_rank, -k))
    one = runs.select(shown)
    lowered = {"SGD": _lower(lab, one.factors), "gradient descent": _lower(lab, gd.factors)}
    figure = PaperFigure(
        "stuck", f"From the same {kind} of rank {start_rank}: gradient descent stays for ever, SGD falls",
        {"problem": DEEP, "width": WIDTH, "depth": 3, "ridge * m": DEEP_RIDGE, "learning_rate": DEEP_RATE,
         "steps": steps, "steps of gradient descent": gd_steps, "seeds": list(seeds), "seed shown": shown,
         "diverged": sum(end == rs.Outcome.DIVERGED for end in runs.outcome)},
        _panels(gd.dataset, one.dataset, jumps[shown], lowered, kind, start_rank),
        _data(gd.dataset, one.dataset, lowered), _stuck_claims(gd, runs, trapped, kind, lowered),
    )
    return with_others(figure, _elsewhere, quick, seed)


def _panels(gd: xr.Dataset, sgd: xr.Dataset, jumps, lowered, kind: str, start_rank: int) -> list[Panel]:
    edges = [0.0, *[float(step) for step, *_ in jumps], float("inf")]
    ranks = [start_rank, *[after for *_, after in jumps]]
    bands = [Band(a, b, str(k)) for (a, b), k in zip(pairwise(edges), ranks, strict=True)]
    steps, span = sgd.step.values, (float(FIRST), float(sgd.step[-1]))
    here: dict[str, Any] = dict(log=True, log_x=True, bands=bands, shaded="rank under SGD", span=span)

    def pair(name: str) -> list[Line]:
        # A minimum is where gradient descent begins: its value there stands for all steps, run or not.
        still, ran = np.full(2, float(gd[name][0])), gd.step.values > 0
        return [Line(steps, sgd[name].values, "SGD", COLORS[0]),
                Line(gd.step.values[ran], gd[name].values[ran], "gradient descent, run", COLORS[1], 0, "", "o"),
                Line(np.array(span), still, f"gradient descent, {kind} (Hessian)", COLORS[1], 1.8, "--")]

    sigma = sgd.singular_values.values[:, :4]
    spectrum = [Line(steps, sigma[:, i], f"singular value {i + 1}", COLORS[i], 1.8, STYLES[i]) for i in range(4)]
    after = [Line(np.array(LOWERED), np.array(errors), f"from the end of {name}", COLORS[i], 1.8, "-", "os"[i])
             for i, (name, (errors, _)) in enumerate(lowered.items())]
    return [
        Panel("what is seen", "training loss", "step", pair("loss"), bounds=(1e-3, 0.1), **here),
        Panel("what is hidden", "mean squared test error", "step", pair("test_error"), bounds=(3, 10), **here),
        Panel("under SGD", "singular values of W", "step", spectrum, bounds=(1e-4, 40), **here),
        Panel("then the ridge is lowered by gradient descent", "mean squared test error", "ridge * m", after, log=True,
              log_x=True, span=(LOWERED[-1], LOWERED[0])),
    ]


def _stuck_claims(gd, runs, trapped: Relaxed, kind: str, lowered) -> list[Claim]:
    jumps, top = jumps_of(runs), trapped.rank
    ends = [lane[-1][2] if lane else top for lane in jumps]
    ups, moved = int(runs.up_jumps.sum()), float(np.max(np.abs(gd.product - rs.product(trapped.factors))))
    (low, low_objective), (high, high_objective) = (
        (e[-1], o[0]) for e, o in (lowered["SGD"], lowered["gradient descent"])
    )
    return [
        Claim("gradient descent stays for ever: kind of its minimum, by the Hessian", "strict minimum", kind,
              kind == "strict minimum"),
        Claim("rank of that minimum, where the truth has 2", [3, None], top, top >= 3),
        Claim("gradient descent: rank at the start and at the end", [top, top],
              [int(gd.alive_modes[0]), int(gd.alive_modes[-1])], bool((gd.alive_modes == top).all())),
        Claim("gradient descent: largest change of an entry of W", [0, 1e-3], moved, moved < 1e-3),
        Claim("SGD: lowest rank reached by 8 seeds", 2, min(ends), min(ends) == 2),
        Claim("SGD: seeds that lost a mode, of 8", "at least 5", sum(map(bool, jumps)), sum(map(bool, jumps)) >= 5),
        Claim("SGD: jumps up, over all seeds", 0, ups, ups == 0),
        Claim("jumps need not descend: loss + ridge at the lowest minimum, and at that of gradient descent", "higher",
              [low_objective, high_objective], low_objective > high_objective),
        Claim("the ridge lowered to 0.001 / m: test error after SGD, and after gradient descent",
              "at least 50 times smaller", [low, high], high > 50 * low),
    ]


def _lower(lab: KnownMatrix, factors: list[np.ndarray]) -> tuple[list[float], list[float]]:
    """Test error, and loss plus ridge, at the minimum of each ridge in turn."""
    errors, objectives = [], []
    for ridge_m in LOWERED:
        ridge = ridge_of(lab, ridge_m)
        factors = relax(lab.problem, factors, ridge).factors
        errors.append(lab.test_error(rs.product(factors)))
        objectives.append(lab.problem.loss_of_factors(factors) + ridge * sum(float(np.sum(W**2)) for W in factors))
    return errors, objectives


def _data(gd: xr.Dataset, sgd: xr.Dataset, lowered) -> xr.Dataset:
    names = ("loss", "objective", "test_error", "alive_modes")
    kept: dict[str, Any] = {f"sgd_{name}": ("step", sgd[name].values) for name in names}
    kept |= {f"gd_{name}": ("gd_step", gd[name].values) for name in names}
    kept |= {f"lowered_{name.split()[0]}": ("ridge_m", errors) for name, (errors, _) in lowered.items()}
    kept["sgd_singular_values"] = (("step", "index"), sgd.singular_values.values)
    kept["jumps"] = (("jump", "field"), sgd.jumps.values)
    return xr.Dataset(kept, coords={"step": sgd.step.values, "gd_step": gd.step.values, "ridge_m": list(LOWERED)})


def _elsewhere(one: Case) -> dict[Statement, bool | None]:
    """Whether gradient descent is stuck too high, whether SGD falls from there, and whether that helps."""
    lab, problem = one.lab, one.lab.problem
    kind = hessian_signature(
        one.stuck.factors, problem.rows, problem.columns, problem.values, one.ridge, tolerance=LOOSE
    ).kind
    fallen = fall(one, one.sgd())
    ends = [one.stuck.factors, fallen.lowest] if fallen.lowest is not None else []
    for share in (0.3, 0.1, 0.03):  # one ridge after another
        ends = [relax(problem, factors, share * one.ridge).factors for factors in ends]
    errors = [lab.test_error(rs.product(factors)) for factors in ends]
    return {STAYS: kind == "strict minimum",
            HIGH: one.stuck.rank > lab.rank, FALLS: fallen.fell,
            BETTER: errors[1] < errors[0] if errors else None}
