"""What a picture holds, as data: panels of curves or cells, and grey images."""

from dataclasses import dataclass, field

import numpy as np

# Text and axes; secondary marks; the one thing to look at.
INK, MUTED, ACCENT = "#1f2933", "#7b8794", "#c2410c"

# Lines that are told apart by a legend.
COLORS = ("#1d4e89", "#c2410c", "#2f855a", "#6b46c1")

# The same lines when the page is printed in grey.
STYLES = ("-", "--", "-.", ":")


@dataclass(frozen=True)
class Line:
    """One curve; `color` between 0 and 1 is a place in the colour map, for families without a legend.

    `style` is Matplotlib's line style, "" for points alone; `marker` its marker, "" for none, and `size` its size.

    Examples
    --------
    >>> import numpy as np
    >>> from rankscape.plot import Line, Panel, draw
    >>> line = Line(np.arange(3.0), np.array([1.0, 4.0, 9.0]), "squares", marker="o")
    >>> len(draw([Panel("Squares", "value", "number", [line])]).axes)
    1
    """

    x: np.ndarray
    y: np.ndarray
    label: str = ""
    color: str | float = INK
    width: float = 1.8
    style: str = "-"
    marker: str = ""
    steps: bool = False
    size: float = 4.0


@dataclass(frozen=True)
class Band:
    """A shaded interval of the horizontal axis with a word at its top; an infinite end reaches the edge.

    Examples
    --------
    >>> import numpy as np
    >>> from rankscape.plot import Band, Line, Panel, draw
    >>> panel = Panel("Rank", "rank", "step", [Line(np.arange(9.0), np.ones(9))], bands=[Band(2, 5, "rank 1")])
    >>> len(draw([panel]).axes)
    1
    """

    start: float
    end: float
    label: str = ""


@dataclass(frozen=True)
class Cells:
    """A heat map below the curves: cell (i, j) is centred at row i from below and column j; NaN is left white.

    `rows` and `columns` are the words beside the axes, `texts` what is written into the cells; the colour bar has the
    name `bar` and reaches over `limits`, from dark to light.

    Examples
    --------
    >>> import numpy as np
    >>> from rankscape.plot import Cells, Panel, draw
    >>> cells = Cells(np.eye(2), ["low", "high"], ["a", "b"], [["1", "0"], ["0", "1"]], "share", (0.0, 1.0))
    >>> len(draw([Panel("Share", "height", "letter", [], cells=cells)]).axes)  # the cells and their colour bar
    2
    """

    values: np.ndarray
    rows: list[str]
    columns: list[str]
    texts: list[list[str]]
    bar: str
    limits: tuple[float, float]


@dataclass(frozen=True)
class Panel:
    """One set of axes: curves, bands, a vertical mark, horizontal references; `whole` asks for whole numbers.

    With `cells`, a heat map: curves are drawn over it, in its coordinates, and nothing but title and words applies.

    Examples
    --------
    >>> import numpy as np
    >>> from rankscape.plot import Line, Panel, draw
    >>> loss = Line(np.arange(1.0, 9.0), np.exp(-np.arange(8.0)))
    >>> panel = Panel("Loss", "loss", "step", [loss], log=True, mark=(5.0, "stop"))
    >>> draw([panel]).axes[0].get_yscale()
    'log'
    """

    title: str
    ylabel: str
    xlabel: str
    lines: list[Line]
    log: bool = False
    log_x: bool = False
    whole: bool = False
    mark: tuple[float, str] | None = None
    references: list[tuple[float, str]] = field(default_factory=list)
    bands: list[Band] = field(default_factory=list)
    shaded: str = ""
    """What the bands are, for the legend."""
    bounds: tuple[float, float] | None = None
    span: tuple[float, float] | None = None
    """Limits of the horizontal axis, where not all of the curves is worth showing."""
    ticks: list[str] | None = None
    """Words below the whole numbers 0, 1, ... of the horizontal axis."""
    cells: Cells | None = None


@dataclass(frozen=True)
class Image:
    """One grey picture; NaN is shown in a tint.

    Examples
    --------
    >>> import numpy as np
    >>> from rankscape.plot import Image, draw
    >>> len(draw([Image("given", np.array([[0.0, np.nan], [0.5, 1.0]]), (0.0, 1.0))]).axes)
    1
    """

    title: str
    values: np.ndarray
    limits: tuple[float, float]
