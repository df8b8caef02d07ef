r"""Rare jumps by multilevel splitting: the way to a jump is a chain of steps that are not rare.

The score of a run is its smallest singular value that is alive at the start. Between its minimum and death lie levels
:math:`\ell_1 > \dots > \ell_K`, the last of which is the monitor's `off`. In stage k trajectories leave states that had
crossed level k - 1, drawn with replacement and each at its own step, for the horizon is part of the state. With
:math:`q_k` the share of them that come to level k in time, the product :math:`\prod_k q_k` is without bias; its spread
is seen from independent repeats, never from within one, where trajectories share their ancestors.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from rankscape.engine import AbstractEngine, Setting, State
from rankscape.ground.threads import each
from rankscape.observe import spectrum_of_factors

# Shares of the trajectories of a stage that come to its level: the first with which there is a way on.
AIMS = (0.3, 0.1, 0.05)

# A level must lie below the one before by this part of it: else the pilot did not get anywhere.
PROGRESS = 0.02


class Point(NamedTuple):
    """Where a trajectory stands, and its score there."""

    state: State
    score: float


@dataclass(frozen=True)
class Branch(Setting):
    """A setting whose draws begin anew where a trajectory does: a whole block of a run's stream would take longer."""

    def batches(self, step: int, end: int, count: int) -> np.ndarray:
        """Draws with replacement, a row a step."""
        size = self.dynamics.batch_size
        bits = np.random.Philox(key=np.array([self.seed, step], np.uint64)).random_raw((end - step) * size)
        return (((bits >> np.uint64(32)) * np.uint64(count)) >> np.uint64(32)).astype(np.int64).reshape(-1, size)


@dataclass(frozen=True)
class Walker:
    """Moves single trajectories and looks at them every so many steps."""

    kind: type[AbstractEngine]
    setting: Branch
    mode: int  # the number of modes that are alive at the start; the last of them is watched
    every: int
    horizon: int  # the last step
    limit: float  # beyond it a number of a state counts as diverged

    def walk(self, point: Point, seed: int, level: float) -> list[Point]:
        """The record lows of the score on the way from a point, down to the level; the last one may lie below it."""
        engine = self.kind([replace(self.setting, seed=seed)])
        state, lows = point.state, [point]
        while state.step < self.horizon and lows[-1].score > level:
            state = engine.advance([state], min(self.horizon, state.step + self.every))[0]
            if not state.within(self.limit):
                break
            score = float(spectrum_of_factors(engine.factors(state))[self.mode - 1])
            if score < lows[-1].score:
                lows.append(Point(state, score))
        return lows


def seeds(*place: int, count: int) -> list[int]:
    """Seeds of the trajectories of one stage of one repeat."""
    return np.random.SeedSequence(place).generate_state(count, np.uint64).tolist()


def levels_by_pilot(walker: Walker, start: Point, off: float, count: int, seed: int) -> list[float] | None:
    """Levels of which each is reached by some share of the trajectories; None where the way ends before `off`."""
    points, levels = [start], []
    for stage in range(64):
        drawn = np.random.default_rng([seed, stage]).integers(0, len(points), count)
        numbers = seeds(seed, 0, stage, count=count)
        ways = [walker.walk(points[k], number, off) for k, number in zip(drawn, numbers, strict=True)]
        lows = np.array([way[-1].score for way in ways])
        before = levels[-1] if levels else start.score
        lower = (float(np.quantile(lows, aim)) for aim in AIMS)
        level = next((level for level in lower if level < before * (1 - PROGRESS)), None)
        if level is None or level <= off:
            return None if level is None else [*levels, off]
        levels.append(level)
        points = [point for way in ways if (point := _first_below(way, level)) is not None]
    return None


def _first_below(way: Sequence[Point], level: float) -> Point | None:
    return next((point for point in way if point.score <= level), None)


def estimates(
    walker: Walker, start: Point, levels: Sequence[float], count: int, repeats: int, seed: int, threads: int
) -> np.ndarray:
    """The probability to come below the last level before the horizon, from each of the independent repeats."""

    def repeat(number: int) -> float:
        points, probability = [start], 1.0
        for stage, level in enumerate(levels):
            chosen = np.random.default_rng([seed, number + 1, stage]).integers(0, len(points), count)
            numbers = seeds(seed, number + 1, stage, count=count)
            ways = [walker.walk(points[k], drawn, level) for k, drawn in zip(chosen, numbers, strict=True)]
            points = [way[-1] for way in ways if way[-1].score <= level]
            probability *= len(points) / count
            if not points:
                break
        return probability

    return np.array(each(repeat, range(repeats), threads))
