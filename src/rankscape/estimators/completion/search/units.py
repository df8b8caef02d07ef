"""In which units entries are compared: as they are given, or in standard deviations of their row or column.

Where columns are quantities of their own (an age, a salary), one error for all of them means little. Where they are the
same quantity (years, pixels) a small column is only a quiet one, and dividing by its size blows its noise up. Sizes
that differ a hundredfold settle that. Otherwise the entries tell, far more alike in their column than in their row; or
the search does: what it misses grows with the size of columns, for each has noise of its own size, or it misses a small
column by more than its own mean would; and held-out entries may object.

Columns or rows? A level or a tail makes both differ. What is divided is that in which entries are more alike: their
likelihood, with a level and a size for each column, against the same for each row.
"""

from dataclasses import dataclass

import numpy as np

from rankscape.entries import Entries
from rankscape.estimators.choice import standard_errors
from rankscape.estimators.completion.fits.fit import Fit
from rankscape.estimators.completion.progress import Meter
from rankscape.estimators.completion.ready.sizes import MOST, Sizes, between, gap
from rankscape.estimators.completion.ready.split import Split
from rankscape.estimators.completion.search.lines import (
    SIDES,
    TELLING,
    in_all,
    left_over,
    medians,
    sizes_along,
    typical,
    unlike,
    whole_lines,
)
from rankscape.estimators.completion.search.select import select
from rankscape.estimators.completion.search.selection import Selection
from rankscape.estimators.completion.settings import Settings
from rankscape.ground.final import final

# Spread of sizes (95 % over 5 % quantile, or a gap between one and the next) from which on rows or columns are scaled
# without a question, and below which they are not. Of 40 public tables those of columns in different units have 64, 270
# and 34,000; photographs, spectra, votes, incomes and populations 1 to 30.
WILD, NOTICED = 50.0, 5.0

# The same of sizes as half of the entries tell, which single errors do not make: without it a spread is theirs. 16 and
# more in the 16 tables above the first number; 5 to 12 where 2 % of the entries of a table of one unit are wrong.
TYPICAL = 15.0

# Difference of mean log likelihoods from which on entries tell whether they are alike in columns or in rows.
TOLD = 0.3

# The same from which on columns are quantities of their own unless held-out entries clearly object: scores of schools
# beside what they spend 3.7, weights of organs 1.2. Of 20 public matrices of one quantity 18 have at most 1.0; bands of
# a spectrum and populations have 2.0 and 2.2, by their levels alone.
OWN = 1.0

# Mean square of what is missed of a line, over its own variance and with no entry beyond `FAR`, from which on the
# search has lost it.
LOST = 3.0

# Standard errors by which sizes differ less from those beside them than from any others, from which on rows or columns
# are a scale (years, pixels) of one quantity. 4 to 17 on photographs, incomes by year and spectra.
SMOOTH = 3.0

# Exponent with which what the search misses of a column grows with its size, below which it is not asked further: 0 for
# equal noise, 1 for noise of the size of the column. 0.72 to 0.98 on four tables that gain in every unit (wine, breast
# cancer, diabetes, ridership), 0.6 on two that gain in some, -0.4 to 0.1 on four that lose.
GROWS = 0.6

# The same where entries tell (`OWN`): 0.5 and 0.6 of scores and organs, 0 to 0.2 of populations, whose noise is equal.
HARDLY = 0.3

# Standard errors by which it exceeds that number where columns are quantities of their own unless held-out entries
# clearly object. Of 24 made tables of such columns, 60 x 10 to 240 x 25, the exponent is 0.72 to 1.03, and 21 gain; of
# 24 whose noise is equal it is 0.08 to 0.6, and one gains. What some dozens of held-out entries say of the same tables
# is mostly chance.
CLEAR = 1.0

# Standard errors by which scaled entries have to predict better: in standard units, and in those of the data.
DOUBTFUL, CERTAIN = (1.0, 0.0), (-2.0, -2.0)

# Standard deviations beyond which an entry is missed, however far.
FAR = 3.0

# Entries that are searched twice at most; of more, some rows or columns decide for all.
CHEAP = 20_000


@final
@dataclass(frozen=True)
class Units:
    """How entries are divided, and what else is to be tried.

    Attributes
    ----------
    kind : {"none", "column", "row", "both"}
        To begin with.
    rival : str, optional
        Of the same kinds, where held-out entries decide between the two.
    """

    kind: str
    rival: str | None = None

    def after(self, kind: str) -> "Units":
        """The choice of an earlier fit, where it is one of the two."""
        return Units(kind) if kind in (self.kind, self.rival) else self


def units_of(scale: str, entries: Entries, ordered: bool = True) -> Units:
    """What is divided by its size where that was said, or is plain from the sizes.

    `ordered` says that rows and columns beside each other may be alike.

    Examples
    --------
    >>> X = np.random.default_rng(0).standard_normal((100, 20))
    >>> units_of("auto", Entries.from_array(X))
    Units(kind='none', rival=None)
    >>> units_of("auto", Entries.from_array(X * np.logspace(-3, 3, 20)))
    Units(kind='column', rival=None)
    """
    if scale != "auto":
        return Units(scale)
    if entries.count > MOST:
        entries = entries.some(MOST)
    few = whole_lines(entries)
    # A large column, or the level of one, makes the rows differ by whether they have it: what is divided is that in
    # which entries are more alike, and the other too where much is left of it.
    away = {kind: unlike(few, side) for kind, side in SIDES.items()}
    kind = min(away, key=lambda kind: away[kind])
    sizes = {kind: sizes_along(entries, side) for kind, side in SIDES.items()}
    if _apart(few, kind, sizes[kind].spread) or _levels_apart(few, kind):
        left, across = left_over(few, kind), 1 - SIDES[kind]
        return Units("both" if between(typical(left, across)) >= WILD and in_all(left, across) else kind)
    if abs(away["row"] - away["column"]) < TOLD:
        kind = max(sizes, key=lambda kind: sizes[kind].spread)
    noticed = max(sizes[kind].spread, sizes[kind].gap) >= NOTICED
    asked = noticed and not (ordered and sizes[kind].smooth > SMOOTH)
    return Units("none", kind if asked else None)


def _apart(entries: Entries, kind: str, spread: float) -> bool:
    """Whether sizes differ beyond question, be it one of them from all others."""
    logs = typical(entries, SIDES[kind])
    return gap(logs) >= WILD or (spread >= WILD and (not len(logs) or between(logs) >= TYPICAL))


def _levels_apart(entries: Entries, kind: str) -> bool:
    """Whether levels of columns (if that is the kind) make rows differ by whether they have them."""
    side = SIDES[kind]
    if sizes_along(entries, 1 - side).spread < WILD:
        return False
    without = entries.with_values(entries.values - medians(entries, side))
    return sizes_along(without, 1 - side).spread < WILD


def select_units(parts: Split, rival: str | None, settings: Settings, meter: Meter) -> tuple[Split, Selection]:
    """The low-rank search, in the units of the split or of its rival's, whichever predict better."""
    if rival is None:
        return parts, select(parts, settings, meter)
    part = parts.part(1 - SIDES[rival], CHEAP)
    if part is not parts:
        parts = parts.scaled(rival) if _contest(part, rival, settings, Meter(None, 1.0))[1] else parts
        return parts, select(parts, settings, meter)
    return _contest(parts, rival, settings, meter)[0]


def _contest(parts: Split, rival: str, settings: Settings, meter: Meter) -> tuple[tuple[Split, Selection], bool]:
    """Both searches, the second only where the first leaves a reason for it; and whether the second won."""
    plain = select(parts, settings, meter)
    growth, error = _growth(parts, plain.chosen, rival) if plain.open else (0.0, 0.0)
    likely = growth + CLEAR * error > HARDLY and _own(parts.whole, rival)
    own = plain.open and (likely or _loses(parts, plain.chosen, rival))
    if growth <= GROWS and not own:
        return (parts, plain), False
    other = parts.scaled(rival)
    scaled = select(other, settings, meter)
    # An exact fit to all entries leaves none to judge by, and needs no judge.
    needed = CERTAIN if own or growth > GROWS + CLEAR * error else DOUBTFUL
    missed = _missed(parts, plain.chosen), _missed(other, scaled.chosen)
    won = not scaled.judged or prefers(*missed, other, needed)
    return ((other, scaled) if won else (parts, plain)), won


def _own(entries: Entries, kind: str) -> bool:
    """Whether entries are so much more alike in columns (if that is the kind) that each is a quantity of its own."""
    few = whole_lines(entries)
    return unlike(few, 1 - SIDES[kind]) - unlike(few, SIDES[kind]) >= OWN


def _held_by_line(parts: Split, kind: str) -> tuple[np.ndarray, Sizes, np.ndarray]:
    """The column (if that is the kind) of each held-out entry, the sizes of all, and how many were held out in each."""
    side = SIDES[kind]
    groups, sizes = (parts.heldout.rows, parts.heldout.columns)[side], sizes_along(parts.whole, side)
    return groups, sizes, np.bincount(groups, minlength=len(sizes.size))


def _loses(parts: Split, fit: Fit, kind: str) -> bool:
    """Whether a line is missed by far more than its own mean would: what is small beside the others is lost."""
    groups, sizes, counts = _held_by_line(parts, kind)
    square = np.bincount(groups, np.minimum((fit.residual / sizes.size[groups]) ** 2, FAR**2), len(sizes.size))
    return bool(np.any(sizes.varied & (counts >= TELLING) & (square > LOST * counts)))


def prefers(plain: np.ndarray, scaled: np.ndarray, other: Split, needed: tuple[float, float]) -> bool:
    """Whether held-out entries are predicted better from scaled ones: in standard units, and as they are.

    `plain` and `scaled` are misses in the units of the data; in standard units none counts for more than `FAR`. By how
    many standard errors, in either, `needed` says.
    """
    size = other.scaling.at(other.heldout.rows, other.heldout.columns) / other.scaling.unit
    unit = max(float(np.abs(plain).max()), float(np.abs(scaled).max()), 1e-300)
    standard = np.minimum((plain / size) ** 2, FAR**2) - np.minimum((scaled / size) ** 2, FAR**2)
    given = (plain / unit) ** 2 - (scaled / unit) ** 2
    return standard_errors(standard) > needed[0] and standard_errors(given) > needed[1]


def _missed(parts: Split, fit: Fit) -> np.ndarray:
    return fit.residual * parts.scaling.at(parts.heldout.rows, parts.heldout.columns)


def _growth(parts: Split, fit: Fit, kind: str) -> tuple[float, float]:
    """Exponent with which what is missed of columns (or rows) grows with their size, and its standard error.

    Infinite where none differ.
    """
    groups, sizes, counts = _held_by_line(parts, kind)
    squares = np.bincount(groups, weights=fit.residual**2, minlength=len(sizes.size))
    seen = sizes.varied & (squares > 0)
    x, y, w = np.log(sizes.size[seen]), np.log(squares[seen] / counts[seen]) / 2, counts[seen]
    x = x - w @ x / max(w.sum(), 1)
    curvature = float(w @ x**2)
    # Of n normal numbers the logarithm of their root mean square has the variance 1/(2 n).
    return (float(w @ (x * y)) / curvature, (2 * curvature) ** -0.5) if curvature > 0 else (np.inf, 0.0)
