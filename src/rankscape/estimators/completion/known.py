"""What is known of very many entries once they were fitted, so that nobody has to go through all of them again."""

from dataclasses import dataclass

from rankscape.estimators.completion.fit import Fit
from rankscape.estimators.completion.offsets import Offset
from rankscape.estimators.completion.split import Split
from rankscape.ground.final import final


@final
@dataclass(frozen=True, eq=False)
class Known:
    """Of a search on a sample (`at_scale`).

    Attributes
    ----------
    sample : Split
        The entries that decided.
    shown : Fit
        The chosen fit as these see it.
    kurtosis : float
        Excess kurtosis of what the final fit leaves of all entries.
    baselines : dict
        Held-out errors of predictions without any direction.
    levels : Offset
        Mean and damped levels of all rows and columns, and the root mean square of what they leave.
    spread : float
    """

    sample: Split
    shown: Fit
    kurtosis: float
    baselines: dict[str, float]
    levels: Offset
    spread: float
