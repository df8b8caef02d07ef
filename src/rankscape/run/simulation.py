"""The front door of the simulator: settings, an engine, the loop, a labelled trajectory."""

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from rankscape.dynamics import GradientDescent
from rankscape.engine import Setting, State
from rankscape.errors import InputError
from rankscape.ground.checks import MOST_STEPS, path_of, switch, whole
from rankscape.ground.fingerprint import of_arrays
from rankscape.ground.parts import needs
from rankscape.ground.progress import told
from rankscape.ground.termination import orderly
from rankscape.initialization import Identical, PerturbedIdentical
from rankscape.problem import AbstractProblem, Estimation
from rankscape.run.arguments import EngineName, Motion, Observer, Precision, Progress, Record, Seed, Start, Stop, Width
from rankscape.run.batch import Batch
from rankscape.run.checkpoint import Checkpoint
from rankscape.run.ending import say_divergence
from rankscape.run.labelling import RESERVED, label
from rankscape.run.loop import Loop
from rankscape.run.schedule import resolve
from rankscape.run.settings import Plan, configuration, plan
from rankscape.run.trajectory import Trajectory
from rankscape.run.watchers.base import AbstractWatcher
from rankscape.run.watchers.compression import WidthCompression
from rankscape.run.watchers.observers import ChangingRates, Meter, Observers, shown_on
from rankscape.run.watchers.stopping import as_rule
from rankscape.theory.climbing.step_limit import warn_if_too_large
from rankscape.theory.inputs import start_of

# Aim for the length of a chunk; the grid itself is fixed by the cost estimate, not by the clock.
CHUNK_SECONDS = 1.0


def simulate(
    problem: AbstractProblem,
    depth: int | None = None,
    width: Width = None,
    *,
    initialization: Start,
    dynamics: Motion,
    steps: int,
    record: Record = None,
    seed: Seed = None,
    dtype: Precision = "float64",
    engine: EngineName = "auto",
    compress_width: bool = False,
    stop: Stop = None,
    monitor: AbstractWatcher | None = None,
    observe: Mapping[str, Observer] | None = None,
    checkpoint: str | Path | None = None,
    progress: Progress | bool | None = None,
    throw: bool = False,
) -> Trajectory:
    r"""Train ``W = W_N ... W_1`` and record its rank on the way.

    Parameters
    ----------
    problem : Estimation, Sensing, Completion, Regression, Classification or Objective
        The loss ``f(W)``.
    depth : int, optional
        Number of factors N. Default: that of the given factors, otherwise 3.
    width : int or sequence of int, optional
        Hidden widths; None is as wide as the larger outer dimension.
    initialization : Identical, PerturbedIdentical, Gaussian, Orthogonal, Balanced, Factors or Trajectory
        Where it starts. A finished run, also one that was stored, goes on from where it ended: with its memory, at
        its place in the random numbers and in the paths of rates, so that 100 steps and 100 more are 200, bit for bit.
        A batch goes on as a batch. ``Factors(run.factors)`` starts anew from the same matrices.
    dynamics : AbstractDynamics
        How it moves: one of `rankscape.dynamics`.
    steps : int
        Number of simultaneous updates of all factors. Where a run is continued, these are further steps: `steps`,
        `record`, `stop` and the steps of the data set count from there. Its attribute ``first_step`` and its
        coordinate ``total_step`` say what came before, its attribute ``continued`` what was kept.
    record : sequence of int, Every or LogSpaced, optional
        Steps to record; the default spends a few percent of the run on records.
    seed : int, optional
        Decides every random number; if left out 0, or that of the run that is continued. A list of seeds makes a batch;
        so does a list of initializations or dynamics. Lists of one batch have equal length, and each run of it equals
        the same run alone, bit for bit.
    dtype : {"float64", "float32"}
        Precision of the state. Records are float64.
    engine : {"auto", "spectral", "matrix", "entrywise", "flow", "stack", "samples", "measurements", "curvature"}
        "auto" takes the fastest that can run the setting and says why in the attributes.
    compress_width : bool
        Drop hidden directions that died (depth >= 3, float64) at chunk ends; each time is logged in the attributes.
    stop : AtStep, AtEffectiveRank, OnPlateau, OnHeldout or theory.StoppingRule, optional
        End the run early, at a record, when the rule is met; the outcome is then "stopped", with the reason.
    monitor : RankMonitor, optional
        Watch for modes that die or come alive: every jump with its step, and what rank theory asks for. Any other
        watcher (`rankscape.run.watchers.base`) will do as well.
    observe : mapping of str to callable, optional
        Further records: functions of ``[W_1, ..., W_N]`` that return a number or an array of fixed shape.
    checkpoint : path, optional
        Save the run there every few seconds, and where it is interrupted by Ctrl-C or SIGTERM (exit code 143, unless
        the caller handles that signal), and continue from it when it exists. A file of another run is never replaced.
    progress : bool or callable, optional
        True tells how far it is, on a terminal, in a notebook or as lines; a function is called with
        ``(step, steps, latest record)`` after each chunk.
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
        `checkpoint` belongs to another configuration or version, from the beginning or since another run wrote it.

    Warns
    -----
    FallbackWarning
        A run is continued by other dynamics, which have no use for what the old ones remembered.
    DivergenceWarning
        A run diverged.

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
    for module in ("jax", "xarray"):
        needs(module, "A simulation")
    steps = whole("steps", steps, 0, MOST_STEPS)
    planned = plan(problem, depth, width, initialization, dynamics, seed, dtype, engine)
    for setting in planned.engine.settings:
        _warn_of_large_steps(setting)
    starts, kept = planned.starts()
    watchers = _watchers(planned, starts, observe, monitor, stop, compress_width)
    schedule = resolve(record, steps, planned.engine.step_cost(), planned.engine.record_cost())
    schedule = np.unique(np.concatenate([schedule, *(watcher.asked(steps) for watcher in watchers)]))
    chunk = 1 << int(np.clip(np.log2(CHUNK_SECONDS * 1e6 / planned.engine.step_cost()), 3, 24))
    fixed = configuration(planned, watchers, steps=steps, record=of_arrays(schedule), chunk=chunk)
    # These two decide no number: a checkpoint may be resumed with or without them.
    with told(progress, shown_on) as tell:
        if tell is not None:
            watchers.append(Meter(tell, steps))
        if checkpoint is not None:
            watchers.append(Checkpoint(path_of("checkpoint", checkpoint), fixed))
        loop = Loop(Batch(planned.engine, starts), steps, schedule, chunk, watchers)
        # The end of a job is one of the moments that a checkpoint is for; without one there is nothing to save.
        with orderly() if checkpoint is not None else contextlib.nullcontext():
            end = loop.run(planned.before)
    run = label(planned, loop, end, fixed, kept)
    say_divergence(end.ends, run.message, throw)
    return run


def _watchers(
    planned: Plan,
    starts: Sequence[State],
    observe: Mapping[str, Observer] | None,
    monitor: AbstractWatcher | None,
    stop: Stop,
    compress_width: bool,
) -> list[AbstractWatcher]:
    """Those that were asked for, in the order in which they look; compression comes last, and leaves the state."""
    settings, watchers = planned.engine.settings, []
    if observe is not None:
        watchers.append(Observers(observe, RESERVED))
    if any(setting.dynamics.paths for setting in settings):
        watchers.append(ChangingRates(settings, [state.step for state in starts]))
    if monitor is not None:
        if not isinstance(monitor, AbstractWatcher):
            raise InputError(f"`monitor` must be a RankMonitor or another watcher, got {type(monitor).__name__}.")
        watchers.append(monitor)
    if stop is not None:
        watchers.append(as_rule(stop))
    if switch("compress_width", compress_width):
        watchers.append(WidthCompression(settings, planned.engine.name))
    return watchers


def _warn_of_large_steps(setting: Setting) -> None:
    """Above the limit that theory knows: name it and say what happens there."""
    problem, start, dynamics = setting.problem, setting.initialization, setting.dynamics
    if not isinstance(start, Identical | PerturbedIdentical) or not isinstance(dynamics, GradientDescent):
        return
    if not isinstance(problem, Estimation) or not problem.symmetric or setting.depth == 1 or dynamics.ridge:
        return
    if isinstance(dynamics.learning_rate, float):  # theory knows constant rates
        scales = start_of(setting.depth, start.alpha, getattr(start, "beta", None))
        warn_if_too_large(scales, problem.eigenbasis[0], dynamics.learning_rate)
