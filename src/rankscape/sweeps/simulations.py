"""Runs of `rankscape.simulate` by the names of `SimulationConfig`; equal shapes go in one vectorised call."""

import json
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from rankscape.config import WATCHING, SimulationConfig, make_config
from rankscape.dynamics import GradientDescent
from rankscape.engine import AbstractEngine
from rankscape.errors import FallbackWarning, InputError, RankscapeWarning
from rankscape.ground.checks import shown
from rankscape.ground.fingerprint import of_arrays
from rankscape.initialization import Identical
from rankscape.problem import AbstractProblem, Estimation
from rankscape.run.schedule import Every, LogSpaced, default_schedule
from rankscape.run.settings import plan
from rankscape.run.simulation import simulate
from rankscape.run.trajectory import Trajectory
from rankscape.sweeps.experiment import AbstractExperiment, Batch, Plan, as_text, batch_size
from rankscape.sweeps.grid import Grid, Point
from rankscape.sweeps.kinds import KIND, PROBLEM, at_once, kinds_of, shape_of
from rankscape.sweeps.layout import RunLayout, layout_of

# Estimated length of a batch: long beside what it costs to write one, short beside a night.
MICROSECONDS = 8e6

# Most memory of the records and factors of a batch.
BYTES = 128 << 20


@dataclass(frozen=True)
class Simulations(AbstractExperiment):
    """One base configuration, from which the settings of a grid differ.

    Attributes
    ----------
    base : SimulationConfig
        What all runs share.
    record : sequence of int, Every, LogSpaced or None
        Recorded steps, the same for all runs; None for the default schedule of the longest run.
    problem : AbstractProblem or None
        A problem as an object, in the place of eigenvalues, target or entries.
    """

    base: SimulationConfig
    record: Any = None
    problem: AbstractProblem | None = None

    @classmethod
    def of(cls, base: Mapping[str, object] | SimulationConfig) -> "Simulations":
        """From names and values; `problem` may be an object, and `record` a schedule."""
        if isinstance(base, SimulationConfig):
            return cls(base.model_copy(update={"record": None}), base.record)
        if not isinstance(base, Mapping):
            raise InputError(f"`base` must be a configuration, or a dict of its settings, got {shown(base)}.")
        given = {str(name).replace("-", "_"): value for name, value in base.items()}
        record, problem = given.pop("record", None), given.pop("problem", None)
        if problem is not None and not isinstance(problem, AbstractProblem):
            raise InputError(f"`problem` must be a problem such as Estimation, got {type(problem).__name__}.")
        named = [name for name in PROBLEM if given.get(name) is not None]
        if problem is not None and named:
            raise InputError(f"`problem` and {', '.join(named)} exclude each other.")
        if not isinstance(record, Every | LogSpaced) and record is not None:
            record = make_config({"record": record}, "base").record
        if watching := [name for name in WATCHING if name in given]:
            raise InputError(f"base: {', '.join(watching)} is for a single run; a sweep makes each to its last step.")
        return cls(make_config(given, "base"), record, problem)

    def names(self) -> list[str]:
        """All of `SimulationConfig` but the recorded steps, one coordinate of the store, and what only a run has."""
        taken = {"record", *WATCHING} if self.problem is None else {"record", *WATCHING, *PROBLEM}
        return [name for name in SimulationConfig.model_fields if name not in taken]

    def check(self, grid: Grid) -> Grid:
        """Each value alone: names are independent of each other in their types and bounds."""
        axes = {name: _checked_axis(name, values) for name, values in grid.axes.items()}
        return Grid([{name: _checked(name, value) for name, value in row.items()} for row in grid.rows], axes)

    def plan(self, grid: Grid, call: Callable[..., Any]) -> Plan:
        """The first record of one run of each shape shows the variables, and whether an engine can run it at all."""
        slow = [*KIND, "seed"] if any(self._config(corner).heldout for corner in grid.corners(["heldout"])) else KIND
        # Runs of a kind together, so that a batch is few calls.
        grid = grid.ordered(slow)
        shapes: dict[tuple, SimulationConfig] = {}
        for corner in grid.corners(KIND):
            config = self._config(corner)
            shapes.setdefault(shape_of(config), config)
        samples = self._samples(list(shapes.values()))
        engines = [self._engine(config) for config in shapes.values()]
        steps = self._steps(grid, engines[0])
        layout = layout_of([sample.dataset for sample in samples], steps)
        # What a batch holds at its end: all records, and the factors of the largest shape.
        memory = layout.bytes + max(sum(W.nbytes for W in sample.factors) for sample in samples)
        longest = max(grid.values("steps"), default=self.base.steps) if "steps" in grid.names else self.base.steps
        costs = [longest * engine.step_cost() + len(steps) * engine.record_cost() for engine in engines]
        affordable = max(MICROSECONDS / float(np.mean(costs)), max(map(at_once, engines)))
        facts = {
            "record": of_arrays(steps),
            "problems": _digest([self._problem(config).describe() for config in shapes.values()]),
        }
        return Plan(grid, layout, batch_size(len(grid), min(affordable, BYTES / memory)), facts)

    def run(self, points: Sequence[Point], layout: RunLayout) -> Batch:
        """One call of `simulate` for all runs of a kind."""
        configs = [self._config(point) for point in points]
        batch = Batch(layout.blank(len(configs)), *([""] * len(configs) for _ in range(3)))
        for rows in kinds_of(configs):
            try:
                run = self._simulate([configs[k] for k in rows], layout.labels["step"])
                # A run that diverges also records its last finite step, for which the store has no place.
                known = np.isin(run.step, layout.labels["step"])
                layout.place(batch.blocks, rows, run.dataset.isel(step=known))
                texts = json.loads(run.dataset.attrs["messages"])
            except Exception as error:
                for k in rows:
                    batch.errors[k] = as_text(error)
                continue
            for k, outcome, text in zip(rows, run.outcome, texts, strict=True):
                batch.outcomes[k], batch.messages[k] = str(outcome), text
        return batch

    def shared(self) -> Point:
        """All fields but those that describe the problem."""
        return {name: getattr(self.base, name) for name in self.names() if name not in PROBLEM}

    def prepare(self) -> None:
        """Make the smallest run: it loads the engines and all that they need."""
        simulate(Estimation(eigenvalues=[1.0]), initialization=Identical(0.1), dynamics=GradientDescent(0.1), steps=1)

    def describe(self) -> dict[str, Any]:
        """The base configuration, and the problem where it is an object."""
        base = json.loads(self.base.model_dump_json(exclude={"record"}))
        return {"base": base, "problem": None if self.problem is None else self.problem.describe()}

    def _config(self, point: Point) -> SimulationConfig:
        return self.base.model_copy(update=point) if point else self.base

    def _problem(self, config: SimulationConfig) -> AbstractProblem:
        if self.problem is not None:
            return self.problem
        names = {*PROBLEM, "dynamics"} | ({"seed"} if config.heldout else set())
        return _load(config.model_dump_json(include=names, exclude_unset=True))

    def _simulate(self, configs: Sequence[SimulationConfig], steps: np.ndarray) -> Trajectory:
        first = configs[0]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RankscapeWarning)  # how a run ended stands in the store
            return simulate(
                self._problem(first),
                first.depth,
                first.width,
                initialization=[config.make_initialization() for config in configs],
                dynamics=[config.make_dynamics() for config in configs],
                seed=[config.seed for config in configs],
                record=steps[steps <= first.steps],
                **{name: getattr(first, name) for name in ("steps", "dtype", "engine", "compress_width")},
            )

    def _samples(self, configs: Sequence[SimulationConfig]) -> list[Trajectory]:
        """The start of each run; what no run has a use for is said once."""
        samples, said = [], []
        for config in configs:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                if self.problem is None:
                    config.check_use()
                samples.append(self._simulate([config.model_copy(update={"steps": 0})], np.array([0])).select(0))
            said.append({str(w.message) for w in caught if issubclass(w.category, FallbackWarning)})
        for text in sorted(set.intersection(*said)):
            warnings.warn(text, FallbackWarning, stacklevel=5)
        return samples

    def _engine(self, config: SimulationConfig) -> AbstractEngine:
        return plan(
            self._problem(config),
            config.depth,
            config.width,
            config.make_initialization(),
            config.make_dynamics(),
            config.seed,
            config.dtype,
            config.engine,
        ).engine

    def _steps(self, grid: Grid, engine: AbstractEngine) -> np.ndarray:
        """The recorded steps of the store; a run records those that it reaches."""
        ends = np.unique([*(grid.values("steps") if "steps" in grid.names else [self.base.steps])])
        longest = int(ends[-1])
        if self.record is None:
            return np.union1d(default_schedule(longest, engine.step_cost(), engine.record_cost()), ends)
        if isinstance(self.record, Every | LogSpaced):
            return np.union1d(self.record.steps(longest), ends)
        steps = np.unique(np.asarray(self.record, dtype=np.int64))
        if not steps.size or steps[0] < 0 or steps[-1] > longest:
            raise InputError(f"`record` must name steps within 0..{longest}, got {list(self.record)}.")
        return np.union1d(steps, ends[ends < steps[0]])


def _checked_axis(name: str, values: Sequence[Any]) -> Sequence[Any]:
    """A range of seeds stays a range: written out, a million seeds would be a million checked objects."""
    if isinstance(values, range) and name == "seed" and min(values[0], values[-1]) >= 0:
        return values
    return [_checked(name, value) for value in values]


def _checked(name: str, value: Any) -> Any:
    """A value in the type of its field."""
    if isinstance(value, bool) != (SimulationConfig.model_fields[name].annotation is bool):
        raise InputError(f"`over`: {name} = {value!r}: true and false are for switches, and only they.")
    return getattr(make_config({name: value}, "over"), name)


@lru_cache(maxsize=8)
def _load(text: str) -> AbstractProblem:
    """A problem from its part of the configuration; files are read once in each process."""
    return SimulationConfig.model_validate_json(text).problem()


def _digest(descriptions: Sequence[Mapping[str, Any]]) -> str:
    return of_arrays(np.frombuffer(json.dumps(list(descriptions), default=str).encode(), dtype=np.uint8))
