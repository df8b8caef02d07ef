"""What a section of the page holds, as data: sentences, tables and panels."""

from dataclasses import dataclass, field

from rankscape.plot import Image, Panel


@dataclass(frozen=True)
class Table:
    """A header and rows of text; `bars` are shares of the width, one a row, drawn behind the last column."""

    header: list[str]
    rows: list[list[str]]
    bars: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Section:
    """A finding as a heading, and what it rests on."""

    heading: str
    text: list[str] = field(default_factory=list)
    points: list[str] = field(default_factory=list)
    figures: list[Panel] = field(default_factory=list)
    images: list[Image] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
