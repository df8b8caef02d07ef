"""What rankscape builds on: one file, ``references.bib``, from which `rankscape cite` and all docstrings cite.

A docstring names a work in its text as ``Wang, Jacot (2024)`` and in its References block in the one form of
`Reference.line`; the tests read every docstring and refuse what is not in the file.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from rankscape.errors import InputError, did_you_mean

# What is printed when no key is given: the software, and the two papers whose mathematics it computes.
CREDITS = ("rankscape", "chou2024", "wang2024")


@dataclass(frozen=True)
class Reference:
    """One work of the bibliography.

    Attributes
    ----------
    key : str
        First author and year: the name in `rankscape cite` and in References blocks.
    fields : dict
        The fields of its BibTeX entry: title, author, year, journal or booktitle or publisher, doi, eprint (arXiv).
    bibtex : str
        The entry itself.
    """

    key: str
    fields: dict[str, str]
    bibtex: str

    @property
    def surnames(self) -> list[str]:
        """Family names of the authors, in order."""
        return [author.split(",")[0] for author in self.fields["author"].split(" and ")]

    @property
    def line(self) -> str:
        """The one form of a References block.

        >>> reference("golub1973").line[:32]
        '.. [golub1973] Golub, Pereyra, "'
        """
        year = f"{self.fields['volume']} ({self.fields['year']})" if "volume" in self.fields else self.fields["year"]
        venue = [self.fields[name] for name in ("journal", "booktitle", "publisher") if name in self.fields]
        return f'.. [{self.key}] {", ".join(self.surnames)}, "{self.fields["title"]}", {" ".join([*venue, year])}.'


def reference(key: str) -> Reference:
    """The work with this key.

    >>> reference("golub1973").surnames
    ['Golub', 'Pereyra']
    """
    works = bibliography()
    if key not in works:
        hint = did_you_mean(key, works) or "."
        raise InputError(f"The bibliography has no {key!r}{hint} `rankscape cite --all` prints it.")
    return works[key]


def bibtex(keys: Iterable[str] = CREDITS) -> str:
    """BibTeX entries, separated by blank lines.

    >>> print(bibtex().splitlines()[0])
    @software{rankscape,
    """
    return "\n\n".join(reference(key).bibtex for key in keys)


@cache
def bibliography() -> dict[str, Reference]:
    """All works by key: rankscape, the two papers, then the others by name."""
    from rankscape import __version__

    # From the package and not from a path: it may be installed as an archive.
    text = files("rankscape.papers").joinpath("references.bib").read_text(encoding="utf-8")
    entries = text.replace("{VERSION}", f"{{{__version__}}}").strip().split("\n\n")
    return {work.key: work for work in map(_read, entries)}


def _read(entry: str) -> Reference:
    """One entry; the file keeps to one field a line, so no parser of BibTeX is needed."""
    key = entry[entry.index("{") + 1 : entry.index(",")]
    fields = re.findall(r"^  (\w+) = \{(.*)\},?$", entry, flags=re.MULTILINE)
    # Braces inside a title keep capitals in BibTeX; here they would only be noise.
    return Reference(key, {name: re.sub("[{}]", "", text) for name, text in fields}, entry)
