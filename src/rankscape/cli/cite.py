"""``rankscape cite``."""

from rankscape.papers.citation import bibtex


def cite() -> None:
    """Print BibTeX for rankscape and the papers it builds on."""
    print(bibtex())
