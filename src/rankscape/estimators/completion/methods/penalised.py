"""Minima of one low ridge as they are, for spectra without an edge: there least squares would follow the noise.

A ridge that falls from a strong one lets directions in one by one, and on a slowly decaying spectrum it ends at few.
The other way round, all directions start at once under a weak ridge, and those that the data do not hold up die. How
large the others stay is a matter of depth: with more factors the penalty of a direction, ``ridge L s^(2/L)``, is more
concave, so that large ones are shrunk less.
"""

from collections.abc import Callable

from rankscape.estimators.completion.methods.path import Path
from rankscape.estimators.completion.methods.solve import killing_ridge, starting_modes

# Of one ridge to the next larger one.
RATIO = 0.4

# Powers of `RATIO`: the ridge that is tried first, and the lowest, as shares of the one that kills everything.
FIRST, LAST = 3, 12


def find_minima(path: Path, width: int, depths: tuple[int, ...]) -> None:
    """For each depth, follow the held-out error downhill along the ridge; the best minima are kept in `path.minima`."""
    start = starting_modes(path.entries, width)
    power = FIRST
    for number, depth in enumerate(depths):
        top, share = killing_ridge(float(start.s[0]), path.entries.shape, depth), number / len(depths)

        def error(power: int, depth=depth, top=top, share=share) -> float:
            path.settle(start, top * RATIO**power, "all at once", share, depth)
            return path.records[-1].heldout_rmse

        power = _downhill(error, power)


def _downhill(error: Callable[[int], float], power: int) -> int:
    """Where a neighbour is no better, from `power` on."""
    best = error(power)
    for direction in (1, -1):
        moved = False
        while 1 <= power + direction <= LAST and (found := error(power + direction)) < best:
            power, best, moved = power + direction, found, True
        if moved:
            break
    return power
