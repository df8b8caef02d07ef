"""Replicas of one run of SGD, each with its own seed, watched until a first mode dies."""

import os
import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from rankscape.dynamics import SGD
from rankscape.errors import DivergenceWarning, InputError, RunFailed
from rankscape.ground.threads import each
from rankscape.initialization import Factors
from rankscape.problem import AbstractProblem
from rankscape.run.simulation import simulate
from rankscape.run.trajectory import Trajectory
from rankscape.run.watchers.jumps import RankMonitor


class Waited(NamedTuple):
    """What the replicas tell."""

    first: list[int | None]  # of each replica that did not diverge, the step of its first jump down
    up: int  # jumps up, over all of them
    diverged: int


def watched(
    problem: AbstractProblem,
    start: Any,
    dynamics: SGD,
    steps: int,
    seeds: Sequence[int],
    watch: RankMonitor,
    threads: int | None,
) -> Waited:
    """Let the replicas run, each until its first jump down or to the end; those that diverge are said aloud."""

    def run(seed: int) -> np.ndarray | RunFailed:
        try:
            return replica(problem, start, dynamics, steps, seed, watch).jumps.values
        except RunFailed as error:  # handed on, because warnings are no matter for a thread
            return error

    ends = each(run, seeds, threads or os.cpu_count() or 1)
    failures = [end for end in ends if isinstance(end, RunFailed)]
    if failures and len(failures) == len(ends):
        raise RunFailed(f"All {len(ends)} replica(s) diverged. The first: {failures[0]}") from failures[0]
    if failures:
        warnings.warn(
            f"{len(failures)} of {len(ends)} replicas diverged and are left out: the estimate is about the others. The "
            f"first: {failures[0]}",
            DivergenceWarning,
            stacklevel=3,
        )
    held = [end for end in ends if not isinstance(end, RunFailed)]
    up = sum(int(np.sum(jumps[:, 2] > jumps[:, 1])) for jumps in held)
    falls = ([int(step) for step, before, after in jumps if after < before] for jumps in held)
    return Waited([steps_down[0] if steps_down else None for steps_down in falls], up, len(failures))


def replica(
    problem: AbstractProblem, start: Any, dynamics: SGD, steps: int, seed: int, watch: RankMonitor
) -> Trajectory:
    """One run, of which nothing is recorded but its jumps."""
    return simulate(
        problem, initialization=start, dynamics=dynamics, steps=steps, record=[0], seed=seed, monitor=watch, throw=True
    )


def as_start(start: Any) -> Factors | Trajectory:
    """A list of factors, `Factors`, or a run that is continued."""
    return start if isinstance(start, Factors | Trajectory) else Factors(start)


def live_modes(problem: AbstractProblem, start: Any, dynamics: SGD, watch: RankMonitor) -> int:
    """How many modes of the start the monitor takes for alive; none is an error."""
    # A run of no steps: the monitor itself says it.
    alive = int(replica(problem, start, dynamics, 0, 0, watch).alive_modes[0])
    if alive == 0:
        level = watch.levels(problem)[1]
        raise InputError(f"No mode of the start is above {level:g}, so none can die; see RankMonitor(on=...).")
    return alive
