"""From what a user types to a plan: one `Setting` for each run, the engine, and the states from which it goes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rankscape.dynamics import AbstractDynamics
from rankscape.engine import AbstractEngine, Setting, State, choose
from rankscape.errors import InputError
from rankscape.factorization import chain_widths
from rankscape.ground.checks import one_of, shown, whole
from rankscape.ground.versions import versions
from rankscape.initialization import AbstractInitialization, Factors
from rankscape.problem import AbstractProblem
from rankscape.run.arguments import Motion, Seed, Start, Width
from rankscape.run.continuing import Continuation, offset
from rankscape.run.trajectory import Trajectory
from rankscape.run.watchers.base import AbstractWatcher

# Runs of one call: all of them are held at once.
MOST_RUNS = 1_000_000

PRECISIONS = ("float64", "float32")


@dataclass(frozen=True, eq=False)
class Plan:
    """What will run, before the first step."""

    engine: AbstractEngine  # it holds the settings of all runs
    why: str  # this engine
    batched: bool  # one run in a list is a batch
    problem: Mapping[str, Any]  # described once: a digest of much data takes its time
    before: Sequence[Continuation | None]  # the run that each one continues

    def starts(self) -> tuple[list[State], str]:
        """The state of each run before its first step, and in words what was kept of runs that are continued."""
        fresh = self.engine.start() if None in self.before else []  # random starts of large widths take their time
        states, said = [], []
        for k, (setting, run) in enumerate(zip(self.engine.settings, self.before, strict=True)):
            if run is None:
                states.append(fresh[k])
                continue
            state, sentence = run.carried(self.engine, setting, self.problem)
            states.append(state)
            said.append(sentence)
        return states, ". ".join(dict.fromkeys(said))


def plan(
    problem: AbstractProblem,
    depth: int | None,
    width: Width,
    initialization: Start,
    dynamics: Motion,
    seed: Seed = None,
    dtype: str = "float64",
    engine: str = "auto",
) -> Plan:
    """One setting for each run, and the engine that suits them all; what is not a list is shared by all runs."""
    one_of("dtype", dtype, PRECISIONS)
    if not isinstance(problem, AbstractProblem):
        raise InputError(
            "`problem` must be an Estimation, Sensing, Completion, Regression, Classification or Objective, got "
            f"{type(problem).__name__}; wrap a matrix as Estimation(matrix), one with NaN as "
            "Completion.from_array(matrix)."
        )
    lanes, batched = _lanes({"initialization": initialization, "dynamics": dynamics, "seed": seed})
    described, settings, before = problem.describe(), [], []
    for lane in lanes:
        run, start = _start(lane["initialization"])
        setting = _setting(problem, _widths(problem, depth, width, start), start, lane["dynamics"], lane["seed"], run)
        setting = replace(setting, dtype=dtype)
        settings.append(setting if run is None else run.setting(setting, engine, described))
        before.append(run)
    if len({(s.widths, type(s.dynamics), type(s.initialization)) for s in settings}) > 1:
        raise InputError("The runs of a batch must share their widths, their kind of dynamics and of initialization.")
    if len({setting.dynamics.follows for setting in settings}) > 1:  # no engine runs both kinds
        raise InputError("The learning rates of a batch must all be given, or all follow the curvature.")
    # All runs of a batch go through one engine: where they would choose differently, the one that can do everything.
    choices = [_choice(s, run, engine, described) for s, run in zip(settings, before, strict=True)]
    kind, why = choices[0]
    if len({kind for kind, _ in choices}) > 1:
        kind, _ = choose(settings[0], "matrix")
        why = "matrix: runs of the batch would otherwise need different engines"
    return Plan(kind(settings), why, batched, described, before)


def _lanes(given: dict[str, Any]) -> tuple[list[dict[str, Any]], bool]:
    """What each run gets of what was given, and whether there was a list of anything."""
    runs = given["initialization"]
    if isinstance(runs, Trajectory):  # a batch goes on as a batch
        given["initialization"] = runs.continuations if runs.batched else runs.continuations[0]
    is_list = lambda v: v.ndim > 0 if isinstance(v, np.ndarray) else isinstance(v, list | tuple | range)
    lengths = {name: len(v) for name, v in given.items() if is_list(v)}
    if len(set(lengths.values())) > 1 or 0 in lengths.values():
        raise InputError(f"Lists of one batch must have the same length, at least 1; got {lengths}.")
    count = next(iter(lengths.values()), 1)
    if count > MOST_RUNS:
        raise InputError(f"A batch has at most {MOST_RUNS:,} runs, got {count:,}; `rankscape.sweep` takes more.")
    lanes = [{name: v[k] if name in lengths else v for name, v in given.items()} for k in range(count)]
    return lanes, bool(lengths)


def _start(given: Any) -> tuple[Continuation | None, AbstractInitialization]:
    """The run that is continued, if any, and the factors to start from."""
    if isinstance(given, Trajectory):
        if given.batched:
            raise InputError("A batch of runs stands in a list: give it alone, or its runs as `select(k)`.")
        given = given.continuations[0]
    if isinstance(given, Continuation):
        return given, Factors(given.factors)
    if not isinstance(given, AbstractInitialization):
        if isinstance(given, np.ndarray):
            raise InputError("Factors to start from are given as one object: Factors([W_1, ..., W_N]).")
        raise InputError(
            "`initialization` must be Identical, PerturbedIdentical, Gaussian, Orthogonal, Balanced, Factors or a "
            f"finished run, got {type(given).__name__}."
        )
    return None, given


def _setting(
    problem: AbstractProblem,
    widths: tuple[int, ...],
    start: AbstractInitialization,
    dynamics: Any,
    seed: Any,
    run: Continuation | None,
) -> Setting:
    """The setting of one run; one that is continued keeps its seed, and goes on in its stream."""
    if not isinstance(dynamics, AbstractDynamics):
        raise InputError(f"`dynamics` must be a rule such as rs.GradientDescent(0.01), got {shown(dynamics)}.")
    if seed is None:
        seed = 0 if run is None else run.seed
    number = whole("seed", seed, 0, 2**64 - 1)  # half of a Philox key
    return Setting(problem, widths, start, dynamics, number, offset=0 if run is None else offset(dynamics, run))


def _widths(
    problem: AbstractProblem, depth: int | None, width: Width, start: AbstractInitialization
) -> tuple[int, ...]:
    """The chain of widths; given factors decide it, and may not be contradicted."""
    if not isinstance(start, Factors):
        return chain_widths(problem.shape, 3 if depth is None else depth, width)
    widths = chain_widths(problem.shape, start.depth, start.hidden_widths)
    # What was left out contradicts nothing: only a depth or width that was given is compared.
    asked = chain_widths(problem.shape, start.depth if depth is None else depth, width)
    if (depth is not None and len(asked) != len(widths)) or (width is not None and asked != widths):
        raise InputError(
            f"The factors to start from have depth {start.depth} and hidden widths {start.hidden_widths}; "
            f"leave out depth={depth} and width={width}, or make them agree."
        )
    return widths


def _choice(
    setting: Setting, run: Continuation | None, engine: str, problem: Mapping[str, Any]
) -> tuple[type[AbstractEngine], str]:
    """The engine for one run; a run that is continued stays with its own, because another has other last bits."""
    kind = None if run is None or engine != "auto" else run.engine_for(setting, problem)
    return choose(setting, engine) if kind is None else (kind, f"{kind.name}: as in the run that is continued")


def configuration(plan: Plan, watchers: Sequence[AbstractWatcher], **loop: Any) -> dict[str, Any]:
    """Everything that decides the numbers of a run, as JSON; a checkpoint must agree with all of it."""
    settings, first = plan.engine.settings, plan.engine.settings[0]
    starts = [run or s.initialization for run, s in zip(plan.before, settings, strict=True)]
    watched = {watcher.name: watcher.describe() for watcher in watchers}
    return {
        "problem": plan.problem,
        "widths": list(first.widths),
        "initialization": [start.describe() for start in starts],
        "dynamics": [s.dynamics.describe() for s in settings],
        "seed": [s.seed for s in settings],
        "dtype": first.dtype,
        "engine": plan.engine.name,
        **loop,
        **{"compress_width": False, "observe": [], "stop": None},
        **{name: described for name, described in watched.items() if described is not None},
        "versions": dict(versions()),
    }
