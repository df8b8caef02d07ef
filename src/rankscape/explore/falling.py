"""Around the run of the room `fall`: where it starts, what is near, and how long it takes to leave."""

import functools
from collections.abc import Callable, Iterator
from dataclasses import replace
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

import numpy as np

import rankscape as rs
from rankscape import theory
from rankscape.explore.calls import Frame
from rankscape.explore.workers import stand_back

if TYPE_CHECKING:
    from rankscape.data import KnownMatrix
    from rankscape.explore.rooms.fall import FallState

# Modes whose landscape can be chosen, and points of its curve.
MODES, POINTS = 10, 300

# Replicas that wait for a jump, and steps that each waits.
REPLICAS, STEPS = 12, 400_000

# Of a start that is no minimum yet.
RESTLESS = (
    "No minimum yet: the descent is still on its way after {steps:,} implicit steps (gradient of norm {gradient:.1e}). "
    "Jumps at the beginning may be the rest of it."
)


def start_of(state: "FallState", lab: "KnownMatrix", stop: Callable[[], bool] | None = None) -> tuple[Any, str]:
    """An initialization, and what must be said of it.

    The descent to a minimum takes minutes for odd settings, and ends when `stop` says so.
    """
    if state.start == "gaussian":
        return rs.Gaussian(0.5), ""
    if state.problem == "planted":
        begin = lab.start(state.depth, state.width)
    else:
        begin = rs.simulate(
            lab.problem, state.depth, state.width, initialization=rs.Gaussian(0.5), steps=1, seed=state.seed,
            dynamics=rs.SGD(min(state.learning_rate, 0.05), state.ridge),
        ).factors  # fmt: skip
    end = rs.relax(lab.problem, begin, state.ridge, stop=stop)
    return rs.Factors(end.factors), "" if end.converged else RESTLESS.format(steps=end.steps, gradient=end.gradient)


@functools.cache
def first_run() -> None:
    """A small one, of which nothing is kept: it loads what runs are made with."""
    lab = rs.data.gaussian(6, 1, 2.0, 0)
    run = rs.simulate(
        lab.problem, 3, 2, initialization=rs.Gaussian(0.5), dynamics=rs.SGD(0.01, 1e-3), steps=2,
        monitor=rs.RankMonitor(),
    )  # fmt: skip
    rs.relax(lab.problem, run.factors, 1e-3, most=1)


def ladder(state: "FallState", lab: "KnownMatrix", values: list[float]) -> dict[str, Any]:
    """Minima of the fully seen matrix of these modes, rank by rank, and what a mode needs to have one."""
    limits = theory.landscape.scalar_thresholds(state.depth, 2 * state.ridge / _weight(lab))
    rungs = theory.landscape.local_minima(values, state.depth, state.ridge, _weight(lab))
    return {
        "needed": limits.a_local,
        "rungs": [{"rank": rung.rank, "objective": float(rung.objective)} for rung in rungs],
        "entries": lab.problem.entries.count,
        "shape": list(lab.problem.shape),
    }


def landscape(state: "FallState", lab: "KnownMatrix", values: list[float]) -> Frame:
    """The objective of one of these modes alone, with its barrier and its minimum, where it has them."""
    mode = min(state.mode, len(values), MODES)
    points = theory.landscape.critical_points(values[mode - 1], state.depth, state.ridge, _weight(lab))
    s = np.linspace(0, 1.25 * values[mode - 1], POINTS)
    minimum, barrier = (float(value) or None for value in (points.minimum, points.barrier))
    facts = {"modes": values[:MODES], "mode": mode, "minimum": minimum, "barrier": barrier if minimum else None}
    return Frame("landscape", facts | {"global": bool(points.is_global)}, {"s": s, "objective": points.objective(s)})


def expected(_: Connection, state: "FallState") -> Iterator[Frame]:
    """How long a jump takes, from replicas: in a process of its own, for that can be long."""
    stand_back()
    lab = state.lab()
    start, caution = start_of(replace(state, start="minimum"), lab)  # a jump is one out of a minimum
    dynamics = rs.SGD(state.learning_rate, state.ridge)
    rate = rs.estimate_jump_rate(lab.problem, start, dynamics, steps=STEPS, replicas=REPLICAS, seed=1000)
    low, high = rate.interval
    facts = {"mean": rate.mean, "low": low, "high": high, "jumps": rate.jumps, "replicas": REPLICAS}
    yield Frame("expected", facts | {"caution": caution})


def _weight(lab: "KnownMatrix") -> float:
    """Of a squared residual, were all entries seen."""
    return 1.0 / lab.matrix.size


def modes_of(lab: "KnownMatrix") -> list[float]:
    """Singular values of the matrix, without those of rounding."""
    values = np.linalg.svd(lab.matrix, compute_uv=False)
    return values[values > 1e-9 * values[0]].tolist()
