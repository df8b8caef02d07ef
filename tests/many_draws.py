"""A few draws of each function in the suite, ten thousand in slow tests: one table, two tests."""

import os
import zlib
from collections.abc import Callable, Mapping

import numpy as np
import pytest

# A draw tells whether it was a case: settings that lie outside of what a function promises count for nothing.
Draw = Callable[[np.random.Generator], object]

# ``RANKSCAPE_DRAWS`` makes them fewer: continuous integration has no time for all.
ALL = 10_000
MANY = int(os.environ.get("RANKSCAPE_DRAWS", ALL))


def source(name: str) -> np.random.Generator:
    """Random numbers of one table row; ``RANKSCAPE_DRAWS_SEED`` makes all of them fresh."""
    return np.random.default_rng([int(os.environ.get("RANKSCAPE_DRAWS_SEED", 0)), zlib.crc32(name.encode())])


def both(draws: Mapping[str, Draw], dear: Mapping[str, int]) -> tuple[Callable, Callable]:
    """The quick and the slow test of a table of draws; `dear` says how many of those that take a second each."""

    @pytest.mark.parametrize("name", draws)
    def quick(name: str) -> None:
        rng, few = source(name), 3 if name in dear else 24
        assert sum(bool(draws[name](rng)) for _ in range(few)) >= few // 3

    @pytest.mark.slow
    @pytest.mark.parametrize("name", draws)
    def slow(name: str) -> None:
        rng, count = source(name), 0
        while count < dear.get(name, ALL) * MANY / ALL:  # so many cases, however many draws that takes
            count += bool(draws[name](rng))

    return quick, slow
