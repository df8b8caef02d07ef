"""Which offset, which method, which rank: tried on the training entries, decided by the held-out ones."""

from dataclasses import replace
from typing import Any

import numpy as np

from rankscape.entries import Entries
from rankscape.entries.prepared import PreparedEntries
from rankscape.estimators.completion.baselines import fit_offset
from rankscape.estimators.completion.candidate import Candidate, choose, ties
from rankscape.estimators.completion.methods.climb import Climbed
from rankscape.estimators.completion.methods.path import root_mean_square
from rankscape.estimators.completion.methods.polish import SCARCE
from rankscape.estimators.completion.options import Options
from rankscape.estimators.completion.refitting import refit, variances_of
from rankscape.estimators.completion.trial import NOISY, QUIET, WIDTHS, Trial

# Held-out error without an offset, in standard deviations, below which nothing is taken away; and the residual of some
# entries, of rms 1, below which all entries may have an exact fit.
NEARLY_EXACT = 0.1

# Numbers that the first factors may hold (the solver keeps two dozen copies), and directions they always may have.
ROOM, FEW = 5e5, 16


# Share of the directions of an average that may be alive at its end; if more are, it starts again with more.
ROOM_TO_DIE = 0.8


def search(
    observed: Entries,
    training: Entries,
    heldout: Entries,
    options: Options,
    meter: Any,
    start: Candidate | None = None,
) -> tuple[Candidate, Trial, list[Candidate]]:
    """Try offsets and methods, choose, and fit the choice to all entries.

    `meter` has ``begin(phase, share, fresh)`` and ``record(record, scale, share)``; `start` is an earlier fit, whose
    method and modes are used again.

    Returns
    -------
    final : Candidate
        The fit to all entries.
    trial : Trial
        Whose path led to it.
    candidates : list of Candidate
        All fits of training entries, the chosen one first; without any when only all entries were exact.
    """
    if start is not None:
        trial = Trial.begin(fit_offset(start.offset.kind, training), training, heldout, options, meter)
        again = refit(trial, start, options.width, options.seed)
        if again.converged and (again.exact or not start.exact):
            return _finish(observed, trial, again, options, meter)
    trials = _worth_trying(training, heldout, options, meter)
    more = False
    for number, trial in enumerate(trials):
        if number and _nearly_exact(trials[0], trial, training):
            break
        meter.begin(f"offset {trial.kind}", 0.5 / len(trials), fresh=True)
        found = trial.climb(_width(training, options), options.exact)
        if found.exact:
            return _finish(observed, trial, trial.candidates[-1], options, meter)
        if not number and options.depths[0] > 2 and _may_be_exact(found, observed, training):
            meter.begin("all entries", 0.1, fresh=True)
            whole = Trial.begin(fit_offset(trial.kind, observed), observed, _none(observed), options, meter)
            if whole.climb(_width(observed, options), options.exact).exact:
                return whole.candidates[-1], whole, []
        more = found.more
    if more:
        exact = _average(trials[-1], options, meter)
        if exact is not None:
            return _finish(observed, trials[-1], exact, options, meter)
    chosen = choose([candidate for trial in trials for candidate in trial.candidates])
    trial = next(t for t in trials if chosen in t.candidates)
    return _finish(observed, trial, _unequal(trial, chosen, options, meter), options, meter)


def _worth_trying(training: Entries, heldout: Entries, options: Options, meter: Any) -> list[Trial]:
    """The simplest offset, because an exact rank means most there, and the richest that held-out entries support."""
    offsets = [fit_offset(kind, training) for kind in options.kinds]
    weights = 1.0 if heldout.weights is None else np.sqrt(heldout.weights)
    left = [weights * (offset.at(heldout.rows, heldout.columns) - heldout.values) for offset in offsets]
    best = min(left, key=root_mean_square)
    supported = next(k for k, residual in enumerate(left) if ties(residual, best))
    return [Trial.begin(offsets[k], training, heldout, options, meter) for k in sorted({0, supported})]


def _nearly_exact(first: Trial, second: Trial, training: Entries) -> bool:
    """Whether the first offset leaves so little that the second one, alone, does not come near."""
    best = min(first.candidates, key=lambda c: c.rmse)
    near = ties(second.candidates[0].residual, best.residual)
    return best.rmse < NEARLY_EXACT * float(training.values.std()) and not near


def _width(entries: Entries | PreparedEntries, options: Options) -> int:
    """Twice the largest rank that so many entries could determine, room for directions that die; few at large sizes."""
    size = sum(entries.shape)
    return min(options.width, 2 * len(entries.values) // size + 4, max(FEW, int(ROOM / size)))


def _none(entries: Entries) -> Entries:
    return entries.part(np.zeros(0, dtype=int))


def _may_be_exact(found: Climbed, observed: Entries, training: Entries) -> bool:
    """Whether all entries may determine what the training entries, a few less, did not.

    Only where ranks are sharp: at depth 2 the minima of a ridge have many small directions.
    """
    parameters = found.tried * (sum(observed.shape) - found.tried)
    scarce = len(training.values) < SCARCE * parameters and len(observed.values) > parameters
    return scarce and found.left < NEARLY_EXACT


def _average(trial: Trial, options: Options, meter: Any) -> Candidate | None:
    """The residual holds more than a few directions: take many, and average over their uncertainty.

    Returns an exact fit, if their directions lead to one.
    """
    meter.begin("averaging", 0.2)
    found = _wide_enough(trial, options)
    if _mostly_noise(trial, found):
        meter.begin("sampling", 0.2)
        trial.sample(options.width, options.seed)
        return None
    found = min(found, trial.average(found.width, QUIET[1]), key=lambda c: c.rmse)
    trial.penalise(_width(trial.path.entries, options), options.depths)
    return trial.settle(found, options.exact)


def _wide_enough(trial: Trial, options: Options, widths: tuple[int, ...] = WIDTHS) -> Candidate:
    """The first average that some of its directions died in; if hardly any do there may be more, but those cost."""
    found = trial.average(min(widths[0], options.width), QUIET[0])
    some_died = found.rank <= ROOM_TO_DIE * found.width
    if some_died or _mostly_noise(trial, found) or widths[0] >= options.width or not widths[1:]:
        return found
    return _wide_enough(trial, options, widths[1:])


def _mostly_noise(trial: Trial, found: Candidate) -> bool:
    return found.noise**2 > NOISY * trial.scale**2


def _unequal(trial: Trial, chosen: Candidate, options: Options, meter: Any) -> Candidate:
    """The chosen fit with each row's and column's own noise, if held-out entries prefer that.

    Draws do not gain by it: where noise is all but everything, the variances are no better known than the rest.
    """
    if not chosen.rank or chosen.method == "sampled":
        return chosen
    meter.begin("noise of rows and columns", 0.1)
    again = refit(trial, replace(chosen, variances=variances_of(trial, chosen)), options.width, options.seed)
    return again if again.rmse < chosen.rmse else chosen


def _finish(observed: Entries, trial: Trial, chosen: Candidate, options: Options, meter: Any):
    meter.begin("refit on all entries", 0.15)
    whole = Trial.begin(fit_offset(trial.kind, observed), observed, _none(observed), options, meter)
    final = refit(whole, chosen, options.width, options.seed)
    return final, trial, [chosen, *(c for c in trial.candidates if c is not chosen)]
