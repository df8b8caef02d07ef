"""No direction at all: the offset alone, which every other method has to beat."""

from rankscape.estimators.completion.fits.fit import Fit
from rankscape.estimators.completion.fits.trial import Trial
from rankscape.estimators.completion.methods.base import Method
from rankscape.ground.final import final
from rankscape.ground.modes import Modes


@final
class OffsetAlone(Method):
    """Mean and damped biases of rows and columns, as numbers.

    References
    ----------
    .. [koren2009] Koren, Bell, Volinsky, "Matrix factorization techniques for recommender systems", Computer 42
       (2009).
    """

    name, richness, phase = "offset", 0, "the offset alone"
    how = "No direction predicts held-out entries better than the mean and the levels of rows and columns."
    references = ("koren2009",)

    def wanted(self, trial: Trial) -> bool:
        """Always: the offset alone is what every other fit is compared with."""
        del trial
        return True

    def fit(self, trial: Trial) -> None:
        """Nothing is fitted: all that the offset leaves counts as noise."""
        trial.offer(trial.fit(self, Modes.none(trial.entries.shape), trial.scale))

    def again(self, trial: Trial, fit: Fit) -> Fit:
        """The offset of these entries."""
        del fit
        return trial.fit(self, Modes.none(trial.entries.shape), trial.scale)

    def why(self, fit: Fit) -> str:
        """No direction helps."""
        del fit
        return "no direction predicts held-out entries better than the offset alone"


OFFSET = OffsetAlone()
