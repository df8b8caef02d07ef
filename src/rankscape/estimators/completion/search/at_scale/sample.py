"""Which entries are so many that a sample is searched, and which lines that is."""

import numpy as np

from rankscape.entries import Entries
from rankscape.estimators.completion.fits.trial import LOPSIDED
from rankscape.estimators.completion.ready.split import Split
from rankscape.estimators.completion.settings import Settings

# Entries from which on a sample decides, and the share of the cells above which a matrix counts as full: dense ways of
# the usual search are as fast there, and near lines predict.
MANY, FULL = 150_000, 0.1

# Lines of the shorter side from which on they are not few, however many the other one has.
LINES = 1_000

# Ratio of the weights of a robust search within which most count as one: it has left a few entries out, and no more.
ALIKE = 2.0

# Entries of a sample: at least, and for each of the columns that all of its rows share. At 10 and 20 a column nothing
# was found of three directions that 40 showed.
LEAST, EACH = 250_000, 40

# Entries of a first sample up to which a larger one is searched where nothing was found.
LARGE = 4_000_000


def is_large(split: Split, settings: Settings) -> bool:
    """Whether entries are many, of a sparse matrix; with weights, or where something is asked for, the usual way goes.

    Of few columns, or rows, `many_lines` knows more.
    """
    entries, (n_out, n_in) = split.whole, split.whole.shape
    equal = split.observed.weights is None and (split.trust is None or _alike(split.trust))
    plain = equal and settings.kind.named == "real" and settings.limit is None
    asked = settings.path == "sgd" or settings.depth != "auto" or settings.loss == "robust"
    short, long = sorted((n_out, n_in))
    sparse = entries.count < FULL * n_out * n_in and (long < LOPSIDED * short or short >= LINES)
    return entries.count >= MANY and sparse and plain and not asked


def _alike(weights: np.ndarray) -> bool:
    low, high = np.quantile(weights, [0.05, 0.95])
    return bool(high < ALIKE * low)


def fullest(entries: Entries, side: int, least: int) -> np.ndarray | None:
    """A mask of the fullest lines of a side that hold so many entries; None where these are most of all.

    Fewer lines that say more each need fewer sweeps than lines drawn at random.

    >>> rows = np.repeat([0, 1, 2, 3], [1, 4, 2, 1])
    >>> columns = np.array([0, 0, 1, 2, 3, 0, 1, 0])
    >>> fullest(Entries(rows, columns, np.ones(8), (5, 4)), 0, 4).tolist()
    [False, True, False, False, False]
    """
    counts = entries.counts()[side]
    order = np.argsort(-counts, kind="stable")
    number = int(np.searchsorted(np.cumsum(counts[order]), least)) + 1
    if 2 * least > entries.count or number >= len(counts):
        return None
    chosen = np.zeros(len(counts), dtype=bool)
    chosen[order[:number]] = True
    return chosen
