"""The front door of sweeps: plan, lock, lay out, and fill the store with what is missing."""

import json
import pickle
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from rankscape.config import SimulationConfig
from rankscape.errors import InputError, RunFailed
from rankscape.ground.checks import path_of, whole
from rankscape.ground.progress import told
from rankscape.ground.termination import orderly
from rankscape.ground.versions import versions
from rankscape.sweeps.dispatch import ask, begin, reports, wait_until_ready
from rankscape.sweeps.executors import ExecutorLike, InProcess, open_pool
from rankscape.sweeps.experiment import AbstractExperiment, Plan
from rankscape.sweeps.file import read_sweep
from rankscape.sweeps.function import Function
from rankscape.sweeps.grid import Grid
from rankscape.sweeps.layout import OWN
from rankscape.sweeps.lock import Lock, locked
from rankscape.sweeps.over import MOST_RUNS, Over, Seeds, make_grid
from rankscape.sweeps.pool import Pool
from rankscape.sweeps.progress import SweepProgress, measured, shown_on
from rankscape.sweeps.result import Sweep
from rankscape.sweeps.simulations import Simulations
from rankscape.sweeps.store import Store, check_place, check_same, column, column_type, create
from rankscape.sweeps.worker import Task, prepare

# What all runs share: values by name, a configuration, the file of one, or a function of the hyperparameters.
Base: TypeAlias = Mapping[str, object] | SimulationConfig | str | Path | Callable[..., Any]


def sweep(
    base: Base,
    over: Over | None = None,
    *,
    seeds: Seeds | None = None,
    store: str | Path | None = None,
    executor: ExecutorLike | None = None,
    workers: int | None = None,
    cluster: Mapping[str, object] | None = None,
    batch: int | None = None,
    most_runs: int = MOST_RUNS,
    progress: Callable[[SweepProgress], None] | bool | None = None,
) -> Sweep:
    """Make all runs of a grid and keep them in one store; started again, make only those that are missing.

    Runs of equal shape (depth, widths, steps, kinds of start and dynamics) go through the engines in batches, one
    vectorised call each. A batch is written as one chunk of every array of the store, its mark in ``done`` last.
    So whatever is killed, workers or this process, at whatever moment: the same call continues, and the store ends
    bit-identical to one that was never disturbed (same machine, same versions).

    Parameters
    ----------
    base : mapping, SimulationConfig, path of a TOML file, or function
        What all runs share, by the names of `rankscape simulate`: ``dict(eigenvalues=[5, 3], learning_rate=1e-3)``.
        ``problem`` may be an object, `Sensing` say, and ``record`` a schedule. Or a function of the hyperparameters
        that returns a trajectory, a data set, or numbers and arrays by name; it is called once a run.
    over : mapping or sequence of mapping
        Values for each name, of which all combinations are run; or a list of settings. A table
        ``{"from": 1e-3, "to": 1, "count": 7, "spacing": "log"}`` stands for a list.
    seeds : int or iterable of int, optional
        Seeds of every combination; a number n is ``range(n)``.
    store : path
        A zarr store (a directory), made when it is not there.
    executor : str, concurrent.futures.Executor or None
        None runs here. "processes" runs in spawned processes with one thread each; "dask" in a local Dask cluster;
        the address of a Dask scheduler there; "slurm", "pbs", "lsf", "sge" as jobs. Any executor works.
    workers : int, optional
        Processes or jobs; as many as cores if left out.
    cluster : mapping, optional
        Options of the Dask cluster: queue, memory, walltime, and all others of dask-jobqueue.
    batch : int, optional
        Runs in a batch. Left out: as many as take a few seconds by the estimates of the engines.
    most_runs : int
        Refuse grids of more runs.
    progress : bool or callable, optional
        True tells how far it is, on a terminal, in a notebook or as lines; a function is called with a `SweepProgress`
        after each batch.

    Returns
    -------
    Sweep
        ``dataset``, ``unstack()``, ``status()``, ``export()``.

    Raises
    ------
    InputError
        A name, a value, the grid, the store or the executor cannot be used; or somebody else is filling the store.
    CheckpointMismatch
        The store holds another sweep; the text says in what it differs. Of a function, the code counts too, with
        that of the functions, classes and constants which it uses of its own module.
    StorageError
        The store could not be written, by a full disk say; what is done stays done.
    RunFailed
        Workers keep dying, there has been none for five minutes (a day under a batch system), or runs raised errors;
        all other runs are in the store.

    Warns
    -----
    WaitingWarning
        There has been no worker, or no answer of the scheduler, for a minute; the text says what to look at.

    Examples
    --------
    >>> import tempfile, rankscape as rs
    >>> base = dict(eigenvalues=[2.0, 1.0], depth=3, learning_rate=0.01, steps=3000)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     grid = rs.sweep(base, over={"alpha": [0.05, 0.1], "depth": [2, 3]}, store=f"{folder}/grid.zarr")
    ...     print(grid, grid.unstack().effective_rank.sel(alpha=0.1, step=3000).values.round(2))
    Sweep(4 runs, 4 done, 0 failed) [1.5 1.5]
    """
    if isinstance(base, str | Path):
        given = read_sweep(Path(base))
        asked: dict[str, Any] = dict(over=over, seeds=seeds, store=store, executor=executor)
        asked |= dict(workers=workers, cluster=cluster, batch=batch)
        merged = given | {name: value for name, value in asked.items() if value is not None}
        return sweep(**merged, most_runs=most_runs, progress=progress)
    if store is None:
        raise InputError("Name a `store`, the directory in which the runs are kept.")
    path = path_of("store", store).resolve()
    batch = None if batch is None else whole("batch", batch, least=1)
    experiment = Function(base) if callable(base) else Simulations.of(base)
    grid = experiment.check(make_grid(over, seeds, experiment.names(), whole("most_runs", most_runs, 1, 2**62)))
    check_place(path)
    # The lock first: two clients must not lay out the same store.
    with (
        orderly(),
        told(progress, shown_on) as tell,
        locked(path) as lock,
        open_pool(executor, workers, cluster) as pool,
    ):
        _check_can_be_sent(experiment, pool)
        # Workers load their packages while this process plans: both take seconds.
        ready = begin(pool, prepare, experiment, versions())
        there = Store(path) if path.exists() else None
        plan = _planned(experiment, grid, pool, batch, there)
        facts = experiment.describe() | plan.grid.describe() | plan.facts | {"versions": versions()}
        # Through JSON and back, so that it compares equal to what the store will give back.
        configuration = json.loads(json.dumps(facts, default=str))
        if there is not None:
            there.check_layout()
            check_same(there, configuration)
        wait_until_ready(pool, ready)
        if there is None:
            there = _lay_out(path, experiment, plan, configuration)
        _fill(there, experiment, plan.grid, pool, lock, tell)
    return Sweep(path)


def _planned(experiment: AbstractExperiment, grid: Grid, pool: Pool, batch: int | None, there: Store | None) -> Plan:
    plan = experiment.plan(grid, partial(ask, pool))
    if there is not None:
        return plan._replace(batch=there.batch)
    return plan if batch is None else plan._replace(batch=min(batch, len(grid)))


def _lay_out(path: Path, experiment: AbstractExperiment, plan: Plan, configuration: dict[str, Any]) -> Store:
    layout, grid = plan.layout, plan.grid
    taken = {*layout.variables, *layout.sizes, *OWN}
    shared = {name: value for name, value in experiment.shared().items() if name not in grid.names}
    named = {name: f"given_{name}" if name in taken else name for name in [*shared, *grid.names]}
    dtypes = {named[name]: column_type(grid.values(name)) for name in grid.names}

    def part(start: int, stop: int) -> dict[str, Any]:
        return {named[n]: column(grid.column(n, start, stop), dtypes[named[n]]) for n in grid.names}

    same = {named[name]: value for name, value in shared.items()}
    facts = {"configuration": configuration, "axes": {name: named[name] for name in grid.names}}
    return create(path, layout, len(grid), plan.batch, same, dtypes, part, facts)


def _check_can_be_sent(experiment: AbstractExperiment, pool: Pool) -> None:
    if isinstance(pool.executor, InProcess):
        return
    try:
        pickle.dumps(experiment)
    except Exception as error:
        if "distributed" not in type(pool.executor).__module__:  # Dask sends functions by value
            raise InputError(f"Workers cannot be sent this: {error}. Define functions in a module.") from None


def _fill(
    store: Store,
    experiment: AbstractExperiment,
    grid: Grid,
    pool: Pool,
    lock: Lock,
    progress: Callable[[SweepProgress], None] | None,
) -> None:
    """Make the batches that are missing, and count."""
    store.remove_parts()
    missing = store.missing()
    marks = store.done()
    for start in missing:  # what a batch had is made again with the rest of it
        marks[start : start + store.batch] = False
    done, failed, errors = int(marks.sum()), store.failed(marks), []
    began = time.time(), done
    lock.note(done=done)
    configuration = store.attributes["configuration"]
    tasks = (Task(str(store.path), configuration, experiment, s, grid.part(s, s + store.batch)) for s in missing)
    for report in reports(pool, tasks):
        done, failed, errors = done + report.done, failed + report.failed, [*errors, *report.errors][:1000]
        if progress is not None:
            progress(measured(store.runs, done, failed, began, "running"))
    store.remove_parts()
    if errors:
        run, text = errors[0]
        setting = ", ".join(f"{name}={value}" for name, value in grid[run].items())
        raise RunFailed(
            f"{store.runs - done} of {store.runs} runs raised an error; run {run} ({setting}): {text}. "
            f"All others are in {store.path}; the same sweep tries these again."
        )
