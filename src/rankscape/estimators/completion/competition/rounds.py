"""One round of a contest: candidates that were fitted to some entries, judged on others."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from rankscape.entries import Entries
from rankscape.estimators.completion.candidates import CANDIDATES
from rankscape.estimators.completion.candidates.base import Trained, fitted
from rankscape.estimators.completion.fits.fit import Fit, model_of
from rankscape.estimators.completion.fits.trial import Trial
from rankscape.estimators.completion.models.base import Model
from rankscape.estimators.completion.models.low_rank import LowRank
from rankscape.estimators.completion.models.uncertainty import errors_of
from rankscape.estimators.completion.progress import Meter
from rankscape.estimators.completion.ready.scaling import Scaling
from rankscape.estimators.completion.ready.split import Split
from rankscape.estimators.completion.search.select import select
from rankscape.estimators.completion.search.selection import Selection
from rankscape.estimators.completion.settings import Settings
from rankscape.ground.final import final

# Share of the power of a fit whose directions say what errors to expect of it.
LEADING = 0.98

# What the choice of the low-rank search is called among the candidates.
LOW_RANK = "low rank"


@final
@dataclass(frozen=True, eq=False)
class Round:
    """What competes, and what each one predicts of the entries that it did not see.

    Attributes
    ----------
    heldout : Entries
        In standard units.
    trained : tuple of Trained
        The choice of the low-rank search first.
    predicted : ndarray, shape (candidates, heldout)
        Of these entries, by models that were fitted without them.
    spread : ndarray, shape (heldout,)
        The error that the low-rank fit expects there, its noise included.
    root_trust : ndarray, shape (heldout,)
        Roots of the weights that a robust fit gives them.
    """

    heldout: Entries
    trained: tuple[Trained, ...]
    predicted: np.ndarray
    spread: np.ndarray
    root_trust: np.ndarray

    @classmethod
    def of(
        cls,
        training: Entries,
        heldout: Entries,
        root_trust: np.ndarray,
        trained: list[Trained],
        models: list[Model],
    ) -> "Round":
        """Let models of all of them, fitted to the training entries, predict the held-out ones."""
        predicted = np.array([model.at(heldout.rows, heldout.columns) for model in models])
        expected = spread(models[0], training, heldout.rows, heldout.columns)
        return cls(heldout, tuple(trained), predicted, expected, root_trust)

    def elsewhere(self, training: Entries, heldout: Entries, root_trust: np.ndarray) -> "Round":
        """The same candidates with the same choices, fitted without other entries and judged on these."""
        trained = list(self.trained)
        return Round.of(training, heldout, root_trust, trained, [fit.again(training) for fit in trained])

    def best(self, count: int) -> set[str]:
        """Names of so many candidates that predict best, and that of the low-rank fit."""
        order = np.argsort((self.missed**2).mean(1), kind="stable")
        return {self.names[0], *(self.names[k] for k in order[:count])}

    def only(self, names: set[str]) -> "Round":
        """Without the other candidates."""
        kept = [k for k, name in enumerate(self.names) if name in names]
        return replace(self, trained=tuple(self.trained[k] for k in kept), predicted=self.predicted[kept])

    @property
    def names(self) -> tuple[str, ...]:
        """Of the candidates."""
        return tuple(fit.name for fit in self.trained)

    @property
    def missed(self) -> np.ndarray:
        """Prediction minus value, times the root of the weight; shape (candidates, heldout)."""
        return (self.predicted - self.heldout.values) * self.heldout.root_weights


def alone(parts: Split, selection: Selection, rank: int | None = None) -> Round:
    """The choice of the low-rank search, with nothing to compare it with; `rank` is what is told of it."""
    trained = [low_rank(selection, rank)]
    trust, held = parts.root_trust(parts.held), parts.heldout
    if selection.known is None:
        return Round.of(parts.training, held, trust, trained, [fit.model for fit in trained])
    predicted = trained[0].model.at(held.rows, held.columns)
    return Round(held, tuple(trained), predicted[None], selection.known.spread_at(held.rows, held.columns), trust)


def compete(
    first: Round, parts: Split, settings: Settings, selection: Selection, among: set[str] | None = None
) -> Round:
    """The `first` round, and everything that is worth comparing with it, fitted to the same entries.

    Of the candidates only those of the names `among`, where these are given; what the search found costs nothing.
    """
    rivals = list(_rivals(selection)) if settings.kind.named == "real" else []
    find = search(settings, parts.training, first.trained[0])
    for candidate in CANDIDATES:
        if among is not None and candidate.name not in among:
            continue
        if candidate.values in settings.kind.candidates and candidate.wanted(parts.training, settings):
            rivals.append(fitted(candidate, parts, settings, find))
    predicted = [fit.model.at(parts.heldout.rows, parts.heldout.columns) for fit in rivals]
    return replace(first, trained=(*first.trained, *rivals), predicted=np.vstack([first.predicted, *predicted]))


def spread(model: Model, seen: Entries, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Errors to expect at these cells of a low-rank fit to the entries seen, its noise included; shape (k,)."""
    assert isinstance(model, LowRank)
    # It has to be quick, not exact: by blocks, and without the small directions of a mean, of which there may be many.
    power = np.cumsum(model.modes.s**2)
    leading = int(np.searchsorted(power, LEADING * power[-1]) + 1) if len(power) else 0
    model = replace(model, modes=model.modes.head(leading))
    errors = errors_of(model, seen, rows, columns, most=0)
    return np.hypot(errors, model.noise)


def low_rank(selection: Selection, rank: int | None = None) -> Trained:
    """The choice of the low-rank search; its rank on the training entries is told, where no other is given."""
    words = f"rank {selection.chosen.rank if rank is None else rank}"
    return _trained(LOW_RANK, selection.trial, selection.chosen, selection, words)


def _rivals(selection: Selection) -> Iterator[Trained]:
    for trial, fit in selection.rivals():
        yield _trained(fit.method.name, trial, fit, selection, f"the {fit.method.name} rank {fit.rank}")


def _trained(name: str, trial: Trial, fit: Fit, selection: Selection, words: str) -> Trained:
    return Trained(name, model_of(fit), _Again(trial, fit, selection), words)


@final
@dataclass(frozen=True, eq=False)
class _Again:
    """A low-rank fit once more."""

    trial: Trial
    fit: Fit
    selection: Selection

    def __call__(self, entries: Entries) -> LowRank:
        chosen, selection = self.fit is self.selection.chosen, self.selection
        if chosen and entries is selection.split.whole:
            return model_of(selection.final)
        return model_of(selection.again(self.trial, self.fit, entries))

    @property
    def _choice(self) -> object:
        return self.fit.method, self.fit.method.choice(self.trial, self.fit)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Again) and self._choice == other._choice

    def __hash__(self) -> int:
        return hash(self._choice)


def search(settings: Settings, known: Entries, found: Trained) -> Callable[[Entries, Entries], Trained]:
    """The low-rank search on other entries, such as what a candidate leaves over; what it `found` on those `known`."""

    def fit(training: Entries, heldout: Entries) -> Trained:
        if training is known:
            return found
        held = heldout.with_values(np.ones(heldout.count))
        marks = training.with_values(np.zeros(training.count)).merge(held)
        whole = training.merge(heldout)
        parts = Split.of(whole, Scaling.none(whole.shape), marks.values > 0)
        # What another model leaves over is little, and the last percent of it less.
        return low_rank(select(parts, settings, Meter(None, 1.0), all_at_once=False, thorough=False))

    return fit
