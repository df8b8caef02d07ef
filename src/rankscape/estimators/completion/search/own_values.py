"""Counts, answers, classes: large values that a model of their own kind foresees are not wrong.

The noise of a count grows with its rate, and where one answer is rare every one of them is far from the mean. By the
measure of plain numbers these have heavy tails, and a robust fit leaves out what is most telling.
"""

from rankscape.estimators.completion.candidates import CANDIDATES
from rankscape.estimators.completion.candidates.base import Trained, fitted
from rankscape.estimators.completion.fits.fit import model_of
from rankscape.estimators.completion.search.attempt import Attempt
from rankscape.estimators.completion.search.gain import gain_between, missed
from rankscape.estimators.completion.settings import Settings


def foreseen(first: Attempt, found: Attempt, settings: Settings, worse: float) -> bool:
    """Whether a candidate for these values, fitted to all entries, predicts held-out ones better than a robust fit.

    By squares it may be `worse` by so many standard errors.
    """
    if not (first.selection.judged and found.selection.judged):
        return False
    parts, selection = first.parts, first.selection
    robust = missed(parts, found.parts, model_of(found.selection.chosen), found.parts)
    low_rank = Trained("low rank", model_of(selection.chosen), lambda entries: model_of(selection.final), "")
    for candidate in CANDIDATES:
        if candidate.values == "real" or candidate.values not in settings.kind.candidates:
            continue
        if candidate.wanted(parts.training, settings):
            model = fitted(candidate, parts, settings, lambda training, heldout: low_rank).model
            gain = gain_between(robust, missed(parts, parts, model, found.parts))
            if gain.near > 0 and gain.squares > worse:
                return True
    return False
