"""How heavy the tails of what was removed are: single large errors and directions mislead each other there."""

import numpy as np

# Excess kurtosis of what was removed, beyond that of chance, from which its tails are heavy.
KURTOSIS = 1.0

# Share of a kept direction in a single entry from which on it may serve that entry alone.
SPIKE = 0.5


def excess_kurtosis(removed: np.ndarray, noise: float) -> float:
    """Of what was removed, which has about the level `noise`: 0 for normal noise, and where next to nothing was."""
    removed = removed - removed.mean()
    spread = float(np.mean(removed**2))
    return float(np.mean(removed**4)) / spread**2 - 3 if spread > 1e-2 * noise**2 else 0.0


def heavy(kurtosis: float, entries: int) -> bool:
    """Whether so many entries have such an excess kurtosis not by chance."""
    return kurtosis > KURTOSIS + 6 * np.sqrt(24 / entries)
