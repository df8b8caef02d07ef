"""The final rank by ridge and learning rate, between what gradient descent keeps and what SGD forgets."""

import numpy as np
import xarray as xr

import rankscape as rs
from rankscape.data import KnownMatrix
from rankscape.errors import InputError, RunFailed
from rankscape.papers.claims import Claim
from rankscape.papers.figure import PaperFigure
from rankscape.papers.wang2024.elsewhere import Case, Statement, fall, with_others
from rankscape.papers.wang2024.laboratory import SETTINGS, laboratory, leave, ridge_of, trap
from rankscape.plot import Line, Panel
from rankscape.plot.panels import ACCENT, INK, MUTED
from rankscape.solvers.descent.relaxation import relax

RIDGES = (0.2, 0.3, 0.35, 0.4, 0.45, 0.6, 0.9, 1.6, 2.5, 4.0)
RATES = (0.02, 0.05, 0.08, 0.12, 0.16, 0.2, 0.25, 0.3)
# With `quick`.
FEW = (0.2, 0.35, 0.45, 0.6, 1.6, 4.0), (0.02, 0.08, 0.16, 0.25)
DIVERGED = -1
# Rates that tell the law of jump times at a ridge, and steps that a run waits there.
KNOWN, LONGEST = (0.2, 0.18), 2_000_000
# How far from the predicted rate a square must lie to be judged.
CLEAR = 1.3
# Asked of other problems.
QUIET = Statement("1/8 of the rate: stuck", "at an eighth of the rate no run loses a mode")
LARGE = Statement("10 times the ridge: low", "at ten times the ridge gradient descent goes below the true rank")


def rank_grid(quick: bool = False, seed: int = 0) -> PaperFigure:
    """Every square is a run of SGD from the minimum where gradient descent ends at its ridge."""
    lab, (ridges, rates) = laboratory(seed), FEW if quick else (RIDGES, RATES)
    steps, seeds = 200_000 if quick else 2_000_000, range(1 if quick else 3)
    starts = {ridge_m: trap(lab, ridge_m) for ridge_m in ridges}
    still = np.array([_alive(starts[ridge_m]) for ridge_m in ridges])
    final = np.array([[_final(leave(lab, starts[ridge_m], rs.SGD(rate, ridge_of(lab, ridge_m)), steps, seeds, [steps]))
                       for rate in rates] for ridge_m in ridges])
    lines = _digits(np.array(ridges), np.array(rates), final)
    frontier = _frontier(lab, ridges, steps / len(lab.problem.values))
    if frontier:
        lines.append(Line(np.array(list(frontier)), np.array(list(frontier.values())),
                          "predicted: half of the runs jump", MUTED, 1.8, "--", "+", size=9))
    parts = [
        Panel(f"rank after {steps} steps", "learning rate", "ridge * m", lines, log=True, log_x=True,
              span=(0.8 * ridges[0], 1.25 * ridges[-1]), bounds=(0.8 * rates[0], 1.3 * rates[-1])),
        Panel("rank where gradient descent stays", "rank of the minimum", "ridge * m",
              [Line(np.array(ridges), still, "from the trap", INK, 1.8, "-", "o")], log_x=True, whole=True,
              span=(0.8 * ridges[0], 1.25 * ridges[-1]), bounds=(-0.2, 4.4)),
    ]
    dying, died = _forever(quick)
    parts.append(dying)
    figure = PaperFigure(
        "rank-grid", "Too little ridge or noise: stuck; too much: the true rank is lost as well",
        SETTINGS | {"ridge * m": ridges, "learning rates": rates, "steps": steps, "seeds": len(seeds)},
        parts, xr.Dataset({"final_rank": (("ridge_m", "learning_rate"), final), "gradient_descent": ("ridge_m", still)},
                          coords={"ridge_m": list(ridges), "learning_rate": list(rates)}),
        [*_claims(np.array(ridges), np.array(rates), final, still),
         _on_the_line(ridges, rates, final, still, frontier), died],
    )
    return with_others(figure, _elsewhere, quick, seed)


def _alive(factors: list[np.ndarray]) -> int:
    return int(np.sum(np.linalg.svd(rs.product(factors))[1] > 0.3))


def _final(runs: rs.Trajectory) -> float:
    """The median of the final numbers of live modes; that most runs diverged is a number of its own."""
    alive = [DIVERGED if end == rs.Outcome.DIVERGED else float(run[-1])
             for end, run in zip(runs.outcome, runs.alive_modes.values, strict=True)]
    return float(np.median(alive))


def _digits(ridges: np.ndarray, rates: np.ndarray, final: np.ndarray) -> list[Line]:
    """Each rank written where it was found."""
    lines = []
    for rank in np.unique(final):
        i, j = np.nonzero(final == rank)
        name, marker = ("diverged", "x") if rank < 0 else (f"rank {rank:g}", f"${rank:g}$")
        lines.append(Line(ridges[i], rates[j], name, ACCENT if rank == 2 else INK, 0, "", marker, size=9))
    return lines


def _frontier(lab: KnownMatrix, ridges: tuple[float, ...], epochs: float) -> dict[float, float]:
    """By ridge the learning rate at which half of the runs lose a mode in this time, from rates at which all do."""
    found = {}
    for ridge_m in ridges:
        start = trap(lab, ridge_m)
        if _alive(start) < 3:  # nothing is trapped there
            continue
        try:
            law = rs.jump_law(lab.problem, start, ridge_of(lab, ridge_m), KNOWN, steps=LONGEST, replicas=24, threads=2)
        except (InputError, RunFailed):  # no jump at the larger rates, or they blow up: no line there
            continue
        if law.failed is None and law.slope > 0:
            found[ridge_m] = law.rate_for(epochs / np.log(2))
    return found


def _on_the_line(ridges, rates, final, still, line: dict[float, float]) -> Claim:
    """On either side of the predicted rate the runs do what it says, as far as `CLEAR` off it."""
    wrong, judged = [], 0
    for i, ridge_m in enumerate(ridges):
        for j, rate in enumerate(rates if ridge_m in line else ()):
            off = rate / line[ridge_m]
            if 1 / CLEAR < off < CLEAR or final[i, j] == DIVERGED:
                continue
            judged += 1
            if (final[i, j] < still[i]) != (off > 1):
                wrong.append([float(ridge_m), float(rate)])
    return Claim("squares on the wrong side of the predicted line", 0, wrong or 0, judged > 0 and not wrong,
                 f"none of {judged}, farther from it than a factor of {CLEAR:g} in the rate")


def _forever(quick: bool) -> tuple[Panel, Claim]:
    """A diagonal of equal entries and nothing else: with a fixed rate and ridge all of its modes die in the end."""
    n, rate, ridge_m = 8, 0.2, 0.5
    problem = rs.Completion(np.arange(n), np.arange(n), np.full(n, 2.0), shape=(n, n))
    minimum = float(rs.theory.landscape.critical_points(2.0, 3, ridge_m).minimum)
    steps = 40_000 if quick else 400_000
    run = rs.simulate(
        problem, initialization=rs.Factors([np.eye(n) * minimum ** (1 / 3)] * 3), steps=steps, seed=0,
        dynamics=rs.SGD(rate, float(rs.rates.convert(ridge_m, problem, value="ridge * m"))),
        record=rs.LogSpaced(100), monitor=rs.RankMonitor(),
    )
    alive, ups = run.alive_modes.values, int(run.up_jumps)
    line = Line(run.step.values[1:], alive[1:], "SGD on a diagonal of 8 equal entries", INK, 1.8, steps=True)
    panel = Panel("fixed rate and ridge for ever: rank 0", "live modes", "step", [line], log_x=True, whole=True,
                  span=(10, steps), bounds=(-0.2, n + 0.4))
    claim = Claim("fixed rate and ridge for ever: live modes at the start, at the end, jumps up", [n, 0, 0],
                  [int(alive[0]), int(alive[-1]), ups], (int(alive[0]), int(alive[-1]), ups) == (n, 0, 0))
    return panel, claim


def _claims(ridges: np.ndarray, rates: np.ndarray, final: np.ndarray, still: np.ndarray) -> list[Claim]:
    quiet = final[:, 0]
    trapped = still >= 3
    ok = (final >= 0) & (final <= still[:, None])
    top = final[-1][final[-1] >= 0]
    return [
        Claim("smallest learning rate: final ranks are those of gradient descent while it is trapped",
              still[trapped].tolist(), quiet[trapped].tolist(), bool((quiet[trapped] == still[trapped]).all())),
        Claim("ridge * m = 0.45, learning rate near 0.15: rank", 2,
              float(final[ridges == 0.45, np.argmin(np.abs(rates - 0.15))][0]),
              bool(final[ridges == 0.45, np.argmin(np.abs(rates - 0.15))][0] == 2)),
        Claim("runs that end above the rank of gradient descent", 0, int(np.sum(final > still[:, None])),
              bool(np.all(ok | (final == DIVERGED)))),
        Claim("largest ridge: final ranks", "below 2", top.tolist(), bool(len(top) and top.max() < 2)),
    ]


def _elsewhere(one: Case) -> dict[Statement, bool | None]:
    """The edges of the grid: hardly any noise, and a ridge ten times as large."""
    large = relax(one.lab.problem, one.stuck.factors, 10 * one.ridge)
    return {QUIET: not fall(one, one.sgd(1 / 8)).fell,
            LARGE: large.rank < one.lab.rank}
