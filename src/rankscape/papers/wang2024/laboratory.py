"""What the figures share: the laboratory problem, its minima, and runs that leave them."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

import rankscape as rs
from rankscape.data import KnownMatrix
from rankscape.dynamics import AbstractDynamics
from rankscape.errors import DivergenceWarning
from rankscape.solvers.descent.relaxation import relax

# `rankscape.data.planted`: gradient descent is trapped at rank 3, the truth has rank 2.
LAB: dict[str, Any] = dict(n=24, rank=2, z=8.0, eps=0.35, beta=0.5, fraction=0.6, seed=0, jitter=0.05)

# Ridge times the number m of observed entries, and a learning rate at which jumps are frequent.
RIDGE, RATE = 0.4, 0.17

# Of both hidden layers, at depth 3.
WIDTH = 8

SETTINGS = {"problem": LAB, "depth": 3, "width": WIDTH, "ridge * m": RIDGE}


def laboratory(seed: int = 0) -> KnownMatrix:
    """The problem of most figures; another seed draws another of its kind."""
    return rs.data.planted(**LAB | {"seed": LAB["seed"] + seed})


def ridge_of(lab: KnownMatrix, ridge_m: float) -> float:
    """The ridge, from the ridge times m."""
    return float(rs.rates.convert(ridge_m, lab.problem, value="ridge * m"))


def trap(lab: KnownMatrix, ridge_m: float = RIDGE, depth: int = 3) -> list[np.ndarray]:
    """The minimum where gradient descent is stuck: of too high rank."""
    return relax(lab.problem, lab.start(depth=depth, width=WIDTH), ridge_of(lab, ridge_m)).factors


def bottom(lab: KnownMatrix, ridge_m: float = RIDGE) -> list[np.ndarray]:
    """The minimum of the true rank, by gradient descent from the truth."""
    # Balanced, as every minimum is: descent then only has to shrink.
    truth = rs.theory.landscape.balanced_factors(lab.matrix, depth=3, width=WIDTH)
    return relax(lab.problem, truth, ridge_of(lab, ridge_m)).factors


def leave(
    lab: KnownMatrix,
    start: Sequence[np.ndarray],
    dynamics: AbstractDynamics,
    steps: int,
    seeds: Sequence[int],
    record: Sequence[int] | np.ndarray,
    monitor: rs.RankMonitor | None = None,
    observe: Mapping[str, Callable[[list[np.ndarray]], Any]] | None = None,
) -> rs.Trajectory:
    """A batch of runs from one point, one for each seed, watched for jumps; some may diverge."""
    with warnings.catch_warnings():
        # A run that diverges says so by its outcome.
        warnings.simplefilter("ignore", DivergenceWarning)
        return rs.simulate(
            lab.problem, initialization=[rs.Factors(start)] * len(seeds), dynamics=dynamics, steps=steps, record=record,
            seed=list(seeds), monitor=monitor or rs.RankMonitor(), observe=observe,
        )


def jumps_of(run: rs.Trajectory) -> list[list[tuple[int, int, int]]]:
    """For each run of a batch its jumps: step, from, to."""
    return [[(s, a, b) for s, a, b in lane.tolist() if s >= 0] for lane in run.jumps.values]


def rank_after(lab: KnownMatrix, factors: Sequence[np.ndarray], ridge_m: float = RIDGE) -> int:
    """The rank of the minimum to which gradient descent leads from here."""
    return relax(lab.problem, factors, ridge_of(lab, ridge_m)).rank
