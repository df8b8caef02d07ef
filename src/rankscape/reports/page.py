"""The page as HTML: one template, everything inside it, every word escaped."""

import base64
import io
import re
from collections.abc import Iterable
from html import escape
from importlib.resources import files
from string import Template

import numpy as np

from rankscape.plot import Image, Panel, draw
from rankscape.plot.panels import ACCENT, COLORS, INK, MUTED
from rankscape.reports.content import Page
from rankscape.reports.sections import Section, Table

# Inches of a figure: its words are as large on a phone as the text around it.
SIZE = 3.7, 3.2

# Longest side of an image; a larger one is thinned.
PIXELS = 420

# Colour of missing pixels, as in all pictures of rankscape.
TINT = 243, 217, 201

# Colours that follow the reader's light or dark page.
INKS = {INK: "ink", "#000000": "ink", MUTED: "muted", COLORS[0]: "blue", ACCENT: "orange"}


def render(page: Page, footer: str) -> str:
    """The whole page; the same content gives the same bytes."""
    template = Template(files("rankscape.reports").joinpath("page.html").read_text(encoding="utf-8"))
    facts = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in page.facts)
    return template.substitute(
        title=escape(f"{page.name}: {page.heading}"),
        name=escape(page.name),
        heading=escape(page.heading),
        verdict=escape(page.verdict),
        verdict_class="verdict good" if page.trusted else "verdict",
        facts=facts,
        sections="\n".join(map(_section, page.sections)),
        footer=escape(footer),
    )


def _section(section: Section) -> str:
    parts = [f"<h2>{escape(section.heading)}</h2>"]
    parts += [f"<p>{escape(text)}</p>" for text in section.text]
    if section.points:
        parts.append("<ul>" + "".join(f"<li>{escape(point)}</li>" for point in section.points) + "</ul>")
    for drawn in ([_image(image) for image in section.images], [_figure(panel) for panel in section.figures]):
        if drawn:
            few = " few" if len(drawn) < 3 else ""
            parts.append(f'<div class="figures{few}">{"".join(drawn)}</div>')
    parts += map(_table, section.tables)
    return "<section>\n" + "\n".join(parts) + "\n</section>"


def _table(table: Table) -> str:
    head = _cells("th", table.header) + ("<th></th>" if table.bars else "")
    rows = []
    for k, row in enumerate(table.rows):
        bar = f'<td class="bar"><span style="width:{table.bars[k]:.1%}"></span></td>' if table.bars else ""
        # The reader looks for the model among the rules it is compared with.
        mine = ' class="mine"' if table.bars and row[0] == "this model" else ""
        rows.append(f"<tr{mine}>{_cells('td', row)}{bar}</tr>")
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _cells(tag: str, texts: Iterable[str]) -> str:
    return "".join(f"<{tag}><bdi>{escape(text)}</bdi></{tag}>" for text in texts)


# -- pictures --------------------------------------------------------------------------------------------------


def _figure(panel: Panel) -> str:
    """One panel as SVG inside the page, in the colours and letters of the page."""
    from matplotlib import rc_context
    from matplotlib.ticker import MaxNLocator

    # Panels are the ones that `plot` draws elsewhere: the page adds its size, its letters and its colours.
    figure = draw([panel])
    figure.set_size_inches(*SIZE)
    axes = figure.axes[0]
    whole = all(float(x).is_integer() for line in panel.lines for x in line.x)
    if not whole and axes.get_xscale() == "linear":  # steps are whole numbers, predictions are not
        axes.xaxis.set_major_locator(MaxNLocator(5))
    legend = axes.get_legend()
    if legend is not None:  # a small figure has less room below its axes
        legend.set_bbox_to_anchor((0.5, -0.21))
    file = io.StringIO()
    # Text stays text, so that it can be searched and read aloud; the salt makes ids the same every time.
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "rankscape"}):
        figure.savefig(file, format="svg", transparent=True, metadata={"Date": None})
    return f"<figure>{_inline(file.getvalue(), panel.title)}</figure>"


def _inline(svg: str, title: str) -> str:
    """The drawing without its frame as a file; ids that repeat on every figure go, those of shapes are hashes."""
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    svg = re.sub(r' id="[A-Za-z0-9.]+_\d+"', "", svg)
    box = re.search(r'viewBox="[^"]*"', svg)
    svg = re.sub(r"<svg[^>]*>", f'<svg {box[0] if box else ""} role="img" aria-label="{escape(title)}">', svg, count=1)
    svg = re.sub(r"'DejaVu Sans'[^;\"]*sans-serif", "system-ui, sans-serif", svg)
    for color, name in INKS.items():
        svg = svg.replace(color, f"var(--{name})")
    return svg


def _image(image: Image) -> str:
    """A grey picture as PNG inside the page; palette entry 255 is the tint of what is missing."""
    from PIL import Image as Pixels

    values = image.values[:: _stride(image.values), :: _stride(image.values)]
    low, high = image.limits
    # 255 grey levels would need 256 colours with the tint: one level fewer leaves room for it.
    shade = np.clip((values - low) / (high - low or 1.0), 0, 1) * 254
    codes = np.where(np.isnan(shade), 255, np.nan_to_num(shade).round()).astype(np.uint8)
    picture = Pixels.fromarray(codes).convert("P")
    picture.putpalette([round(level * 255 / 254) for level in range(255) for _ in "rgb"] + list(TINT))
    file = io.BytesIO()
    picture.save(file, format="PNG", optimize=True)
    coded = base64.b64encode(file.getvalue()).decode()
    caption = escape(image.title)
    return (
        f'<figure><img alt="{caption}" src="data:image/png;base64,{coded}"><figcaption>{caption}</figcaption></figure>'
    )


def _stride(values: np.ndarray) -> int:
    return -(-max(values.shape) // PIXELS)
