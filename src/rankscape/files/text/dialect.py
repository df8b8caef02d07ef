"""How one line of text is cut into cells, and how cells are put in without touching the others."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from rankscape.files.wanted import BLANKS, SEPARATORS

QUOTE = '"'


@dataclass(frozen=True)
class Dialect:
    """What stands between the cells of a line."""

    separator: str

    @property
    def name(self) -> str:
        """What an option calls the separator."""
        return next(name for name, mark in SEPARATORS.items() if mark == self.separator)

    @property
    def title(self) -> str:
        """What a sentence calls the separators."""
        return {BLANKS: BLANKS, "colons": "'::'"}.get(self.name, f"{self.name}s")

    @cached_property
    def _patterns(self) -> tuple[re.Pattern, re.Pattern]:
        """A quoted cell with what may stand around it, and the start of one."""
        end = "[ \t]|$" if self.separator == BLANKS else f"{re.escape(self.separator)}|$"
        around = "" if self.separator == BLANKS else "[ ]*"
        quoted = rf'{around}"(?:[^"]|"")*"{around}(?={end})'
        return re.compile(quoted), re.compile(f'{around}"')

    def cut(self, line: str) -> list[str] | None:
        """The cells as they stand, quotes included; None where a quote is opened and not closed."""
        if self.separator == BLANKS:
            spans = self._spans(line)
            return None if spans is None else [line[start:stop] for start, stop in spans]
        if QUOTE not in line:
            return line.split(self.separator)
        quoted, opened = self._patterns
        cells, at = [], 0
        while True:
            whole = quoted.match(line, at)
            if whole is None and opened.match(line, at):
                return None
            stop = whole.end() if whole else line.find(self.separator, at)
            stop = len(line) if stop < 0 else stop
            cells.append(line[at:stop])
            if stop == len(line):
                return cells
            at = stop + len(self.separator)

    def _spans(self, line: str) -> list[tuple[int, int]] | None:
        """Where the cells of a line are, whose cells stand between blanks."""
        if QUOTE not in line:
            return [match.span() for match in re.finditer(r"[^ \t]+", line)]
        quoted, _ = self._patterns
        spans, at = [], 0
        while match := re.compile(r"[^ \t]").search(line, at):
            at = match.start()
            whole = quoted.match(line, at) if line[at] == QUOTE else re.compile(r"[^ \t]+").match(line, at)
            if whole is None:
                return None
            spans.append(whole.span())
            at = whole.end()
        return spans

    def fill(self, line: str, texts: Mapping[int, str]) -> str:
        """The line with other texts in some cells; everything else stays as it is, to the byte."""
        if self.separator == BLANKS:
            for k, (start, stop) in reversed(list(enumerate(self._spans(line) or []))):
                if k in texts:
                    line = line[:start] + _dressed(line[start:stop], texts[k]) + line[stop:]
            return line
        cells = self.cut(line) or []
        for k, text in texts.items():
            cells[k] = _dressed(cells[k], text if self.separator not in text else f"{QUOTE}{text}{QUOTE}")
        return self.separator.join(cells)

    def quote(self, text: str) -> str:
        """The text as a cell: in quotes where it needs them."""
        special = (QUOTE, "\n", "\r") + ((" ", "\t") if self.separator == BLANKS else (self.separator,))
        needed = any(mark in text for mark in special) or text != text.strip() or text.startswith("#")
        needed = needed or (self.separator == BLANKS and not text)
        return QUOTE + text.replace(QUOTE, QUOTE * 2) + QUOTE if needed else text

    def join(self, cells: Iterable[str]) -> str:
        """A line of cells that need no quotes any more."""
        return (" " if self.separator == BLANKS else self.separator).join(cells)


def plain(cell: str) -> str:
    """What a cell says: without blanks around it and without quotes.

    >>> plain(' "a ""b"" c" ')
    'a "b" c'
    """
    cell = cell.strip()
    if len(cell) > 1 and cell[0] == cell[-1] == QUOTE:
        cell = cell[1:-1].replace(QUOTE * 2, QUOTE).strip()
    return cell


def _dressed(old: str, text: str) -> str:
    """The text with the blanks and quotes that the old cell had around it."""
    core = old.strip()
    if len(core) > 1 and core[0] == core[-1] == QUOTE and text[:1] != QUOTE:
        text = f"{QUOTE}{text}{QUOTE}"
    if not core:
        return text  # blanks alone were the cell
    start = old.index(core)
    return old[:start] + text + old[start + len(core) :]
