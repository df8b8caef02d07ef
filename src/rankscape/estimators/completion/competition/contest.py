"""Which held-out entries decide among the candidates: random ones, several draws of them, or ones like the gaps."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from rankscape.entries import Entries
from rankscape.estimators.completion.candidates.axes import ordered_axes
from rankscape.estimators.completion.competition.rounds import Round, alone, compete, spread
from rankscape.estimators.completion.fits.fit import model_of
from rankscape.estimators.completion.progress import Meter
from rankscape.estimators.completion.ready.farther import nearest
from rankscape.estimators.completion.ready.split import Split
from rankscape.estimators.completion.ready.stretches import impose_stretches, in_stretches
from rankscape.estimators.completion.search.select import select
from rankscape.estimators.completion.search.selection import Selection
from rankscape.estimators.completion.settings import Settings
from rankscape.ground.arrays import root_mean_square
from rankscape.ground.final import final

# Entries below which one random split chooses by luck, and the number of splits then; fewer where gaps are imposed, one
# of which is judged with the choices of each split.
FEW, SPLITS = 5_000, 5

# Share of the held-out error of the offset alone, below which one split is enough however few entries there are: a mean
# over splits of near-exact tables (40 x 8) had five times the error of one fit.
NEAR_EXACT = 0.1

# Expected error of the missing cells over that of random held-out entries, from which on gaps have a pattern. Random
# gaps gave 1.00 to 1.02, popularity 1.04 to 1.06; panels and rows that end early 1.06 to 50.
UNLIKE = 1.1

# Held-out error of the mean of near rows over that of a sharp rank, from which on nothing can be much better than the
# latter. Low ranks with noise have 1.6 and more; rows in clusters 0.9 to 1.
FAR = 1.2

# Draws of held-out entries in the pattern of the gaps, and the share of the cells that must be seen for them.
DRAWS, MOSTLY_SEEN = 3, 0.2

# Candidates, beside the low-rank fit, that the first draw leaves to the others: of ten candidates three are averaged in
# the end. On 43 panels and outages that changed errors by -3.5 to +0.3 %, at half the time of a draw. Of fewer entries
# than these, or where each draw judges choices of another split, one says too little of the others (+19 %).
LEFT, ENOUGH = 5, 100

# Entries up to which draws are affordable: the first fits all candidates once more.
AFFORDABLE = 300_000

# Held-out entries below which an error may be twice what was measured: of normal errors one in a thousand sets of
# fifteen has a root mean square of less than half. A choice that stands is judged on other splits as well until there
# are so many.
ENOUGH_JUDGES, MORE_SPLITS = 15, 10

# Missing cells that are looked at for their expected error.
SAMPLED = 4_000


@final
@dataclass(frozen=True, eq=False)
class Contest:
    """Rounds that decide.

    Attributes
    ----------
    random : tuple of Round
        Held-out entries drawn at random.
    imposed : tuple of Round
        Held-out entries in the pattern of the gaps; none where random ones are like the missing cells.
    likeness : float
        Expected error of the missing cells over that of random held-out entries: one where they are alike.
    missing : (ndarray, ndarray)
        Rows and columns of the cells to be filled, at most `SAMPLED` of them.
    away, missing_away : ndarray
        Places along ordered axes from each imposed entry, and from each of these cells, to the nearest that is fitted.
    """

    random: tuple[Round, ...]
    imposed: tuple[Round, ...]
    likeness: float
    missing: tuple[np.ndarray, np.ndarray]
    away: np.ndarray = field(default_factory=lambda: np.empty(0))
    missing_away: np.ndarray = field(default_factory=lambda: np.empty(0))


def hold(
    parts: Split,
    settings: Settings,
    selection: Selection,
    missing: tuple[np.ndarray, np.ndarray],
    near: float,
    own: bool,
) -> Contest:
    """The rounds that these entries need; where nothing can predict better than the low-rank fit, it stands alone.

    `missing` are cells to be filled, `near` is the held-out error of the mean of near rows; `own` says that the caller
    chose the held-out entries: then there is no other split.
    """
    missing = some(missing)
    first = alone(parts, selection, selection.final.rank)
    likeness = _likeness(parts, selection, first, missing)
    stretched = _stretched(parts, settings, missing) if selection.open and selection.known is None else ()
    unlike = likeness > UNLIKE and _affordable(parts.whole)
    # Rows that repeat say more than a rank does, however sharp; and so does who says what the values are.
    sharp = selection.settled and settings.kind.named == "real"
    settled = sharp and near > FAR * selection.chosen.rmse and not unlike
    # A sample of very many has been asked already whether anything else predicts them.
    if not selection.open or selection.known is not None or (settled and not stretched):
        return Contest((first, *_elsewhere([first], parts, settings, selection, own)), (), likeness, missing)
    draws = DRAWS if unlike or stretched else 0
    random = [first if settled else compete(first, parts, settings, selection)]
    few = parts.whole.count < FEW and selection.chosen.rmse > NEAR_EXACT * selection.alone
    if few and not own and not settled:
        among = random[0].best(LEFT) if random[0].heldout.count >= ENOUGH else None
        random += [judged for k in range(1, draws or SPLITS) if (judged := _another(parts, settings, k, among))]
    random += _elsewhere(random, parts, settings, selection, own)
    masks = [impose_stretches(parts.whole, missing, stretched, settings.seed + k) for k in range(draws)]
    apart = [(*parts.apart(held), parts.root_trust(held)) for held in masks if held.any()]
    away = [nearest(training, (heldout.rows, heldout.columns), stretched) for training, heldout, _ in apart]
    known = np.concatenate([np.empty(0), *away]), nearest(parts.whole, missing, stretched)
    return Contest(tuple(random), _imposed(random, apart), likeness, missing, *known)


def _imposed(random: list[Round], apart: list[tuple[Entries, Entries, np.ndarray]]) -> tuple[Round, ...]:
    """The choices of the random rounds, in turn, judged on what each draw holds out; after the first only the best."""
    rounds: list[Round] = []
    for k, draw in enumerate(apart):
        judged = random[k % len(random)]
        if rounds and len(random) == 1 and rounds[0].heldout.count >= ENOUGH:
            judged = judged.only(rounds[0].best(LEFT))
        rounds.append(judged.elsewhere(*draw))
    return tuple(rounds)


def _likeness(parts: Split, selection: Selection, first: Round, missing: tuple[np.ndarray, np.ndarray]) -> float:
    model = model_of(selection.chosen)
    if not len(missing[0]) or not model.noise > 0:
        return 1.0
    known = selection.known
    errors = spread(model, parts.training, *missing) if known is None else known.spread_at(*missing)
    return root_mean_square(errors) / root_mean_square(first.spread)


def _stretched(parts: Split, settings: Settings, missing: tuple[np.ndarray, np.ndarray]) -> tuple[str, ...]:
    """Ordered axes along which the missing cells lie together."""
    if not len(missing[0]) or settings.kind.named != "real" or not _affordable(parts.whole):
        return ()
    return tuple(
        axis
        for axis in ordered_axes(parts.training, settings)
        if in_stretches(parts.training, parts.heldout, missing, axis)
    )


def some(cells: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """At most `SAMPLED` of them, drawn at random."""
    if len(cells[0]) <= SAMPLED:
        return cells
    drawn = np.sort(np.random.default_rng(0).choice(len(cells[0]), SAMPLED, replace=False))
    return cells[0][drawn], cells[1][drawn]


def _affordable(entries: Entries) -> bool:
    return MOSTLY_SEEN * entries.shape[0] * entries.shape[1] <= entries.count <= AFFORDABLE


def judges(rounds: Sequence[Round]) -> int:
    """How many different entries these hold out."""
    cells = [r.heldout.rows.astype(np.int64) * r.heldout.shape[1] + r.heldout.columns for r in rounds]
    return len(np.unique(np.concatenate(cells)))


def _elsewhere(rounds: list[Round], parts: Split, settings: Settings, selection: Selection, own: bool) -> list[Round]:
    """The first choices on other splits as well, until enough entries have judged them."""
    more: list[Round] = []
    if own or selection.final.exact or parts.whole.count > FEW or selection.known is not None:
        return more
    for k in range(SPLITS, MORE_SPLITS):
        if judges([*rounds, *more]) >= ENOUGH_JUDGES:
            break
        other = parts.another(replace(settings, seed=settings.seed + k))
        if other.heldout.count:
            more.append(rounds[0].elsewhere(other.training, other.heldout, other.root_trust(other.held)))
    return more


def _another(parts: Split, settings: Settings, k: int, among: set[str] | None) -> Round | None:
    """The whole search on another split: with few entries its choices are luck, and their mean is not."""
    other = replace(settings, seed=settings.seed + k)
    again = parts.another(other)
    if not again.heldout.count:  # so few entries that chance held none out
        return None
    selection = select(again, other, Meter(None, 1.0), all_at_once=False)
    return compete(alone(again, selection), again, other, selection, among)
