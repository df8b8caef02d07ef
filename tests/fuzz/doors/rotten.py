"""A door that does what it must not: the fuzzer's own test, and none of the doors that are hunted."""

import os
from pathlib import Path

import numpy as np

from ..case import Case

WAYS = ("answer", "crash", "hang")


def make(rng: np.random.Generator) -> Case:
    """One of the ways."""
    return Case.of(WAYS[int(rng.integers(len(WAYS)))])


def hand_in(case: Case, folder: Path) -> None:
    """Go it."""
    if case.text == "crash":
        os.abort()
    while case.text == "hang":
        pass
