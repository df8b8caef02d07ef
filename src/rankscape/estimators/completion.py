"""Completing a matrix without choosing a rank."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

import numpy as np
from threadpoolctl import threadpool_limits

from rankscape.checks import share, whole
from rankscape.errors import InputError
from rankscape.estimators.baselines import OFFSETS, Entries, Offset, baseline_errors, fit_offset
from rankscape.estimators.path import Record
from rankscape.estimators.polish import polish
from rankscape.estimators.progress import Meter, Progress
from rankscape.estimators.result import CompletedMatrix, path_dataset
from rankscape.estimators.search import search
from rankscape.estimators.solve import Modes, balanced_factors, live_rank, minimise, residual_modes
from rankscape.estimators.trial import COVERED, EXACT, Candidate, centred
from rankscape.outcome import Outcome
from rankscape.problem import Completion

WIDTH = 60
"""Default width: photographs keep 40 to 60 live directions, ratings under 10, and a stage's cost grows with it."""

REFIT_ITERATIONS = 600
"""L-BFGS iterations of the last fit on all entries; from the chosen point it needs 50 to 300."""

REFIT_TOLERANCE = 1e-7
"""Relative decrease at which the last fit ends: a hundred more such iterations would not change the fourth digit."""

CONSTANT = 1e-12
"""Spread of the entries, as a share of the largest, below which they all count as equal."""


def complete(
    data: Any,
    *,
    depth: int = 3,
    width: int | None = None,
    heldout: float = 0.1,
    offset: Literal["auto", "none", "mean", "row+column"] = "auto",
    seed: int = 0,
    progress: Callable[[Progress], None] | None = None,
) -> CompletedMatrix:
    r"""Complete a matrix with holes; the ridge path of a deep factorization and held-out entries choose the rank.

    Minimises over ``W = W_L ... W_1``, with ``m`` observed entries scaled to rms 1 after an offset is removed,

    .. math:: \frac{1}{2m}\sum_{ij\ \mathrm{observed}} (W_{ij}-y_{ij})^2 + \lambda \sum_l \|W_l\|_F^2

    which at depth 3 has minima of many ranks. The ridge :math:`\lambda` falls from the one that leaves almost no
    direction alive; then directions that lower the objective are grown; then a rising ridge comes from many
    directions. At the best ranks the bias of the ridge is removed. The smallest rank within one standard error of
    the best held-out error is chosen, and fitted again to all entries.

    Parameters
    ----------
    data : Completion, array_like or scipy sparse array
        A dense array or data frame has NaN where nothing is known; what a sparse array stores is observed. A
        `Completion` that is already split keeps its split.
    depth : int
        Number of factors ``L``, at least 2. From 3 on the rank is found exactly; depth 2 is the nuclear norm.
    width : int, optional
        Most directions to start with; the default is the smaller side, at most 60.
    heldout : float
        Share of the entries held out to choose by, between 0 and 1.
    offset : {"auto", "none", "mean", "row+column"}
        What to remove first; "auto" lets the held-out entries decide, and takes the simpler one on a tie.
    seed : int
        Of the held-out split. The rest is deterministic.
    progress : callable, optional
        Receives a `Progress` after each record and every 0.2 s or so.

    Returns
    -------
    CompletedMatrix
        With the rank, held-out error, baselines, path and reason.

    Raises
    ------
    InputError
        The data or an option cannot be used.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.outer(np.arange(1.0, 9.0), [1.0, -1.0, 2.0, 0.5, 3.0, 1.0])
    >>> X[np.arange(8), np.arange(8) % 6] = np.nan
    >>> complete(X).rank
    1

    References
    ----------
    Wang, Jacot, "Implicit bias of SGD in L2-regularized linear DNNs: One-way jumps from high to low rank",
    ICLR 2024 (ranks that fall). Chou, Gieshoff, Maly, Rauhut, "Gradient descent for deep matrix factorization:
    Dynamics and implicit bias towards low rank", 2020 (ranks that climb).
    """
    problem = _as_problem(data)
    width = _check(depth, width, heldout, offset, problem.shape)
    # The products are thin: more threads than one cost more than they give, and would change the last digits.
    with threadpool_limits(limits=1, user_api="blas"):
        return _complete(problem, depth, width, heldout, offset, seed, progress)


def _complete(problem, depth, width, heldout, offset, seed, progress) -> CompletedMatrix:
    """`complete` with its arguments checked: split, search, refit, report."""
    given = _parts(problem, heldout, seed)
    observed = given[0]
    unit = float(np.abs(observed.values).max()) or 1.0  # first of all: squares of 1e200 or 1e-200 do not exist
    parts = [part.sorted(unit) for part in given]
    if len(parts) == 1 or np.ptp(parts[0].values) <= CONSTANT:
        return _offset_alone(observed, parts, unit, offset, depth)
    meter = Meter(progress, unit)
    kinds = OFFSETS if offset == "auto" else (offset,)
    chosen, exact = search(parts[1], parts[2], kinds, depth, width, meter)
    meter.begin("refit on all entries", 0.15)
    removed, modes, scale, converged = _refit(parts[0], chosen, depth)
    meter.end()
    baselines = {k: v * unit for k, v in baseline_errors(parts[1], parts[2]).items()}
    return CompletedMatrix(
        rank=len(modes.s),
        singular_values=modes.s * scale * unit,
        heldout_rmse=chosen.rmse * unit,
        baselines=baselines,
        outcome=Outcome.CONVERGED if converged else Outcome.STEP_LIMIT,
        factors=balanced_factors(modes._replace(s=modes.s * scale * unit), depth),
        offset=removed.words,
        path=_path(chosen, unit),
        reason=_reason(chosen, len(modes.s), exact, unit) + _warning(chosen.rmse * unit, baselines),
        observed=observed,
        removed=removed.scaled(unit),
    )


def _as_problem(data: Any) -> Completion:
    if isinstance(data, Completion):
        return data
    from scipy.sparse import issparse

    return Completion.from_sparse(data) if issparse(data) else Completion.from_array(data)


def _check(depth: Any, width: Any, heldout: Any, offset: Any, shape: tuple[int, int]) -> int:
    whole("depth", depth, least=2)
    width = WIDTH if width is None else whole("width", width, least=1)
    share("heldout", heldout)
    if offset not in ("auto", *OFFSETS):
        raise InputError(f"`offset` must be 'auto', {', '.join(map(repr, OFFSETS))}, got {offset!r}.")
    return min(width, *shape)


def _parts(problem: Completion, heldout: float, seed: int) -> list[Entries]:
    """All entries; those to train on and those held out follow when there are enough to hold any out."""
    training = problem
    if problem.heldout is None:
        try:
            training = problem.split(heldout, seed)
        except InputError:  # every entry is the only one of its row or column
            return [_entries(problem)]
    seen, held = _entries(training), _entries(training.heldout)
    if problem.heldout is None:
        return [_entries(problem), seen, held]
    rows, columns, values = (np.concatenate(pair) for pair in zip(seen[:3], held[:3], strict=True))
    return [Entries(rows, columns, values, problem.shape), seen, held]


def _entries(problem: Any) -> Entries:
    return Entries(problem.rows, problem.columns, problem.values, problem.shape)


def _refit(observed: Entries, chosen: Candidate, depth: int) -> tuple[Offset, Modes, float, bool]:
    """The chosen kind of fit on all entries, warm-started: offset, modes, scale, and whether it converged."""
    removed = fit_offset(chosen.trial.offset.kind, observed)
    entries, scale = centred(observed, removed)
    modes = chosen.modes._replace(s=chosen.modes.s * (chosen.trial.scale / scale))
    if not len(modes.s):
        return removed, modes, scale, True
    if chosen.polished:
        modes, _, converged = polish(entries, modes)
        return removed, modes, scale, converged
    modes, _, converged = minimise(entries, modes, chosen.ridge, depth, REFIT_ITERATIONS, tolerance=REFIT_TOLERANCE)
    top = residual_modes(entries, modes, 1)
    return removed, modes.head(live_rank(modes, chosen.ridge, float(top.s[0]), depth)), scale, converged


def _path(chosen: Candidate, unit: float) -> Any:
    """The dataset of the chosen path; a polish is its last record, without ridge."""
    path, modes = chosen.trial.path, chosen.modes
    records = chosen.records
    step = next((r.step for r in records if r.modes is modes), 0)
    if chosen.polished:
        residual = path.entries.residual(modes.U * modes.s, modes.V)
        train = float(np.sqrt(np.mean(residual**2)))
        step = max((r.step for r in records), default=0) + 1
        last = Record(step, 0.0, chosen.rank, modes.s, train, chosen.rmse / chosen.trial.scale, modes, "polished")
        records = [*records, last]
    first = records[0].step if records else 0
    records = [replace(r, step=r.step - first) for r in records]
    direction = next((r.direction for r in records if r.direction), "none")
    attributes = dict(chosen=step - first if records else 0, direction=direction, polished=int(chosen.polished))
    attributes["offset"] = chosen.trial.offset.words
    return path_dataset(records, chosen.trial.scale * unit, attributes)


def _reason(chosen: Candidate, rank: int, exact: bool, unit: float) -> str:
    error = f"{chosen.rmse * unit:.4g}"
    if exact and chosen.rmse > EXACT * chosen.trial.spread * chosen.trial.scale:
        return (
            f"Rank {rank} fits the entries exactly, and {COVERED:.0%} or more of the held-out ones; the others lie in "
            f"rows or columns with too few entries for this rank (held-out RMSE {error})."
        )
    if exact:
        return f"Rank {rank} fits the entries exactly, the held-out ones too (held-out RMSE {error})."
    best = min(chosen.trial.candidates, key=lambda c: c.rmse)
    alone = chosen.trial.candidates[0].rmse * unit
    if not rank:
        return f"Rank 0: no direction predicts held-out entries better than the offset alone (RMSE {alone:.4g})."
    if best is chosen:
        why = "the smallest along all paths"
    else:
        why = f"not distinguishable from the smallest, {best.rmse * unit:.4g} at rank {best.rank}"
    return f"Rank {rank} has held-out RMSE {error}, {why}; the offset alone has {alone:.4g}."


def _warning(heldout_rmse: float, baselines: dict[str, float]) -> str:
    """One more sentence when something simpler predicts better."""
    name, error = min(baselines.items(), key=lambda pair: pair[1])
    if error >= heldout_rmse:
        return ""
    return f" The {name.replace('_', ' ')} predicts better ({error:.4g}): do not rely on this completion."


def _offset_alone(observed: Entries, parts: list[Entries], unit: float, offset: str, depth: int) -> CompletedMatrix:
    """Equal entries, or too few to hold any out: nothing but an offset can be justified."""
    constant = np.ptp(parts[0].values) <= CONSTANT
    removed = fit_offset("mean" if offset == "auto" else offset, parts[0]).scaled(unit)
    n_out, n_in = observed.shape
    none = Modes(np.zeros((n_out, 0)), np.zeros(0), np.zeros((n_in, 0)))
    held = len(parts) == 3
    errors = baseline_errors(parts[1], parts[2]) if held else {}
    miss = None
    if held:
        miss = fit_offset(removed.kind, parts[1]).at(parts[2].rows, parts[2].columns) - parts[2].values
    return CompletedMatrix(
        rank=0,
        singular_values=none.s,
        heldout_rmse=None if miss is None else float(np.sqrt(np.mean(miss**2))) * unit,
        baselines={name: error * unit for name, error in errors.items()},
        outcome=Outcome.CONVERGED,
        factors=balanced_factors(none, depth),
        offset=removed.words,
        path=path_dataset([], unit, {"chosen": 0, "direction": "none", "polished": 0, "offset": removed.words}),
        reason="Rank 0: all observed entries are equal."
        if constant
        else "Rank 0: too few entries to hold any out, so only the offset can be justified.",
        observed=observed,
        removed=removed,
    )
