"""``rankscape cite``."""

from typing import Annotated

from cyclopts import Parameter

from rankscape.papers.bibliography import CREDITS, bibliography, bibtex


def cite(*keys: str, every: Annotated[bool, Parameter("--all", negative="")] = False) -> None:
    """Print BibTeX for rankscape and the papers it builds on.

    Parameters
    ----------
    keys
        Works to print instead, as docstrings name them: golub1973.
    every
        Print the whole bibliography.
    """
    # Keys that stand there win over the credits; --all over both.
    print(bibtex(bibliography() if every else keys or CREDITS))
