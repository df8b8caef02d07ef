"""A fit that was chosen, once more: on all entries, or with the noise of each row and column."""

from dataclasses import replace

import numpy as np

from rankscape.estimators.completion.candidate import Candidate
from rankscape.estimators.completion.methods.path import Minimum
from rankscape.estimators.completion.methods.polish import fill, polish
from rankscape.estimators.completion.methods.solve import minimise, modes_of
from rankscape.estimators.completion.methods.unequal import Variances, estimate_variances
from rankscape.estimators.completion.trial import Trial

# Directions beyond twice the rank found with which all entries are averaged: the others died.
FEW = 4

# Root mean square residual, on entries of rms 1, of an exact fit that is refitted: the rank is known.
EXACT = 1e-4

# Iterations of the quasi-Newton method on all entries, from the minimum of a part of them.
ITERATIONS = 500


def variances_of(trial: Trial, candidate: Candidate) -> Variances:
    """How noisy each row and each column is, by what a candidate leaves of the entries of a trial."""
    entries = trial.path.entries
    return estimate_variances(entries.rows, entries.columns, trial.residual(candidate), entries.shape, candidate.rank)


def refit(trial: Trial, chosen: Candidate, width: int, seed: int) -> Candidate:
    """The chosen fit again on the entries of a trial, with its variances of rows and columns if it has some."""
    if chosen.variances is None:
        return _refit(trial, chosen, width, seed)
    entries = trial.path.entries
    precision = 1 / chosen.variances.at(entries.rows, entries.columns)
    weights = entries.weighted(precision)
    path = replace(trial.path, entries=entries.with_weights(weights / weights.mean()), minima={})
    twin = replace(trial, path=path, candidates=trial.candidates[:1])
    found = _refit(twin, chosen, width, seed)
    trial.path.step = path.step
    return replace(found, variances=chosen.variances)


def _refit(trial: Trial, chosen: Candidate, width: int, seed: int) -> Candidate:
    """With held-out entries, these say anew when to stop or which ridge is best."""
    judged = len(trial.weights) > 0
    if chosen.method == "averaged" and judged:
        return trial.average(chosen.width, chosen.quiet)
    if chosen.method == "averaged":
        found = trial.average(min(chosen.width, 2 * chosen.rank + FEW), chosen.quiet, chosen.sweeps)
        return replace(found, converged=chosen.converged)
    if chosen.method == "sampled":
        return trial.sample(width, seed)
    if not chosen.rank:
        return trial.candidates[0]
    if chosen.method == "penalised" and judged:
        trial.penalise(width, (chosen.depth,))
        return min(trial.candidates[1:], key=lambda c: c.rmse)
    return _penalised(trial, chosen) if chosen.method == "penalised" else _climbed(trial, chosen)


def _penalised(trial: Trial, chosen: Candidate) -> Candidate:
    """The minimum at the ridge that was chosen, from that of a part of the entries."""
    path = trial.path
    modes = chosen.modes._replace(s=chosen.modes.s * (chosen.scale / trial.scale))
    modes, taken, converged = minimise(path.entries, modes, chosen.ridge, chosen.depth, ITERATIONS)
    path.step += taken
    live = modes.head(path.live_rank(modes, chosen.ridge, chosen.depth))
    return trial.offer_minimum(Minimum(live, chosen.ridge, chosen.depth, 0.0), chosen.noise, converged)


def _climbed(trial: Trial, chosen: Candidate) -> Candidate:
    """Least squares at the rank that was found."""
    entries = trial.path.entries
    modes = chosen.modes._replace(s=chosen.modes.s * (chosen.scale / trial.scale))
    if chosen.exact and chosen.known is not None:  # a guess would lead the solver astray where nothing else does
        i, j = chosen.known
        modes = fill(entries, i, j, modes_of(modes.U[i] * modes.s, modes.V[j]), 0.0)
    fit = polish(entries, modes)
    exact = chosen.exact and np.sqrt(fit.mean_square) < EXACT
    return trial.shrink(fit, bool(exact))
