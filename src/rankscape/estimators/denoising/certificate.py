"""Whether a denoised matrix can be trusted: what was measured, and the same in words."""

from dataclasses import dataclass

import numpy as np

from rankscape.estimators.certificate import AbstractCertificate

# A direction within this factor of the threshold may fall on either side of it in another draw of the noise.
NEAR = 1.1

# A direction that is not kept, but exceeds the largest of the noise by this factor, is likely a weak signal.
ABOVE_NOISE = 1.08

# Excess kurtosis of what was removed, beyond that of chance, from which its tails are heavy.
KURTOSIS = 1.0


@dataclass(frozen=True)
class DenoisingCertificate(AbstractCertificate):
    """What a denoised matrix rests on.

    Attributes
    ----------
    rank : int
        Directions of which more than half was kept.
    noise, estimated_noise : float
        Standard deviation of an entry's noise: as used, and as the spectrum shows it.
    kept_margin, left_margin : float
        The smallest direction kept and the largest one left, over the threshold; infinite and zero without any.
    edge_margin : float
        The largest direction left, over the largest that noise alone shows.
    guaranteed : bool
        Whether theory guarantees a plateau of this rank that contains the stop.
    misfit : float
        Largest distance between the distribution of the directions left and the law of noise, from 0 to 1.
    kurtosis : float
        Excess kurtosis of what was removed: 0 for Gaussian noise.
    spike : float
        Largest share of a kept direction that sits in a single entry.
    modes : int
        Directions that the matrix has, the smaller of its sides.
    warnings : tuple of str
        Reasons not to trust the result, in words; none when empty.
    """

    subject = "result"

    rank: int
    noise: float
    estimated_noise: float
    kept_margin: float
    left_margin: float
    edge_margin: float
    guaranteed: bool
    misfit: float
    kurtosis: float
    spike: float
    modes: int
    warnings: tuple[str, ...] = ()

    @property
    def evidence(self) -> str:
        """The numbers that matter most, in words."""
        plateau = "inside a guaranteed plateau" if self.guaranteed else "no plateau is guaranteed"
        return (
            f"rank {self.rank} at noise {self.noise:.4g}; the smallest direction kept is {self.kept_margin:.3g} times, "
            f"the largest one left {self.left_margin:.3g} times the threshold; {plateau}"
        )


def doubts(facts: DenoisingCertificate, entries: int):
    """Reasons not to trust a result with these facts, one sentence each."""
    if not facts.rank:
        yield "No direction stands out of the noise: the result is close to zero."
    if facts.modes < 10:
        yield f"With {facts.modes} direction(s) the level of the noise is hardly seen: give `noise`."
    if 3 * facts.rank > facts.modes:
        yield f"{facts.rank} of {facts.modes} directions stand out: the matrix is hardly of low rank."
    if facts.kept_margin < NEAR or 1 / NEAR < facts.left_margin < 1:
        yield "A direction lies near the threshold: the rank may be one more or less."
    elif facts.edge_margin > ABOVE_NOISE and facts.left_margin < 1:
        yield "A direction exceeds the noise, but is too weak to be worth keeping."
    if facts.noise and not 0.8 < facts.noise / max(facts.estimated_noise, 1e-300) < 1.25:
        yield f"The noise was given as {facts.noise:.4g}, but the spectrum shows {facts.estimated_noise:.4g}."
    elif facts.misfit > 0.05 + 4 / facts.modes:
        yield "The spectrum is not that of independent noise of one level: it may be correlated, or vary in size."
    if facts.kurtosis > KURTOSIS + 6 * np.sqrt(24 / entries):
        yield "What was removed has heavy tails: single large errors may pass as directions."
    if facts.spike > 0.5:
        yield "A direction that was kept sits in a single entry: it may be an outlier."
