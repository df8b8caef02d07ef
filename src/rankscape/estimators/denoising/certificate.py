"""Whether a denoised matrix can be trusted: what was measured, and the same in words."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from rankscape.estimators.certificate import AbstractCertificate
from rankscape.estimators.denoising.amounts import Amounts
from rankscape.estimators.denoising.noise import noise_top
from rankscape.estimators.denoising.observed import Observed
from rankscape.estimators.denoising.robust import View
from rankscape.estimators.denoising.tails import SPIKE, excess_kurtosis, heavy

# A direction kept within this factor of the largest of noise may be missing in another draw, and one left within the
# second may be there.
BARELY_KEPT, BARELY_LEFT = 1.03, 1.01

# Directions below which there are too few to tell the noise from small signals, and unequal noise from small signals:
# of 38 arrays of leukaemia genes with noise of half their spread, which differ themselves, half the signal was lost.
FEW, FEW_OF_UNEQUAL = 15, 60

# Uncertainty of an estimate of risk, in noise^2 sqrt(entries): of Stein's where the noise is known, and of one that is
# estimated as well (its relative error was 1.1 to 1.4 over the root of the entries, at 40 x 40 to 100 x 1000).
CHANCE, ESTIMATED = float(np.sqrt(2)), 2.8


@dataclass(frozen=True)
class DenoisingCertificate(AbstractCertificate):
    """What a denoised matrix rests on.

    Attributes
    ----------
    rank : int
        Directions of which something is kept.
    noise, estimated_noise : float
        Standard deviation of an entry's noise, at root mean square: as used, and as the spectrum shows it.
    given : bool
        Whether the noise was given.
    expected_error : float
        Root mean square error of an entry of the result to expect, by Stein's estimate and its uncertainty.
    by_spectrum : bool
        Whether the whole spectrum says what to keep, as no few directions stand out; then no rank is sharp.
    unequal : bool
        Whether the noise was found to differ between rows or columns.
    kept_margin, left_margin : float
        The smallest direction kept and the largest one left, over what noise alone hardly exceeds; infinite and zero
        without any.
    guaranteed : bool
        Whether theory guarantees a plateau of this rank that contains the stop.
    misfit : float
        Largest distance between the distribution of the directions left and the law of noise, from 0 to 1.
    rise : float
        How much more the middle ones of them exceed noise than the smallest ones do.
    kurtosis : float
        Excess kurtosis of what was removed: 0 for Gaussian noise.
    spike : float
        Largest share of a kept direction that sits in a single entry.
    modes : int
        Directions that the matrix has, the smaller of its sides.
    robust : bool
        Whether entries count by how far off they are; then `noise`, `misfit`, `rise` and `kurtosis` are of what they
        count for.
    outliers : int
        Entries that look wrong.
    warnings : tuple of str
        Reasons not to trust the result, in words; none when empty.
    """

    subject = "result"

    rank: int
    noise: float
    estimated_noise: float
    given: bool
    expected_error: float
    by_spectrum: bool
    unequal: bool
    kept_margin: float
    left_margin: float
    guaranteed: bool
    misfit: float
    rise: float
    kurtosis: float
    spike: float
    modes: int
    robust: bool
    outliers: int
    warnings: tuple[str, ...] = ()

    @property
    def evidence(self) -> str:
        """The numbers that matter most, in words."""
        sharp = "by the whole spectrum, no rank is sharp" if self.by_spectrum else f"rank {self.rank}"
        where = "differing between rows and columns, " if self.unequal else ""
        robust = f"entries count by how far off they are, {self.outliers:,} look wrong; " if self.robust else ""
        plateau = "stopped inside a guaranteed plateau" if self.guaranteed else "no plateau is guaranteed"
        return (
            f"{sharp}; noise {self.noise:.4g}, {where}{'as given' if self.given else 'as the spectrum shows'}; "
            f"{robust}error {self.expected_error:.4g} to expect of an entry; {plateau}"
        )


def certify(view: View, noise: float, guaranteed: bool, outliers: int) -> DenoisingCertificate:
    """Measure and judge.

    Parameters
    ----------
    view : View
        The matrix, and what was kept of its directions.
    noise : float
        As reported.
    guaranteed : bool
        Whether the stop lies in a plateau that theory guarantees.
    outliers : int
        Entries that look wrong.
    """
    seen, made, removed = view.seen, view.made, view.removed
    alive = made.kept != 0
    kept, left = seen.modes.sizes[alive], seen.modes.sizes[~alive]
    top = noise_top(seen.noise, seen.shape, seen.symmetric)
    facts = DenoisingCertificate(
        rank=int(alive.sum()),
        noise=noise,
        estimated_noise=seen.spectrum.noise * seen.scales.unit,
        given=seen.given,
        expected_error=_expected(seen, made),
        by_spectrum=made.by_spectrum,
        unequal=seen.scales.differ,
        kept_margin=float(kept.min(initial=np.inf)) / top,
        left_margin=float(left.max(initial=0.0)) / top,
        guaranteed=guaranteed,
        misfit=seen.spectrum.misfit,
        rise=seen.spectrum.rise,
        kurtosis=excess_kurtosis(removed, seen.noise),
        spike=seen.modes.peak(alive),
        modes=len(alive),
        robust=view.counting is not None,
        outliers=outliers,
    )
    return facts.judged(_doubts(facts, seen, removed.size))


def _expected(seen: Observed, made: Amounts) -> float:
    """Stein's estimate; never less than the noise in what is kept, nor than its own uncertainty."""
    n, m = seen.shape
    live = float(np.sum((made.kept / np.where(made.kept, seen.modes.values, 1.0)) ** 2))
    chance, certain = seen.noise**2 * np.sqrt(n * m), seen.noise**2 * live * (n + m - live)
    risk = max(made.risk, certain, CHANCE * chance) + (0.0 if seen.given else (ESTIMATED - CHANCE) * chance)
    return float(np.sqrt(risk / (n * m))) * seen.scales.unit


def _doubts(facts: DenoisingCertificate, seen: Observed, entries: int) -> Iterator[str]:
    """Reasons not to trust a result with these facts, one sentence each."""
    if not facts.rank:
        yield "No direction stands out of the noise: the result is zero."
    if not facts.given:
        yield from _doubts_of_the_level(facts, seen)
    elif facts.noise and not 0.8 < facts.noise / max(facts.estimated_noise, 1e-300) < 1.25:
        yield f"The noise was given as {facts.noise:.4g}, but the spectrum shows {facts.estimated_noise:.4g}."
    if not facts.by_spectrum and (facts.kept_margin < BARELY_KEPT or 1 / BARELY_LEFT < facts.left_margin < 1):
        yield "A direction hardly differs from the largest of noise: the rank may be one more or less."
    if heavy(facts.kurtosis, entries):
        yield "What was removed has heavy tails: single large errors may pass as directions, and signal as noise."
    if facts.spike > SPIKE:
        yield "A direction that was kept sits in a single entry: it may be an outlier."


def _doubts_of_the_level(facts: DenoisingCertificate, seen: Observed) -> Iterator[str]:
    if facts.modes < (FEW_OF_UNEQUAL if facts.unequal else FEW):
        yield f"With {facts.modes} direction(s) noise is hardly told from small signals: give `noise`."
    if 3 * facts.rank > facts.modes and facts.noise:
        yield f"{facts.rank} of {facts.modes} directions are kept: few are left to show the level of the noise."
    if seen.spectrum.slow:
        yield (
            "The spectrum is not that of independent noise of one level: what was removed may be signal, and more be "
            "lost than gained. Give `noise` if it is known."
        )
