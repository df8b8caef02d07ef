"""Threads over fixed blocks: their number decides the time alone, never a digit."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from rankscape.errors import InputError
from rankscape.ground.checks import whole
from rankscape.ground.jit import begin_in_numpy

# Cores that -1, -2, ... may count down from.
LARGEST = 1_000_000


def threads_of(n_jobs: int | None) -> int:
    """The number of threads that `n_jobs` means here, as in scikit-learn: -1 for all cores that this process may use.

    Affinity and the limits of a container count; None is one, or what `joblib.parallel_config` says.

    Examples
    --------
    >>> threads_of(1), threads_of(-1) >= 1
    (1, True)
    >>> threads_of(0)
    Traceback (most recent call last):
    ...
    rankscape.errors.InputError: `n_jobs` must be a number of threads, -1 for all cores, or None, got 0.
    """
    if n_jobs is not None and not whole("n_jobs", n_jobs, least=-LARGEST):
        raise InputError(f"`n_jobs` must be a number of threads, -1 for all cores, or None, got {n_jobs!r}.")
    if n_jobs is not None and n_jobs > 0:
        return int(n_jobs)
    import joblib

    count: Any = joblib.effective_n_jobs  # its published types know no None
    return int(count(n_jobs))


def each(function: Callable[..., Any], blocks: Iterable[Any], threads: int) -> list[Any]:
    """The function of every block, in their order; it must write to places of its own block alone.

    >>> each(lambda block: block**2, range(4), threads=2)
    [0, 1, 4, 9]
    """
    blocks = list(blocks)
    if len(blocks) < 2:
        return [function(block) for block in blocks]
    if threads == 1:
        with begin_in_numpy(False):  # a thread begins no task either
            return [function(block) for block in blocks]
    with ThreadPoolExecutor(min(threads, len(blocks))) as pool:
        return list(pool.map(function, blocks))
