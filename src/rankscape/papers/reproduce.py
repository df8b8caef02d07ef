"""Make the figures of a paper."""

import importlib
from collections.abc import Callable, Iterator, Sequence

from threadpoolctl import threadpool_limits

from rankscape.errors import InputError, did_you_mean
from rankscape.ground.progress import AbstractMeter, told
from rankscape.papers.figure import PaperFigure

# Papers whose figures can be made: the names of their rooms.
PAPERS = ("chou2024", "wang2024")


def figure_names(paper: str) -> tuple[str, ...]:
    """The names of a paper's figures, in order.

    >>> figure_names("chou2024")[:2]
    ('eigenvalues', 'effective-rank')
    """
    return tuple(_room(paper).FIGURES)


def reproduce(
    paper: str,
    figures: Sequence[str] | None = None,
    quick: bool = False,
    progress: Callable[[int, int, str], None] | bool | None = None,
) -> Iterator[PaperFigure]:
    """Make figures of a paper, one after the other.

    Parameters
    ----------
    paper : str
        One of `PAPERS`.
    figures : sequence of str, optional
        Names from `figure_names`; all when left out.
    quick : bool
        Fewer runs and steps, coarser curves; the same claims.
    progress : bool or callable, optional
        True tells which figure is being made, on a terminal, in a notebook or as lines; a function is called with the
        number of figures made, of all figures, and the name of the next.

    Yields
    ------
    PaperFigure
        Panels, data, settings and checked claims; ``save(folder)`` writes them.

    Raises
    ------
    InputError
        An unknown paper or figure.
    """
    makers = _room(paper).FIGURES
    names = check(paper, figures)
    with told(progress, shown_on) as tell:
        for made, name in enumerate(names):
            if tell is not None:
                tell(made, len(names), name)
            with threadpool_limits(1, user_api="blas"):  # matrices are small: threads would only wait for each other
                figure = makers[name](quick=quick)
            yield figure


def shown_on(meter: AbstractMeter) -> Callable[[int, int, str], None]:
    """What tells it to people; figures take a second or minutes, so how many are made says nothing of the time left."""
    return lambda made, total, name: meter.update(f"figure {made + 1} of {total}: {name}")


def check(paper: str, figures: Sequence[str] | None = None) -> tuple[str, ...]:
    """The figures that will be made, all when none is named; raise InputError for a name that does not exist."""
    makers = _room(paper).FIGURES
    for name in figures or ():
        if name not in makers:
            text = f"{paper} has no figure {name!r}{did_you_mean(name, makers)}; it has {', '.join(makers)}."
            raise InputError(text)
    # In the order of the paper, or as asked for; a figure that is named twice is made once.
    return tuple(dict.fromkeys(figures or makers))


def _room(paper: str):
    if paper not in PAPERS:
        raise InputError(f"There is no paper {paper!r}{did_you_mean(paper, PAPERS)}; there are {', '.join(PAPERS)}.")
    return importlib.import_module(f"rankscape.papers.{paper}")
