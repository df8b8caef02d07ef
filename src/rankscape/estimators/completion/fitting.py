"""From entries to a completed matrix: split, search for a rank, compete, combine, report."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import xarray as xr
from threadpoolctl import threadpool_limits

from rankscape.entries import Entries
from rankscape.estimators.completion.baselines import baseline_errors
from rankscape.estimators.completion.candidates.axes import check_order
from rankscape.estimators.completion.certificate import Certificate, certify
from rankscape.estimators.completion.combine import Combination, combine
from rankscape.estimators.completion.contest import hold
from rankscape.estimators.completion.expectation import alike, expect
from rankscape.estimators.completion.fit import Fit
from rankscape.estimators.completion.intervals import Calibration
from rankscape.estimators.completion.methods import OFFSET, named
from rankscape.estimators.completion.models.base import Model
from rankscape.estimators.completion.models.scaled import Scaled
from rankscape.estimators.completion.offsets import fit_offset
from rankscape.estimators.completion.progress import CompletionProgress, Meter
from rankscape.estimators.completion.result import CompletedMatrix, path_dataset
from rankscape.estimators.completion.rounds import model_of
from rankscape.estimators.completion.select import Selection, select
from rankscape.estimators.completion.settings import Settings
from rankscape.estimators.completion.split import Split, split
from rankscape.ground.modes import Modes
from rankscape.run.outcome import Outcome

ProgressCall: TypeAlias = Callable[[CompletionProgress], None]


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
    parts = split(observed, held, settings)
    # The products are thin: more threads than one cost more than they give, and would change the last digits.
    with threadpool_limits(limits=1, user_api="blas"):
        baselines = baseline_errors(parts.training, parts.heldout) if parts.heldout.count else {}
        # Without anything to judge by, no rank could be defended.
        if parts.constant or not parts.heldout.count:
            return _offset_alone(parts, settings, baselines)
        meter = Meter(progress, parts.unit)
        start = None if before is None else _fit_before(before, parts)
        selection = select(parts, settings, meter, start)
        combination = combine(hold(parts, settings, selection, own=held is not None)) if selection.judged else None
        meter.end()
        return _report(parts, settings, selection, combination, baselines)


def _fit_before(before: CompletedMatrix, parts: Split) -> Fit | None:
    """An earlier fit to go on from; rows that are new start at zero."""
    n_out, n_in = parts.whole.shape
    more = n_out - before.shape[0]
    if not before.rank or before.shape[1] != n_in or more < 0:
        return None
    low_rank = before.low_rank.scaled(before.scaling.unit / parts.unit)
    modes = low_rank.modes._replace(U=np.vstack([low_rank.modes.U, np.zeros((more, before.rank))]))
    offset = replace(low_rank.offset, row=np.append(low_rank.offset.row, np.zeros(more)))
    variances = before.variances
    if variances is not None:
        variances = variances._replace(row=np.append(variances.row, np.ones(more)))
    start = Fit(named(before.method), modes, offset, 1.0, low_rank.noise, exact=before.certificate.exact)
    return replace(start, memory=before.memory, variances=variances)


def _report(
    parts: Split,
    settings: Settings,
    selection: Selection,
    combination: Combination | None,
    baselines: dict[str, float],
) -> CompletedMatrix:
    final, chosen, trial, unit = selection.final, selection.chosen, selection.trial, parts.unit
    model: Model = model_of(final)
    expected = None if combination is None else expect(selection, combination)
    reason = _reason(selection, unit)
    if combination is not None and expected is not None and not combination.alone:
        model = combination.model(parts.whole)
        reason += f" What predicts: {combination.words} (held-out RMSE {expected.heldout * unit:.4g})."
    # The choice is a record of its own, behind everything that was tried.
    trial.path.step += 1
    trial.note(chosen, "chosen")
    path = path_dataset(trial.path.records, trial.scale * unit, _told(chosen, trial.path.step))
    certificate = certify(parts.whole, unit, final, expected, baselines, chosen.noise)
    depth = final.method.depth(final, settings.depths[0])
    calibration = None if expected is None else expected.calibration
    return _completed(parts, final, model, certificate, depth, chosen.memory, path, reason, calibration)


def _completed(
    parts: Split,
    final: Fit,
    model: Model,
    certificate: Certificate,
    depth: int,
    memory: NamedTuple,
    path: xr.Dataset,
    reason: str,
    calibration: Calibration | None = None,
) -> CompletedMatrix:
    """A fit to all entries in the units of the data, and what is known of it."""
    return CompletedMatrix(
        low_rank=model_of(final),
        model=Scaled(model, parts.scaling),
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
        observed=parts.observed,
        calibration=calibration,
    )


def _told(chosen: Fit, step: int) -> dict[str, Any]:
    """What a path says of the fit that was chosen on it."""
    named = {"chosen": step, "method": chosen.method.name, "offset": chosen.offset.words}
    return named | chosen.memory._asdict()


def _reason(selection: Selection, unit: float) -> str:
    chosen, rank = selection.chosen, selection.final.rank
    if not selection.judged:
        return (
            f"Rank {rank} fits all entries exactly, with fewer parameters than entries: chance cannot do that. Too few "
            "are left over to hold some out."
        )
    error = f"{chosen.rmse * unit:.4g}"
    if chosen.exact:
        return f"Rank {rank} fits the entries exactly, with fewer parameters than entries (held-out RMSE {error})."
    alone = f"{selection.alone * unit:.4g}"
    if not rank:
        return f"Rank 0: {OFFSET.why(chosen)} (RMSE {alone})."
    unequal = "" if chosen.variances is None else " Rows and columns count by their own noise."
    why = chosen.method.why(selection.final)
    return f"Rank {rank}: {why}.{unequal} Held-out RMSE {error}; the offset alone has {alone}."


def _offset_alone(parts: Split, settings: Settings, baselines: dict[str, float]) -> CompletedMatrix:
    """Equal entries, or too few to hold any out: nothing but an offset can be justified."""
    whole, training, heldout = parts.whole, parts.training, parts.heldout
    removed = fit_offset("mean" if settings.offset == "auto" else settings.offset, whole)
    miss = (fit_offset(removed.kind, training).of(heldout) - heldout.values) * heldout.root_weights
    expected = alike(miss) if heldout.count else None
    noise = float(np.std(whole.values - removed.of(whole)))
    final = Fit(OFFSET, Modes.none(whole.shape), removed, 1.0, noise)
    certificate = certify(whole, parts.unit, final, expected, baselines, None)
    few = "too few entries to hold any out, so only the offset can be justified"
    reason = f"Rank 0: {'all observed entries are equal' if parts.constant else few}."
    path = path_dataset([], parts.unit, _told(final, 0))
    return _completed(parts, final, model_of(final), certificate, settings.depths[0], final.memory, path, reason)
