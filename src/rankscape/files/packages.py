"""Packages that are only needed for some files: a missing one is a sentence with the command that brings it."""

from importlib.util import find_spec
from pathlib import Path

from rankscape.errors import InputError


def needs(package: str, path: Path, extra: str = "files") -> None:
    """Raise unless a package is installed that this file needs.

    Examples
    --------
    >>> needs("no_such_package", Path("a.xlsx"))
    Traceback (most recent call last):
    ...
    rankscape.errors.InputError: a.xlsx needs the package no_such_package: pip install 'rankscape[files]'
    """
    try:
        there = find_spec(package) is not None
    except (ImportError, ValueError):  # a package that is blocked or half imported is none
        there = False
    if not there:
        raise InputError(f"{path} needs the package {package.replace('_calamine', '-calamine')}: "
                         f"pip install 'rankscape[{extra}]'")  # fmt: skip
