"""What a search has chosen, and how it is fitted once more."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

from rankscape.entries import Entries
from rankscape.estimators.completion.fits.fit import Fit, spectral_gap
from rankscape.estimators.completion.fits.known import Known
from rankscape.estimators.completion.fits.trial import Trial
from rankscape.estimators.completion.methods import METHODS
from rankscape.estimators.completion.ready.split import Split
from rankscape.ground.final import final

# Gap of the spectrum, and held-out error over the noise, by which a rank is sharp and explains all but noise: low ranks
# with noise have gaps of 3 to 12 and errors of 1.04 to 1.3 times the noise; spectra without an edge gaps of 0.3 to 2.5,
# or errors of more than twice the noise.
WIDE, SETTLED = 2.5, 1.6


@final
@dataclass(frozen=True, eq=False)
class Selection:
    """What was chosen.

    Attributes
    ----------
    refit : callable
        Makes the fit to all entries (`final`), which takes time and is not always asked for.
    chosen : Fit
        To the training entries, with its error on the held-out ones; `final` itself where none could be held out.
    trial : Trial
        Whose path led to it.
    split : Split
        Whose entries these are.
    again : callable
        A fit of a trial once more, on other entries, of which none is held out.
    judged : bool
        Whether held-out entries judged it.
    trials : tuple of Trial
        All that were tried, with the fits that they were offered.
    known : Known, optional
        Of entries that are too many to ask all of them; the trial is that of a sample.
    """

    refit: Callable[[], Fit]
    chosen: Fit
    trial: Trial
    split: Split
    again: Callable[[Trial, Fit, Entries], Fit]
    trials: tuple[Trial, ...] = ()
    judged: bool = True
    known: Known | None = None

    @cached_property
    def final(self) -> Fit:
        """The choice, fitted to all entries."""
        return self.refit()

    @property
    def alone(self) -> float:
        """Error of the offset alone on the held-out entries."""
        return self.trial.fits[0].rmse

    @property
    def open(self) -> bool:
        """Whether something else may predict better: never where a fit is exact."""
        return self.judged and not self.chosen.exact

    @property
    def settled(self) -> bool:
        """Whether a sharp rank explains all but noise, so that no other model can be much better."""
        gap = spectral_gap(self.final, self.split.whole)
        seen = self.chosen.rmse < SETTLED * self.chosen.noise
        return self.final.method.sharp and self.final.rank > 0 and gap > WIDE and seen

    def rivals(self) -> Iterator[tuple[Trial, Fit]]:
        """Of each method that was not chosen its best fit, with its trial."""
        fits = [(trial, fit) for trial in self.trials for fit in trial.fits if fit.method is not self.chosen.method]
        for method in METHODS:
            mine = [pair for pair in fits if pair[1].method is method]
            if mine:
                yield min(mine, key=lambda pair: pair[1].rmse)
