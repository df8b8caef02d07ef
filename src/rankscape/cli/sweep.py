"""``rankscape sweep FILE``, ``rankscape sweep status|export STORE``."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from rankscape.cli.app import COMMANDS, DONE
from rankscape.cli.output import Flag, Speech, number, print_facts, print_json
from rankscape.errors import InputError

if TYPE_CHECKING:
    from rankscape.sweeps import SweepProgress

app = App(name="sweep", help=COMMANDS["sweep"])


@app.default
def sweep(
    file: Path,
    /,
    *,
    store: Annotated[Path | None, Parameter(alias="-o")] = None,
    executor: str | None = None,
    workers: int | None = None,
    batch: int | None = None,
    yes: Flag = False,
    speech: Speech | None = None,
) -> int:
    """Run a grid of simulations into one store, and continue it whatever happened.

    Parameters
    ----------
    file
        A TOML file: the keys of `rankscape simulate`, a table [over] with a list of values for each name, and seeds.
    store
        The zarr store; by default the name of the file with .zarr.
    executor
        Where it runs: serial, processes, dask, slurm, pbs, lsf, sge, or the address of a Dask scheduler.
    workers
        Processes or jobs; as many as cores if left out.
    batch
        Runs in a batch; as many as take a few seconds if left out.
    yes
        Allow more than a million runs.
    """
    import sys

    from rankscape.sweeps import sweep as run
    from rankscape.sweeps.progress import shown_on

    options: dict[str, Any] = {"store": store, "executor": executor, "workers": workers, "batch": batch}
    if yes:
        options["most_runs"] = sys.maxsize
    speech = speech or Speech()
    try:
        with speech.meter() as bar:
            made = run(file, progress=shown_on(bar), **options)
    except InputError as error:
        # The command line has an option where Python has an argument.
        raise type(error)(str(error).replace("`most_runs`", "--yes")) from error
    now = made.status()
    speech.say(lambda: _facts(made.path, now), lambda: _rows(made.path, now))
    return DONE


@app.command
def status(
    store: Path, /, *, watch: Annotated[bool, Parameter(negative="")] = False, speech: Speech | None = None
) -> None:
    """Print how far a sweep is: runs done, failed and left, rate, time left, and who works on it.

    Parameters
    ----------
    store
        The zarr store of a sweep.
    watch
        Keep looking until nobody works on it.
    """
    from rankscape.sweeps.progress import look, shown_on

    now, speech = look(store), speech or Speech()
    with speech.meter() as bar:
        show = shown_on(bar)
        while watch and now.state == "running":
            show(now)
            time.sleep(1)
            now = look(store)
    speech.say(lambda: _facts(store, now), lambda: _rows(store, now))


@app.command
def export(
    store: Path,
    /,
    *,
    output: Annotated[Path | None, Parameter(alias="-o")] = None,
    format: str | None = None,
    json: Flag = False,
) -> None:
    """Write the runs of a sweep that are done to one file.

    Parameters
    ----------
    store
        The zarr store of a sweep.
    output
        The file; by default the name of the store with the ending of the format.
    format
        netcdf, csv or parquet; by default from the ending of the file.
    json
        Print JSON.
    """
    from rankscape.run.exporting import FORMATS
    from rankscape.sweeps import Sweep

    if output is None:
        # An unknown format is refused by `export`, whatever the file is called.
        output = store.with_suffix(FORMATS.get(format or "netcdf", ".nc"))
    made = Sweep(store).export(output, format)
    facts = {"output": str(made), "bytes": made.stat().st_size}
    if json:
        print_json(facts)
    else:
        print_facts([(name, str(value)) for name, value in facts.items()])


def _facts(store: Path, now: "SweepProgress") -> dict[str, Any]:
    return {"store": str(store)} | now._asdict()


def _rows(store: Path, now: "SweepProgress") -> list[tuple[str, str]]:
    known = {name.replace("_", " "): value for name, value in _facts(store, now).items() if value is not None}
    return [(name, number(v) if isinstance(v, float) else str(v)) for name, v in known.items()]
