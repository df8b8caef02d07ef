"""The contract of a candidate: when it is wanted, how it is fitted, and what it says of itself."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

from rankscape.entries import Entries
from rankscape.estimators.completion.models.base import Model
from rankscape.estimators.completion.models.scaled import Unscaled
from rankscape.estimators.completion.ready.split import Split
from rankscape.estimators.completion.settings import Settings
from rankscape.ground.final import final


@final
@dataclass(frozen=True, eq=False)
class Trained:
    """A candidate that was fitted to training entries.

    Attributes
    ----------
    name : str
        Of the candidate, or of the method of the low-rank search.
    model : Model
        Fitted to the training entries.
    again : callable
        The same choices, fitted to other entries: all of them. Where splits make equal ones (a frozen dataclass that
        can be called is equal by its fields) they are fitted once.
    words : str
        What it is, as a part of a sentence: "the mean of 5 near rows".
    values : {"real", "count", "binary", "ordinal"}
        For which values it is.
    """

    name: str
    model: Model
    again: Callable[[Entries], Model]
    words: str
    values: str = "real"


Search = Callable[[Entries, Entries], Trained]
"""The low-rank search on training and held-out entries: others, such as what a candidate leaves over, or the very same,
of which it returns what was found already."""


class Candidate(ABC):
    """A way to predict that is no product of thin factors.

    A new candidate is one subclass in one file, one call of `candidates.register`, and, for a new kind of model, one of
    `models.packing.register`. All of them see the same entries: in standard units, and of magnitude at most one.

    Attributes
    ----------
    name : str
        What reports call it.
    how : str
        How it predicts, in a sentence.
    values : {"real", "count", "binary", "ordinal"}
        For which values it is. All but the first kind see entries in the units of the data, and predict in these.
    sparse : bool
        Whether it may predict where few of very many cells are seen: a sample of full lines does not tell.
    references : tuple of str
        Keys of the bibliography.
    """

    name: ClassVar[str]
    how: ClassVar[str]
    values: ClassVar[str] = "real"
    sparse: ClassVar[bool] = True
    references: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def wanted(self, training: Entries, settings: Settings) -> bool:
        """Whether it is worth its time on entries like these: sizes, counts, an ordered axis; cheap."""

    @abstractmethod
    def fit(self, training: Entries, heldout: Entries, settings: Settings, search: Search) -> Trained:
        """Fit the training entries; what it has to choose it chooses by the held-out ones."""


def fitted(candidate: Candidate, parts: Split, settings: Settings, find: Search) -> Trained:
    """A candidate, in standard units whatever its own are."""
    if candidate.values == "real":
        return candidate.fit(parts.training, parts.heldout, settings, find)
    scaling = parts.scaling
    training, heldout = scaling.multiply(parts.training), scaling.multiply(parts.heldout)
    fit = candidate.fit(training, heldout, settings, find)
    again = lambda entries: Unscaled(fit.again(scaling.multiply(entries)), scaling)
    return replace(fit, model=Unscaled(fit.model, scaling), again=again, values=candidate.values)
