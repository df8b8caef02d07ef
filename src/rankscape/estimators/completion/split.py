"""Entries made ready for selection: in one unit, and split into those that are fitted and those that judge."""

from dataclasses import dataclass, replace

import numpy as np

from rankscape.entries import Entries
from rankscape.entries.heldout import choose_heldout
from rankscape.errors import InputError
from rankscape.estimators.completion.scaling import Scaling, fit_scaling
from rankscape.estimators.completion.settings import Settings
from rankscape.ground.final import final

# Spread of the entries, as a share of the largest, below which they all count as equal.
CONSTANT = 1e-12

# Added to the seed of the held-out entries: whoever tests the estimator on `Completion.split` with the same seed hides
# the entries that it would hold out itself.
OWN = 0x9D2C5680


@final
@dataclass(frozen=True, eq=False)
class Split:
    """The entries of one completion.

    Attributes
    ----------
    observed : Entries
        As they were given.
    scaling : Scaling
        From the units in which all is fitted and judged to those of the data. The largest entry is one in them,
        because squares of 1e200 do not exist.
    whole, training, heldout : Entries
        All of them, those that choose a fit, and those that judge it; in these units.
    """

    observed: Entries
    scaling: Scaling
    whole: Entries
    training: Entries
    heldout: Entries

    @property
    def unit(self) -> float:
        """What one is, in standard units where rows or columns are scaled, in the units of the data elsewhere."""
        return self.scaling.unit

    def another(self, settings: Settings) -> "Split":
        """The same entries, of which the seed of these settings holds out others."""
        training, heldout = self.whole.split(hold_out(self.whole, settings))
        return replace(self, training=training, heldout=heldout)

    @property
    def constant(self) -> bool:
        """Whether all entries are equal."""
        return bool(np.ptp(self.whole.values) <= CONSTANT)


def hold_out(observed: Entries, settings: Settings) -> np.ndarray:
    """A mask of the entries that a hash of (row, column, seed) chooses."""
    seed = OWN + settings.seed
    return choose_heldout(observed.rows, observed.columns, observed.shape, settings.heldout, seed)


def split(observed: Entries, held: np.ndarray | None, settings: Settings) -> Split:
    """Hold entries out: those that a mask marks, or, without one, those that a hash of (row, column, seed) chooses."""
    if settings.path == "sgd" and observed.weights is not None:
        raise InputError("path='sgd' draws all entries equally often: it takes no `weights`.")
    held = hold_out(observed, settings) if held is None else held
    scaling = fit_scaling(settings.scale, observed)
    # Only ratios of weights count: with a mean of one they leave the size of the objective as it is.
    weights = None if observed.weights is None else observed.weights / observed.weights.mean()
    whole = scaling.divide(observed).with_weights(weights)
    return Split(observed, scaling, whole, *whole.split(held))
