"""In which units entries are compared: as they are given, or in standard deviations of their row or column.

Where columns are quantities of their own (an age, a salary), one error for all of them means little. Where they are the
same quantity (years, pixels) a small column is only a quiet one, and dividing by its size blows its noise up. Sizes
that differ a hundredfold settle that. Otherwise the search tells: where columns are quantities of their own, what it
misses grows with their size, for each column has noise of its own size; and held-out entries may object.

Columns or rows? A level or a tail makes both differ. What is divided is that in which entries are more alike: their
likelihood, with a level and a size for each column, against the same for each row.
"""

from dataclasses import dataclass

import numpy as np

from rankscape.entries import Entries
from rankscape.estimators.choice import standard_errors
from rankscape.estimators.completion.fits.fit import Fit
from rankscape.estimators.completion.progress import Meter
from rankscape.estimators.completion.ready.scaling import fit_scaling
from rankscape.estimators.completion.ready.sizes import MOST, Sizes, sizes_of
from rankscape.estimators.completion.ready.split import Split
from rankscape.estimators.completion.search.select import select
from rankscape.estimators.completion.search.selection import Selection
from rankscape.estimators.completion.settings import Settings
from rankscape.ground.final import final
from rankscape.ground.groups import lower_medians

# What may be divided, and the side of the matrix that it is.
SIDES = {"column": 1, "row": 0}

# Spread of sizes (95 % over 5 % quantile, or a gap between one and the next) from which on rows or columns are scaled
# without a question, and below which they are not. Of 40 public tables those of columns in different units have 64, 270
# and 34,000; photographs, spectra, votes, incomes and populations 1 to 30.
WILD, NOTICED = 50.0, 5.0

# The same of sizes as half of the entries tell, which single errors do not make: without it a spread is theirs. 16 and
# more in the 16 tables above the first number; 5 to 12 where 2 % of the entries of a table of one unit are wrong.
TYPICAL = 15.0

# Difference of mean log likelihoods from which on entries tell whether they are alike in columns or in rows.
TOLD = 0.3

# Entries of a line from which on half of them tell its size; and how many of a table are looked at for that, because
# they are sorted (350,000 took 0.25 s, a million 1.5 s): whole rows of a tall table, as many as leave each column the
# last number.
TELLING, SORTED, KEPT = 5, 50_000, 20

# Standard errors by which sizes differ less from those beside them than from any others, from which on rows or columns
# are a scale (years, pixels) of one quantity. 4 to 17 on photographs, incomes by year and spectra.
SMOOTH = 3.0

# Exponent with which what the search misses of a column grows with its size, below which it is not asked further: 0 for
# equal noise, 1 for noise of the size of the column. 0.72 to 0.98 on four tables that gain in every unit (wine, breast
# cancer, diabetes, ridership), 0.6 on two that gain in some, -0.4 to 0.1 on four that lose.
GROWS = 0.6

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
    few = _whole_lines(entries)
    # A large column, or the level of one, makes the rows differ by whether they have it: what is divided is that in
    # which entries are more alike, and the other too where much is left of it.
    unlike = {kind: _unlike(few, side) for kind, side in SIDES.items()}
    kind = min(unlike, key=lambda kind: unlike[kind])
    sizes = {kind: _sizes(entries, side) for kind, side in SIDES.items()}
    if _apart(few, kind, sizes[kind].spread) or _levels_apart(few, kind):
        return Units("both" if _rest(few, kind) >= WILD else kind)
    if abs(unlike["row"] - unlike["column"]) < TOLD:
        kind = max(sizes, key=lambda kind: sizes[kind].spread)
    asked = sizes[kind].spread >= NOTICED and not (ordered and sizes[kind].smooth > SMOOTH)
    return Units("none", kind if asked else None)


def _apart(entries: Entries, kind: str, spread: float) -> bool:
    """Whether sizes differ beyond question, be it one of them from all others: that is no quantile of many."""
    logs = np.sort(_logs(entries, SIDES[kind]))
    gap = np.diff(logs).max(initial=0.0)
    return gap >= np.log(WILD) or (spread >= WILD and (not len(logs) or _between(logs) >= TYPICAL))


def _levels_apart(entries: Entries, kind: str) -> bool:
    """Whether levels of columns (if that is the kind) make rows differ by whether they have them."""
    side = SIDES[kind]
    if _sizes(entries, 1 - side).spread < WILD:
        return False
    without = entries.with_values(entries.values - _medians(entries, side))
    return _sizes(without, 1 - side).spread < WILD


def _whole_lines(entries: Entries) -> Entries:
    """Some of the rows with all of their entries, or of the columns where these are more."""
    side = int(entries.shape[0] < entries.shape[1])
    share = max(SORTED, KEPT * entries.shape[1 - side]) / max(entries.count, 1)
    if share >= 1:
        return entries
    kept = np.random.default_rng(0).random(entries.shape[side]) < share
    return entries.part(kept[(entries.rows, entries.columns)[side]])


def _unlike(entries: Entries, side: int) -> float:
    """How far from alike the entries of a line are: minus the mean log likelihood of Cauchy's law, a level and a size.

    A likelihood of normal entries would follow the longest tail. What two numbers for each line save is taken off
    (Akaike's criterion): with few entries a line they save much.
    """
    groups, away = _away(entries, side)
    if not len(away):
        return np.inf
    size = lower_medians(groups, away, entries.shape[side])[groups]
    return float(np.mean(np.log(size) + np.log1p((away / size) ** 2))) + 2 * len(np.unique(groups)) / len(away)


def _away(entries: Entries, side: int) -> tuple[np.ndarray, np.ndarray]:
    """The line of each entry, and how far it is from the median there; but for those that are at the median.

    Most answers of a kind are equal, and what is rare has a size as well.
    """
    groups = (entries.rows, entries.columns)[side]
    away = np.abs(entries.values - _medians(entries, side))
    return groups[away > 0], away[away > 0]


def _logs(entries: Entries, side: int) -> np.ndarray:
    """Logarithms of the sizes of lines with enough entries, as half of these tell: not a wild one."""
    groups, away = _away(entries, side)
    enough = np.bincount(groups, minlength=entries.shape[side]) >= TELLING
    return np.log(lower_medians(groups, away, len(enough))[enough]) if enough.any() else np.zeros(0)


def _between(logs: np.ndarray) -> float:
    """The 95 % quantile over the 5 % quantile, of logarithms."""
    low, high = np.quantile(logs, [0.05, 0.95]) if len(logs) else (0.0, 0.0)
    return float(np.exp(min(high - low, 700.0)))


def _medians(entries: Entries, side: int) -> np.ndarray:
    """Of each entry the median of its line."""
    groups = (entries.rows, entries.columns)[side]
    return lower_medians(groups, entries.values, entries.shape[side])[groups]


def _rest(entries: Entries, kind: str) -> float:
    """Spread of the sizes of rows where columns are in standard units (level zero, size one), or the other way round.

    A median is the level, because a mean is that of the largest rows.
    """
    side = SIDES[kind]
    divided = fit_scaling(kind, entries).divide(entries)
    return _between(_logs(divided.with_values(divided.values - _medians(divided, side)), 1 - side))


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
    if growth <= GROWS:
        return (parts, plain), False
    other = parts.scaled(rival)
    scaled = select(other, settings, meter)
    # An exact fit to all entries leaves none to judge by, and needs no judge.
    needed = CERTAIN if growth > GROWS + CLEAR * error else DOUBTFUL
    missed = _missed(parts, plain.chosen), _missed(other, scaled.chosen)
    won = not scaled.judged or prefers(*missed, other, needed)
    return ((other, scaled) if won else (parts, plain)), won


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


def _sizes(entries: Entries, side: int) -> Sizes:
    groups = (entries.rows, entries.columns)[side]
    return sizes_of(groups, entries.values, entries.shape[side], entries.weights)


def _missed(parts: Split, fit: Fit) -> np.ndarray:
    return fit.residual * parts.scaling.at(parts.heldout.rows, parts.heldout.columns)


def _growth(parts: Split, fit: Fit, kind: str) -> tuple[float, float]:
    """Exponent with which what is missed of columns (or rows) grows with their size, and its standard error.

    Infinite where none differ.
    """
    side = SIDES[kind]
    groups, sizes = (parts.heldout.rows, parts.heldout.columns)[side], _sizes(parts.whole, side)
    counts = np.bincount(groups, minlength=len(sizes.size))
    squares = np.bincount(groups, weights=fit.residual**2, minlength=len(sizes.size))
    seen = sizes.varied & (squares > 0)
    x, y, w = np.log(sizes.size[seen]), np.log(squares[seen] / counts[seen]) / 2, counts[seen]
    x = x - w @ x / max(w.sum(), 1)
    curvature = float(w @ x**2)
    # Of n normal numbers the logarithm of their root mean square has the variance 1/(2 n).
    return (float(w @ (x * y)) / curvature, (2 * curvature) ** -0.5) if curvature > 0 else (np.inf, 0.0)
