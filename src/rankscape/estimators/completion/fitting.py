"""From entries to a completed matrix: split, search, fit to all, report."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from rankscape.entries import Entries
from rankscape.entries.heldout import choose_heldout
from rankscape.errors import InputError
from rankscape.estimators.completion.baselines import OFFSETS, baseline_errors, fit_offset
from rankscape.estimators.completion.candidate import Candidate
from rankscape.estimators.completion.certificate import certify
from rankscape.estimators.completion.methods.solve import Modes
from rankscape.estimators.completion.options import Options
from rankscape.estimators.completion.progress import Meter, Progress
from rankscape.estimators.completion.result import CompletedMatrix, path_dataset
from rankscape.estimators.completion.search import search
from rankscape.estimators.completion.trial import Trial
from rankscape.run.outcome import Outcome

# Default width: photographs keep 30 to 60 live directions, ratings under 10, and the cost grows with it.
WIDTH = 60

# Depths that held-out entries choose from; at the first one, ranks are sharp and minima are quick to find.
DEPTHS = 3, 2, 4

# Spread of the entries, as a share of the largest, below which they all count as equal.
CONSTANT = 1e-12

# Root mean square residual, on entries of rms 1, of an exact fit in double precision.
EXACT = 1e-9

# What a later fit needs of the one that was chosen, to go on from there.
AGAIN = ("sweeps", "width", "quiet", "ridge", "depth")

# Added to the seed of the held-out entries: whoever tests the estimator on `Completion.split` with the same seed hides
# the entries that it would hold out itself.
OWN = 0x9D2C5680


@dataclass(frozen=True)
class Settings:
    """How to fit: the arguments of `complete`, checked."""

    depth: int | str = "auto"
    width: int = WIDTH
    heldout: float = 0.1
    offset: str = "auto"
    path: str = "minima"
    seed: int = 0
    resolution: float = 2.2e-16

    @property
    def depths(self) -> tuple[int, ...]:
        """The depths to try; the first one climbs."""
        return DEPTHS if isinstance(self.depth, str) else (self.depth,)

    def options(self, shape: tuple[int, int]) -> Options:
        """What the search may try on a matrix of this shape."""
        kinds = OFFSETS if self.offset == "auto" else (self.offset,)
        exact = max(EXACT, min(20 * self.resolution, 1e-5))
        return Options(kinds, self.depths, min(self.width, *shape), exact, self.seed, self.path)


def fit_entries(
    observed: Entries,
    held: np.ndarray | None,
    settings: Settings,
    progress: Callable[[Progress], None] | None = None,
    before: CompletedMatrix | None = None,
) -> CompletedMatrix:
    """Complete the matrix of these entries.

    `held` marks those to hold out, None for a choice by a hash; `before` is an earlier fit to start from.
    """
    if settings.path == "sgd" and observed.weights is not None:
        raise InputError("path='sgd' draws all entries equally often: it takes no `weights`.")
    if held is None:
        held = choose_heldout(observed.rows, observed.columns, observed.shape, settings.heldout, OWN + settings.seed)
    unit = float(np.abs(observed.values).max()) or 1.0  # first of all: squares of 1e200 or 1e-200 do not exist
    entries = observed.with_values(observed.values / unit)
    if entries.weights is not None:
        entries = entries.with_weights(entries.weights / entries.weights.mean())
    training, heldout = entries.split(held)
    # The products are thin: more threads than one cost more than they give, and would change the last digits.
    with threadpool_limits(limits=1, user_api="blas"):
        if not len(heldout.values) or np.ptp(entries.values) <= CONSTANT:
            return _offset_alone(observed, entries, training, heldout, unit, settings)
        meter = Meter(progress, unit)
        start = None if before is None else _start(before, observed.shape, unit)
        options = settings.options(observed.shape)
        final, trial, candidates = search(entries, training, heldout, options, meter, start)
        meter.end()
        baselines = {name: error * unit for name, error in baseline_errors(training, heldout).items()}
        return _report(observed, entries, final, trial, candidates, baselines, unit, settings)


def _start(before: CompletedMatrix, shape: tuple[int, int], unit: float) -> Candidate | None:
    """An earlier fit as a candidate to go on from; rows that are new start at zero."""
    if not before.rank or before.shape[1] != shape[1] or before.shape[0] > shape[0]:
        return None
    U = np.zeros((shape[0], before.rank))
    U[: before.shape[0]] = before.modes.U
    modes = Modes(U, before.modes.s / unit, before.modes.V)
    row = np.zeros(shape[0])
    row[: before.shape[0]] = before.removed.row
    offset = replace(before.removed, row=row).scaled(1 / unit)
    variances = before.variances
    if variances is not None:
        variances = variances._replace(row=np.append(variances.row, np.ones(shape[0] - before.shape[0])))
    exact = before.certificate.exact
    start = Candidate(before.method, modes, offset, 1.0, before.noise / unit, variances=variances, exact=exact)
    return replace(start, **{name: before.path.attrs[name] for name in AGAIN})


def _report(observed, entries, final, trial, candidates, baselines, unit, settings) -> CompletedMatrix:
    chosen = candidates[0] if candidates else final
    heldout_rmse = chosen.rmse * unit if candidates else None
    certificate = certify(entries, final, heldout_rmse, baselines, chosen.noise * unit)
    return CompletedMatrix(
        rank=final.rank,
        singular_values=final.modes.s * final.scale * unit,
        heldout_rmse=heldout_rmse,
        baselines=_plain(baselines),
        outcome=Outcome.CONVERGED if final.converged else Outcome.STEP_LIMIT,
        modes=final.modes._replace(s=final.modes.s * final.scale * unit),
        depth=final.depth or settings.depths[0],
        noise=final.noise * unit,
        variances=final.variances,
        method=final.method,
        path=_path(trial, chosen, unit),
        reason=_reason(chosen, final, candidates, unit),
        certificate=certificate,
        observed=observed,
        removed=final.offset.scaled(unit),
    )


def _plain(baselines: dict[str, float]) -> dict[str, float]:
    """The baselines that are there for matrices of every size."""
    return {name: error for name, error in baselines.items() if name != "nearest_rows"}


def _path(trial: Trial, chosen: Candidate, unit: float) -> Any:
    """The dataset of the trial's path; the chosen fit is its last record."""
    trial.path.step += 1
    trial.note(chosen, "chosen")
    return path_dataset(trial.path.records, trial.scale * unit, _attributes(chosen, trial.path.step))


def _attributes(chosen: Candidate, step: int) -> dict[str, Any]:
    named = {"chosen": step, "method": chosen.method, "offset": chosen.offset.words}
    return named | {name: getattr(chosen, name) for name in AGAIN}


def _reason(chosen: Candidate, final: Candidate, candidates: list[Candidate], unit: float) -> str:
    error, rank = f"{chosen.rmse * unit:.4g}", final.rank
    if not candidates:
        return (
            f"Rank {rank} fits all entries exactly, with fewer parameters than entries: chance cannot do that. Too few "
            "are left over to hold some out."
        )
    if chosen.exact:
        return f"Rank {rank} fits the entries exactly, with fewer parameters than entries (held-out RMSE {error})."
    alone = next(c.rmse for c in candidates if c.method == "offset") * unit
    if not rank:
        return f"Rank 0: no direction predicts held-out entries better than the offset alone (RMSE {alone:.4g})."
    how = {
        "climbed": "the residual holds no further direction that chance does not explain",
        "averaged": "averaged over many directions, of which so many are larger than their uncertainty",
        "penalised": f"a factorization of depth {final.depth} keeps so many alive at the ridge that predicts best",
        "sampled": "averaged over random draws, which agree on so many directions",
    }[chosen.method]
    unequal = "" if chosen.variances is None else " Rows and columns count by their own noise."
    return f"Rank {rank}: {how}.{unequal} Held-out RMSE {error}; the offset alone has {alone:.4g}."


def _offset_alone(observed, entries, training, heldout, unit, settings) -> CompletedMatrix:
    """Equal entries, or too few to hold any out: nothing but an offset can be justified."""
    constant = np.ptp(entries.values) <= CONSTANT
    removed = fit_offset("mean" if settings.offset == "auto" else settings.offset, entries)
    n_out, n_in = observed.shape
    none = Modes(np.zeros((n_out, 0)), np.zeros(0), np.zeros((n_in, 0)))
    baselines, heldout_rmse = {}, None
    if len(heldout.values):
        baselines = {name: error * unit for name, error in baseline_errors(training, heldout).items()}
        miss = fit_offset(removed.kind, training).at(heldout.rows, heldout.columns) - heldout.values
        heldout_rmse = float(np.sqrt(np.mean(miss**2))) * unit
    noise = float(np.std(entries.values - removed.at(entries.rows, entries.columns)))
    final = Candidate("offset", none, removed, 1.0, noise)
    return CompletedMatrix(
        rank=0,
        singular_values=none.s,
        heldout_rmse=heldout_rmse,
        baselines=_plain(baselines),
        outcome=Outcome.CONVERGED,
        modes=none,
        depth=final.depth or settings.depths[0],
        noise=noise * unit,
        variances=None,
        method="offset",
        path=path_dataset(
            [],
            unit,
            {"chosen": 0, "method": "offset", "offset": removed.words} | {name: getattr(final, name) for name in AGAIN},
        ),
        reason="Rank 0: all observed entries are equal."
        if constant
        else "Rank 0: too few entries to hold any out, so only the offset can be justified.",
        certificate=certify(entries, final, heldout_rmse, baselines, None),
        observed=observed,
        removed=removed.scaled(unit),
    )
