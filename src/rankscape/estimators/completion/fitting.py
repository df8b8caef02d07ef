"""From entries to a completed matrix: split, search for a rank, compete, combine, report."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from threadpoolctl import threadpool_limits

from rankscape.entries import Entries
from rankscape.estimators.completion.candidates.axes import check_order
from rankscape.estimators.completion.censoring import below_limit
from rankscape.estimators.completion.competition.combine import Combination, combine
from rankscape.estimators.completion.competition.contest import hold
from rankscape.estimators.completion.competition.near_exact import Choice, near_exact, with_exact_levels
from rankscape.estimators.completion.completed.result import CompletedMatrix
from rankscape.estimators.completion.fits.determination import Determination, determine, missing_cells
from rankscape.estimators.completion.fits.fit import Fit, model_of
from rankscape.estimators.completion.fits.going_on import moved
from rankscape.estimators.completion.fits.path import labelled_path
from rankscape.estimators.completion.methods import OFFSET, named
from rankscape.estimators.completion.models.base import Model
from rankscape.estimators.completion.models.intervals import Calibration
from rankscape.estimators.completion.models.scaled import Scaled
from rankscape.estimators.completion.progress import CompletionProgress, Meter
from rankscape.estimators.completion.ready.baselines import baseline_errors
from rankscape.estimators.completion.ready.constants import constants
from rankscape.estimators.completion.ready.offsets import fit_offset
from rankscape.estimators.completion.ready.scaling import Scaling, divided_sides
from rankscape.estimators.completion.ready.split import Split, split
from rankscape.estimators.completion.search.robust import resist
from rankscape.estimators.completion.search.select import select
from rankscape.estimators.completion.search.selection import Selection
from rankscape.estimators.completion.search.tails import Tails
from rankscape.estimators.completion.search.units import select_units, units_of
from rankscape.estimators.completion.settings import Settings
from rankscape.estimators.completion.trust.by_value import missing_by_value
from rankscape.estimators.completion.trust.certificate import Certificate, certify
from rankscape.estimators.completion.trust.columns import ColumnErrors, column_errors
from rankscape.estimators.completion.trust.expectation import alike, expect
from rankscape.estimators.outliers import Outliers
from rankscape.ground.jit import begin_in_numpy
from rankscape.ground.labelled import Labelled
from rankscape.ground.modes import Modes
from rankscape.run.outcome import Outcome

# The offset of entries that justify nothing else, by what is scaled.
LEVELS = {"none": "mean", "column": "column", "row": "row", "both": "row+column"}

ProgressCall: TypeAlias = Callable[[CompletionProgress], None]


@begin_in_numpy()
def fit_entries(
    observed: Entries,
    held: np.ndarray | None,
    settings: Settings,
    progress: ProgressCall | None = None,
    before: CompletedMatrix | None = None,
) -> CompletedMatrix:
    """Complete the matrix of these entries.

    `held` marks those to hold out, None for a choice by a hash; `before` is an earlier fit to start from.
    """
    check_order(observed.shape, settings)
    settings = settings.knowing(observed)
    units = units_of(settings.scale, observed, settings.ordered is not None)
    units = units if before is None else units.after(before.scaling.kind)
    parts = split(observed, held, settings, units.kind)
    # The products are thin: more threads than one cost more than they give, and would change the last digits.
    with threadpool_limits(limits=1, user_api="blas"):
        # Without anything to judge by, no rank could be defended.
        if parts.constant or not parts.heldout.count:
            return _offset_alone(parts, settings)
        meter = Meter(progress, parts.unit)
        meter.begin("looking at rows and columns")
        start = None if before is None else _fit_before(before, parts)
        if start is None:
            parts, selection = select_units(parts, units.rival, settings, meter)
        else:
            selection = select(parts, settings, meter, start)
        parts, selection, tails = resist(parts, settings, selection, meter)
        selection = with_exact_levels(selection)
        meter.begin("what simple rules predict")
        known = selection.known
        baselines = _baselines(parts) if known is None else known.baselines
        meter.begin("what the entries determine")
        levels = None if known is None else (known.levels, known.left)
        found = determine(parts.whole, selection.final, model_of(selection.final), missing_cells(parts.whole), levels)
        combination, words = None, ""
        if selection.judged:
            meter.begin("candidates compete")
            near, own = baselines.get("nearest_rows", np.inf), held is not None
            contest = hold(parts, settings, selection, found.closed, near, own)
            combination = combine(contest, named=settings.kind.named != "real")
            choice = near_exact(parts, settings, Choice(selection, combination, found), own)
            selection, combination, found, words = choice
        meter.begin("done")
        return _report(observed, parts, settings, selection, combination, tails, found, baselines, words)


def _fit_before(before: CompletedMatrix, parts: Split) -> Fit | None:
    """An earlier fit to go on from; rows that are new start at zero. None where it is of another kind."""
    n_out, n_in = parts.whole.shape
    more = n_out - before.shape[0]
    if not before.rank or before.shape[1] != n_in or more < 0 or before.scaling.kind != parts.scaling.kind:
        return None
    # Sizes are measured anew: the same product in the new units.
    low_rank, exact = before.low_rank, before.certificate.exact
    start = Fit(named(before.method), low_rank.modes, low_rank.offset, 1.0, low_rank.noise, exact=exact)
    start = replace(start, memory=before.memory, variances=before.variances)
    return moved(start, before.scaling, parts.scaling)


def _report(
    observed: Entries,
    parts: Split,
    settings: Settings,
    selection: Selection,
    combination: Combination | None,
    tails: Tails,
    found: Determination,
    baselines: dict[str, float],
    words: str,
) -> CompletedMatrix:
    final, chosen, trial, unit = selection.final, selection.chosen, selection.trial, parts.unit
    model: Model = model_of(final)
    kinds: set[str] = set()
    expected, columns = None, ColumnErrors.none(parts.whole.shape[1])
    reason = _reason(selection, parts.scaling) + f" {tails.words}".rstrip() + words
    if combination is not None:
        expected = expect(selection, combination).mixed(found.share, found.stated, found.strain)
        columns = column_errors(parts, combination, None if selection.known is None else selection.known.column_means)
        if not combination.alone:
            model, kinds = combination.model(parts.whole), combination.kinds
            error = f"{expected.heldout * unit:.4g}{parts.scaling.suffix}"
            reason += f" What predicts: {combination.words} (held-out RMSE {error})."
    if selection.known is not None:
        reason += f" {selection.known.words(parts.whole.count - parts.heldout.count)}"
    if found.count:
        model = found.model(model)
    if found.ranks:
        ranks = ", ".join(map(str, found.ranks))
        reason += f" The entries fall into {len(found.ranks)} separate blocks, of ranks {ranks}."
    if settings.limit is not None:
        model, expected, said = below_limit(model, chosen.exact, expected, parts, settings)
        reason += said
    whole = Scaled(model, parts.scaling, *settings.kind.range_of(kinds), *constants(observed, parts.scaling.kind))
    # The choice is a record of its own, behind everything that was tried.
    trial.path.step += 1
    trial.note(chosen if selection.known is None else selection.known.shown, "chosen")
    path = labelled_path(trial.path.records, trial.scale * unit, _told(chosen, trial.path.step))
    outliers = tails.outliers(observed, whole)
    leaning = 0.0 if chosen.exact or settings.limit is not None else _leaning(parts, model)
    told = tails, len(outliers), columns.worse, found, leaning, combination
    certificate = certify(parts, final, expected, baselines, chosen.noise, *told)
    depth = final.method.depth(final, settings.depths[0])
    calibration = None if expected is None else expected.calibration
    facts = certificate, depth, chosen.memory, path, reason, columns.rmse, outliers, calibration
    return _completed(observed, parts, final, whole, *facts)


def _leaning(parts: Split, model: Model) -> float:
    """How far entries seem to be missing because of their value; lines of other units have no levels to compare."""
    rows, columns = divided_sides(parts.scaling.kind)
    return missing_by_value(parts.whole, model, (not rows, not columns))


def _completed(
    observed: Entries,
    parts: Split,
    final: Fit,
    model: Scaled,
    certificate: Certificate,
    depth: int,
    memory: NamedTuple,
    path: Labelled,
    reason: str,
    column_errors: np.ndarray,
    outliers: Outliers,
    calibration: Calibration | None = None,
) -> CompletedMatrix:
    """A fit to all entries in the units of the data, and what is known of it."""
    return CompletedMatrix(
        low_rank=model_of(final),
        model=model,
        heldout_rmse=certificate.heldout_rmse,
        # Those that are there for matrices of every size.
        baselines={name: error for name, error in certificate.baselines.items() if name != "nearest_rows"},
        outcome=Outcome.CONVERGED if final.converged else Outcome.STEP_LIMIT,
        depth=depth,
        method=final.method.name,
        memory=memory,
        path=path,
        reason=reason,
        certificate=certificate,
        column_errors=column_errors,
        observed=observed,
        used=_used(observed, parts),
        outliers=outliers,
        calibration=calibration,
    )


def _used(observed: Entries, parts: Split) -> Entries:
    """The entries with their weights, whose mean is one, in the units of the data."""
    as_given = parts.whole.weights is None and parts.whole.count == observed.count
    return observed if as_given else parts.observed.with_weights(parts.whole.weights)


def _baselines(parts: Split) -> dict[str, float]:
    return baseline_errors(parts.training, parts.heldout) if parts.heldout.count else {}


def _told(chosen: Fit, step: int) -> dict[str, Any]:
    """What a path says of the fit that was chosen on it."""
    named = {"chosen": step, "method": chosen.method.name, "offset": chosen.offset.words}
    return named | chosen.memory._asdict()


def _reason(selection: Selection, scaling: Scaling) -> str:
    chosen, rank = selection.chosen, selection.final.rank
    if not selection.judged:
        return (
            f"Rank {rank} fits all entries exactly, with fewer parameters than entries: chance cannot do that. Too few "
            "are left over to hold some out."
        )
    error = f"{chosen.rmse * scaling.unit:.4g}{scaling.suffix}"
    if chosen.exact:
        return f"Rank {rank} fits the entries exactly, with fewer parameters than entries (held-out RMSE {error})."
    alone = f"{selection.alone * scaling.unit:.4g}"
    if not rank:
        return f"Rank 0: {OFFSET.why(chosen)} (RMSE {alone})."
    unequal = "" if chosen.variances is None else " Rows and columns count by their own noise."
    why = chosen.method.why(selection.final)
    return f"Rank {rank}: {why}.{unequal} Held-out RMSE {error}; the offset alone has {alone}."


def _offset_alone(parts: Split, settings: Settings) -> CompletedMatrix:
    """Equal entries, or too few to hold any out: nothing but an offset can be justified."""
    whole, training, heldout = parts.whole, parts.training, parts.heldout
    kind = LEVELS[parts.scaling.kind] if settings.offset == "auto" else settings.offset
    removed = fit_offset(kind, whole)
    miss = (fit_offset(kind, training).of(heldout) - heldout.values) * heldout.root_weights
    expected = alike(miss) if heldout.count else None
    noise = float(np.std(whole.values - removed.of(whole)))
    final = Fit(OFFSET, Modes.none(whole.shape), removed, 1.0, noise)
    tails = Tails(None, np.ones(whole.count))
    certificate = certify(parts, final, expected, _baselines(parts), None, tails, 0)
    few = "too few entries to hold any out, so only the offset can be justified"
    equal = "all observed entries are equal" if parts.scaling.uniform else "the entries do not vary"
    reason = f"Rank 0: {equal if parts.constant else few}."
    path = labelled_path([], parts.unit, _told(final, 0))
    facts = certificate, settings.depths[0], final.memory, path, reason, np.full(whole.shape[1], np.nan)
    model = model_of(final)
    if settings.limit is not None:
        model, _, said = below_limit(model, False, None, parts, settings)
        reason += said
    model = Scaled(model, parts.scaling, *settings.kind.range_of(set()))
    return _completed(parts.observed, parts, final, model, *facts, Outliers.none())
