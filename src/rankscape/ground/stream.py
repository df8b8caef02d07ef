"""Randomness that can be addressed: every number follows from (seed, replica, purpose, position) alone.

Counter-based Philox bits make a resumed run, a lane of a batch and a run cut into chunks see the same
numbers. Only raw bits are used, because NumPy promises their stability across versions.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

# Draws that share one Philox counter.
DRAWS_A_COUNTER = 65_536

_DRAWS, _WEIGHTS, _SHUFFLE = 0, 1, 2


@dataclass(frozen=True)
class Stream:
    """The random numbers of one run.

    Parameters
    ----------
    seed : int
        Chosen by the user, ``0 <= seed < 2**64``.
    replica : int
        Tells apart runs that share a seed.
    """

    seed: int
    replica: int = 0

    def _raw(self, purpose: int, block: int, count: int) -> np.ndarray:
        key = np.array([self.seed, self.replica], dtype=np.uint64)  # a list would pass through float64
        return np.random.Philox(key=key, counter=[0, 0, purpose, block]).random_raw(count)

    def normal(self, shape: tuple[int, ...], part: int) -> np.ndarray:
        """Standard normal numbers; `part` numbers the layer they are for."""
        from scipy.special import ndtri

        bits = self._raw(_WEIGHTS, part, int(np.prod(shape)))
        return ndtri(((bits >> np.uint64(11)) + 0.5) * 2.0**-53).reshape(shape)

    def draws(self, start: int, stop: int, count: int) -> np.ndarray:
        """Draw number ``start .. stop-1`` of indices uniform on ``0 .. count-1``, with replacement."""
        numbers = range(start // DRAWS_A_COUNTER, -(-stop // DRAWS_A_COUNTER))
        blocks = [_block(self, block, count) for block in numbers]
        return _window(blocks, start, stop, DRAWS_A_COUNTER)

    def _draws_of(self, block: int, count: int) -> np.ndarray:
        """All draws that share a counter."""
        halves = self._raw(_DRAWS, block, DRAWS_A_COUNTER // 2).view(np.uint32).astype(np.uint64)
        drawn = ((halves * np.uint64(count)) >> np.uint64(32)).astype(np.int64)
        drawn.setflags(write=False)
        return drawn

    def shuffled(self, start: int, stop: int, count: int) -> np.ndarray:
        """The same positions in an endless sequence of fresh permutations of ``0 .. count-1``."""
        epochs = range(start // count, -(-stop // count))
        return _window([np.argsort(self._raw(_SHUFFLE, e, count), kind="stable") for e in epochs], start, stop, count)


def _window(blocks: list[np.ndarray], start: int, stop: int, size: int) -> np.ndarray:
    if not blocks:
        return np.empty(0, dtype=np.int64)
    offset = start // size * size
    joined = blocks[0] if len(blocks) == 1 else np.concatenate(blocks)
    return joined[start - offset : stop - offset].astype(np.int64)


# Whoever looks at a run every few steps asks for a few draws at a time: each look would draw a whole block anew.
@lru_cache(maxsize=16)
def _block(stream: Stream, block: int, count: int) -> np.ndarray:
    return stream._draws_of(block, count)
