"""WHEN a state is recorded: steps spread over the run."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from rankscape.errors import InputError
from rankscape.ground.arrays import as_array
from rankscape.ground.checks import several, shown, whole
from rankscape.ground.final import final
from rankscape.ground.memory import check_bytes

# Part of the run that the default schedule spends on records, by the engines' own cost estimates.
SHARE = 0.04

# Microseconds that records may take in any run, however short: less than it takes to compile one.
UNNOTICED = 30_000.0

# Points of a logarithmic schedule: each of them is laid out.
MOST_COUNT = 10**7

# Records that make a good picture, and that any run takes.
USUAL, FEWEST = 120, 12

# Bytes that a record takes at least: a dozen numbers by name.
RECORD = 3000

# Records after which a picture gains nothing.
MOST = 300


@final
@dataclass(frozen=True)
class LogSpaced:
    """About `count` records, evenly spaced in the logarithm of the step, with the first and the last step.

    Examples
    --------
    >>> LogSpaced(5).steps(1000).tolist()
    [0, 1, 10, 100, 1000]
    """

    count: int

    def __post_init__(self):
        object.__setattr__(self, "count", whole("count", self.count, 1, MOST_COUNT))

    def steps(self, total: int) -> np.ndarray:
        """The recorded steps of a run of `total` steps."""
        spread = np.geomspace(1, max(total, 1), max(self.count - 1, 2)).round().astype(np.int64)
        return np.unique(np.concatenate([[0], spread[spread <= total], [total]]))


@final
@dataclass(frozen=True)
class Every:
    """A record each `interval` steps, and the last step.

    Examples
    --------
    >>> Every(40).steps(100).tolist()
    [0, 40, 80, 100]
    """

    interval: int

    def __post_init__(self):
        object.__setattr__(self, "interval", whole("interval", self.interval, least=1))

    def steps(self, total: int) -> np.ndarray:
        """The recorded steps of a run of `total` steps."""
        count = total // self.interval + 2
        check_bytes(RECORD * count, f"{count:,} records", "Record less often.")
        return np.unique(np.append(np.arange(0, total + 1, self.interval), total))


def default_schedule(total: int, step_cost: float, record_cost: float) -> np.ndarray:
    """Half of the records log-spaced, half evenly, as many as `SHARE` of the run or `UNNOTICED` pays for.

    The log-spaced half shows the start, where spectra move fast; the even half shows plateaus and jumps.
    """
    affordable = int(SHARE * total * step_cost / record_cost)
    unnoticed = min(int(UNNOTICED / record_cost), USUAL)
    count = min(max(affordable, unnoticed, FEWEST), MOST)
    even = np.linspace(0, total, count // 2 + 1).round().astype(np.int64)
    return np.unique(np.concatenate([LogSpaced(count // 2).steps(total), even]))


def resolve(record: Any, total: int, step_cost: float, record_cost: float) -> np.ndarray:
    """The recorded steps for whatever the user gave as `record`."""
    if record is None:
        return default_schedule(total, step_cost, record_cost)
    if isinstance(record, LogSpaced | Every):
        return record.steps(total)
    if not isinstance(record, Iterable):
        raise InputError(f"`record` is a list of steps, Every(interval) or LogSpaced(count), got {shown(record)}.")
    given = as_array(several("record", record), "record")
    if given.ndim != 1:
        raise InputError(f"`record` must be a list of steps, got shape {given.shape}.")
    if given.size == 0:
        raise InputError("`record` names no step; leave it out for the default schedule.")
    if not np.issubdtype(given.dtype, np.integer):
        raise InputError(f"`record` must hold whole steps, got {given.dtype}.")
    if given.min() < 0 or given.max() > total:
        raise InputError(f"`record` must lie within 0..{total}, got {given.min()}..{given.max()}.")
    return np.unique(given.astype(np.int64))
