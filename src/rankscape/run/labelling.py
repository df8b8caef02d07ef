"""From records to a data set with names: what was measured, by run and step, and what decided it."""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from rankscape.engine import Setting
from rankscape.engine.base import Row
from rankscape.problem import Estimation
from rankscape.run.continuing import Continuation, compared, drawn
from rankscape.run.ending import message
from rankscape.run.loop import Loop
from rankscape.run.outcome import OUTCOMES, Outcome
from rankscape.run.settings import Plan
from rankscape.run.trajectory import Trajectory
from rankscape.run.watchers.base import RunState
from rankscape.run.watchers.jumps import JUMP_FIELDS

if TYPE_CHECKING:
    import xarray as xr

# Dimensions of the recorded variables beyond ``step``: joint l lies between ``W_l`` and ``W_{l+1}``.
DIMENSIONS = {
    "singular_values": ("index",),
    "eigenvalues": ("mode",),
    "layer_norm": ("layer",),
    "imbalance": ("joint",),
    "margins": ("set", "margin"),
}

# Labels of the dimensions whose places have names; they are known, so they are not stored.
LABELS = {"jump_field": JUMP_FIELDS, "margin": ["balance", "rank", "norm"]}

# Names that records of the user cannot take.
RESERVED = {
    *DIMENSIONS, "loss", "ridge_penalty", "objective", "heldout_loss", "effective_rank", "stable_rank", "entropy_rank",
    "numerical_rank", "step", "index", "mode", "layer", "joint", "run", "target_eigenvalue", "outcome", "learning_rate",
    "ridge", "total_step", "jumps", "up_jumps", "down_jumps", "alive_modes", "stability", "relaxed_rank", "set", "jump",
    *LABELS,
}  # fmt: skip


def label(plan: Plan, loop: Loop, end: RunState, configuration: Mapping[str, Any], kept: str) -> Trajectory:
    """The trajectory of a finished loop; `kept` says what was kept of the runs that were continued."""
    settings, batched = plan.engine.settings, plan.batched
    records = [dict(lane) for lane in end.records]
    steps = np.array(sorted({step for lane in records for step in lane}), dtype=np.int64)
    runs = [_ended(plan, loop, end, k, configuration["problem"]) for k in range(len(settings))]
    lanes = zip(settings, end.ends, loop.batch.first, strict=True)
    messages = [message(setting, early, loop.steps, first) for setting, early, first in lanes]
    outcomes = [Outcome.FINISHED if early is None else Outcome(early.outcome) for early in end.ends]
    worst = next((k for k, outcome in enumerate(outcomes) if not outcome.good), 0)
    dataset = to_dataset(steps, records, batched)
    dataset.attrs = {
        "outcome": str(outcomes[worst]),
        "message": messages[worst],
        "engine": plan.engine.name,
        "engine_why": plan.why,
        "seed": [s.seed for s in settings] if batched else settings[0].seed,
        "first_step": loop.batch.first[0] if len(set(loop.batch.first)) == 1 else loop.batch.first,
        "events": [],
        "versions": json.dumps(configuration["versions"]),
        "configuration": json.dumps(configuration),
        "blas": _blas(),
    }
    if any(plan.before):
        dataset.attrs["continued"] = kept
        dataset = dataset.assign_coords(total_step=_total(loop.batch.first, steps))
    problem = settings[0].problem
    if "mode" in dataset.dims and isinstance(problem, Estimation):
        dataset = dataset.assign_coords(target_eigenvalue=("mode", problem.eigenbasis[0]))
    if batched:
        # The layer that a start perturbs must not take the name of the dimension of layers.
        numbers = {f"start_{n}" if n in dataset.dims else n: v for n, v in _hyperparameters(settings, runs).items()}
        dataset = dataset.assign_coords({name: ("run", v) for name, v in numbers.items()})
        codes = np.array([OUTCOMES.index(outcome) for outcome in outcomes], dtype=np.int8)
        dataset["outcome"] = ("run", codes, {"flag_meanings": " ".join(OUTCOMES)})
        dataset.attrs["messages"] = json.dumps(messages)
    for watcher in loop.watchers:  # a run that overflowed at its start was never looked at: nothing is remembered of it
        dataset = watcher.label(dataset, [memory.get(watcher.name, {}) for memory in end.memories])
    return Trajectory(dataset, runs)


def _ended(plan: Plan, loop: Loop, end: RunState, k: int, problem: Mapping[str, Any]) -> Continuation:
    """What the next call needs to go on with one of the runs."""
    setting, before, state = plan.engine.settings[k], plan.before[k], end.states[k]
    return Continuation(
        state,
        loop.batch.look(k, state).factors,
        start=setting.initialization,
        origin=setting.initialization.describe() if before is None else before.origin,
        seed=setting.seed,
        drawn=drawn(setting, state.step, before),
        remembers=plan.engine.remembers(setting),
        settings=compared(plan.engine.name, setting, problem),
        memories=end.memories[k],
    )


def _total(first: Sequence[int], steps: np.ndarray) -> tuple[Sequence[str], np.ndarray]:
    """The steps with those that came before, by run where runs of a batch were continued from different steps."""
    return ("step", steps + first[0]) if len(set(first)) == 1 else (("run", "step"), np.add.outer(first, steps))


def _hyperparameters(settings: Sequence[Setting], runs: Sequence[Continuation]) -> dict[str, np.ndarray]:
    """The numbers in which the runs of a batch may differ, by name."""
    rows = [{**run.origin, **s.dynamics.describe(), "seed": s.seed} for s, run in zip(settings, runs, strict=True)]
    numeric = [name for name in rows[0] if all(isinstance(row.get(name), int | float) for row in rows)]
    return {name: np.array([row[name] for row in rows]) for name in numeric}


@cache
def _blas() -> str:
    """Which BLAS kernels NumPy runs: OpenBLAS picks slow ones when it misjudges the processor."""
    from threadpoolctl import threadpool_info

    found = {f"{p['internal_api']} {p.get('architecture', '')}".strip() for p in threadpool_info()}
    return ", ".join(sorted(found - {"openmp"})) or "unknown"


def to_dataset(steps: np.ndarray, records: Sequence[Mapping[int, Mapping[str, Any]]], batched: bool) -> "xr.Dataset":
    """Stack the records of each run along ``step`` (and ``run``); steps that a run did not reach are NaN."""
    import xarray as xr

    first = next((record for lane in records for record in lane.values()), {})  # empty: diverged at once
    tables = _tables(steps, records)
    variables = {}
    for name in first:
        value = first[name]
        stack = np.full((len(records), len(steps), *np.shape(value)), np.nan)
        for columns, rows, runs, places in tables:
            stack[runs, places] = columns[name][rows]
        whole = np.issubdtype(np.asarray(value).dtype, np.integer) and not np.isnan(stack).any()
        stack = stack.astype(np.int64) if whole else stack
        dims = ("step", *DIMENSIONS.get(name, tuple(f"{name}_{d}" for d in range(np.ndim(value)))))
        variables[name] = (("run", *dims), stack) if batched else (dims, stack[0])
    dataset = xr.Dataset(variables, coords={"step": steps})
    for dim in ("index", "mode", "layer", "joint", "run", "set"):
        if dim in dataset.dims:
            dataset = dataset.assign_coords({dim: np.arange(dataset.sizes[dim]) + (dim != "run")})
    return dataset.assign_coords({dim: labels for dim, labels in LABELS.items() if dim in dataset.dims})


def _tables(steps: np.ndarray, records: Sequence[Mapping[int, Mapping[str, Any]]]) -> list[tuple]:
    """Columns, and which of their rows belong to which runs and steps; records measured together stay together."""
    place = {step: k for k, step in enumerate(steps.tolist())}
    shared: dict[int, tuple[dict[str, np.ndarray], list[tuple[int, int, int]]]] = {}
    tables = []
    for run, lane in enumerate(records):
        alone = []
        for step, record in lane.items():
            if isinstance(record, Row):
                table = shared.setdefault(id(record.columns), (record.columns, []))
                table[1].append((record.place, run, place[step]))
            else:
                alone.append((record, place[step]))
        if alone:
            columns = {name: np.array([record[name] for record, _ in alone]) for name in alone[0][0]}
            tables.append((columns, np.arange(len(alone)), run, [at for _, at in alone]))
    return tables + [(columns, *np.array(where).T) for columns, where in shared.values()]
