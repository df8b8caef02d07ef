"""Draw what panels and images say, and write figures."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rankscape.errors import InputError
from rankscape.ground.checks import of_kind, path_of, several, shown, whole
from rankscape.ground.storage import check_writable, replacing
from rankscape.plot.panels import ACCENT, INK, MUTED, Band, Cells, Image, Line, Panel

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Formats of a written figure.
FIGURES = (".png", ".pdf", ".svg")

# Line styles of horizontal references; the legend names them, so that close ones can be read.
REFERENCES = (":", "-.", "--", (0, (1, 4)))

# Points of a mark in a legend.
LARGEST_MARK = 6.0

# Inches of one panel.
WIDTH, HEIGHT = 4.6, 3.8
# Inches of a line of the notes below a figure.
NOTE = 0.1
# Inches of a cell, so that what is written there has room, and of what stands beside the cells.
CELL, MARGINS = 0.4, 1.5


def draw(
    parts: Sequence[Panel | Image], columns: int = 3, title: str = "", notes: Sequence[str] = (), letters: bool = False
) -> "Figure":
    """A figure of panels and images, row by row; `notes` stand below it, `letters` beside the titles of its parts.

    Examples
    --------
    >>> import numpy as np
    >>> from rankscape.plot import Line, Panel, draw
    >>> panel = Panel("Line", "y", "x", [Line(np.arange(3.0), np.arange(3.0))])
    >>> figure = draw([panel, panel], title="Twice")
    >>> len(figure.axes), figure.get_suptitle()
    (2, 'Twice')
    """
    from matplotlib.figure import Figure

    parts, columns = several("parts", parts), whole("columns", columns, least=1)
    for part in parts:
        of_kind("parts", part, (Panel, Image))
    rows = max(-(-len(parts) // columns), 1)
    columns = min(columns, max(len(parts), 1))
    widest = max((part.cells.values.shape[1] for part in parts if isinstance(part, Panel) and part.cells), default=0)
    width = max(WIDTH, MARGINS + CELL * widest)
    noted = (len(notes) + 1) * NOTE
    size = width * columns, HEIGHT * rows + noted
    figure = Figure(figsize=size, layout="constrained", dpi=130)
    figure.get_layout_engine().set(rect=(0, noted / size[1], 1, 1 - noted / size[1]))  # pyright: ignore
    places = np.ravel(figure.subplots(rows, columns, squeeze=False))
    for axes, part in zip(places, parts, strict=False):
        if isinstance(part, Image):
            _draw_image(axes, part)
        elif part.cells is not None:
            _draw_cells(axes, part, part.cells)
        else:
            draw_panel(axes, part)
    for axes in places[max(len(parts), 1) :]:
        axes.remove()  # no empty panels
    if not parts:
        places[0].set_axis_off()
    if letters:
        for axes, letter in zip(places, "abcdefghijklmnopqrstuvwxyz", strict=False):
            if axes.figure is not None:
                axes.set_title(f"{letter}  {axes.get_title(loc='left')}", loc="left", fontsize=10, color=INK)
    if notes:
        figure.text(0.01, 0.5 * NOTE / size[1], "\n".join(notes), fontsize=5.5, color=MUTED, va="bottom",
                    linespacing=1.15, parse_math=False)  # fmt: skip
    if title:
        figure.suptitle(title, fontsize=12, color=INK, parse_math=False)  # a file name may hold dollar signs
    return figure


def save(figure: "Figure", path: str | Path) -> Path:
    """Write a figure; whatever stood there before is kept when it fails.

    Examples
    --------
    >>> import tempfile
    >>> from rankscape.plot import Panel, draw
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(draw([Panel("Empty", "y", "x", [])]), f"{folder}/empty.svg").name
    'empty.svg'
    """
    path = path_of("path", path)
    check_figure(path)
    if not hasattr(figure, "savefig"):
        raise InputError(f"`figure` must be a figure of matplotlib, as `draw` returns it, got {shown(figure)}.")
    with replacing(path) as file:
        ending = path.suffix.lstrip(".").lower()
        # Who made it: `files.standing` replaces no picture of others.
        figure.savefig(file, format=ending, metadata={"Software" if ending == "png" else "Creator": "rankscape"})
    return path


def check_figure(path: str | Path) -> None:
    """Refuse a path that no figure can be written to, before any work.

    Examples
    --------
    >>> check_figure("picture.png")
    >>> check_figure("picture.gif")
    Traceback (most recent call last):
    rankscape.errors.InputError: ...
    """
    path = path_of("path", path)
    if path.suffix.lower() not in FIGURES:
        raise InputError(f"{path}: a figure ends in {', '.join(FIGURES)}.")
    check_writable(path)


def draw_panel(axes: "Axes", panel: Panel) -> None:
    """Curves, bands, marks and words of one panel."""
    axes.set_title(panel.title, loc="left", fontsize=10, color=INK)
    drawn = [line for line in panel.lines if np.isfinite(line.y).any()]
    if not drawn:
        axes.text(0.5, 0.5, "nothing recorded", transform=axes.transAxes, ha="center", color=MUTED, fontsize=9)
        axes.set_axis_off()
        return
    _scale(axes, panel)  # first: margins are computed in the scale that is set
    for line in drawn:
        _draw_line(axes, line)
    first, last = min(line.x[0] for line in drawn), max(line.x[-1] for line in drawn)
    level = drawn[0].y[np.isfinite(drawn[0].y)][0]
    axes.update_datalim([(first, level), (last, level)])  # every panel shows all steps
    axes.autoscale_view()
    if panel.span is not None:
        axes.set_xlim(*panel.span)
    for k, band in enumerate(panel.bands):
        _draw_band(axes, band, k)
    if panel.shaded:
        axes.fill_between([], [], color=MUTED, alpha=0.28, lw=0, label=panel.shaded)
    for (level, name), style in zip(panel.references, REFERENCES, strict=False):
        axes.axhline(level, color=MUTED, lw=1.2, ls=style, label=name)
    if panel.mark is not None:
        axes.axvline(panel.mark[0], color=ACCENT, lw=1, alpha=0.8)
        axes.set_title(panel.mark[1], loc="right", fontsize=9, color=ACCENT)
    if panel.bounds is not None:
        axes.set_ylim(*panel.bounds)
    elif panel.whole:
        axes.set_ylim(0, 1.08 * max(1.0, *(float(np.nanmax(line.y)) for line in drawn)))
    axes.set_xlabel(panel.xlabel, color=INK)
    axes.set_ylabel(panel.ylabel, color=INK)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(which="both", colors=INK, labelsize=8)
    _legend(axes, loc="upper center", bbox_to_anchor=(0.5, -0.15), ncols=2)  # below, where no line can be under it


def _legend(axes: "Axes", **where: Any) -> None:
    """Name what has a name, with marks that fit beside a word."""
    if axes.get_legend_handles_labels()[1]:
        for mark in axes.legend(fontsize=8, frameon=False, **where).get_lines():
            mark.set_markersize(min(mark.get_markersize(), LARGEST_MARK))


def _scale(axes: "Axes", panel: Panel) -> None:
    from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

    def whole() -> MaxNLocator:
        return MaxNLocator(8, integer=True, steps=[1, 2, 5, 10], min_n_ticks=1)

    if panel.log:
        axes.set_yscale("log")
    if panel.ticks is not None:
        axes.set_xticks(range(len(panel.ticks)), panel.ticks)
    elif panel.log_x:
        # Steps start at 0, which a symmetric logarithm can show; other quantities may be far below 1.
        from_zero = panel.span is None and all(x == 0 or x >= 1 for line in panel.lines for x in line.x)
        axes.set_xscale(**{"value": "symlog", "linthresh": 1} if from_zero else {"value": "log"})
        if panel.span is not None and panel.span[1] < 100 * panel.span[0]:  # too short for powers of ten alone
            axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axes.xaxis.set_major_formatter("{x:g}")
            axes.xaxis.set_minor_formatter(NullFormatter())
    else:
        axes.xaxis.set_major_locator(whole())
    if panel.whole:
        axes.yaxis.set_major_locator(whole())


def _draw_line(axes: "Axes", line: Line) -> None:
    from matplotlib import colormaps

    color = colormaps["viridis"](line.color) if isinstance(line.color, float) else line.color
    style: dict[str, Any] = dict(color=color, lw=line.width, ls=line.style or "none", label=line.label)
    if line.marker:
        style |= dict(marker=line.marker, ms=line.size)
    elif np.isfinite(line.y).sum() == 1:  # a line needs two points to be seen
        style |= dict(marker="o", ms=4)
    axes.plot(line.x, line.y, drawstyle="steps-post" if line.steps else "default", **style)


def _draw_band(axes: "Axes", band: Band, place: int) -> None:
    """Two greys in turn, so that neighbours are told apart; the word stands at the top, in the middle."""
    left, right = axes.get_xlim()
    start, end = max(band.start, left), min(band.end, right)
    if start > right or end < left:
        return
    axes.axvspan(start, end, color=MUTED, alpha=(0.28, 0.16)[place % 2], lw=0, zorder=0)
    for edge in (start, end):
        axes.axvline(edge, color=MUTED, lw=0.6, zorder=0)
    scale = axes.xaxis.get_transform()
    middle = scale.inverted().transform(scale.transform(np.array([start, end])).mean(keepdims=True)).item()
    axes.text(middle, 0.985, band.label, transform=axes.get_xaxis_transform(), ha="center", va="top", fontsize=8)
    axes.set_xlim(left, right)


def _draw_image(axes: "Axes", image: Image) -> None:
    from matplotlib import colormaps

    tinted = colormaps["gray"].with_extremes(bad="#f3d9c9")
    axes.imshow(np.ma.masked_invalid(image.values), cmap=tinted, vmin=image.limits[0], vmax=image.limits[1])
    axes.set_title(image.title, loc="left", fontsize=10, color=INK)
    axes.set_axis_off()


def _draw_cells(axes: "Axes", panel: Panel, cells: Cells) -> None:
    """From dark to light, so that it reads in grey as well; words in the cells are white on dark and dark on light."""
    from matplotlib import colormaps
    from matplotlib.colors import Normalize

    scale, (rows, columns) = Normalize(*cells.limits, clip=True), cells.values.shape
    picture = axes.imshow(cells.values, cmap="viridis", norm=scale, origin="lower", aspect="auto")
    for i, j in np.ndindex(rows, columns):
        value = cells.values[i, j]
        dark = np.isfinite(value) and np.dot(colormaps["viridis"](scale(value))[:3], (0.3, 0.59, 0.11)) < 0.5
        where: dict[str, Any] = dict(ha="center", va="center", fontsize=6, linespacing=1.1)
        axes.text(j, i, cells.texts[i][j], color="white" if dark else INK, **where)
    for line in panel.lines:
        axes.plot(line.x, line.y, color="white", lw=line.width + 2)  # a rim: seen on dark and on light
        _draw_line(axes, line)
    axes.set_xlim(-0.5, columns - 0.5)
    axes.set_ylim(-0.5, rows - 0.5)
    upright = sum(map(len, cells.columns)) > 40  # side by side they would run into each other
    axes.set_xticks(range(columns), cells.columns, rotation=90 if upright else 0)
    axes.set_yticks(range(rows), cells.rows)
    axes.tick_params(length=0, colors=INK, labelsize=8)
    axes.set_title(panel.title, loc="left", fontsize=10, color=INK)
    axes.set_xlabel(panel.xlabel, color=INK)
    axes.set_ylabel(panel.ylabel, color=INK)
    axes.figure.colorbar(picture, ax=axes, shrink=0.9, pad=0.02).set_label(cells.bar, color=INK, fontsize=8)
    _legend(axes, loc="upper left", bbox_to_anchor=(0, -0.27 if upright else -0.16))
