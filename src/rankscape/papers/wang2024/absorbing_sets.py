"""Sets that SGD enters and never leaves: their margins over runs, whoever chooses the entries."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import xarray as xr

import rankscape as rs
from rankscape.papers.claims import Claim
from rankscape.papers.figure import PaperFigure
from rankscape.papers.wang2024.elsewhere import RUNS, STEPS, Case, Statement, with_others
from rankscape.papers.wang2024.laboratory import RATE, RIDGE, SETTINGS, jumps_of, laboratory, leave, ridge_of, trap
from rankscape.plot import Line, Panel
from rankscape.plot.panels import COLORS, STYLES
from rankscape.theory.absorbing import RankSet, StepCertificate, soft_rank, step_certificate, worst_case
from rankscape.theory.landscape import critical_points, entries

TARGET = np.array([[1.0, 0.3, -0.2], [0.3, 1.0, 0.1], [-0.2, 0.1, -0.5]])
# The ridge of the small problem; its learning rate is so many times the one for which absorption is proved.
SMALL_RIDGE, FACTOR = 0.2, 1000
# Soft rank at the start, just inside the set of rank 1.
EDGE = 1.745

# For the laboratory problem, whose learning rate is far beyond what constants from the data alone allow.
LOOSE = RankSet(2, alpha=1e-2, eps1=8.0, eps2=0.75, C=20.0)
# Asked of other problems.
OUTSIDE = Statement("outside before", "a run that jumps to rank r begins outside of B_r")
INSIDE = Statement("inside at the end", "it ends inside of B_r, and of all records none is outside after one inside")


def soft_rank_margins(quick: bool = False, seed: int = 0) -> PaperFigure:
    """Margins of B_1 under random and worst draws, the barrier outside it, and margins of B_2 through a jump."""
    absorption = worst_case(1, depth=3, ridge=SMALL_RIDGE, largest_value=float(np.abs(TARGET).max()))
    rate, inside = FACTOR * absorption.largest_learning_rate, absorption.rank_set
    rng, steps = np.random.default_rng(0), 700 if quick else 20_000
    choose = {
        "random draws": lambda certificate: int(rng.integers(TARGET.size)),
        "always the worst entry": lambda certificate: certificate.adversary,
    }
    walks = {name: _walk(inside, rate, pick, steps) for name, pick in choose.items()}
    # From a singular value of W to a squared one of a layer: s^(2/3) at depth 3.
    barrier = float(critical_points(1.0, 3, SMALL_RIDGE).barrier) ** (2 / 3)
    starts = (inside.alpha / 2, 0.97 * barrier, 1.03 * barrier)
    single = {x: _one_entry(x, rate) for x in starts}
    run = _through_a_jump(quick, seed)
    parts = [_soft_panel(walks), _margin_panel(walks["always the worst entry"]),
             _barrier_panel(single, barrier, inside.alpha), _jump_panel(run)]
    data = {f"{what}_{name.split()[0]}": (("step", "bound"), values) for name, walk in walks.items()
            for what, values in (("margins", walk[:, 1:4]), ("certified", walk[:, 4:]))}
    data |= {f"soft_rank_{name.split()[0]}": ("step", walk[:, 0]) for name, walk in walks.items()}
    later = {f"laboratory_{name}": (("laboratory_step", "bound"), values) for name, values in
             (("margins", run.margins.values[:, 0]), ("certified", run.certified.values))}
    figure = PaperFigure(
        "soft-rank", "Inside B_r no draw leads out, not even the worst; the laboratory run enters B_2 at its jump",
        {"target": TARGET, "ridge": SMALL_RIDGE, "learning_rate": rate, "over the proved one": FACTOR, "steps": steps,
         "set": repr(inside), "laboratory": SETTINGS | {"learning_rate": RATE, "seed": 3, "set": repr(LOOSE)}},
        parts, xr.Dataset(data | later, coords={"laboratory_step": run.step.values}),
        _claims(walks, single, run),
    )
    return with_others(figure, _elsewhere, quick, seed)


def _walk(inside: RankSet, rate: float, pick: Callable[[StepCertificate], int], steps: int) -> np.ndarray:
    """Step by step: soft rank and margins after each step, and what had been certified for it."""
    alpha, (rows, columns, values) = inside.alpha, entries(TARGET)
    # One mode that counts fully, and one whose soft count is EDGE - 1.
    x = np.array([0.5, alpha * (1 - np.sqrt(1 - (EDGE - 1))), 0.0])
    factors, rho = [np.diag(np.sqrt(x))] * 3, 1 - 2 * rate * SMALL_RIDGE
    rows_seen = []
    for _ in range(steps):
        certificate = step_certificate(inside, factors, rows, columns, values, rate, SMALL_RIDGE)
        k = pick(certificate)
        i, j, (first, second, third) = rows[k], columns[k], factors
        push = rate * ((third[i] @ second) @ first[:, j] - values[k])
        up = [third[i] @ second, third[i], np.eye(3)[i]]
        down = [np.eye(3)[j], first[:, j], second @ first[:, j]]
        # SGD written out: what is certified here does not rest on an engine.
        factors = [rho * W - push * np.outer(u, v) for W, u, v in zip(factors, up, down, strict=True)]
        rows_seen.append([soft_rank(factors, alpha).max(), *inside.margins(factors), *certificate.margins])
    return np.array(rows_seen)


def _one_entry(x: float, rate: float) -> xr.Dataset:
    """An entry of value 1 is drawn for ever and nothing else; `x` is the squared size of its mode in a layer."""
    start = rs.Factors([np.full((1, 1), np.sqrt(x))] * 3)
    return rs.simulate(
        rs.Completion([0], [0], [1.0], shape=(1, 1)), initialization=start, dynamics=rs.SGD(rate, SMALL_RIDGE),
        steps=30_000, record=rs.LogSpaced(60), observe={"x": lambda factors: float(factors[1][0, 0] ** 2)},
    ).dataset


def _through_a_jump(quick: bool, seed: int) -> xr.Dataset:
    """Margins of B_2 in the laboratory, and what the certificate says about any next step."""
    lab = laboratory(seed)
    ridge, problem = ridge_of(lab, RIDGE), lab.problem

    def certified(factors: list[np.ndarray]) -> np.ndarray:
        seen = problem.rows, problem.columns, problem.values
        return np.array(step_certificate(LOOSE, factors, *seen, RATE, ridge).margins)

    return rs.simulate(
        problem, initialization=rs.Factors(trap(lab)), dynamics=rs.SGD(RATE, ridge), steps=600_000, seed=3,
        record=rs.LogSpaced(200 if quick else 2000), monitor=rs.RankMonitor(sets=[LOOSE]),
        observe={"certified": certified},
    ).dataset


def _soft_panel(walks: dict[str, np.ndarray]) -> Panel:
    lines = [
        Line(np.arange(1, len(walk) + 1), walk[:, 0], name, COLORS[i], 1.8, STYLES[i])
        for i, (name, walk) in enumerate(walks.items())
    ]
    return Panel("from the edge of B_1", "soft rank", "step", lines, log_x=True, span=(1, len(lines[0].x)),
                 bounds=(-0.05, 1.9), references=[(1.75, "limit of B_1")])


def _margin_panel(walk: np.ndarray) -> Panel:
    step, start = np.arange(1, len(walk) + 1), walk[0, 4:]
    lines = []
    for i, name in enumerate(("balance", "rank", "norm")):
        lines.append(Line(step, walk[:, 1 + i] / start[i], name, COLORS[i], 1.8, STYLES[i]))
        at = np.unique(np.geomspace(1, len(step), 12).round().astype(int)) - 1
        lines.append(
            Line(step[at], walk[at, 4 + i] / start[i], f"{name}, certified before", COLORS[i], 0, "", "os^"[i])
        )
    return Panel("margins of B_1, always the worst entry", "margin over the first certified one", "step", lines,
                 log=True, log_x=True, span=(1, len(step)))


def _barrier_panel(single: dict[float, xr.Dataset], barrier: float, alpha: float) -> Panel:
    names = ("in the middle of B_1", "3 % below the barrier", "3 % above the barrier")
    lines = [
        Line(run.step.values, run.x.values, names[i], COLORS[i], 1.8, STYLES[i])
        for i, run in enumerate(single.values())
    ]
    return Panel("outside B_1: one entry of value 1, drawn for ever", "squared size of the mode in a layer", "step",
                 lines, log=True, log_x=True, span=(1, 30_000), bounds=(1e-6, 2),
                 references=[(barrier, "barrier"), (alpha, "alpha")])


def _jump_panel(run: xr.Dataset) -> Panel:
    later = run.step.values >= 1000
    step, margins, certified = run.step.values[later], run.margins.values[later, 0], run.certified.values[later]
    # Markers on every record would hide the curves.
    at = slice(None, None, max(1, len(step) // 25))
    lines = []
    for i, (name, unit) in enumerate((("balance", LOOSE.eps1), ("rank", 1.0), ("norm", LOOSE.C))):
        lines.append(Line(step, margins[:, i] / unit, name, COLORS[i], 1.4, STYLES[i]))
        lines.append(Line(step[at], certified[at, i] / unit, f"{name}, next step", COLORS[i], 0, "", "os^"[i]))
    # A run that did not jump has nothing to mark; the claim about it fails.
    jumps = [float(step) for step in run.jumps.values[:1, 0]]
    return Panel("laboratory: margins of B_2", "margin (balance / eps1, rank, norm / C)", "step", lines, log_x=True,
                 references=[(0.0, "edge of B_2")], mark=(jumps[0], f"jump {int(jumps[0])}") if jumps else None,
                 span=(1000, float(step[-1])))


def _claims(walks, single, run: xr.Dataset) -> list[Claim]:
    claims = []
    for name, walk in walks.items():
        least, slack = walk[:, 1:4].min(), float((walk[:, 1:4] - walk[:, 4:]).min())
        claims += [
            Claim(f"B_1, {name}: steps that leave it", 0, int(np.sum(walk[:, 1:4].min(axis=1) < 0)), bool(least >= 0)),
            Claim(f"B_1, {name}: least margin minus what was certified", [0, None], slack, slack >= -1e-10),
        ]
    ends = [float(each.x[-1]) for each in single.values()]
    claims.append(Claim("one entry for ever: the mode inside B_1, below and above the barrier", "dies, dies, lives",
                        ends, ends[0] < 1e-6 and ends[1] < 1e-6 and ends[2] > 0.2))
    inside = run.margins.values[:, 0].min(axis=1) >= 0
    # Never entered: no record counts as later, and the claims about them fail.
    entered = int(np.argmax(inside)) if inside.any() else len(inside)
    certified = run.certified.values[entered:].min(axis=1, initial=np.inf) >= 0
    share = float(certified.mean()) if certified.size else 0.0
    claims += [
        Claim("laboratory: jumps down and up", [1, 0], [int(run.down_jumps), int(run.up_jumps)],
              int(run.down_jumps) == 1 and int(run.up_jumps) == 0),
        Claim("laboratory: records outside B_2 after it was entered", 0, int(np.sum(~inside[entered:])),
              bool(inside.any() and inside[entered:].all())),
        Claim("laboratory: share of later records that certify any next step", [0.95, 1], share, share >= 0.95),
    ]
    return claims


def _elsewhere(one: Case) -> dict[Statement, bool | None]:
    """Runs that jump: outside of the set of the rank to which they fall before, inside of it at every record after."""
    size = max(float(np.sum(W**2)) for W in one.stuck.factors)
    sets = [replace(LOOSE.at_rank(rank), C=4 * size, eps1=1.6 * size) for rank in range(one.stuck.rank)]
    record = np.linspace(0, STEPS, 301).astype(int)
    runs = leave(one.lab, one.stuck.factors, one.sgd(), STEPS, range(RUNS), record, rs.RankMonitor(sets=sets))
    before, after = [], []
    for k, jumps in enumerate(jumps_of(runs)):
        if jumps and runs.outcome[k] != rs.Outcome.DIVERGED:
            inside = runs.margins.values[k, :, jumps[-1][2]].min(axis=-1) >= 0
            before.append(not inside[0])
            after.append(bool(np.all(np.diff(inside.astype(int)) >= 0) and inside[-1]))
    return {OUTSIDE: all(before) if before else None,
            INSIDE: all(after) if after else None}
