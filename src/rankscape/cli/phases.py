"""``rankscape phases``."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from rankscape.cli.app import DONE, FAILED, say
from rankscape.cli.output import Speech
from rankscape.cli.reproduce import print_claims


def phases(
    diagram: str,
    /,
    *,
    quick: Annotated[bool, Parameter(negative="")] = False,
    store: Path | None = None,
    executor: str | None = None,
    workers: int | None = None,
    output: Annotated[Path | None, Parameter(alias="-o")] = None,
    speech: Speech | None = None,
) -> int:
    """Sweep a phase diagram, draw it with what theory predicts, and check its claims.

    Parameters
    ----------
    diagram
        plateau-length, final-rank, jump-probability, completion, sensing or sparse-completion.
    quick
        A coarser grid.
    store
        Where the cells are kept, and where a diagram that was interrupted goes on; by default in the output folder.
    executor
        Where it runs: serial, processes, dask, slurm, pbs, lsf, sge, or the address of a Dask scheduler.
    workers
        Processes or jobs; as many as cores if left out.
    output
        Folder for PNG, PDF, data (netCDF) and claims (JSON); by default phases.
    """
    from rankscape import phases
    from rankscape.ground.storage import check_folder
    from rankscape.sweeps.progress import shown_on

    phases.check(diagram)
    folder = Path("phases") if output is None else output
    check_folder(folder)
    # A quick grid has a store of its own: the other one would refuse it.
    cells = folder / f"{diagram}{'-quick' if quick else ''}.zarr" if store is None else store
    speech = speech or Speech()
    with speech.meter() as bar:
        made = phases.phase_diagram(diagram, cells, quick, executor, workers, shown_on(bar))
    made.save(folder)
    held, total = sum(claim.holds for claim in made.claims), len(made.claims)
    print_claims([made], speech)
    if not (speech.json or speech.quiet):
        print(f"\n{held} of {total} claims hold; the figure is in {folder}/, the cells are in {cells}")
    if held < total:
        say(f"error: {total - held} of {total} claims do not hold.")
    return DONE if held == total else FAILED
