"""Threads over fixed blocks: their number decides the time alone, never a digit."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from rankscape.errors import InputError
from rankscape.ground.checks import whole


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
    rankscape.errors.InputError: `n_jobs` must be a number of threads or -1 for all cores, got 0.
    """
    if n_jobs is None or whole("n_jobs", n_jobs, least=-1_000_000):
        from joblib import effective_n_jobs

        return max(1, int(effective_n_jobs(n_jobs)))
    raise InputError(f"`n_jobs` must be a number of threads or -1 for all cores, got {n_jobs!r}.")


def each(function: Callable[..., Any], blocks: Iterable[Any], threads: int) -> list[Any]:
    """The function of every block, in their order; it must write to places of its own block alone.

    >>> each(lambda block: block**2, range(4), threads=2)
    [0, 1, 4, 9]
    """
    blocks = list(blocks)
    if threads == 1 or len(blocks) < 2:
        return [function(block) for block in blocks]
    with ThreadPoolExecutor(min(threads, len(blocks))) as pool:
        return list(pool.map(function, blocks))
