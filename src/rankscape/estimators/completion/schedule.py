"""The schedule of a sweep over workers, played task by task without any data: what the closed form leaves out.

`cost` divides all work evenly. Here tasks are whole, go to the worker that always gets them, are handed out one after
the other, and wait for the last one of a side and for the client; messages take their time.
"""

import math
from typing import NamedTuple

from rankscape.errors import InputError
from rankscape.estimators.completion.cost import ENTRIES, ENTRY, LINE, ORDERS, TASK, Size, sizes_of
from rankscape.ground.checks import nonnegative, positive
from rankscape.ground.final import final
from rankscape.solvers.packed.records import record_size

# Tasks of a side that are played at most.
MOST = 200_000

# Bytes of an entry on one side.
BYTES = ORDERS / 2


@final
class Played(NamedTuple):
    """One sweep; the shares are means over workers, and add up to one.

    Attributes
    ----------
    seconds : float
        From the first task to the new records of the columns.
    arithmetic, network, idle : float
        Share in which a worker computes, reads or writes, and has nothing to do: it waits for its next task, for the
        last one of the side, or for the client.
    bytes : float
        What all workers together read and write.
    """

    seconds: float
    arithmetic: float
    network: float
    idle: float
    bytes: float


def completion_schedule(
    entries: float,
    rows: float,
    columns: float,
    *,
    rank: int = 8,
    workers: int = 1,
    bandwidth: float = 1e9,
    latency: float = 1e-3,
    server: float = 1e30,
) -> Played:
    """Play one sweep of a completion over workers of one core each.

    The constants are those of `completion_cost`, which is the closed form of the same sweep.

    Parameters
    ----------
    entries, rows, columns : float
        How many there are.
    rank : int
        Directions.
    workers : int
        How many. All of them start from the folder: one pays for the network, too.
    bandwidth : float
        Bytes a second that a worker gets at most from the folder that all of them see.
    latency : float
        Seconds that a message or a read waits before its first byte.
    server : float
        Bytes a second that the folder gives to all of them together.

    Raises
    ------
    InputError
        A number is not positive.

    Examples
    --------
    >>> from rankscape.estimators import completion_cost
    >>> played = completion_schedule(1e9, 1e7, 1e5, workers=64)
    >>> closed = completion_cost(1e9, 1e7, 1e5, workers=64)
    >>> round(played.seconds, 1), round(closed.sweep, 1)
    (4.9, 4.9)
    """
    size = sizes_of(entries, rows, columns, rank, workers)
    if _tasks(size) > MOST:
        raise InputError(
            f"`entries` are {size.entries:g}: up to {MOST * ENTRIES:g} are played, in {MOST:,} tasks a side."
        )
    each = min(positive("bandwidth", bandwidth), positive("server", server) / min(size.workers, _tasks(size)))
    link = _Link(each, nonnegative("latency", latency))
    clock, used = 0.0, [0.0, 0.0, 0.0]  # of the sweep; seconds of arithmetic and network, and bytes, of all workers
    for own, other in ((size.rows, size.columns), (size.columns, size.rows)):
        clock = _side(size, own, other, clock, link, used)
    # The client reads the records of the columns, turns them, and writes them for the next sweep.
    clock += 2 * link.seconds(4.0 * record_size(size.rank) * size.columns) + LINE * (size.rank + 1) ** 2 * size.columns
    whole = clock * size.workers
    arithmetic, network = used[0] / whole, used[1] / whole
    return Played(clock, arithmetic, network, 1 - arithmetic - network, used[2])


class _Link(NamedTuple):
    bandwidth: float
    latency: float

    def seconds(self, count: float) -> float:
        """To move so many bytes in one go."""
        return self.latency + count / self.bandwidth


def _tasks(size: Size) -> int:
    return max(math.ceil(size.entries / ENTRIES), 1)


def _side(size: Size, own: float, other: float, begin: float, link: _Link, used: list[float]) -> float:
    """When the last task of a side is done that began then; adds what workers did on the way."""
    record, count = 4.0 * record_size(size.rank), _tasks(size)
    share = size.entries / count, own / count
    work = ENTRY * record_size(size.rank) / 2 * share[0] + LINE * (size.rank + 1) ** 2 * share[1]
    read, wrote = BYTES * share[0], record * share[1]
    moved, moving = read + wrote, link.seconds(read) + link.seconds(wrote)
    free, end = [begin] * size.workers, begin
    for k in range(count):
        worker = k * size.workers // count
        start = max(free[worker], begin + (k + 1) * TASK + link.latency)
        # The records of the other side are read by the first task of a worker, and stay.
        first = 0.0 if free[worker] > begin else record * other
        network = moving + (link.seconds(first) if first else 0.0)
        free[worker] = start + network + work
        end = max(end, free[worker] + link.latency)
        for place, more in enumerate((work, network, moved + first)):
            used[place] += more
    return end
