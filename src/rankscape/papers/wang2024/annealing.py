"""A large ridge and noise first, then less of both: the test error after the jump, and without it."""

import warnings

import numpy as np
import xarray as xr

import rankscape as rs
from rankscape.data import KnownMatrix
from rankscape.errors import RankscapeWarning
from rankscape.papers.claims import Claim
from rankscape.papers.figure import PaperFigure
from rankscape.papers.wang2024.elsewhere import Case, Statement, with_others
from rankscape.papers.wang2024.laboratory import RATE, SETTINGS, laboratory, leave, ridge_of, trap
from rankscape.plot import Band, Line, Panel
from rankscape.plot.panels import COLORS, STYLES
from rankscape.solvers.descent.relaxation import relax

# Ridges times m of the stages.
RIDGES = (0.4, 0.1, 0.03, 0.01, 0.003, 0.001)
# Steps of SGD in each.
STAGE = 400_000
# Asked of other problems.
LOWER = Statement("SGD: lower rank", "annealed with SGD the rank is lower than with gradient descent", chance=True)
BETTER = Statement("then smaller error", "then its test error is smaller", chance=True)


def annealing(quick: bool = False, seed: int = 0) -> PaperFigure:
    """SGD on a falling ridge from the trap, beside gradient descent through its ridges; then `rankscape.anneal`."""
    lab, seeds = laboratory(seed), range(2 if quick else 8)
    start = trap(lab)
    path = rs.rates.piecewise({k * STAGE: ridge_of(lab, ridge_m) for k, ridge_m in enumerate(RIDGES)})
    steps = STAGE * len(RIDGES)
    record = np.linspace(0, steps, len(RIDGES) * (10 if quick else 40) + 1).round().astype(int)
    observe = {"test_error": lambda factors: lab.test_error(rs.product(factors))}
    runs = leave(lab, start, rs.SGD(RATE, path), steps, seeds, record, observe=observe)
    record = runs.step.values  # and the last finite step of a run that diverges
    without = _descend(lab, start)
    ends = {"sgd": [_anneal(lab, start, "sgd", seed) for seed in seeds], "gd": [_anneal(lab, start, "gd", 0)]}
    bands = [Band(k * STAGE, (k + 1) * STAGE, f"{ridge_m:g}") for k, ridge_m in enumerate(RIDGES)]
    stages = Line(STAGE * np.arange(len(RIDGES) + 1), np.append(without, without[-1]), "gradient descent", COLORS[1],
                  1.8, "--", steps=True)
    lines = [Line(record, error, f"SGD, seed {seed}", COLORS[(0, 2, 3)[seed]], 1.4, ("-", "-.", ":")[seed])
             for seed, error in zip(seeds, runs.test_error.values[:3], strict=False)]
    sigma = runs.singular_values.values[0, :, :4]
    spectrum = [Line(record, sigma[:, i], f"singular value {i + 1}", COLORS[i], 1.8, STYLES[i]) for i in range(4)]
    parts = [
        Panel("ridge * m falls from 0.4 to 0.001", "mean squared test error", "step", [*lines, stages], log=True,
              bands=bands, shaded="ridge * m", span=(0, steps), bounds=(1e-3, 10)),
        Panel("under SGD, seed 0", "singular values of W", "step", spectrum, log=True, bands=bands,
              shaded="ridge * m", span=(0, steps), bounds=(1e-4, 100)),
        _end_panel(ends),
    ]
    data = xr.Dataset({"test_error": (("seed", "step"), runs.test_error.values), "without_jump": ("ridge_m", without)},
                      coords={"step": record, "ridge_m": list(RIDGES)})
    settings = SETTINGS | {"ridge * m": RIDGES, "learning_rate": RATE, "steps of a stage": STAGE, "seeds": len(seeds),
                           "concerns of anneal": list(ends["gd"][0][2])}
    figure = PaperFigure(
        "annealing", "Annealing: after the jump the hidden entries are found, without it they never are",
        settings, parts, data, _claims(runs, ends),
    )
    return with_others(figure, _elsewhere, quick, seed)


def _descend(lab: KnownMatrix, factors: list[np.ndarray]) -> list[float]:
    """The test error at the minimum of each ridge, by gradient descent from one to the next."""
    errors = []
    for ridge_m in RIDGES:
        factors = relax(lab.problem, factors, ridge_of(lab, ridge_m)).factors
        errors.append(lab.test_error(rs.product(factors)))
    return errors


def _anneal(lab: KnownMatrix, start: list[np.ndarray], method: str, seed: int) -> tuple[int, float, tuple[str, ...]]:
    """Rank, test error and concerns of the library's annealing from the trap."""
    # Unscaled: in the units of the laboratory, so that both annealings see the same ridges.
    end = rs.anneal(
        lab.problem, method=method, initialization=rs.Factors(start), ridges=RIDGES, learning_rate=RATE, scale=False,
        epochs=STAGE / len(lab.problem.values), seed=seed,
    )
    return end.rank, lab.test_error(end.matrix), end.concerns


def _end_panel(ends) -> Panel:
    lines = [
        Line(np.arange(len(each)), np.array([error for _, error, _ in each]), label, COLORS[i], 0, "", "os"[i])
        for i, (label, each) in enumerate(zip(("method='sgd'", "method='gd'"), ends.values(), strict=True))
    ]
    return Panel(
        "rankscape.anneal from the trap", "mean squared test error", "seed", lines, log=True, bounds=(1e-3, 10)
    )


def _claims(runs: rs.Trajectory, ends) -> list[Claim]:
    (stuck, without, _), found = ends["gd"][0], ends["sgd"]
    worst = max(error for _, error, _ in found)
    ups = int(runs.up_jumps.sum())
    return [
        Claim(
            "anneal with SGD: rank of every seed", 2, [rank for rank, *_ in found], all(rank == 2 for rank, *_ in found)
        ),
        Claim("anneal with gradient descent: rank", 3, stuck, stuck == 3),
        Claim("anneal with SGD: largest test error", [0, 0.01], worst, worst < 0.01),
        Claim("anneal with gradient descent: test error", [1, None], without, without > 1),
        Claim(
            "test error without the jump over the largest after it", [50, None], without / worst, without > 50 * worst
        ),
        Claim("jumps up while the ridge falls", 0, ups, ups == 0),
    ]


def _elsewhere(one: Case) -> dict[Statement, bool | None]:
    """The library's annealing by both methods, from where gradient descent is stuck."""
    ends = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RankscapeWarning)  # a run that diverges has no lower rank
        for method in ("gd", "sgd"):
            ends.append(rs.anneal(
                one.lab.problem, method=method, initialization=rs.Factors(one.stuck.factors), scale=False, epochs=300,
                ridges=[one.ridge_m * share / RIDGES[0] for share in RIDGES], learning_rate=one.rate, seed=0,
            ))  # fmt: skip
    without, after = ends
    better = one.lab.test_error(after.matrix) < one.lab.test_error(without.matrix)
    return {LOWER: after.rank < without.rank, BETTER: better if after.rank < without.rank else None}
