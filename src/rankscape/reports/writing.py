"""The page of a completion, written whole or not at all."""

import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rankscape import __version__
from rankscape.entries import Entries
from rankscape.errors import InputError
from rankscape.estimators import CompletedMatrix
from rankscape.ground.checks import path_of
from rankscape.ground.storage import check_writable, replacing
from rankscape.reports.content import page_of
from rankscape.reports.page import render
from rankscape.reports.subject import Labels, Subject

# What the name of a page ends in.
PAGES = (".html", ".htm")

# Packages whose versions decide the last digits of a completion.
VERSIONS = ("numpy", "scipy")


def report(
    completed: CompletedMatrix,
    path: str | Path,
    *,
    name: str = "matrix",
    settings: Mapping[str, Any] | None = None,
    hidden: Entries | None = None,
    row_labels: Labels = None,
    column_labels: Labels = None,
    image: bool = False,
) -> Path:
    """Write one page about a completion: what was found, why this rank, whether to trust it, and what to do next.

    The page is a single file that needs no network: figures, styles and pictures are inside. It reads on a phone and
    on paper, and its size does not grow with the matrix.

    Parameters
    ----------
    completed : CompletedMatrix
        Of `complete`, or ``DeepMatrixCompletion().fit(X).completed_``.
    path : str or Path
        Where to write; ends in ``.html``.
    name : str
        What the matrix is called.
    settings : mapping, optional
        How the completion was asked for (the seed above all), to be printed.
    hidden : Entries, optional
        True values of entries that were not given: residuals are then shown on them.
    row_labels, column_labels : sequence, optional
        Names of the rows and columns, in order.
    image : bool
        Whether to show the matrix as a picture.

    Returns
    -------
    Path
        Of the page.

    Raises
    ------
    InputError
        The name ends in something else, labels do not match, or the folder is not there.
    StorageError
        The file cannot be written; what was there before is intact.

    Examples
    --------
    >>> import numpy as np, rankscape as rs, tempfile
    >>> X = np.outer(np.arange(1.0, 9.0), [1.0, -1.0, 2.0, 0.5, 3.0, 1.0])
    >>> X[np.arange(8), np.arange(8) % 6] = np.nan
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     page = rs.report(rs.complete(X), f"{folder}/page.html", name="my table").read_text("utf-8")
    >>> "The data hold up 1 direction." in page
    True
    """
    path = Path(path)
    check_report(path)
    for role, labels, size in (("row", row_labels, 0), ("column", column_labels, 1)):
        if labels is not None and len(labels) != completed.shape[size]:
            raise InputError(f"`{role}_labels` has {len(labels)} names for {completed.shape[size]} {role}s.")
    # The content is complete before the file is opened: an error in it leaves no half page.
    subject = Subject(completed, name, settings or {}, hidden, row_labels, column_labels, image)
    text = render(page_of(subject), _footer(subject))
    with replacing(path) as file:
        file.write(text.encode("utf-8", errors="replace"))
    return path


def check_report(path: str | Path) -> None:
    """Refuse a path that no page can be written to, before any work.

    Examples
    --------
    >>> check_report("page.html")
    >>> check_report("page.pdf")
    Traceback (most recent call last):
    rankscape.errors.InputError: ...
    """
    path = path_of("path", path)
    if path.suffix.lower() not in PAGES:
        raise InputError(f"{path}: a report ends in {' or '.join(PAGES)}.")
    check_writable(path)


def _footer(subject: Subject) -> str:
    """How it was computed: without the time, so that the same work gives the same page."""
    done = subject.completed
    steps = int(done.path.attrs["chosen"])
    versions = ", ".join([f"Python {platform.python_version()}", *(f"{name} {version(name)}" for name in VERSIONS)])
    settings = ", ".join(
        f"{name} {'automatic' if value is None else value}" for name, value in subject.settings.items()
    )
    how = f"Method: {done.method}, {steps:,} solver steps to the choice, depth {done.depth}; {done.offset}."
    asked = f" Settings: {settings}." if settings else ""
    return f"Computed with rankscape {__version__} ({versions}). {how}{asked} The solver ended as {done.outcome}."
