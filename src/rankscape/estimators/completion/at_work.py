"""Where the sweeps of a fit run, and where they are written down."""

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from rankscape.entries import Entries
from rankscape.entries.given import Given
from rankscape.entries.stored.keeping import on_disk
from rankscape.estimators.completion.settings import Settings
from rankscape.files.in_parts.base import Each, one_by_one
from rankscape.ground.checks import path_of
from rankscape.ground.fingerprint import of_arrays
from rankscape.solvers.packed.hands import AbstractHands
from rankscape.solvers.packed.journal import Journal

# Who sorts and sweeps: a Dask client, "dask", the address of a scheduler, or a batch system.
Executor: TypeAlias = Any

# Of the entries every so-manyth tells one fit from another.
EVERY = 997


class Work(NamedTuple):
    """Who reads and sorts triplets, and who sweeps; this process, where nobody is named."""

    each: Each = one_by_one
    hands: AbstractHands | None = None


HERE = Work()


@contextlib.contextmanager
def opened(executor: Executor, threads: int) -> Iterator[Work]:
    """The workers of an executor, as long as the block lasts; so many, where they are started."""
    if executor is None:
        yield HERE
        return
    from rankscape.sweeps.hands import open_hands

    with open_hands(executor, threads) as hands:
        yield Work(hands.each, hands)


def at_work(
    given: Given, settings: Settings, work: Work, checkpoint: str | Path | None = None
) -> tuple[Given, Settings]:
    """What is fitted, and how, with workers and a checkpoint; workers read entries from disk."""
    if checkpoint is not None:
        path = path_of("checkpoint", checkpoint).expanduser()
        settings = replace(settings, journal=Journal(path, _subject(given.entries, settings)))
    if work.hands is None:
        return given, settings
    return replace(given, entries=on_disk(given.entries)), replace(settings, hands=work.hands)


def _subject(entries: Entries, settings: Settings) -> str:
    """What no other fit has; neither threads nor workers change a digit."""
    digest = of_arrays(*(array[::EVERY] for array in entries))
    how = replace(settings, threads=1, hands=None, journal=None)
    return f"{entries.count:,} entries of {entries.shape[0]:,} x {entries.shape[1]:,}, {digest}, {how}"
