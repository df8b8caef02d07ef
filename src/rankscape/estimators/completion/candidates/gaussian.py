"""Tall tables of few columns (and wide ones of few rows): a Gaussian with a full covariance."""

from dataclasses import dataclass, field, replace

import numpy as np

from rankscape.entries import Entries
from rankscape.estimators.choice import ties
from rankscape.estimators.completion.candidates.base import Candidate, Search, Trained
from rankscape.estimators.completion.models.gaussian_rows import GaussianRows
from rankscape.estimators.completion.settings import Settings
from rankscape.ground.final import final
from rankscape.solvers.full_covariance import (
    STILL,
    FullCovariance,
    Patterned,
    by_pattern,
    filled_rows,
    fit_full_covariance,
)

# Draws for each variable, at least: with fewer a covariance follows its ridge, and takes long.
DRAWS = 1.5

# Variables up to which the strength of the ridge is chosen; and most variables: the cost grows with their cube.
TUNED, MOST = 30, 60

# Most cells of the table, which is kept as a whole.
CELLS = 2e7

# Patterns of gaps times variables cubed, beyond which the covariance is that of a sample; and draws in one at least.
WORK, LEAST = 2e8, 2000

# The same where the ridge and the tail are chosen, and most draws: more than these change neither.
TRIED, FEW, SAMPLE = 2e7, 1000, 5000

# Pseudo-draws without correlation to begin with. On eight tables of 20 x 6 to 569 x 30 within 6 % of the best of nine
# strengths, where that of 0.3 was within 15 %; only exact relations need far fewer.
PSEUDO_ROWS = 3.0

# Factors by which their number is changed while that is clearly better, and the range it stays in.
FACTORS, RANGE = (0.1, 10.0), (1e-6, 1e6)

# Share of the mean square error that a change has to save: of many entries any change is significant.
WORTH = 0.002

# Degrees of freedom of Student's t, where it predicts better than a Gaussian.
TAIL = 4.0

# Change of a covariance at which the fits to the sample end: they are only compared.
ROUGH = 1e-3


@final
@dataclass(frozen=True)
class _Choice:
    """Of whole rows or columns: pseudo-draws, degrees of freedom, and where to start, which hardly changes the end."""

    flipped: bool
    pseudo_rows: float = PSEUDO_ROWS
    tail: float = np.inf
    start: FullCovariance | None = field(default=None, compare=False)

    def __call__(self, entries: Entries) -> GaussianRows:
        return _fitted(entries, self)


@final
class Gaussian(Candidate):
    """Rows as draws from one Gaussian, or Student's t with four degrees of freedom; columns where these are more.

    A weight counts by its mean over a row: the row is then drawn so many times.

    References
    ----------
    .. [dempster1977] Dempster, Laird, Rubin, "Maximum likelihood from incomplete data via the EM algorithm", Journal of
       the Royal Statistical Society B 39 (1977).
    .. [little1988] Little, "Robust estimation of the mean and covariance matrix from data with missing values",
       Journal of the Royal Statistical Society C 37 (1988).
    """

    name = "gaussian"
    how = "Rows are draws from one Gaussian whose covariance is estimated from all of them, gaps included."
    sparse = False
    references = ("dempster1977", "little1988")

    def wanted(self, training: Entries, settings: Settings) -> bool:
        """Where one side is short, and has fewer covariances than there are entries."""
        del settings
        p, n = min(training.shape), max(training.shape)
        return (
            p <= MOST
            and n >= DRAWS * p
            and training.count >= p * (p + 3) // 2
            and training.shape[0] * training.shape[1] <= CELLS
        )

    def fit(self, training: Entries, heldout: Entries, settings: Settings, search: Search) -> Trained:
        """The ridge and the tail that predict the held-out entries of a sample, then all."""
        del settings, search
        flipped = training.shape[0] < training.shape[1]
        choice = _Choice(flipped)
        if min(training.shape) <= TUNED:
            choice = _chosen(choice, _upright(training, flipped), _upright(heldout, flipped))
        kind = "a Gaussian" if np.isinf(choice.tail) else "Student's t"
        words = f"{kind} with a full covariance of {'rows' if flipped else 'columns'}"
        return Trained(self.name, choice(training), choice, words)


def _upright(entries: Entries, flipped: bool) -> Entries:
    return entries.transposed() if flipped else entries


def _fitted(entries: Entries, choice: _Choice) -> GaussianRows:
    draws = _upright(entries, choice.flipped)
    centre, size = _units(draws)
    table = _table(draws, centre, size, np.flatnonzero(draws.counts()[0]))
    if (len(table.starts) - 1) * len(centre) ** 3 > WORK:
        table = _table(draws, centre, size, _sample(draws, max(LEAST, int(WORK / len(centre) ** 3))))
    # With many variables a round is dear, and the last digits of a ridge that was not chosen are worth nothing.
    still = STILL if len(centre) <= TUNED else ROUGH
    law = fit_full_covariance(table, choice.pseudo_rows, choice.tail, choice.start, still)
    mean = centre + size * law.mean
    return GaussianRows(entries, choice.flipped, mean, size, law.covariance, choice.tail, choice.pseudo_rows)


def _chosen(first: _Choice, training: Entries, heldout: Entries) -> _Choice:
    """Fewer or more pseudo-draws, as long as that is clearly better; then Student's t if that is."""
    rows = _sample(training, min(SAMPLE, max(FEW, int(TRIED / training.shape[1] ** 3))))
    centre, size = _units(training)
    table = _table(training, centre, size, rows)
    place = np.full(training.shape[0], -1)
    place[rows] = np.arange(len(rows))
    judge = heldout.part(place[heldout.rows] >= 0)
    values, line = (judge.values - centre[judge.columns]) / size[judge.columns], place[judge.rows]
    scale = size[judge.columns] * judge.root_weights

    def tried(pseudo_rows: float, tail: float, start: FullCovariance | None) -> tuple[_Choice, np.ndarray]:
        law = fit_full_covariance(table, pseudo_rows, tail, start, ROUGH)
        missed = (filled_rows(table, law)[line, judge.columns] - values) * scale
        return replace(first, pseudo_rows=pseudo_rows, tail=tail, start=law), missed**2

    best, squares = tried(PSEUDO_ROWS, np.inf, None)
    if not judge.count:
        return best
    for factor in FACTORS:
        while RANGE[0] < best.pseudo_rows * factor < RANGE[1]:
            other, theirs = tried(best.pseudo_rows * factor, np.inf, best.start)
            if _no_better(theirs, squares):
                break
            best, squares = other, theirs
    heavy, theirs = tried(best.pseudo_rows, TAIL, best.start)
    return best if _no_better(theirs, squares) else heavy


def _no_better(theirs: np.ndarray, ours: np.ndarray) -> bool:
    return theirs.mean() > (1 - WORTH) * ours.mean() or ties(ours, theirs)


def _sample(entries: Entries, most: int) -> np.ndarray:
    """Some of the rows that have entries, ascending; the same ones every time."""
    rows = np.flatnonzero(entries.counts()[0])
    return rows if len(rows) <= most else np.sort(np.random.default_rng(0).choice(rows, most, replace=False))


def _units(entries: Entries) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each column; one where it has none."""
    counts = np.maximum(entries.counts()[1], 1)
    mean = np.bincount(entries.columns, entries.values, entries.shape[1]) / counts
    apart = entries.values - mean[entries.columns]
    size = np.sqrt(np.bincount(entries.columns, apart**2, entries.shape[1]) / counts)
    return mean, np.where(size > 0, size, 1.0)


def _table(entries: Entries, centre: np.ndarray, size: np.ndarray, rows: np.ndarray) -> Patterned:
    """Some rows in standard units, by their pattern of gaps."""
    weights = None
    if entries.weights is not None:
        counts = np.maximum(entries.counts()[0], 1)
        weights = (np.bincount(entries.rows, entries.weights, entries.shape[0]) / counts)[rows]
    return by_pattern((entries.dense()[rows] - centre) / size, weights)
