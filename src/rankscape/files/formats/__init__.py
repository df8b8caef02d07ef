"""The file formats there are: one file each, and here the list that everything else goes by.

=============  =========================================================================================
`base`         `Format`: extensions, reader, writer, and what a file can keep
`delimited`    CSV, TSV and other text: wide and long tables
`excel`        workbooks of Excel (`workbook`: looked at before a library lays out its cells)
`parquet`      tables with typed columns
`feather`      the same in the file of Apache Arrow
`npy`, `npz`   dense arrays in NumPy's own files
`mat`          MATLAB's own, up to version 7 (`mat_parts`: what stands in it)
`h5ad`         AnnData (`heaps`: where HDF5 keeps text)
`market`       Matrix Market, coordinates or an array
=============  =========================================================================================

A new format is a file here that ends in a `Format`, and its name in `FORMATS`: reading, writing, the command line, its
help and the sentences of errors follow.
"""

from collections.abc import Callable
from itertools import groupby
from pathlib import Path
from typing import TypeVar

from rankscape.errors import InputError, did_you_mean
from rankscape.files.formats.base import Format
from rankscape.files.formats.delimited import CSV, TSV, TXT
from rankscape.files.formats.excel import EXCEL
from rankscape.files.formats.feather import FEATHER
from rankscape.files.formats.h5ad import H5AD
from rankscape.files.formats.market import MARKET
from rankscape.files.formats.mat import MAT
from rankscape.files.formats.npy import NPY
from rankscape.files.formats.npz import NPZ
from rankscape.files.formats.parquet import PARQUET
from rankscape.files.packing import PACKINGS

# In the order in which help and errors name them.
FORMATS: tuple[Format, ...] = (CSV, TSV, TXT, EXCEL, PARQUET, FEATHER, NPY, NPZ, MAT, H5AD, MARKET)

_F = TypeVar("_F", bound=Callable)


def format_of(path: Path) -> Format:
    """Return the format that the extension of ``path`` stands for.

    >>> format_of(Path("ratings.v2.csv.gz")).name
    'csv'
    """
    known = {extension: format for format in FORMATS for extension in format.extensions}
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes[1:] and suffixes[-1] in PACKINGS:  # one packing stands for all
        suffixes[-1] = PACKINGS[0]
    for extension in ("".join(suffixes[-2:]), *suffixes[-1:]):  # the longer one first: .csv.gz is no .gz
        if extension in known:
            return known[extension]
    extension = path.suffix.lower()
    problem = f"the extension {extension!r} is not known" if extension else "the name has no extension"
    raise InputError(f"{path}: {problem}; use one of {' '.join(known)}{did_you_mean(extension, list(known))}")


def is_known(path: Path) -> bool:
    """Whether the extension of ``path`` stands for a format."""
    try:
        format_of(path)
    except InputError:
        return False
    return True


def named(name: str) -> Format:
    """Return the format of this name, or of this extension without its dot.

    >>> named("tsv").title
    'TSV'
    """
    if is_known(path := Path(f"a.{name}")):
        return format_of(path)
    names = [format.name for format in FORMATS]
    raise InputError(f"`format` must be one of {', '.join(names)}, got {name!r}{did_you_mean(name, names)}.")


def either(words: list[str]) -> str:
    """The words in a sentence.

    >>> either(["NPY", "NPZ", "Matrix Market"])
    'NPY, NPZ or Matrix Market'
    """
    return " or ".join([", ".join(words[:-1]), words[-1]] if words[1:] else words)


def titles(long: bool | None = None) -> str:
    """What people call the formats, or only the long or the dense ones, in a sentence."""
    return either([format.title for format in FORMATS if long is None or format.long == long])


def long_extensions() -> str:
    """The extensions of files with one record an entry, in a sentence."""
    return either([format.extension for format in FORMATS if format.long])


def listing() -> str:
    """The table of the help: extensions, and what such a file holds."""
    groups = [(stores, list(same)) for stores, same in groupby(FORMATS, key=lambda format: format.stores)]
    lines = [(f"``{' '.join(e for format in same for e in format.extensions)}``", stores) for stores, same in groups]
    wide = max(len(left) for left, _ in lines)
    rule = "=" * wide + "  " + "=" * max(len(right) for _, right in lines)
    return "\n    ".join([rule, *(f"{left:<{wide}}  {right}" for left, right in lines), rule])


def with_listing(function: _F) -> _F:
    """Put the table of the formats in the place of ``{formats}`` in a docstring."""
    if function.__doc__:  # there are none under -OO
        function.__doc__ = function.__doc__.replace("{formats}", listing())
    return function
