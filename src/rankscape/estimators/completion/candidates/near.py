"""Rows (or columns) that are most alike: what one does not show, the others tell."""

from dataclasses import dataclass, replace
from operator import itemgetter
from typing import ClassVar

import numpy as np

from rankscape.entries import Entries
from rankscape.estimators.completion.candidates.base import Candidate, Search, Trained
from rankscape.estimators.completion.models.near_lines import NearLines
from rankscape.estimators.completion.ready.offsets import Offset, damped_means, fit_offset
from rankscape.estimators.completion.settings import Settings
from rankscape.ground.final import final
from rankscape.solvers.neighbours.near_rows import FEW, Donors, affordable, near_means, nearest, some_rows

# Means that are compared, and the powers of the distance by which they are weighted: a row that is met exactly decides
# alone. The nearest row by itself won by the luck of few held-out entries only.
COUNTS, POWERS = np.array([2, 3, 5, 8, 12, 20]), (0.0, 2.0)

# Held-out entries by which they are compared, lines that there must be, and entries a line where these are very many.
SAMPLE, LINES, LONG = 20_000, 10, 20

# Share of the cells that is seen, below which two lines share too little.
DENSE = 0.1


@final
@dataclass(frozen=True)
class _Choice:
    """What near rows are means of, and how many; `levels` and `equal` of rows and columns as these are compared."""

    flipped: bool
    levels: bool
    equal: bool
    count: int = 1
    power: float = 0.0

    def offset(self, entries: Entries) -> Offset:
        # Levels of columns alone change no distance: they are what is left where no near row shows a column. Levels of
        # rows make rows of one shape near, whatever their level: of ten tables nine prefer that (0.55 to 0.99 of the
        # error without), and one loses half.
        return fit_offset("row+column" if self.levels else ("row" if self.flipped else "column"), entries)

    def model(self, entries: Entries, offset: Offset | None = None) -> NearLines:
        offset = self.offset(entries) if offset is None else offset
        side = int(not self.flipped)
        size = np.ones(entries.shape[side])
        if self.equal:
            squares = (entries.values - offset.of(entries)) ** 2
            size = np.sqrt(damped_means((entries.rows, entries.columns)[side], squares, len(size), damping=0.0))
            size[size == 0] = 1.0
        return NearLines(entries, self.flipped, offset, size, self.count, self.power)

    def __call__(self, entries: Entries) -> NearLines:
        return self.model(entries)

    @property
    def words(self) -> str:
        """As in "the mean of 5 near rows"."""
        lines = "columns" if self.flipped else "rows"
        return f"the mean of {self.count} near {lines}" + (" by their distance" if self.power else "")


class _Near(Candidate):
    """The mean of near rows, on what an offset leaves; or of near columns. Weights judge, but do not average.

    References
    ----------
    .. [troyanskaya2001] Troyanskaya, Cantor, Sherlock, Brown, Hastie, Tibshirani, Botstein, Altman, "Missing value
       estimation methods for DNA microarrays", Bioinformatics 17 (2001).
    """

    sparse = False
    references = ("troyanskaya2001",)
    flipped: ClassVar[bool]

    def wanted(self, training: Entries, settings: Settings) -> bool:
        """Where there are some lines that share entries; many short ones are not worth the time."""
        del settings
        lines, count = training.shape[int(self.flipped)], training.count
        few = affordable(count, lines) >= FEW or count >= LONG * lines
        return lines >= LINES and few and count >= DENSE * training.shape[0] * training.shape[1]

    def fit(self, training: Entries, heldout: Entries, settings: Settings, search: Search) -> Trained:
        """The offset, the sizes, the number of lines and their weights that predict the held-out entries best."""
        del settings, search
        first = _Choice(self.flipped, levels=True, equal=False)
        offsets = {levels: replace(first, levels=levels).offset(training) for levels in (True, False)}

        def tried(choice: _Choice) -> tuple[float, _Choice]:
            return _judged(choice, choice.model(training, offsets[choice.levels]), training, heldout)

        error, best = min((tried(replace(first, levels=levels)) for levels in offsets), key=itemgetter(0))
        equal = tried(replace(best, equal=True))
        best = equal[1] if equal[0] < error else best
        return Trained(self.name, best.model(training, offsets[best.levels]), best, best.words)


@final
class NearRows(_Near):
    """The mean of the rows most like a row."""

    name, flipped = "near rows", False
    how = "A cell is the mean of its column in the rows that are most alike."


@final
class NearColumns(_Near):
    """The mean of the columns most like a column."""

    name, flipped = "near columns", True
    how = "A cell is the mean of its row in the columns that are most alike."


def _judged(choice: _Choice, model: NearLines, training: Entries, heldout: Entries) -> tuple[float, _Choice]:
    """The mean square error on held-out entries of some lines, with the best number of lines and power."""
    rest = model.rest_of(training)
    rows, judge = some_rows(model.rest_of(heldout), SAMPLE)
    donors = Donors.of(rest)
    near, line = nearest(rest, rows, donors), np.searchsorted(rows, judge.rows)
    roots = judge.root_weights * model.size[judge.columns]
    errors = {}
    for power in POWERS:
        guesses = np.nan_to_num(near_means(near, donors.table, line, judge.columns, COUNTS, power))
        for count, guess in zip(COUNTS, guesses.T, strict=True):
            errors[int(count), power] = float(np.mean(((guess - judge.values) * roots) ** 2))
    best = min(errors, key=lambda key: errors[key])
    return errors[best], replace(choice, count=best[0], power=best[1])
