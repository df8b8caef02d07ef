"""What a completion of very many entries costs: time, memory, disk and traffic, before it is begun.

The constants were measured by ``benchmarks/cost.py`` on one machine (two cores of a Zen 5 with 32 MB of shared cache, a
local disk, other jobs beside); all else is arithmetic of the schedule. A sweep updates every row from the records of
the columns, and every column from those of the rows.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from rankscape.errors import InputError
from rankscape.ground.checks import positive, whole
from rankscape.ground.final import final
from rankscape.ground.memory import in_words
from rankscape.solvers.packed.records import record_size

# CPU seconds of a sweep: for each entry and number of a record, on both sides together, and for each line and square of
# its coordinates.
ENTRY, LINE = 0.74e-9, 11e-9

# CPU seconds to read and sort a record, by whoever holds it; of all that the client does with a record alone (both
# orders, what is held out, means, what is left in the end); of the search on a sample, for each entry of it; and of
# client, scheduler and worker for a task.
RECORD, PASSES, SEARCH, TASK = 170e-9, 280e-9, 20e-6, 1.5e-3

# Entries of a task; of a sample at least, and for each column; sweeps of all directions that fits took; and bytes of a
# process that has only imported what it needs.
ENTRIES, SAMPLE, EACH, SWEEPS, IDLE = 2_000_000, 250_000, 40, 8, 250_000_000

# Bytes on disk of an entry, sorted, in two orders, and while the second one is made; and of a sample's entry in memory.
SORTED, ORDERS, DEALT, SAMPLED = 17, 16, 13, 150

# Bytes that a record is read and written as while it is sorted: from its file, dealt, taken, in its place.
MOVED = 4 * 16


# Directions or workers, and anything else, that somebody may ask about.
MOST, LARGEST = 10**6, 1e30


@final
@dataclass(frozen=True)
class Cost:
    """Of one completion.

    Attributes
    ----------
    sorting, passes, search, sweep : float
        Seconds of reading and sorting, of what the client does alone with all entries, of the search on a sample, and
        of one sweep over all entries.
    seconds : float
        Of all, with `SWEEPS` sweeps.
    traffic : float
        Bytes that each worker reads and writes in a sweep.
    waiting : float
        Share of a sweep in which a worker waits for them.
    worker, client : float
        Bytes of memory that a worker and the client need.
    disk : float
        Bytes of the folder that all of them see.
    breaks : tuple of str
        Where more workers, or this many lines, do not help any more.
    """

    sorting: float
    passes: float
    search: float
    sweep: float
    seconds: float
    traffic: float
    waiting: float
    worker: float
    client: float
    disk: float
    breaks: tuple[str, ...]

    def __str__(self) -> str:
        times = f"{self.seconds / 3600:.2g} h ({self.sorting:.3g} s to sort, {self.passes:.3g} s of the client "
        times += f"alone, {self.search:.3g} s to search a sample, "
        times += f"{self.sweep:.3g} s a sweep, {self.waiting:.0%} of it waiting)"
        sizes = f"{in_words(self.worker)} a worker, {in_words(self.client)} the client, {in_words(self.disk)} on disk"
        return ". ".join([f"{times}; {sizes}", *self.breaks]) + "."


def completion_cost(
    entries: float,
    rows: float,
    columns: float,
    *,
    rank: int = 8,
    workers: int = 1,
    bandwidth: float = 1e9,
    memory: float = 16e9,
) -> Cost:
    """The cost of a completion from disk, over workers of one core each.

    Parameters
    ----------
    entries, rows, columns : float
        How many there are.
    rank : int
        Directions.
    workers : int
        One stands for the process itself.
    bandwidth : float
        Bytes a second that each worker gets from the folder that all of them see.
    memory : float
        Bytes that each worker has.

    Raises
    ------
    InputError
        A number is not positive.

    Examples
    --------
    >>> one, many = completion_cost(1e8, 7e5, 1e5), completion_cost(1e8, 7e5, 1e5, workers=16)
    >>> round(one.sweep, 1), round(many.sweep, 1)
    (4.7, 0.9)
    >>> many.breaks[0]
    'Beyond 9 workers each reads more records than entries: columns would have to be cut, too'
    """
    entries, rows, columns, rank, workers = sizes_of(entries, rows, columns, rank, workers)
    bandwidth, memory, size = _size("bandwidth", bandwidth), _size("memory", memory), record_size(rank)
    lines, alone = rows + columns, workers == 1
    records = 4.0 * size * lines
    arithmetic = (ENTRY * size * entries + LINE * (rank + 1) ** 2 * lines) / workers
    # A process alone reads ahead. A task reads its entries, then computes; it writes its own records, and waits for
    # those of the other side.
    read = ORDERS * entries / workers / bandwidth
    late = max(read - arithmetic, 0.0) if alone else read + records * (1 + 1 / workers) / bandwidth
    sweep = arithmetic + late + (0.0 if alone else TASK * 2 * entries / ENTRIES)
    if not alone:  # the client reads the records of the columns, turns them, and writes them
        sweep += LINE * (rank + 1) ** 2 * columns + 8.0 * size * columns / bandwidth
    sample = min(entries, max(SAMPLE, EACH * min(rows, columns)))
    sorting = (RECORD + (0.0 if alone else MOVED / bandwidth)) * entries / workers
    passes, search = PASSES * entries, SEARCH * sample
    needs = {
        "worker": IDLE + 4.0 * size * lines,
        "client": IDLE + max(SAMPLED * sample, 2 * records + 16.0 * lines * rank),
        "disk": (SORTED + ORDERS + DEALT) * entries + records,
    }
    return Cost(
        sorting=sorting,
        passes=passes,
        search=search,
        sweep=sweep,
        seconds=sorting + passes + search + SWEEPS * sweep,
        traffic=(ORDERS * entries + records) / workers + (0.0 if alone else records),
        waiting=late / sweep,
        breaks=tuple(_breaks(entries, records, workers, memory, arithmetic, passes > SWEEPS * sweep)),
        **needs,
    )


class Size(NamedTuple):
    """What there is to do, and by how many."""

    entries: float
    rows: float
    columns: float
    rank: int
    workers: int


def sizes_of(entries: Any, rows: Any, columns: Any, rank: Any, workers: Any) -> Size:
    """Checked."""
    sizes = _size("entries", entries), _size("rows", rows), _size("columns", columns)
    return Size(*sizes, rank=whole("rank", rank, 1, MOST), workers=whole("workers", workers, 1, MOST))


def _size(name: str, value: Any) -> float:
    number = positive(name, value)
    if not 1 / LARGEST <= number <= LARGEST:
        raise InputError(f"`{name}` is {number:g}: the model holds for sizes of this world, up to {LARGEST:g}.")
    return number


def _breaks(
    entries: float, records: float, workers: int, memory: float, arithmetic: float, waits: bool
) -> Iterator[str]:
    """What is in the way of more workers, or of so many lines."""
    most = max(int(ORDERS * entries / records), 1)
    if workers > most:
        yield f"Beyond {most} workers each reads more records than entries: columns would have to be cut, too"
    tasks = max(math.ceil(entries / ENTRIES), 1)
    if workers > tasks:
        yield f"A side has {tasks} tasks: more workers than that have nothing to do"
    if workers > 1 and TASK * 2 * tasks > arithmetic:
        yield "To hand the tasks out takes longer than to compute them: they would have to be larger"
    if 2 * records > memory:
        yield f"The records of all lines, {in_words(records)}, do not fit the memory of the client twice"
    if workers > 1 and waits:
        yield "What the client does alone takes longer than all sweeps"
