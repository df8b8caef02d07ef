"""Text as records: one line each, or several where a quoted cell goes over lines; always knowing on which line."""

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from rankscape.errors import FileFormatError
from rankscape.files.text.decoding import Encoding
from rankscape.files.text.dialect import QUOTE, Dialect, plain
from rankscape.ground.missing import MISSING

COMMENT = "#"

# Records that are looked at to see how a text is cut: so many from its start, and as many spread over the rest.
SAMPLE = 200

# Lines that one quoted cell may go over: more is a quote that was never closed.
LONGEST = 10_000

# Missing values as spreadsheets write them start like a comment.
NO_COMMENT = tuple(word for word in MISSING if word.startswith(COMMENT))


def is_comment(line: str) -> bool:
    """Whether a line without blanks before it is a comment."""
    return line.startswith(COMMENT) and not line.startswith(NO_COMMENT)


@dataclass(frozen=True, eq=False)
class Text:
    """A file of text, cut into lines at nothing but its line ends."""

    path: Path
    encoding: Encoding
    newline: str
    lines: list[str] = field(repr=False)  # a "\r" before the line end stays with its line

    @classmethod
    def of(cls, path: Path, encoding: Encoding, text: str) -> "Text":
        """Cut a text; a file of an old Macintosh ends its lines with carriage returns alone."""
        newline = "\r" if "\r" in text and "\n" not in text else "\n"
        return cls(path, encoding, newline, text.split(newline))

    def is_body(self, k: int) -> bool:
        """Whether line k holds cells: it is not empty, no comment, and not what Excel says about the separator."""
        line = self.lines[k].strip(" \r")
        return bool(line) and not self.is_comment(k) and (k > 0 or self.said is None) and (k != 1 or not self.gct)

    def is_comment(self, k: int) -> bool:
        """Whether line k is a comment."""
        line = self.lines[k].lstrip(" \t\r")
        return is_comment(line) or (self.marked is not None and line.startswith(self.marked))

    @cached_property
    def marked(self) -> str | None:
        """What else comments start with, as the first line does: ``!`` of GEO, ``%`` of MATLAB, ``//``."""
        first = next((line for line in self.lines if line.strip()), "")
        match = re.match(r"(!)[A-Za-z]+_[a-z]|(%)[%]* |(//)", first)
        return match and (match[1] or match[2] or match[3])

    @property
    def gct(self) -> bool:
        """Whether it is a GCT file, whose second line counts rows and columns."""
        return self.lines[0].strip() == "#1.2"

    @property
    def said(self) -> str | None:
        """The separator that a first line as Excel writes it says: ``sep=;``."""
        match = re.fullmatch("sep=([,;|\t])\r?", self.lines[0], re.IGNORECASE)
        return match[1] if match else None

    @cached_property
    def quoted(self) -> bool:
        """Whether there is a quote anywhere."""
        return any(QUOTE in line for line in self.lines)

    def sample(self, dialect: Dialect) -> list[list[str]]:
        """The cells of some records, the first ones in order."""
        found = list(itertools.islice(self.records(dialect), 2 * SAMPLE if self.quoted else SAMPLE))
        if not self.quoted and found:
            last = found[-1][0] + 1
            step = max(1, (len(self.lines) - last) // SAMPLE)
            at = (k for k in range(last, len(self.lines), step) if self.is_body(k))
            found += [(k, self.lines[k]) for k in at]
        return [[plain(cell) for cell in dialect.cut(unit.rstrip("\r")) or []] for _, unit in found]

    def records(self, dialect: Dialect, start: int = 0) -> Iterator[tuple[int, str]]:
        """Yield the first line (counted from 0) and the text of every record."""
        k = start
        while k < len(self.lines):
            if not self.is_body(k):
                k += 1
                continue
            stop = self._end(k, dialect) if QUOTE in self.lines[k] else k + 1
            yield k, self.lines[k] if stop == k + 1 else self.newline.join(self.lines[k:stop])
            k = stop

    def _end(self, k: int, dialect: Dialect) -> int:
        """The line after the record that starts on line k."""
        unit, stop = self.lines[k].rstrip("\r"), k + 1
        while dialect.cut(unit) is None:
            while stop < len(self.lines) and self.lines[stop].count(QUOTE) % 2 == 0:
                stop += 1  # only an odd number of quotes can close one
            if stop >= min(len(self.lines), k + LONGEST):
                raise FileFormatError(f"{self.path}, line {k + 1}: is a quote opened here and not closed?")
            stop += 1
            unit = self.newline.join(self.lines[k:stop]).rstrip("\r")
        return stop


@dataclass(frozen=True, eq=False)
class Body:
    """The records of a text under one dialect, without its header."""

    text: Text
    dialect: Dialect
    header: list[str] | None
    header_line: int  # counted from 1; 0 where there is none
    first: int  # the line of the first record of the body, counted from 0
    width: int

    @property
    def path(self) -> Path:
        """The file."""
        return self.text.path

    def records(self) -> Iterator[tuple[int, str]]:
        """Yield the line, counted from 0, and the text of every record below the header."""
        return ((k, unit.rstrip("\r")) for k, unit in self.text.records(self.dialect, self.first))

    def check_comments(self) -> None:
        """Raise if a comment below the header has as many cells as a record: it can be one, named #something."""
        for k in range(self.first, len(self.text.lines)):
            line = self.text.lines[k].strip(" \r")
            if line[:1] == COMMENT and is_comment(line) and len(self.dialect.cut(line) or []) == self.width > 2:
                raise FileFormatError(
                    f"{self.path}, line {k + 1}: {line[:30]!r} starts as a comment and has {self.width} cells as a "
                    f"record has; put its first cell in quotes, or delete the line"
                )

    def cells(self, line: int, unit: str) -> list[str]:
        """The cells of a record as they stand; raise unless there are as many as in the others."""
        cells = self.dialect.cut(unit)
        if cells is None or len(cells) != self.width:
            raise FileFormatError(self.ragged(line, cells or [], unit))
        return cells

    def ragged(self, line: int, cells: Sequence[str], unit: str) -> str:
        """What to say about a record of another length."""
        found = f"{len(cells)} cell(s) where the {'header has' if self.header else 'others have'} {self.width}"
        hint = "; is a quote opened here and not closed?" if "\n" in unit else ""
        if len(cells) == 1 and line < SAMPLE // 10:
            hint = "; a title above the table starts with #"
        return f"{self.path}, line {line + 1}: {found}, cut at {self.dialect.title}{hint}"

    def name(self, column: int) -> str:
        """What to call a column in a sentence."""
        return repr(self.header[column]) if self.header and self.header[column] else str(column + 1)
