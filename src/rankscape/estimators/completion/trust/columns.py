"""What is missed of each column, in its own units, and which columns are predicted worse than by their own mean."""

from dataclasses import dataclass

import numpy as np
import scipy

from rankscape.estimators.completion.competition.combine import Combination
from rankscape.estimators.completion.ready.baselines import column_means
from rankscape.estimators.completion.ready.sizes import MOST, sizes_of
from rankscape.estimators.completion.ready.split import Split
from rankscape.ground.final import final

# Held-out entries of a column from which on it is compared with its mean, and the factor over the error of the mean
# from which on it counts as worse.
FEW, CLEARLY = 8, 1.1

# Entries that tell whether those of a column vary at all.
MANY = 200_000

# Chance that any of the columns is called worse where none is.
CHANCE = 0.05


@final
@dataclass(frozen=True, eq=False)
class ColumnErrors:
    """Errors on held-out entries, by column.

    Attributes
    ----------
    rmse : ndarray, shape (n_in,)
        In the units of the data; NaN where no entry of a column was held out.
    worse : tuple of int
        Columns that their own mean predicts better, beyond chance.
    """

    rmse: np.ndarray
    worse: tuple[int, ...]

    @classmethod
    def none(cls, count: int) -> "ColumnErrors":
        """Where nothing was held out."""
        return cls(np.full(count, np.nan), ())


def column_errors(parts: Split, combination: Combination, means: np.ndarray | None = None) -> ColumnErrors:
    """What the prediction misses of the entries that were held out at random, column by column.

    `means` are those of the columns' training entries, where they are known.
    """
    rounds, n_in = combination.contest.random, parts.whole.shape[1]
    # Within a column all is in its own units: rows of different size are the rare case, and count as they are.
    missed, of_mean = [], []
    for judged, miss in zip(rounds, combination.misses, strict=True):
        held, scale = judged.heldout, parts.scaling.at(judged.heldout.rows, judged.heldout.columns)
        missed.append(miss / held.root_weights * scale)
        mean = column_means(parts.whole, held) if means is None else means
        of_mean.append((mean[held.columns] - held.values) * scale)
    columns = np.concatenate([judged.heldout.columns for judged in rounds])
    errors, baseline = np.concatenate(missed), np.concatenate(of_mean)
    # Of a column that hardly varies the mean is nearly exact: a miss of any size would be worse.
    some = parts.whole
    if some.count > MOST:
        some = some.some(MANY)
    varied = sizes_of(some.columns, some.values, n_in).varied
    return ColumnErrors(_rms(columns, errors, n_in), _worse(columns, errors, baseline, varied))


def _rms(columns: np.ndarray, errors: np.ndarray, n_in: int) -> np.ndarray:
    largest = np.zeros(n_in)
    np.maximum.at(largest, columns, np.abs(errors))
    unit = np.where(largest > 0, largest, 1.0)  # squares of 1e200 do not exist
    counts = np.bincount(columns, minlength=n_in)
    squares = np.bincount(columns, (errors / unit[columns]) ** 2, n_in)
    return np.where(counts > 0, unit * np.sqrt(squares / np.maximum(counts, 1)), np.nan)


def _worse(columns: np.ndarray, errors: np.ndarray, baseline: np.ndarray, varied: np.ndarray) -> tuple[int, ...]:
    n_in = len(varied)
    counts = np.bincount(columns, minlength=n_in)
    tried = np.flatnonzero(varied & (counts >= FEW))
    if not len(tried):
        return ()
    ours, theirs = _rms(columns, errors, n_in), _rms(columns, baseline, n_in)
    unit = np.fmax(np.fmax(ours, theirs), 1e-300)[columns]
    difference = (errors / unit) ** 2 - (baseline / unit) ** 2
    mean = np.bincount(columns, difference, n_in) / np.maximum(counts, 1)
    variance = np.bincount(columns, (difference - mean[columns]) ** 2, n_in) / np.maximum(counts - 1, 1)
    beyond = mean > -scipy.special.ndtri(CHANCE / len(tried)) * np.sqrt(variance / np.maximum(counts, 1))
    return tuple(int(j) for j in tried if beyond[j] and ours[j] > CLEARLY * theirs[j])
