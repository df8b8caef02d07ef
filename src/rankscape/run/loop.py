"""The one loop: advance to the next record or chunk end, look at the state, save, go on."""

import json
import time
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from rankscape.dynamics import SGD, GradientFlow
from rankscape.engine import AbstractEngine, Setting, State
from rankscape.factorization import compress
from rankscape.ground.storage import check_writable
from rankscape.problem import Completion
from rankscape.run import checkpoint
from rankscape.run.checkpoint import End, Progress
from rankscape.run.outcome import Outcome
from rankscape.run.trajectory import OUTCOMES, Trajectory, jump_variables, to_dataset
from rankscape.run.watchers.jumps import RankMonitor, largest_curvature
from rankscape.run.watchers.stopping import AbstractRule

# A run has diverged when a product of N numbers of its state could pass this: the square still fits.
OVERFLOW = {"float64": 1e150, "float32": 1e18}

Observers = Mapping[str, Callable[[list[np.ndarray]], Any]]
Meter = Callable[[int, int, Mapping[str, Any]], None]


class Loop:
    """Runs an engine over a fixed grid of chunks and records."""

    def __init__(
        self,
        engine: AbstractEngine,
        steps: int,
        schedule: np.ndarray,
        chunk: int,
        compress_width: bool,
        observers: Observers,
        rule: AbstractRule | None,
        monitor: RankMonitor | None = None,
    ):
        self.engine, self.settings = engine, engine.settings
        self._engines: dict[tuple[int, ...], AbstractEngine] = {}
        self.steps, self.chunk = steps, chunk
        self.schedule = set(schedule.tolist())
        chunk_ends = np.arange(chunk, steps + 1, chunk)
        breaks = [setting.dynamics.breaks(steps) for setting in self.settings]
        looks = [] if monitor is None else [monitor.looks(steps, engine.step_cost(), engine.record_cost())]
        self.stops = np.unique(np.concatenate([schedule[schedule > 0], chunk_ends, [steps], *breaks, *looks]))
        self.compress_width, self.observers, self.rule, self.monitor = compress_width, observers, rule, monitor
        self.changing = sorted({name for setting in self.settings for name in setting.dynamics.paths})
        first = self.settings[0]
        self.limit = OVERFLOW[first.dtype] ** (1 / first.depth)

    def run(self, configuration: Mapping[str, Any], path: Path | None, meter: Meter | None) -> Progress:
        """From step 0, or from the checkpoint at `path`, to the end."""
        if path is not None:
            check_writable(path)
        resumed = path is not None and path.exists()
        now = checkpoint.load(path, configuration) if resumed else self._begin()  # pyright: ignore[reportArgumentType]
        saved = time.monotonic()
        step = max(state.step for state in now.states)
        for stop in self.stops[np.searchsorted(self.stops, step, side="right") :].tolist():
            if None not in now.ends:
                break
            self._advance(now, stop)
            if stop % self.chunk and stop != self.steps:
                continue
            if self.compress_width and stop != self.steps:
                self._compress(now)
            if meter is not None:
                meter(stop, self.steps, now.records[0][-1][1] if now.records[0] else {})
            if path is not None and time.monotonic() - saved > checkpoint.INTERVAL:
                checkpoint.save(path, now, configuration)
                saved = time.monotonic()
        if path is not None:
            checkpoint.save(path, now, configuration)
        return now

    def _begin(self) -> Progress:
        states = self.engine.start()
        runs = range(len(states))
        now = Progress(states, [[] for _ in runs], [None for _ in runs], [], [0 for _ in runs], [[] for _ in runs])
        for k, state in enumerate(states):
            if not state.within(self.limit):
                now.ends[k] = End(Outcome.DIVERGED, 0)
                continue
            if self.monitor is not None:
                now.alive[k] = self.monitor.look(self._engine_for([k]), state, None)
            if 0 in self.schedule:
                self._record(now, k)
        return now

    def _advance(self, now: Progress, stop: int) -> None:
        """Move all runs that are still alive to `stop`; find the step of those that diverge on the way."""
        alive = [k for k, end in enumerate(now.ends) if end is None]
        engine = self._engine_for(alive)
        moved = engine.advance([now.states[k] for k in alive], stop)
        finite = engine.within(moved, self.limit)
        reached = {k: state for k, state, fine in zip(alive, moved, finite, strict=True) if fine}
        records = self._records(reached) if stop in self.schedule else {}
        for k in alive:
            if k in reached:
                before, now.states[k] = now.states[k], reached[k]
                self._watch(now, k, before)
                if k in records or now.ends[k] is not None:
                    self._record(now, k, records.get(k))
            else:
                now.states[k], step = self._last_finite(k, now.states[k], stop)
                now.ends[k] = End(Outcome.DIVERGED, step)
                if not now.records[k] or now.records[k][-1][0] < now.states[k].step:
                    self._record(now, k)  # shows how it went up

    def _watch(self, now: Progress, k: int, before: State) -> None:
        """Note the jumps since the state `before`, and end the run where one of them is what was waited for."""
        if self.monitor is None:
            return
        found = self.monitor.jumps(self._engine_for([k]), before, now.states[k], now.alive[k])
        if found:
            now.jumps[k] += found
            now.alive[k] = found[-1].after
            reason = self.monitor.reason(found)
            if reason is not None:
                now.ends[k] = End(Outcome.STOPPED, now.states[k].step, reason)

    def _engine_for(self, runs: list[int]) -> AbstractEngine:
        """The engine of some of the runs, made once: an engine may hold its own copy of the data."""
        if len(runs) == len(self.settings):
            return self.engine
        chosen = tuple(runs)
        if chosen not in self._engines:
            self._engines[chosen] = type(self.engine)([self.settings[k] for k in runs])
        return self._engines[chosen]

    def _last_finite(self, k: int, state: State, stop: int) -> tuple[State, int]:
        """Bisect the steps between a finite state and an infinite one."""
        engine = self._engine_for([k])
        while stop - state.step > 1:
            middle = engine.advance([state], (state.step + stop) // 2)[0]
            if middle.within(self.limit):
                state = middle
            else:
                stop = middle.step
        return state, stop

    def _records(self, states: Mapping[int, State]) -> dict[int, Mapping[str, Any]]:
        """What is measured on the states of several runs, in one call: that is what many short runs cost."""
        measured = self._engine_for([*states]).records([*states.values()]) if states else []
        return dict(zip(states, measured, strict=True))

    def _record(self, now: Progress, k: int, record: Mapping[str, Any] | None = None) -> None:
        state, setting = now.states[k], self.settings[k]
        if record is None:
            record = self._engine_for([k]).record(state, setting)
        if self.observers:
            factors = self._engine_for([k]).factors(state)
            seen = {name: np.asarray(function(factors), float) for name, function in self.observers.items()}
            record = {**record, **seen}
        if self.changing:
            dynamics = setting.dynamics.at(state.step)
            record = {**record, **{name: np.float64(getattr(dynamics, name)) for name in self.changing}}
        if self.monitor is not None:
            record = {**record, **self._monitored(now, k)}
        now.records[k].append((state.step, record))
        reason = self.rule.reason(now.records[k]) if self.rule is not None and now.ends[k] is None else None
        if reason is not None:
            now.ends[k] = End(Outcome.STOPPED, state.step, reason)

    def _monitored(self, now: Progress, k: int) -> dict[str, Any]:
        """What the monitor records; a run that overflows is at no place from which to relax."""
        assert self.monitor is not None
        end, alive = now.ends[k], now.alive[k]
        relaxes = end is None or end.outcome != Outcome.DIVERGED
        return self.monitor.record(self._engine_for([k]), now.states[k], self.settings[k], alive, relaxes)

    def _compress(self, now: Progress) -> None:
        before = self.engine.factors(now.states[0])
        after, discarded = compress(before)
        narrow, wide = [W.shape[0] for W in after[:-1]], [W.shape[0] for W in before[:-1]]
        if narrow != wide:
            step = now.states[0].step
            now.states[0] = self.engine.begin(self.settings[0], after, step)
            now.events.append(f"step {step}: hidden widths {wide} -> {narrow}, discarded {discarded:.1e}")


def label(
    engine: AbstractEngine,
    end: Progress,
    configuration: Mapping[str, Any],
    why: str,
    batched: bool,
) -> Trajectory:
    """The trajectory of a finished loop."""
    settings = engine.settings
    reached = [dict(records) for records in end.records]
    steps = np.array(sorted({step for lane in reached for step in lane}), dtype=np.int64)
    dataset = to_dataset(steps, reached, batched)
    if "monitor" in configuration:
        dataset = dataset.assign(jump_variables(end.jumps, batched))
    messages = [_message(s, early, configuration["steps"]) for s, early in zip(settings, end.ends, strict=True)]
    outcomes = [Outcome.FINISHED if early is None else Outcome(early.outcome) for early in end.ends]
    worst = next((k for k, outcome in enumerate(outcomes) if not outcome.good), 0)
    dataset.attrs = {
        "outcome": str(outcomes[worst]),
        "message": messages[worst],
        "engine": engine.name,
        "engine_why": why,
        "seed": [s.seed for s in settings] if batched else settings[0].seed,
        "events": end.events,
        "versions": json.dumps(configuration["versions"]),
        "configuration": json.dumps(configuration),
        "blas": _blas(),
    }
    if "mode" in dataset.dims:
        problem: Any = settings[0].problem
        dataset = dataset.assign_coords(target_eigenvalue=("mode", problem.eigenbasis[0]))
    if batched:
        numbers = {f"start_{n}" if n in dataset.dims else n: v for n, v in _hyperparameters(settings).items()}
        dataset = dataset.assign_coords({name: ("run", v) for name, v in numbers.items()})
        codes = np.array([OUTCOMES.index(outcome) for outcome in outcomes], dtype=np.int8)
        dataset["outcome"] = ("run", codes, {"flag_meanings": " ".join(OUTCOMES)})
        dataset.attrs["messages"] = json.dumps(messages)
    factors = [engine_k.factors(state) for engine_k, state in zip(_singles(engine), end.states, strict=True)]
    return Trajectory(dataset, factors)


def _singles(engine: AbstractEngine) -> list[AbstractEngine]:
    if len(engine.settings) == 1:
        return [engine]
    return [type(engine)([setting]) for setting in engine.settings]


def _hyperparameters(settings: list[Setting]) -> dict[str, np.ndarray]:
    """The numbers in which the runs of a batch may differ, by name."""
    rows = [s.initialization.describe() | s.dynamics.describe() | {"seed": s.seed} for s in settings]
    numeric = [n for n in rows[0] if all(isinstance(row[n], int | float) for row in rows)]
    return {name: np.array([row[name] for row in rows]) for name in numeric}


def _message(setting: Setting, early: End | None, steps: int) -> str:
    """How a run ended, in a sentence, with the remedy."""
    if early is None:
        return f"finished: all {steps} steps were taken"
    if early.outcome == Outcome.STOPPED:
        return f"stopped at step {early.step}: {early.reason}"
    if early.step == 0:
        return "diverged at step 0: the initial factors overflow. Start from a smaller initialization."
    if isinstance(setting.dynamics, GradientFlow):
        return f"diverged at step {early.step}: the flow has no solution beyond; look at an earlier time."
    advice = Outcome.DIVERGED.remedy
    dynamics = setting.dynamics.at(early.step - 1)
    safe, rate = setting.safe_learning_rate(), getattr(dynamics, "learning_rate", None)
    if safe is not None and rate is not None and safe < rate:
        advice = f"Lower the learning rate: {rate:g} was used, about {safe:.2g} is safe here."
    return f"diverged at step {early.step}: a value overflowed. {_overshoot(setting, rate)}{advice}"


def _overshoot(setting: Setting, rate: float | None) -> str:
    """The stability limit of SGD on single entries, where the run began beyond it."""
    if not isinstance(setting.dynamics, SGD) or not isinstance(setting.problem, Completion) or rate is None:
        return ""
    limit = 2 / largest_curvature(setting.problem, setting.initial_factors())
    return f"At the start single entries allowed a learning rate of at most {limit:.2g}. " if limit < rate else ""


@cache
def _blas() -> str:
    """Which BLAS kernels NumPy runs: OpenBLAS picks slow ones when it misjudges the processor."""
    from threadpoolctl import threadpool_info

    found = {f"{p['internal_api']} {p.get('architecture', '')}".strip() for p in threadpool_info()}
    return ", ".join(sorted(found - {"openmp"})) or "unknown"
