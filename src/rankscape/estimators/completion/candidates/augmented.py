"""Counts, answers of two kinds, and classes that have an order: draws of thin factors behind a link."""

from abc import abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import ClassVar

from rankscape.entries import Entries
from rankscape.entries.prepared import PreparedEntries
from rankscape.estimators.completion.candidates.base import Candidate, Search, Trained
from rankscape.estimators.completion.candidates.draws import draw
from rankscape.estimators.completion.models.drawn import Drawn
from rankscape.estimators.completion.models.links import Chance, Classes, Link, Rate
from rankscape.estimators.completion.settings import Settings
from rankscape.ground.arrays import root_mean_square
from rankscape.ground.final import final

# Sizes of the negative binomial that held-out entries choose from: counts that are far noisier than Poisson's, hardly,
# and not. Error of the rates of Poisson counts of mean 3 and 30, and of a negative binomial of size 2 and mean 30, with
# these / 1 / 500: .53 .37 .34, .21 .11 .08, .27 .57 1.24 / .71 .43 .36 / .37 .08 1.58.
SIZES = 2.0, 15.0, 150.0

# Entries up to which it competes where nobody asked for it: with 100,000 ratings it takes 3 s, all else 1.5 s.
AFFORDABLE = 50_000

# Chains on other entries, and their error on these over that of the first chain on its own, beyond which one is stuck:
# of counts (300 x 200, mean 3, 30 % seen) one predicted 5 to 10 where more than a hundred was to be expected.
CHAINS, STUCK = 4, 1.3


class Augmented(Candidate):
    """Draws of thin factors whose likelihood is made Gaussian by further draws."""

    choices: ClassVar[tuple[float, ...]] = (0.0,)

    def wanted(self, training: Entries, settings: Settings) -> bool:
        """Where the values are of its kind, and not too many for a guess."""
        kind = settings.kind
        return kind.named == self.values or (self.values in kind.candidates and training.count <= AFFORDABLE)

    def fit(self, training: Entries, heldout: Entries, settings: Settings, search: Search) -> Trained:
        """The link that predicts the held-out entries best."""
        del search
        found = []
        for choice in self.choices:
            model = self._drawn(training, choice, settings)
            found.append((root_mean_square(model.missed(heldout)), choice, model))
        _, choice, model = min(found, key=lambda tried: tried[0])
        met = root_mean_square(model.missed(training))

        def again(entries: Entries) -> Drawn:
            """Another chain, and another one where that is stuck far from what the first one met."""
            seeds = (settings.seed + k for k in range(CHAINS))
            chains = (self._drawn(entries, choice, replace(settings, seed=seed)) for seed in seeds)
            return _first_or_best(chains, lambda chain: root_mean_square(chain.missed(entries)), STUCK * met)

        return Trained(self.name, model, again, self.words(choice))

    @abstractmethod
    def link(self, entries: PreparedEntries, choice: float, levels: tuple[float, ...]) -> Link:
        """The link for these entries."""

    @abstractmethod
    def words(self, choice: float) -> str:
        """What the model is."""

    def _drawn(self, entries: Entries, choice: float, settings: Settings) -> Drawn:
        seen = PreparedEntries(entries, "sparse")
        return draw(self.link(seen, choice, settings.kind.levels), seen, settings)


def _first_or_best(chains: Iterable[Drawn], error: Callable[[Drawn], float], enough: float) -> Drawn:
    """The first chain whose error is small enough, else the best one."""
    found = []
    for chain in chains:
        found.append((error(chain), chain))
        if found[-1][0] <= enough:
            break
    return min(found, key=lambda pair: pair[0])[1]


@final
class CountsOfRates(Augmented):
    """Counts whose logarithmic rates are a low rank with biases; a negative binomial, which nears Poisson's.

    References
    ----------
    .. [polson2013] Polson, Scott, Windle, "Bayesian inference for logistic models using Polya-Gamma latent variables",
       Journal of the American Statistical Association 108 (2013).
    """

    name, values, choices = "counts", "count", SIZES
    how = "Entries are counts whose logarithmic rates have a low rank."
    references = ("polson2013",)

    def link(self, entries: PreparedEntries, choice: float, levels: tuple[float, ...]) -> Link:
        """Rates."""
        del levels
        return Rate.of(entries, choice)

    def words(self, choice: float) -> str:
        """Its noise."""
        return f"counts of low-rank logarithmic rates (negative binomial of size {choice:g})"


@final
class Answers(Augmented):
    """One of two values, with a chance whose log odds are a low rank with biases."""

    name, values = "answers", "binary"
    how = "Entries are one of two values, with chances whose log odds have a low rank."
    references = ("polson2013",)

    def link(self, entries: PreparedEntries, choice: float, levels: tuple[float, ...]) -> Link:
        """Chances."""
        del choice
        return Chance.of(entries, *levels)

    def words(self, choice: float) -> str:
        """What it is."""
        del choice
        return "chances of low-rank log odds"


@final
class OrderedClasses(Augmented):
    """Levels between which an unseen low rank with noise is cut."""

    name, values = "ordered classes", "ordinal"
    how = "Entries are the levels that a low rank with noise falls between."
    references = ("albert1993",)

    def link(self, entries: PreparedEntries, choice: float, levels: tuple[float, ...]) -> Link:
        """Cuts."""
        del choice
        return Classes.of(entries, levels)

    def words(self, choice: float) -> str:
        """What it is."""
        del choice
        return "levels that a low rank with noise falls between"
