"""How many entries each method needs: nuclear norm, depths, annealing, and least squares that are told the rank."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import xarray as xr

import rankscape as rs
from rankscape.data import KnownMatrix
from rankscape.errors import RankscapeWarning
from rankscape.papers.claims import Claim
from rankscape.papers.figure import PaperFigure
from rankscape.plot import Line, Panel
from rankscape.plot.panels import COLORS, INK

LARGE: dict[str, Any] = {"n": 40, "rank": 3, "width": 10, "oversampling": (1.2, 1.4, 1.8, 2.4, 3.0, 4.0), "problems": 3}
# With `quick`.
SMALL: dict[str, Any] = {"n": 24, "rank": 2, "width": 6, "oversampling": (1.8, 4.0), "problems": 2}
# Ridge times m where it is fixed; epochs of a stage of SGD; relative error of what is hidden that counts as none.
FIXED, EPOCHS, RECOVERED = 0.003, 300, 0.01
# Random starts of least squares at the told rank, besides the spectral one; sweeps of each fit.
RESTARTS, SWEEPS = 5, 150
# Left out with `quick`.
SLOW = ("depth 2, fixed ridge", "depth 4, fixed ridge")
# Oversampling at which the claims compare the methods.
CHECKED = 1.8

# A matrix and its rank.
Estimate = tuple[np.ndarray, int]


def recovery(quick: bool = False, seed: int = 0) -> PaperFigure:
    """Share of Gaussian problems that are recovered, by oversampling, after least squares at the rank found."""
    setting = SMALL if quick else LARGE
    ratios, count = setting["oversampling"], setting["problems"]
    methods = {name: method for name, method in _methods(setting["width"], setting["rank"]).items()
               if not quick or name not in SLOW}
    errors = {name: np.empty((len(ratios), count)) for name in methods}
    ranks = {name: np.empty((len(ratios), count), dtype=int) for name in methods}
    raw = np.empty((len(ratios), count))
    for i, ratio in enumerate(ratios):
        for k in range(count):
            lab = rs.data.gaussian(setting["n"], setting["rank"], ratio, count * seed + k)
            for name, estimate in methods.items():
                W, rank = estimate(lab)
                errors[name][i, k], ranks[name][i, k] = _polished(lab, W, rank), rank
                if name == "nuclear norm":
                    raw[i, k] = lab.relative_error(W)
    data = {f"{what}_{name.replace(' ', '_').replace(',', '')}": (("oversampling", "problem"), each[name])
            for what, each in (("error", errors), ("rank", ranks)) for name in methods}
    return PaperFigure(
        "recovery", "With depth 3 and a falling ridge half of the entries that the nuclear norm needs suffice",
        setting | {"fixed ridge * m": FIXED, "annealed ridges * m": RIDGES, "epochs of a stage": EPOCHS,
                   "recovered below": RECOVERED, "restarts of least squares": RESTARTS},
        _panels(np.array(ratios), errors, ranks, setting["rank"]),
        xr.Dataset(data, coords={"oversampling": list(ratios)}),
        _claims(list(ratios), {name: np.mean(e < RECOVERED, axis=1) for name, e in errors.items()}, raw), columns=2,
    )


RIDGES = (0.3, 0.1, 0.03, 0.01, 0.003)


def _methods(width: int, rank: int) -> dict[str, Callable[[KnownMatrix], Estimate]]:
    def deep(depth: int, method: str, ridges: tuple[float, ...]) -> Callable[[KnownMatrix], Estimate]:
        return lambda lab: _anneal(lab, depth, width, method, ridges)

    return {
        "nuclear norm": _soft_impute,
        "depth 2, fixed ridge": deep(2, "gd", (0.01,)),
        "depth 3, fixed ridge": deep(3, "gd", (FIXED,)),
        "depth 4, fixed ridge": deep(4, "gd", (FIXED,)),
        "depth 3, annealed GD": deep(3, "gd", RIDGES),
        "depth 3, annealed SGD": deep(3, "sgd", RIDGES),
        "rank told, least squares": lambda lab: _told(lab, rank),
    }


def _anneal(lab: KnownMatrix, depth: int, width: int, method: str, ridges: tuple[float, ...]) -> Estimate:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RankscapeWarning)  # that depth 2 fails is the point
        end = rs.anneal(lab.problem, depth=depth, width=width, method=method, ridges=ridges, epochs=EPOCHS)
    return end.matrix, end.rank


def _soft_impute(lab: KnownMatrix) -> Estimate:
    """The matrix of small nuclear norm: fill with the last estimate, shrink the singular values, less and less."""
    seen, W = ~lab.unseen, np.zeros(lab.matrix.shape)
    target = np.where(seen, lab.matrix, 0.0)
    for threshold in np.geomspace(0.5, 1e-3, 10) * np.linalg.norm(target, 2):
        for _ in range(100):
            U, s, Vt = np.linalg.svd(np.where(seen, target, W))
            W = (U * np.maximum(s - threshold, 0.0)) @ Vt
    # A shrunken direction that is left at a hundredth of the first is noise of the last threshold.
    s = np.linalg.svd(W)[1]
    return W, int(np.sum(s > 1e-2 * s[0]))


def _told(lab: KnownMatrix, rank: int) -> Estimate:
    """The least squares fit of the true rank: the best of several starts."""
    rng, target = np.random.default_rng(0), np.where(lab.unseen, 0.0, lab.matrix)
    starts = [np.linalg.svd(target)[2][:rank].T * np.sqrt(len(target)), *rng.normal(size=(RESTARTS, len(target), rank))]
    fits = [_least_squares(lab, V) for V in starts]
    # Chosen by what is seen: the hidden entries are what is measured.
    return min(fits, key=lambda W: float(np.mean((W - lab.matrix)[~lab.unseen] ** 2))), rank


def _least_squares(lab: KnownMatrix, V: np.ndarray) -> np.ndarray:
    """Alternating least squares on the seen entries, from a column factor, with a ridge that falls to nothing."""
    seen, U = (~lab.unseen).astype(float), V
    target = seen * lab.matrix

    def solve(mask: np.ndarray, values: np.ndarray, other: np.ndarray, ridge: float) -> np.ndarray:
        r = other.shape[1]
        squares = (other[:, :, None] * other[:, None, :]).reshape(-1, r * r)
        normal = (mask @ squares).reshape(-1, r, r) + ridge * np.eye(r)
        return np.linalg.solve(normal, (values @ other)[..., None])[..., 0]

    # A row with fewer entries than the rank would make the system singular without a ridge.
    for ridge in np.geomspace(1.0, 1e-8, SWEEPS):
        U = solve(seen, target, V, ridge)
        V = solve(seen.T, target.T, U, ridge)
    return U @ V.T


def _polished(lab: KnownMatrix, W: np.ndarray, rank: int) -> float:
    """Relative error of the hidden entries after least squares at this rank, from this matrix."""
    return lab.relative_error(_least_squares(lab, np.linalg.svd(W)[2][:rank].T * np.sqrt(len(W))))


# Colour, line style and marker of each method.
LOOKS = (
    ("nuclear norm", INK, "-", "s"), ("depth 2, fixed ridge", COLORS[1], ":", ""),
    ("depth 3, fixed ridge", COLORS[0], "--", ""), ("depth 4, fixed ridge", COLORS[2], "-.", ""),
    ("depth 3, annealed GD", COLORS[0], "-", "o"), ("depth 3, annealed SGD", COLORS[3], "--", "^"),
    ("rank told, least squares", COLORS[1], "-", "D"),
)


def _panels(ratios: np.ndarray, errors, ranks, true_rank: int) -> list[Panel]:
    looks: dict[str, Any] = {name: dict(color=color, style=style, marker=mark) for name, color, style, mark in LOOKS}
    shares = [Line(ratios, np.mean(e < RECOVERED, axis=1), name, **looks[name]) for name, e in errors.items()]
    found = [
        Line(ratios, np.mean(each, axis=1), name, **looks[name]) for name, each in ranks.items() if "told" not in name
    ]
    where: dict[str, Any] = dict(log_x=True, span=(0.95 * ratios[0], 1.05 * ratios[-1]))
    xlabel = "entries seen over degrees of freedom"
    return [
        Panel("recovered after least squares at the rank found", "share of the problems", xlabel, shares,
              bounds=(-0.04, 1.06), **where),
        Panel("the rank found", "mean rank", xlabel, found, references=[(true_rank, "true rank")], **where),
    ]


def _claims(ratios: list[float], share: dict[str, np.ndarray], raw: np.ndarray) -> list[Claim]:
    at = ratios.index(CHECKED)
    gd, sgd, told = (
        share[name] for name in ("depth 3, annealed GD", "depth 3, annealed SGD", "rank told, least squares")
    )
    convex, apart = share["nuclear norm"], float(np.abs(gd.mean() - sgd.mean()))
    worst = min(float((told - each).min()) for each in share.values())
    return [
        Claim(f"oversampling {CHECKED}: least relative error of the nuclear norm", [0.25, None], float(raw[at].min()),
              bool(raw[at].min() > 0.25)),
        Claim(f"oversampling {CHECKED}: share recovered, depth 3, annealed GD and SGD", [0.8, 1],
              [float(gd[at]), float(sgd[at])], bool(min(gd[at], sgd[at]) >= 0.8)),
        Claim("most entries: share recovered by the nuclear norm", [0.5, 1], float(convex[-1]),
              bool(convex[-1] >= 0.5)),
        Claim("share recovered over all problems: annealed SGD minus annealed GD (no gain on generic problems)",
              [-0.2, 0.2], float(sgd.mean() - gd.mean()), apart <= 0.2),
        Claim("least lead of told-rank least squares over any method", [-0.2, None], worst, worst >= -0.2),
    ]
