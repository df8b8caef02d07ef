"""Gross errors and heavy tails: a second search that single wild entries cannot lead.

Least squares follows whatever is far away. Where what the first choice leaves has heavy tails,

1. medians of rows and columns, and the first choice itself, say which entries to leave out at first;
2. the search of `select` runs on what is left, without the costly methods: what is chosen is fitted to it as it is
   where it is costly;
3. its residuals, on all entries, are taken for noise of many sizes (`scale_mixture`), which weighs every entry anew and
   leaves out those that weigh next to nothing;
4. entries that a direction serves alone are left out for good: such a direction meets them exactly, so that their
   residuals would call them right for ever;
5. the choice is fitted again with the new weights, as long as held-out entries gain, and searched for again where
   entries are left out for good;
6. held-out entries decide between the two, and a model for counts, answers or classes where entries may be of these
   (`own_values`); where they prefer this one, the whole search makes it with the last weights.

Weights and residuals are those of fits to training entries: what a fit has seen cannot judge it.
"""

import warnings

import numpy as np

from rankscape.errors import FallbackWarning
from rankscape.estimators.completion.fits.left_over import NO_WEIGHT, LeftOver
from rankscape.estimators.completion.progress import Meter
from rankscape.estimators.completion.ready.split import Split
from rankscape.estimators.completion.search.attempt import MANY, Attempt, attempt_on, chosen_from, seen_by
from rankscape.estimators.completion.search.gain import gain_of
from rankscape.estimators.completion.search.own_values import foreseen
from rankscape.estimators.completion.search.selection import Selection
from rankscape.estimators.completion.search.tails import HEAVY, Tails
from rankscape.estimators.completion.settings import Settings
from rankscape.estimators.outliers import heavy_throughout
from rankscape.ground.arrays import root_mean_square
from rankscape.solvers.noise.median_polish import median_residuals, robust_sizes

# Standard deviations from the medians beyond which an entry is left out at first: at 4, of 150 errors of ten standard
# deviations 4 to 7 stay in, at 3 up to 2; and 1 to 2 % of the good entries go too, until the first fit readmits them.
CUT = 3.0

# Searches at most (two to four are needed), and the movement of the fit, in standard deviations of the noise, at which
# they end.
ROUNDS, STILL = 8, 0.1

# Standard errors by which the first robust fit has to predict better for a second one to be worth its time, and the
# last one for it to be taken. Of 120 fits to ten public tables four reached the first; on 20 draws each of six classes
# with errors or heavy tails all but those with a gain of a few percent did.
PROMISING, BETTER = 1.0, 2.0

# The same where it needs fewer directions, because it spends none on a few entries of one row or column: held-out ones
# there are too few for more.
TIE = 0.0

# Standard errors by which its squares may be larger: those of entries that are missed anyway are noise.
SQUARES = -1.0


def resist(parts: Split, settings: Settings, selection: Selection, meter: Meter) -> tuple[Split, Selection, Tails]:
    """What replaces a choice of least squares where entries speak against it: other entries, another choice."""
    given = parts.observed
    if selection.known is not None:
        return parts, selection, Tails.light(selection.known.kurtosis, selection.final.noise, given.count)
    everything = np.ones(given.count, dtype=bool)
    left = LeftOver.of(given, parts, selection.final, parts.whole, everything)
    exact = selection.chosen.exact
    heavy = not exact and left.kurtosis >= HEAVY
    tails = Tails.of(left, exact, everything & (not heavy))
    forced = settings.loss == "robust"
    if settings.loss == "squares" or settings.path == "sgd" or not (heavy or left.lonely or forced):
        return parts, selection, tails
    meter.begin("a search that wild entries cannot lead", fresh=True)
    first = Attempt(parts, selection, everything, seen_by(given, parts, selection, everything))
    found = _search(first, settings, meter)
    if found is None and forced:
        message = f"loss='robust' would leave out more than {MANY:.0%} of the entries: squares are used."
        warnings.warn(message, FallbackWarning, stacklevel=4)
    if found is None or not (forced or (_decided(first, found) and not foreseen(first, found, settings, SQUARES))):
        return parts, selection, tails
    found = chosen_from(given, found, settings, meter)
    final = LeftOver.of(given, found.parts, found.selection.final, found.parts.whole, found.kept)
    suspects = ~found.kept if heavy_throughout(found.left.scaled) else everything
    return found.parts, found.selection, Tails.of(final, found.selection.chosen.exact, suspects, _words(found))


def _search(first: Attempt, settings: Settings, meter: Meter) -> Attempt | None:
    """Search on fewer entries until held-out ones no longer gain; None where it comes to nothing."""
    given = first.parts.observed
    rough, precision = median_residuals(given), first.left.precision
    near = np.abs(rough) <= CUT * robust_sizes(given, rough)
    spikes, best = first.left.alone, None
    kept = near & (precision >= NO_WEIGHT) & ~spikes
    if (~kept).mean() > MANY:  # a choice that is far off calls everything wrong
        kept, precision = near, np.ones(given.count)
    weight, size = np.log(precision), np.log(first.left.sizes)
    if first.selection.chosen.exact:  # what it leaves is rounding, of no size
        size = np.zeros(given.count)
    spikes = np.zeros(given.count, dtype=bool)
    start = None
    for k in range(ROUNDS):
        weights = np.exp(weight - 2 * (size - np.median(size)))
        now = kept, weights, settings, meter
        attempt = _first_attempt(first, *now) if best is None else attempt_on(first.parts, *now, start)
        if attempt is None or not _goes_on(first, best, attempt, settings):
            break
        left, before, best = attempt.left, best, attempt
        # The mean with the last weights, but for the first ones: without it two sets of weights may take turns.
        share = 1.0 if k == 0 else 0.5
        weight = weight + share * (np.log(left.precision) - weight)
        size = size - np.median(size)
        size = size + share * (np.log(left.sizes / np.median(left.sizes)) - size)
        new = left.alone & ~spikes
        spikes = spikes | left.alone
        kept = (weight >= np.log(NO_WEIGHT)) & ~spikes
        start = None if new.any() else attempt
        if not new.any() and _still(before, attempt, kept):
            break
    return best


def _first_attempt(
    first: Attempt, kept: np.ndarray, weights: np.ndarray, settings: Settings, meter: Meter
) -> Attempt | None:
    """The first choice fitted to what is kept, or what a quick search finds there, whichever predicts better.

    None where the first choice, with a noise of its own for what is kept, is clearly the worse for it.
    """
    chosen, parts = first.selection.chosen, first.parts
    again = attempt_on(parts, kept, weights, settings, meter, first)
    # A costly method keeps its noise, and what serves single entries, or nothing, says nothing of what is kept.
    telling = chosen.rank > 0 and not (chosen.method.costly or chosen.exact or first.left.lonely)
    if again is None or (telling and settings.loss != "robust" and _gains(first, first, again) < -BETTER):
        return None
    if again.selection.trials:  # that was a search: the choice did not converge, or is one on a sample of the lines
        return again
    quick = attempt_on(parts, kept, weights, settings, meter)
    return again if quick is None else max((quick, again), key=lambda other: _gains(first, first, other))


def _goes_on(first: Attempt, best: Attempt | None, attempt: Attempt, settings: Settings) -> bool:
    """Whether an attempt is worth keeping, and following."""
    if best is not None:
        return attempt.selection.chosen.exact or _gains(first, best, attempt) > 0
    gain = _gains(first, first, attempt)
    promising = gain > (TIE if _spends(first, attempt) else PROMISING)
    # Spikes that are only now found may be what is in the way; not where all else is missed by more, too.
    return settings.loss == "robust" or promising or (attempt.left.lonely and gain > -BETTER)


def _gains(first: Attempt, one: Attempt, other: Attempt) -> float:
    return gain_of(first.parts, (one.parts, one.selection), (other.parts, other.selection)).near


def _still(before: Attempt | None, attempt: Attempt, kept: np.ndarray) -> bool:
    if attempt.selection.chosen.exact:
        return np.array_equal(kept, attempt.kept)
    if before is None or before.parts.scaling.kind != attempt.parts.scaling.kind:
        return False
    moved = attempt.left.fitted - before.left.fitted * (before.parts.unit / attempt.parts.unit)
    return root_mean_square(moved / attempt.left.sizes) < STILL


def _decided(first: Attempt, found: Attempt) -> bool:
    """Whether held-out entries prefer the robust fit."""
    before, after = first.selection, found.selection
    if not (before.judged and after.judged):
        # Nothing is held out from an exact fit to all: it speaks for itself where it needs fewer directions.
        return after.chosen.exact and not (before.chosen.exact and before.chosen.rank <= after.chosen.rank)
    gain = gain_of(first.parts, (first.parts, before), (found.parts, after))
    return gain.near > (TIE if _spends(first, found) else BETTER) and gain.squares > SQUARES


def _spends(first: Attempt, other: Attempt) -> bool:
    """Whether the first choice spends directions on a few entries of single lines, and the other one does without."""
    fewer = other.selection.chosen.rank < first.selection.chosen.rank
    return fewer and any(map(len, first.left.lone)) and not any(map(len, other.left.lone))


def _words(found: Attempt) -> str:
    """What the robust fit did."""
    out = int((~found.kept).sum())
    entries = "entry was" if out == 1 else "entries were"
    gone = f"{out:,} {entries} left out" if out else ""
    if heavy_throughout(found.left.scaled):
        return f"The noise has heavy tails: entries count by how far off they are{f'; {gone}' * bool(out)}."
    return f"{gone} because single entries look wrong." if out else "Entries count by the noise of row and column."
