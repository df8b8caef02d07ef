"""The methods that recovery diagrams compare: deep factorizations in nine ways, and two baselines."""

import warnings
from typing import Any

import numpy as np

import rankscape as rs
from rankscape.errors import RankscapeWarning
from rankscape.falling.annealing import RIDGES
from rankscape.phases.baselines import Problem, nuclear_norm, told_rank
from rankscape.solvers.descent.relaxation import relax
from rankscape.solvers.descent.stable_rate import with_stable_rate

# GD and SGD hold one small ridge; annealed is SGD under a falling ridge. All end in a descent to rest.
METHODS = (
    "nuclear norm", "told rank",
    "depth 2, GD", "depth 2, SGD", "depth 2, annealed",
    "depth 3, GD", "depth 3, SGD", "depth 3, annealed",
    "depth 4, GD", "depth 4, SGD", "depth 4, annealed",
)  # fmt: skip

# Of the hidden layers; above the ranks that are sought.
WIDTH = 8
# Passes of SGD over the entries of a completion, in each stage.
EPOCHS = 200
# The stages for measurements of a matrix of spectral norm 1: ridges, steps of each, first learning rate, batch.
SENSED_RIDGES, SENSED_STEPS, SENSED_RATE, BATCH = (0.1, 0.03, 0.01, 0.003, 0.001), 1500, 0.01, 8
# Share of the largest singular value above which one of the nuclear norm's counts.
VISIBLE = 1e-2


def estimate(problem: Problem, method: str, rank: int, seed: int) -> tuple[np.ndarray, int]:
    """The matrix that a method of `METHODS` finds, and its rank; only told-rank least squares looks at `rank`."""
    if method == "told rank":
        return told_rank(problem, rank, seed), rank
    if method == "nuclear norm":
        W = nuclear_norm(problem)
        s = np.linalg.svd(W)[1]
        return W, int(np.sum(s > VISIBLE * s[0]))
    depth, kind = int(method.split()[1].rstrip(",")), method.split(", ")[1]
    if isinstance(problem, rs.Sensing):
        return _sense(problem, depth, kind, seed)
    ridges = RIDGES if kind == "annealed" else RIDGES[-1:]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RankscapeWarning)  # that some of them fail is what the diagram shows
        end = rs.anneal(
            problem, depth, WIDTH, method="gd" if kind == "GD" else "sgd", ridges=ridges, epochs=EPOCHS, seed=seed
        )
    return end.matrix, end.rank


def _sense(problem: rs.Sensing, depth: int, kind: str, seed: int) -> tuple[np.ndarray, int]:
    """The same for measurements: stages of SGD, then a descent to rest under the last ridge."""
    ridges = SENSED_RIDGES if kind == "annealed" else SENSED_RIDGES[-1:]
    steps, rate = (0, 1.0) if kind == "GD" else (SENSED_STEPS, SENSED_RATE)
    factors = None
    for k, ridge in enumerate(ridges):
        factors, rate = _stage(problem, depth, factors, ridge, rate, steps, seed + k)
    assert factors is not None
    end = relax(problem, factors, ridges[-1])
    return rs.product(end.factors), end.rank


def _stage(
    problem: rs.Sensing, depth: int, factors: Any, ridge: float, rate: float, steps: int, seed: int
) -> tuple[list[np.ndarray], float]:
    """One stage of SGD, at a rate that does not blow up; the factors and the rate."""
    start, width = (rs.Gaussian(0.5), WIDTH) if factors is None else (rs.Factors(factors), None)
    stage = lambda rate: rs.simulate(
        problem, depth=depth, width=width, initialization=start, dynamics=rs.SGD(rate, ridge, batch_size=BATCH),
        steps=steps, record=[steps], seed=seed, throw=True,
    )  # fmt: skip
    run, rate = with_stable_rate(stage, rate, instead="depth 2")
    return run.factors, rate
