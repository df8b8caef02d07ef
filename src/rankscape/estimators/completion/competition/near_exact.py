"""Small tables with hardly any noise: the ladder against what was chosen."""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from rankscape.entries import Entries
from rankscape.entries.prepared import PreparedEntries
from rankscape.estimators.completion.candidates.base import Trained
from rankscape.estimators.completion.competition.combine import Combination
from rankscape.estimators.completion.competition.contest import FEW, SPLITS, Contest
from rankscape.estimators.completion.competition.ladder import FLOOR, KINDS, Ladder, Rung, fit_rung, ladder, spread
from rankscape.estimators.completion.competition.rounds import LOW_RANK, Round, model_of
from rankscape.estimators.completion.fits.determination import Determination, determine
from rankscape.estimators.completion.fits.fit import Fit
from rankscape.estimators.completion.fits.trial import Trial
from rankscape.estimators.completion.methods.joint import as_fit, with_levels
from rankscape.estimators.completion.progress import Meter
from rankscape.estimators.completion.ready.offsets import fit_offset
from rankscape.estimators.completion.ready.split import Split, hold_out
from rankscape.estimators.completion.search.selection import Selection
from rankscape.estimators.completion.settings import Settings
from rankscape.ground.arrays import root_mean_square
from rankscape.ground.final import final

# Cells of the largest table.
CELLS = 100_000

# Median error of the ladder, over the spread of the entries (`spread`), up to which a table has hardly any noise.
HARDLY = 0.05

# The ladder is taken where most held-out entries are met more closely: by so many standard errors of a sign test, and a
# median error of this share;
MOSTLY, CLOSER = 2.5, 0.67

# or where their mean square is lower: by this share of its root, and so many standard errors of the paired difference;
BETTER, SURELY = 0.9, 1.0

# or, where next to no noise is left (by this share of the spread), unless it is clearly worse, by so many standard
# errors of either test: another model of more parameters may do as well on what was held out, but leaves more cells
# open and does not know which.
NEXT_TO_NONE, CLEARLY = 0.01, 2.0

# Median error of the first split, over that of the combination, up to which the others are asked.
HOPEFUL = 1.2

# Share of the held-out entries that the ladder may leave open: of more it is no model. And the factor by which all that
# is filled, with levels in the cells that it leaves open, may be missed more than before, where so many of those held
# out are open: exchange rates, which near days foretell, were missed by twenty times as much.
MOST_OPEN, DEARER, ENOUGH_OPEN = 0.5, 1.25, 15


class Choice(NamedTuple):
    """What predicts, and which cells its entries leave open.

    Attributes
    ----------
    selection : Selection
        The low-rank fit.
    combination : Combination
        Of that and others.
    found : Determination
        What the entries leave open of the fit.
    words : str
        What the reason adds.
    """

    selection: Selection
    combination: Combination
    found: Determination
    words: str = ""


def with_exact_levels(selection: Selection) -> Selection:
    """An exact choice beside levels, where these make it simpler (`methods.joint.with_levels`)."""
    if not selection.final.exact or selection.trial.settings.offset != "auto":
        return selection
    final_ = with_levels(_on_all(selection), selection.final)
    if final_ is None:
        return selection
    chosen = with_levels(selection.trial, selection.chosen) if selection.judged else final_
    return replace(selection, refit=lambda: final_, chosen=chosen or selection.chosen)


def near_exact(parts: Split, settings: Settings, before: Choice, own: bool) -> Choice:
    """The ladder, where it predicts clearly better than the combination chosen `before`; else that.

    `own` says that the caller chose the held-out entries: then there is no other split.
    """
    whole, contest = parts.whole, before.combination.contest
    large = whole.count >= FEW or np.prod(whole.shape) > CELLS or settings.path == "sgd"
    if not before.selection.open or before.selection.settled or large or settings.offset != "auto":
        return before
    rounds = (*contest.random, *contest.imposed)
    splits = [_held(whole, judged.heldout) for judged in rounds]
    if not _hopeful(whole, splits[0], before.combination, settings.max_rank):
        return before
    if not own:
        more = (hold_out(whole, replace(settings, seed=settings.seed + k)) for k in range(len(contest.random), SPLITS))
        splits += [held for held in more if held.any()]
    found = ladder(whole, splits, settings.max_rank)
    if found is None:
        return before
    judged = [_Judged.of(whole, before, found, k, held) for k, held in enumerate(rounds)]
    random, imposed = judged[: len(contest.random)], judged[len(contest.random) :]
    better = closer(*_both(random), spread(whole)) and not (imposed and harmed(*_both(imposed)))
    few = np.mean(np.concatenate([one.left.found for one in random])) < MOST_OPEN
    if not (better and few):
        return before
    taken = _taken(parts, before, found, random)
    return before if _dearer(random, taken.found.share) else taken


def _hopeful(whole: Entries, held: np.ndarray, chosen: Combination, max_rank: int) -> bool:
    """Whether the ladder, judged on one split, comes near the combination, and hardly any noise is left."""
    found = ladder(whole, [held], max_rank)
    if found is None:
        return False
    median, theirs = found.median(found.chosen), float(np.median(np.abs(chosen.misses[0])))
    return median <= HOPEFUL * min(theirs, HARDLY * spread(whole))


def closer(ours: np.ndarray, theirs: np.ndarray, size: float) -> bool:
    """Whether held-out entries are met more closely: most of them, or in the mean square, and with no harm.

    Errors below `FLOOR` times their `size` are equal.
    """
    a, b = (np.maximum(np.abs(errors), FLOOR * size) for errors in (ours, theirs))
    signs = float(np.sum(np.sign(b - a))) / len(a) ** 0.5
    median, share = float(np.median(a)), float(np.median(a) / np.median(b))
    gain = _gain(a, b)
    lower = root_mean_square(a) < BETTER * root_mean_square(b) and gain > SURELY
    mostly = signs > MOSTLY and share < CLOSER
    simpler = median < NEXT_TO_NONE * size and min(signs, gain) > -CLEARLY
    return bool(simpler or (median < HARDLY * size and (lower or mostly) and not harmed(a, b)))


def harmed(ours: np.ndarray, theirs: np.ndarray) -> bool:
    """Whether the mean square is clearly higher, whatever most entries say."""
    return not _gain(ours, theirs) > -SURELY


def _gain(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Mean decrease of paired squares, in its standard errors."""
    unit = max(float(np.abs(theirs).max()), float(np.abs(ours).max())) or 1.0
    difference = (theirs / unit) ** 2 - (ours / unit) ** 2
    error = float(difference.std()) / len(difference) ** 0.5
    return float(difference.mean()) / error if error else 0.0


def _dearer(judged: list["_Judged"], share: float) -> bool:
    """Whether levels in the cells left open, this `share` of the missing ones, cost more than all else gains."""
    left, ours, theirs, levels = (
        np.concatenate(errors)
        for errors in zip(*((one.left.found, one.missed, one.theirs, one.levels) for one in judged), strict=True)
    )
    if not share or left.sum() < ENOUGH_OPEN:
        return False
    mixed = lambda known, unknown: np.hypot(
        (1 - share) ** 0.5 * root_mean_square(known[~left]), share**0.5 * root_mean_square(unknown[left])
    )
    return bool(mixed(ours, levels) > DEARER * mixed(theirs, theirs))


def _both(judged: list["_Judged"]) -> tuple[np.ndarray, np.ndarray]:
    """Errors of the ladder and of the combination; alike where the ladder says that it does not know."""
    ours = [np.where(one.left.found, one.theirs, one.missed) for one in judged]
    return np.concatenate(ours), np.concatenate([one.theirs for one in judged])


@final
@dataclass(frozen=True, eq=False)
class _Judged:
    """The chosen rung on one split.

    Attributes
    ----------
    fit : Fit
        Without the held-out entries.
    training : Entries
        What it was fitted to.
    judged : Round
        The round of the combination.
    missed, theirs : ndarray
        What it misses of the held-out entries, and what the combination misses.
    left : Determination
        Which of them the training entries leave open.
    levels : ndarray
        What levels miss of them, with which these are filled.
    """

    fit: Fit
    training: Entries
    judged: Round
    missed: np.ndarray
    theirs: np.ndarray
    left: Determination
    levels: np.ndarray

    @classmethod
    def of(cls, whole: Entries, before: Choice, found: Ladder, k: int, judged: Round) -> "_Judged":
        """On the split of this number."""
        held, training = judged.heldout, whole.part(~_held(whole, judged.heldout))
        fit = as_fit(before.selection.trial, found.fits[found.chosen][k], KINDS[found.chosen.kind], training.count)
        model, places = model_of(fit), (held.rows, held.columns)
        missed = model.missed(held)
        theirs = (before.combination.predicted(judged) - held.values) * held.root_weights
        left = determine(training, fit, model, places)
        levels = (left.guess.of(held) - held.values) * held.root_weights
        return cls(fit, training, judged, missed, theirs, left, levels)

    def round(self, rung: Rung) -> Round:
        """Judged on what the training entries determine."""
        known, model = ~self.left.found, model_of(self.fit)
        trained = [Trained(LOW_RANK, model, lambda _: model, f"rank {rung.rank}")]
        held, trust = self.judged.heldout.part(known), self.judged.root_trust[known]
        return Round.of(self.training, held, trust, trained, [model])


def _taken(parts: Split, before: Choice, found: Ladder, judged: list[_Judged]) -> Choice:
    whole, rung, selection = parts.whole, found.chosen, before.selection
    fit = fit_rung(PreparedEntries(whole, "sparse"), rung)
    last = as_fit(_on_all(selection), fit, KINDS[rung.kind], whole.count)
    first = replace(judged[0].fit, residual=judged[0].missed[~judged[0].left.found])
    left = determine(whole, last, model_of(last), before.found.missing)
    # The same noise is amplified more, or less, where entries are missing than where they were held out.
    likeness = left.strain / root_mean_square(np.array([one.left.strain for one in judged]))
    rounds = tuple(one.round(rung) for one in judged)
    contest = Contest(rounds, (), likeness, left.closed)
    count = sum(int(one.left.found.sum()) for one in judged)
    words = f" {count} held-out entries that the others leave open are not counted." if count else ""
    chosen = Combination(contest, {LOW_RANK: 1.0}, together=True)
    return Choice(replace(selection, refit=lambda: last, chosen=first), chosen, replace(left, strain=1.0), words)


def _on_all(selection: Selection) -> Trial:
    """A trial of all entries, of which none is held out."""
    whole, trial = selection.split.whole, selection.trial
    nothing = whole.part(np.zeros(whole.count, dtype=bool))
    return Trial.begin(fit_offset(trial.offset.kind, whole), whole, nothing, trial.settings, Meter(None, 1.0))


def _held(whole: Entries, heldout: Entries) -> np.ndarray:
    """Which of all entries a round holds out."""
    return heldout.find(whole.rows, whole.columns) >= 0
