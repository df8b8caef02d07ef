"""The contract of a completion method: when it is wanted, how it fits, and what it says of itself."""

from abc import ABC, abstractmethod
from collections.abc import Hashable, Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np

from rankscape.estimators.completion.fits.fit import Fit, Forgetful
from rankscape.estimators.completion.fits.trial import Trial
from rankscape.ground.labelled import Labelled


class Method(ABC):
    """A way to fit the entries that an offset leaves over.

    A new method is one subclass in one file and one call of `methods.register`; selection, certificate, reports and
    saving ask the methods and know none of them by name (docs/extending.md).

    Attributes
    ----------
    name : str
        What `CompletedMatrix.method` and saved files call it.
    richness : int
        On a tie of held-out errors the less rich method is taken, and of equally rich ones the smaller rank.
    phase : str
        What progress calls it, ``{offset}`` being what the trial removes first.
    sharp : bool
        Whether its rank is a number of directions that are there or not, and not a matter of degree.
    wary : bool
        Whether few entries for each parameter are a reason for doubt; not where a mean follows none of them.
    weighs : bool
        Whether it may gain from rows and columns that count by their own noise, and does not see to that itself.
    costly : bool
        Whether it takes as long as all simpler methods together, for the last percent.
    memory : type
        Of `Fit.memory`: a NamedTuple of numbers, what `again` needs beyond the fit itself.
    how : str
        How it comes to its rank, in a sentence or two: reports and the guide print it.
    references : tuple of str
        Keys of the bibliography: where the method comes from.
    """

    name: ClassVar[str]
    richness: ClassVar[int]
    phase: ClassVar[str]
    sharp: ClassVar[bool] = False
    wary: ClassVar[bool] = True
    weighs: ClassVar[bool] = True
    costly: ClassVar[bool] = False
    memory: ClassVar[type[NamedTuple]] = Forgetful
    how: ClassVar[str]
    references: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def wanted(self, trial: Trial) -> bool:
        """Whether it is worth trying on this trial, after the simpler methods."""

    @abstractmethod
    def fit(self, trial: Trial) -> None:
        """Fit the entries of a trial, and offer it what may be chosen; a last fit that is exact ends the search."""

    @abstractmethod
    def again(self, trial: Trial, fit: Fit) -> Fit:
        """A fit of its own once more, on other entries: all of them, or weighted ones; not offered.

        Where the trial has held-out entries, they say anew when to stop.
        """

    @abstractmethod
    def why(self, fit: Fit) -> str:
        """Why this rank: what comes behind ``Rank 3:``, without a full stop."""

    def choice(self, trial: Trial, fit: Fit) -> Hashable:
        """What `again` depends on, beside the entries: fits of equal choices are the same one on all entries."""
        return id(trial), id(fit)

    @classmethod
    def remembered(cls, numbers: Sequence[float]) -> NamedTuple:
        """What a fit remembered, from its numbers in a file."""
        make: Any = cls.memory
        return make(*numbers)

    def needed(self, fit: Fit) -> float:
        """The rank that the entries have to determine: what the certificate counts parameters by."""
        return float(fit.rank)

    def depth(self, fit: Fit, default: int) -> int:
        """Depth of the factorization that was fitted."""
        del fit
        return default

    def walked(self, path: Labelled, memory: NamedTuple) -> np.ndarray:
        """Which of the starts on a path that were only compared led to a fit of this memory; shape of its steps."""
        del memory
        return np.zeros(path.sizes["step"], dtype=bool)

    def may_be_exact(self, trial: Trial, count: int) -> bool:
        """Whether all `count` entries may determine an exact fit, which the training entries, a few less, did not."""
        del trial, count
        return False

    def settle(self, trial: Trial) -> Fit | None:
        """An exact fit that its directions lead to, when all methods were tried; not offered."""
        del trial
        return None
