"""The parts of a made matrix: a signal, noise, and the cells that are seen."""

from typing import NamedTuple

import numpy as np
from cases import MatrixCase

SHAPE = (200, 150)


class Drawn(NamedTuple):
    """One matrix of a class.

    `wild` are entries that were spoilt; `ordered` names the axes along which neighbours are alike.
    """

    truth: np.ndarray
    recorded: np.ndarray
    seen: np.ndarray
    ordered: str = ""
    wild: np.ndarray | None = None


Random = np.random.Generator


def as_case(drawn: Drawn) -> MatrixCase:
    """The question that a drawn matrix asks."""
    given = np.where(drawn.seen, drawn.recorded, np.nan)
    judged = ~drawn.seen & drawn.seen.any(0)
    told = {} if drawn.wild is None else {"wild": drawn.wild}
    unit = float(drawn.truth.std()) or 1.0
    return MatrixCase(given, drawn.truth, judged, unit, drawn.recorded, drawn.ordered, told=told)


def low_rank(random: Random, rank: int, shape: tuple[int, int] = SHAPE) -> np.ndarray:
    """Product of normal factors, entries of variance one."""
    return random.normal(size=(shape[0], rank)) @ random.normal(size=(rank, shape[1])) / np.sqrt(rank)


def spectrum(random: Random, sizes: np.ndarray, shape: tuple[int, int] = SHAPE) -> np.ndarray:
    """Singular values in these proportions, singular vectors of no preference, entries of rms one."""
    left, right = (np.linalg.qr(random.normal(size=(n, len(sizes))))[0] for n in shape)
    return (left * sizes) @ right.T * np.sqrt(np.prod(shape)) / np.linalg.norm(sizes)


def noisy(random: Random, truth: np.ndarray, noise: float | np.ndarray, share: float = 0.5, ordered="") -> Drawn:
    """Independent normal noise, cells seen by chance."""
    return Drawn(truth, truth + noise * random.normal(size=truth.shape), random.random(truth.shape) < share, ordered)
