"""The front door of the simulator: settings, an engine, the loop, a labelled trajectory."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rankscape.dynamics import GradientDescent, Optimizer
from rankscape.engine import Setting
from rankscape.errors import DivergenceWarning, InputError, RunFailed
from rankscape.ground.checks import whole
from rankscape.ground.fingerprint import of_arrays
from rankscape.initialization import Identical, PerturbedIdentical
from rankscape.problem import AbstractProblem, Estimation
from rankscape.run.checkpoint import Progress
from rankscape.run.loop import Loop, label
from rankscape.run.outcome import Outcome
from rankscape.run.schedule import resolve
from rankscape.run.settings import choose_for_all, configuration, make_settings
from rankscape.run.trajectory import RESERVED, Trajectory
from rankscape.run.watchers.jumps import RankMonitor
from rankscape.run.watchers.stopping import as_rule
from rankscape.theory.climbing.limits import warn_if_too_large
from rankscape.theory.inputs import start_of

# Aim for the length of a chunk; the grid itself is fixed by the cost estimate, not by the clock.
CHUNK_SECONDS = 1.0


def simulate(
    problem: AbstractProblem,
    depth: int | None = None,
    width: int | Sequence[int] | None = None,
    *,
    initialization: Any,
    dynamics: Any,
    steps: int,
    record: Any = None,
    seed: Any = 0,
    dtype: str = "float64",
    engine: str = "auto",
    compress_width: bool = False,
    stop: Any = None,
    monitor: RankMonitor | None = None,
    observe: Mapping[str, Callable[[list[np.ndarray]], Any]] | None = None,
    checkpoint: str | Path | None = None,
    progress: Callable[[int, int, Mapping[str, Any]], None] | None = None,
    throw: bool = False,
) -> Trajectory:
    r"""Train ``W = W_N ... W_1`` and record its rank on the way.

    Parameters
    ----------
    problem : Estimation, Sensing, Completion or Objective
        The loss ``f(W)``.
    depth : int, optional
        Number of factors N. Default: that of the given factors, otherwise 3.
    width : int or sequence of int, optional
        Hidden widths; None is as wide as the larger outer dimension.
    initialization : Identical, PerturbedIdentical, Gaussian, Orthogonal, Balanced, Factors or Trajectory
        Where it starts; a finished run is continued from its last state.
    dynamics : GradientDescent, GradientFlow, SGD or Optimizer
        How it moves.
    steps : int
        Number of simultaneous updates of all factors.
    record : sequence of int, Every or LogSpaced, optional
        Steps to record; the default spends a few percent of the run on records.
    seed : int
        Decides every random number. A list of seeds makes a batch; so does a list of initializations or dynamics.
        Lists of one batch have equal length, and each run of it equals the same run alone, bit for bit.
    dtype : {"float64", "float32"}
        Precision of the state. Records are float64.
    engine : {"auto", "spectral", "matrix", "entrywise", "flow", "stack", "measurements"}
        "auto" takes the fastest that can run the setting and says why in the attributes.
    compress_width : bool
        Drop hidden directions that died (depth >= 3, float64) at chunk ends; each time is logged in the attributes.
    stop : AtStep, AtEffectiveRank, OnPlateau, OnHeldout or theory.StoppingRule, optional
        End the run early, at a record, when the rule is met; the outcome is then "stopped", with the reason.
    monitor : RankMonitor, optional
        Watch for modes that die or come alive: every jump with its step, and what rank theory asks for.
    observe : mapping of str to callable, optional
        Further records: functions of ``[W_1, ..., W_N]`` that return a number or an array of fixed shape.
    checkpoint : path, optional
        Save the run there every few seconds and continue from it when it exists.
    progress : callable, optional
        Called with ``(step, steps, latest record)`` after each chunk.
    throw : bool
        Raise `RunFailed` when a run diverges, instead of warning and returning what was recorded until then.

    Returns
    -------
    Trajectory
        ``dataset``, ``factors``, ``product``, ``outcome``.

    Raises
    ------
    InputError
        A setting cannot be used; the text names it and the remedy.
    CheckpointMismatch
        `checkpoint` belongs to another configuration or version.

    Examples
    --------
    The larger eigenvalue is learned first, so the effective rank rests near 1 on the way to 1.5:

    >>> import rankscape as rs
    >>> run = rs.simulate(rs.Estimation(eigenvalues=[2.0, 1.0]), depth=3, initialization=rs.Identical(alpha=0.1),
    ...                   dynamics=rs.GradientDescent(learning_rate=0.01), steps=3000, record=[0, 600, 3000])
    >>> run.dataset.effective_rank.values.round(1).tolist()
    [2.0, 1.0, 1.5]
    >>> run.outcome
    <Outcome.FINISHED: 'finished'>
    """
    settings, batched = make_settings(problem, depth, width, initialization, dynamics, seed, dtype)
    steps = whole("steps", steps, least=0)
    _check_observers(observe or {})
    kind, why = choose_for_all(settings, engine)
    for setting in settings:
        _warn_of_large_steps(setting)
    if compress_width:
        _check_compression(settings, kind.name)
    runner = kind(settings)
    step_cost = runner.step_cost()
    schedule = resolve(record, steps, step_cost, runner.record_cost())
    rule = as_rule(stop)
    if rule is not None:
        schedule = np.union1d(schedule, rule.steps(steps))
    if monitor is not None:
        _check_monitor(monitor)
        schedule = np.union1d(schedule, monitor.asked(steps))
    chunk = 1 << int(np.clip(np.log2(CHUNK_SECONDS * 1e6 / step_cost), 3, 24))
    loop = Loop(runner, steps, schedule, chunk, compress_width, observe or {}, rule, monitor)
    watched = {} if monitor is None else {"monitor": monitor.describe()}
    fixed = configuration(
        settings, kind.name, steps=steps, record=of_arrays(schedule), chunk=chunk,
        compress_width=compress_width, observe=sorted(observe or {}), stop=None if rule is None else rule.describe(),
        **watched,
    )  # fmt: skip
    end = loop.run(fixed, None if checkpoint is None else Path(checkpoint), progress)
    run = label(runner, end, fixed, why, batched)
    return _judge(run, end, throw)


def _warn_of_large_steps(setting: Setting) -> None:
    """Above the limit that theory knows: name it and say what happens there."""
    problem, start, dynamics = setting.problem, setting.initialization, setting.dynamics
    if not isinstance(start, Identical | PerturbedIdentical) or not isinstance(dynamics, GradientDescent):
        return
    if not isinstance(problem, Estimation) or not problem.symmetric or setting.depth == 1 or dynamics.ridge:
        return
    if isinstance(dynamics.learning_rate, float):
        scales = start_of(setting.depth, start.alpha, getattr(start, "beta", None))
        warn_if_too_large(scales, problem.eigenbasis[0], dynamics.learning_rate)


def _check_compression(settings: Sequence[Setting], engine: str) -> None:
    """Where dead directions may come back, or are not kept at all, widths are not compressed."""
    first = settings[0]
    obstacles = {
        "a batch": len(settings) > 1,
        "the spectral engine": engine == "spectral",
        "an optax optimizer": isinstance(first.dynamics, Optimizer),
        f"depth {first.depth} (dead directions grow back)": first.depth < 3,
        "float32 (dead directions stop near 5e-6)": first.dtype != "float64",
    }
    for obstacle, there in obstacles.items():
        if there:
            raise InputError(f"`compress_width` is not for {obstacle}; leave it out.")


def _check_monitor(monitor: Any) -> None:
    if not isinstance(monitor, RankMonitor):
        raise InputError(f"`monitor` must be a RankMonitor, got {type(monitor).__name__}.")


def _check_observers(observe: Mapping[str, Any]) -> None:
    for name in observe:
        if name in RESERVED:
            raise InputError(f"`observe` cannot record {name!r}: the name is taken; choose another.")


def _judge(run: Trajectory, end: Progress, throw: bool) -> Trajectory:
    """Say aloud that a run diverged."""
    if any(early is not None and early.outcome == Outcome.DIVERGED for early in end.ends):
        if throw:
            raise RunFailed(run.message)
        warnings.warn(run.message, DivergenceWarning, stacklevel=3)
    return run
