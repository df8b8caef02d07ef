"""One panel on axes that somebody has, or on new ones."""

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias, runtime_checkable

from rankscape.ground.checks import one_of
from rankscape.ground.labelled import Labelled
from rankscape.plot.drawing import draw_panel
from rankscape.plot.panels import Band, Panel
from rankscape.plot.trajectory import trajectory_panels

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

# What is drawn of a trajectory, in the order of `trajectory_panels`.
What: TypeAlias = Literal["spectrum", "rank", "errors"]
WHAT: tuple[What, ...] = ("spectrum", "rank", "errors")


@runtime_checkable
class Interval(Protocol):
    """Steps between which theory says that a rank holds: a plateau."""

    @property
    def rank(self) -> int:
        """The rank."""
        ...

    @property
    def start(self) -> int | None:
        """First step; None where nothing is said."""
        ...

    @property
    def end(self) -> int | None:
        """Last step; None where it has no end."""
        ...


def plot_trajectory(
    dataset: "xr.Dataset | Labelled",
    what: What,
    ax: "Axes | None" = None,
    theory: Iterable[Interval] = (),
    references: dict[str, float] | None = None,
) -> "Axes":
    """Draw the spectrum, the rank or the errors by step, with the plateaus of theory as bands behind.

    Examples
    --------
    >>> import rankscape as rs
    >>> from matplotlib.figure import Figure
    >>> run = rs.simulate(rs.Estimation(eigenvalues=[2.0, 1.0]), depth=3, initialization=rs.Identical(alpha=0.2),
    ...                   dynamics=rs.GradientDescent(0.01), steps=500)
    >>> theory = rs.theory.plateaus([2.0, 1.0], depth=3, alpha=0.2, learning_rate=0.01)
    >>> plot_trajectory(run.dataset, "rank", Figure().subplots(), theory).get_xlabel()
    'step'
    """
    one_of("what", what, WHAT)
    panel = trajectory_panels(dataset, references)[WHAT.index(what)]
    return onto(replace(panel, bands=[*panel.bands, *bands_of(theory)]), ax)


def bands_of(theory: Iterable[Interval]) -> list[Band]:
    """A band for each rank that is guaranteed somewhere."""
    held = [p for p in theory if p.start is not None and (p.end is None or p.start <= p.end)]
    return [Band(float(p.start or 0), float("inf") if p.end is None else float(p.end), f"rank {p.rank}") for p in held]


def onto(panel: Panel, ax: "Axes | None") -> "Axes":
    """Draw a panel on given axes, or on new ones that a notebook shows."""
    if ax is None:
        from matplotlib import pyplot

        ax = pyplot.subplots(layout="constrained")[1]
    draw_panel(ax, panel)
    return ax
