"""Packages that one format needs and a plain installation lacks."""

from pathlib import Path

from rankscape.ground import parts


def needs(package: str, path: Path) -> None:
    """Raise where a package is not installed, with the command that brings it.

    Examples
    --------
    >>> needs("json", Path("a.json"))
    """
    parts.needs(package, str(path))
