"""Very many rows of few columns, or columns of few rows: some of them are searched, and the others folded in.

What all rows share, the factor of the columns, a thousand of them determine as well as a hundred thousand. Each row's
own factor follows from it and the row's entries.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from rankscape.entries import Entries
from rankscape.entries.prepared import PreparedEntries
from rankscape.estimators.completion.fits.fit import Fit, model_of
from rankscape.estimators.completion.fits.trial import Trial
from rankscape.estimators.completion.models.low_rank import LowRank
from rankscape.estimators.completion.ready.split import Split
from rankscape.estimators.completion.settings import Settings
from rankscape.ground.arrays import root_mean_square
from rankscape.solvers.noise.noise_variances import estimate_variances

if TYPE_CHECKING:
    from rankscape.estimators.completion.search.selection import Selection

# Rows that are searched: at least, and for each column; and the share of all from which on all are.
LEAST, EACH, MOST = 1000, 50, 0.5

# Entries that each column must have among them.
SEEN = 200


def sample_of(split: Split, settings: Settings) -> Split | None:
    """Some of the rows, or columns, where these are very many; the same ones every time."""
    n_out, n_in = split.whole.shape
    side, long, short = (0, n_out, n_in) if n_out > n_in else (1, n_in, n_out)
    share = max(LEAST, EACH * short) / long
    # SGD is asked for to be watched on all entries.
    if share > MOST or settings.path == "sgd" or split.whole.counts()[1 - side].min() * share < SEEN:
        return None
    return split.lines(side, np.random.default_rng(0).random(long) < share)


def grow(found: "Selection", split: Split) -> "Selection | None":
    """What was found on some rows, for all rows of a split; None where it is exact and the others do not meet it."""
    refit = lambda: folded(found.final, split.whole)
    if found.chosen.exact and not _met(refit(), split.whole, found.trial):
        return None
    alone, chosen = (folded(fit, split.training, split.heldout) for fit in (found.trial.fits[0], found.chosen))
    values = split.training.values - alone.offset.of(split.training)
    held = split.heldout.with_values((split.heldout.values - alone.offset.of(split.heldout)) / found.trial.scale)
    entries = PreparedEntries(split.training.with_values(values / found.trial.scale), "sparse")
    path = replace(found.trial.path, entries=entries, heldout=held)
    trial = replace(found.trial, offset=alone.offset, path=path, root_weights=split.heldout.root_weights, fits=[alone])
    again = lambda trial, fit, entries: folded(fit, entries)
    return replace(found, refit=refit, chosen=chosen, trial=trial, split=split, again=again, trials=(trial,))


def folded(fit: Fit, entries: Entries, heldout: Entries | None = None) -> Fit:
    """A fit with other rows (columns where these are more) in place of its own, judged on entries held out of them."""
    model = model_of(fit)
    if entries.shape[0] > entries.shape[1]:
        model = _with_rows(model, entries)
    else:
        model = _with_rows(model.transposed(), entries.transposed()).transposed()
    modes = model.modes._replace(s=model.modes.s / fit.scale)
    residual = np.zeros(0) if heldout is None else model.missed(heldout)
    return replace(fit, modes=modes, offset=model.offset, residual=residual, variances=model.variances, known=None)


def _with_rows(model: LowRank, entries: Entries) -> LowRank:
    found = model.with_rows(entries)
    if model.variances is None:
        return found
    # The noise of each row is its own, and shows once there is a fit.
    left = found.at(entries.rows, entries.columns) - entries.values
    rank = len(model.modes.s)
    return model.with_rows(entries, estimate_variances(entries.rows, entries.columns, left, entries.shape, rank))


def _met(fit: Fit, entries: Entries, trial: Trial) -> bool:
    """Whether a fit that is exact on some rows is exact on all."""
    left = model_of(fit).at(entries.rows, entries.columns) - entries.values
    return root_mean_square(left) < trial.exact * trial.scale
