"""Make the figures of a paper."""

import importlib
import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from threadpoolctl import threadpool_limits

from rankscape.errors import InputError, RankscapeError, did_you_mean
from rankscape.ground.checks import of_kind, whole
from rankscape.ground.progress import AbstractMeter, told
from rankscape.papers.claims import Claim, counted
from rankscape.papers.figure import PaperFigure
from rankscape.plot import Panel

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
    *,
    seed: int = 0,
    problems: int = 1,
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
    seed : int
        Of the first problem, for figures that draw problems by chance; the others show what is certain.
    problems : int
        So many problems, with seeds from `seed` on. The figure of the first is shown; each claim says in how many it
        holds.

    Yields
    ------
    PaperFigure
        Panels, data, settings and checked claims; ``save(folder)`` writes them. A figure that cannot be made, because
        what it shows did not happen, comes with a claim that fails and says so.

    Raises
    ------
    InputError
        An unknown paper or figure.

    Examples
    --------
    >>> figure = next(reproduce("chou2024", ["effective-rank"], quick=True))
    >>> figure.claims[0].name, all(claim.holds for claim in figure.claims)
    ('depth 2: rank-1 plateau', True)
    """
    makers = _room(paper).FIGURES
    names, first, count = check(paper, figures), whole("seed", seed, least=0), whole("problems", problems, least=1)
    with told(progress, shown_on) as tell:
        for made, name in enumerate(names):
            if tell is not None:
                tell(made, len(names), name)
            with threadpool_limits(1, user_api="blas"):  # matrices are small: threads would only wait for each other
                figure = _of_problems(makers[name], name, quick, range(first, first + count))
            yield figure


def _of_problems(make: Callable[..., PaperFigure], name: str, quick: bool, seeds: range) -> PaperFigure:
    """The figure of the first problem for which it could be made, with claims about all of them."""
    drawn = "seed" in inspect.signature(make).parameters
    made = [_attempt(make, name, quick, {"seed": seed} if drawn else {}) for seed in (seeds if drawn else seeds[:1])]
    if len(made) == 1:
        return made[0]
    shown = next((figure for figure in made if figure.claims[0].name != MADE), made[0])
    found = [{claim.name: claim for claim in figure.claims} for figure in made]
    names = dict.fromkeys(claim for each in found for claim in each)
    claims = []
    for claim in names:
        there = next(each[claim] for each in found if claim in each)
        # A problem about which nothing could be said does not hold.
        missing = replace(there, observed="nothing", holds=False) if claim != MADE else there
        claims.append(counted([each.get(claim, replace(there, holds=True) if claim == MADE else missing)
                               for each in found]))  # fmt: skip
    settings = {**shown.settings, "problem seeds": list(seeds)}
    return replace(shown, settings=settings, claims=claims)


# What a figure claims that could not be made.
MADE = "the figure can be made"


def _attempt(make: Callable[..., PaperFigure], name: str, quick: bool, seed: dict[str, int]) -> PaperFigure:
    """The figure; where what it shows did not happen, one that says so and whose only claim fails."""
    import xarray as xr

    try:
        figure = make(quick=quick, **seed)
    except (RankscapeError, ArithmeticError, LookupError, ValueError) as error:
        observed = f"{type(error).__name__}: {error}"
        panel = Panel("not made: what it shows did not happen", observed[:60], "", [])
        return PaperFigure(name, f"{name}: could not be made", seed, [panel], xr.Dataset(),
                           [Claim(MADE, "made", observed, False)])  # fmt: skip
    return replace(figure, settings={**figure.settings, **seed})


def shown_on(meter: AbstractMeter) -> Callable[[int, int, str], None]:
    """What tells it to people; figures take a second or minutes, so how many are made says nothing of the time left."""
    return lambda made, total, name: meter.update(f"figure {made + 1} of {total}: {name}")


def check(paper: str, figures: Sequence[str] | None = None) -> tuple[str, ...]:
    """The figures that will be made, all when none is named; raise InputError for a name that does not exist.

    Examples
    --------
    >>> check("wang2024", ["stuck", "minima", "stuck"])
    ('stuck', 'minima')
    """
    makers = _room(paper).FIGURES
    for name in figures or ():
        if name not in makers:
            text = f"{paper} has no figure {name!r}{did_you_mean(name, makers)}; it has {', '.join(makers)}."
            raise InputError(text)
    # In the order of the paper, or as asked for; a figure that is named twice is made once.
    return tuple(dict.fromkeys(figures or makers))


def _room(paper: str):
    of_kind("paper", paper, str)
    if paper not in PAPERS:
        raise InputError(f"There is no paper {paper!r}{did_you_mean(paper, PAPERS)}; there are {', '.join(PAPERS)}.")
    return importlib.import_module(f"rankscape.papers.{paper}")
