"""What a phase diagram is, and how it is made: sweep the cells into a store, then draw what is in the store."""

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from threadpoolctl import threadpool_limits

from rankscape.errors import InputError, did_you_mean
from rankscape.ground.checks import of_kind
from rankscape.papers import PaperFigure
from rankscape.sweeps import SweepProgress, sweep
from rankscape.sweeps.executors import ExecutorLike

if TYPE_CHECKING:
    import xarray as xr

# The names of the diagrams; each is a file of this room.
DIAGRAMS = ("plateau-length", "final-rank", "jump-probability", "completion", "sensing", "sparse-completion")


@dataclass(frozen=True)
class Diagram:
    """A grid of cells and how it is drawn.

    Attributes
    ----------
    cell : callable
        From hyperparameters to numbers by name; at the top of a module, so that workers find it.
    full, quick : mapping of str to sequence
        The values of each hyperparameter; `quick` has fewer.
    draw : callable
        From the data set with one dimension a hyperparameter to panels, data and claims.

    Examples
    --------
    >>> from rankscape.phases.plateau_length import DIAGRAM
    >>> list(DIAGRAM.full) == list(DIAGRAM.quick)
    True
    """

    cell: Callable[..., Mapping[str, float]]
    full: Mapping[str, Sequence[Any]]
    quick: Mapping[str, Sequence[Any]]
    draw: Callable[["xr.Dataset"], PaperFigure]


def phase_diagram(
    name: str,
    store: str | Path,
    quick: bool = False,
    executor: ExecutorLike | None = None,
    workers: int | None = None,
    progress: Callable[[SweepProgress], None] | bool | None = None,
) -> PaperFigure:
    """Make a phase diagram; cells that are in the store already are not made again.

    Parameters
    ----------
    name : str
        One of `DIAGRAMS`.
    store : path
        The zarr store of the cells. Whatever ended the last call, the same call continues there.
    quick : bool
        A coarser grid.
    executor, workers, progress
        As in `rankscape.sweep`.

    Returns
    -------
    PaperFigure
        Panels, data and checked claims; ``save(folder)`` writes them.

    Raises
    ------
    InputError
        An unknown name, a store or an executor that cannot be used.
    CheckpointMismatch
        The store holds something else.

    Examples
    --------
    >>> import tempfile
    >>> from rankscape.phases import phase_diagram
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     figure = phase_diagram("plateau-length", f"{folder}/cells.zarr", quick=True)
    >>> figure.holds, dict(figure.data.length.sizes)
    (True, {'rank': 2, 'depth': 3, 'alpha': 6})
    """
    diagram = _diagram(name)
    with threadpool_limits(1, user_api="blas"):  # the matrices are small: threads would only wait for each other
        cells = sweep(
            diagram.cell, diagram.quick if quick else diagram.full, store=store, executor=executor, workers=workers,
            progress=progress,
        )  # fmt: skip
    return diagram.draw(cells.unstack())


def check(name: str) -> None:
    """Raise InputError for a diagram that does not exist.

    Examples
    --------
    >>> check("final-rank")
    >>> check("final-rang")
    Traceback (most recent call last):
    rankscape.errors.InputError: There is no phase diagram 'final-rang' - did you mean 'final-rank'?; there are ...
    """
    of_kind("name", name, str)
    if name not in DIAGRAMS:
        hint = did_you_mean(name, DIAGRAMS)
        raise InputError(f"There is no phase diagram {name!r}{hint}; there are {', '.join(DIAGRAMS)}.")


def _diagram(name: str) -> Diagram:
    check(name)
    return importlib.import_module(f"rankscape.phases.{name.replace('-', '_')}").DIAGRAM
