"""Minima of several ranks, side by side: all of them where every entry is seen, and some where entries are missing."""

import numpy as np
import xarray as xr

import rankscape as rs
from rankscape.data import KnownMatrix
from rankscape.papers.claims import Claim, close
from rankscape.papers.figure import PaperFigure
from rankscape.papers.wang2024.elsewhere import Case, Statement, with_others
from rankscape.papers.wang2024.laboratory import LAB, WIDTH, laboratory, ridge_of
from rankscape.plot import Line, Panel
from rankscape.plot.panels import COLORS, INK
from rankscape.solvers.descent.relaxation import rank_at_rest, relax
from rankscape.theory.landscape import balanced_factors, entries, hessian_signature, local_minima

# Singular values; the smallest is below its threshold.
TARGET = np.array([3.0, 2.0, 1.0, 0.3])
RIDGE, RATE, STEPS, SEED = 0.09, 0.02, 10_000, 7
# Share of the ridge's part below which a gradient counts as zero: descents end near it.
LOOSE = 2e-6
# Ridges times m at which the laboratory problem is searched.
RIDGES_M = (0.2, 0.4)
# Asked of other problems.
STRICT = Statement("strict minima", "zero, the minimum near the truth and that of gradient descent are strict minima")
RANKS = Statement("three ranks", "they have three different ranks", chance=True)


def minima(quick: bool = False, seed: int = 0) -> PaperFigure:
    """Gradient descent from random starts of many sizes finds every minimum that is predicted, and nothing else."""
    scales = np.geomspace(0.02, 0.7, 24 if quick else 200)
    found = {N: _search(N, scales) for N in (2, 3)}
    predicted = {N: local_minima(TARGET, N, RIDGE) for N in (2, 3)}
    lab = laboratory(seed)
    seen = {ridge_m: _search_laboratory(lab, ridge_m, 4 if quick else 40) for ridge_m in RIDGES_M}
    parts = [_reached(scales, found), _by_rank(found, predicted), _of_laboratory(lab, seen)]
    claims = [claim for N in (2, 3) for claim in _claims(N, found[N], predicted[N])]
    claims += [_saddle(), *[_strict(ridge_m, seen[ridge_m]) for ridge_m in RIDGES_M]]
    ends = {f"{what}_depth_{N}": ("start", [e[i] for e in found[N]])
            for N in (2, 3) for i, what in enumerate(("rank", "objective"))}
    figure = PaperFigure(
        "minima", "Minima of every rank up to a largest one; at depth 2 there is only one",
        {"singular values": TARGET, "ridge": RIDGE, "learning_rate": RATE, "steps": STEPS, "starts": len(scales),
         "seed": SEED, "laboratory": LAB, "width": WIDTH},
        parts, xr.Dataset(ends, coords={"start": scales}), claims,
    )
    return with_others(figure, _elsewhere, quick, seed)


def _search(depth: int, scales: np.ndarray) -> list[tuple[int, float]]:
    """Rank and objective at the ends of gradient descent from Gaussian factors of many sizes."""
    rng, problem, shape = np.random.default_rng(SEED), rs.Estimation(np.diag(TARGET)), (len(TARGET),) * 2
    begin = [rs.Factors([scale * rng.normal(size=shape) for _ in range(depth)]) for scale in scales]
    run = rs.simulate(
        problem, initialization=begin, dynamics=rs.GradientDescent(RATE, RIDGE), steps=STEPS, record=[STEPS]
    )
    return [(rank_at_rest(problem, end, RIDGE), _objective(problem, end, RIDGE)) for end in run.all_factors]


def _objective(problem, factors: list[np.ndarray], ridge: float) -> float:
    return float(problem.loss(rs.product(factors))) + ridge * sum(float(np.sum(W**2)) for W in factors)


def _search_laboratory(lab: KnownMatrix, ridge_m: float, starts: int) -> list[tuple[int, float, str]]:
    """Rank, objective and kind of the critical points that descents reach: from the decoy, the truth, and at random."""
    rng, ridge, n = np.random.default_rng(SEED), ridge_of(lab, ridge_m), len(lab.matrix)
    shapes = [(WIDTH, n), (WIDTH, WIDTH), (n, WIDTH)]
    begin = [lab.start(width=WIDTH), balanced_factors(lab.matrix, 3, WIDTH)]
    # Zero itself: from depth 3 on it is a minimum, and no descent starts there by chance.
    begin += [[0 * W for W in begin[0]]]
    begin += [[scale * rng.normal(size=shape) for shape in shapes] for scale in np.geomspace(0.05, 1.0, starts)]
    points: dict[tuple[int, float], str] = {}
    for start in begin:
        end = relax(lab.problem, start, ridge)
        # Ends in one minimum agree to far more digits than this.
        key = end.rank, round(_objective(lab.problem, end.factors, ridge), 6)
        if key not in points:
            seen = lab.problem.rows, lab.problem.columns, lab.problem.values
            points[key] = hessian_signature(end.factors, *seen, ridge, tolerance=LOOSE).kind
    return [(rank, objective, kind) for (rank, objective), kind in sorted(points.items())]


def _reached(scales: np.ndarray, found) -> Panel:
    lines = [
        Line(scales, np.array([rank for rank, _ in found[N]]), f"depth {N}", COLORS[i], 0, "", "x."[i])
        for i, N in enumerate(found)
    ]
    return Panel("where gradient descent ends", "rank of the minimum", "size of the entries of random factors", lines,
                 log_x=True, span=(0.015, 1.0), bounds=(-0.3, 4.3))


def _by_rank(found, predicted) -> Panel:
    lines = []
    for i, N in enumerate(found):
        ranks, levels = np.array([(m.rank, m.objective) for m in predicted[N]], dtype=float).T
        lines.append(Line(ranks, levels, f"depth {N}, predicted", COLORS[i], 0, "", "sD"[i], size=10))
        ranks, levels = np.array(sorted(set(found[N])), dtype=float).T
        lines.append(Line(ranks, levels, f"depth {N}, reached", INK, 0, "", "x+"[i], size=16))
    return Panel("all entries seen", "loss + ridge", "rank of the minimum", lines, log=True,
                 ticks=[str(k) for k in range(len(TARGET) + 1)], span=(-0.4, 4.4))


def _of_laboratory(lab: KnownMatrix, seen) -> Panel:
    empty = float(np.mean(lab.problem.values**2)) / 2
    lines = []
    for i, (ridge_m, points) in enumerate(seen.items()):
        ranks, objectives = np.array([(rank, objective) for rank, objective, _ in points], dtype=float).T
        lines.append(Line(ranks, objectives / empty, f"ridge * m = {ridge_m}", COLORS[i], 0, "", "sD"[i]))
    return Panel("entries missing: minima of the laboratory problem", "loss + ridge, relative to rank 0",
                 "rank of the minimum", lines, ticks=[str(k) for k in range(5)], span=(-0.4, 4.4))


def _claims(depth: int, found, predicted) -> list[Claim]:
    levels = {m.rank: m.objective for m in predicted}
    distance = max(abs(objective - levels.get(rank, np.inf)) for rank, objective in found)
    ranks = sorted({rank for rank, _ in found})
    everything = ranks == sorted(levels)
    return [
        Claim(f"depth {depth}: ranks of the minima", sorted(levels), ranks, everything),
        close(f"depth {depth}: distance of every end from the predicted objective", 0.0, distance, 1e-8),
    ]


def _saddle() -> Claim:
    """To keep the second mode and drop the first is critical, but no minimum."""
    kept = local_minima(TARGET, 3, RIDGE)[2].singular_values * [0, 1, 0, 0]
    rows, columns, values = entries(np.diag(TARGET))
    kind = hessian_signature(balanced_factors(np.diag(kept), 3), rows, columns, values, RIDGE, weight=1.0).kind
    return Claim("dropping a larger mode than one that is kept", "strict saddle", kind, kind == "strict saddle")


def _strict(ridge_m: float, points) -> Claim:
    """Whatever descent finds is a minimum up to rotations, and several ranks are among them, the true one too."""
    ranks = sorted({rank for rank, _, _ in points})
    holds = {0, 2, 3} <= set(ranks) and {kind for *_, kind in points} == {"strict minimum"}
    return Claim(f"laboratory, ridge * m = {ridge_m}: ranks of strict minima", "0, 2 and 3 among them", ranks, holds)


def _elsewhere(one: Case) -> dict[Statement, bool | None]:
    """Zero, where gradient descent is stuck, and where it goes from the truth."""
    problem, seen = one.lab.problem, (one.lab.problem.rows, one.lab.problem.columns, one.lab.problem.values)
    truth = balanced_factors(one.lab.matrix, 3, WIDTH)
    ends = [one.stuck, relax(problem, truth, one.ridge), relax(problem, [0 * W for W in truth], one.ridge)]
    kinds = {hessian_signature(end.factors, *seen, one.ridge, tolerance=LOOSE).kind for end in ends}
    return {STRICT: kinds == {"strict minimum"},
            RANKS: len({end.rank for end in ends}) == 3}
