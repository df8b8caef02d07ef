"""Do entries go missing with their value? Then those that are left say too little of those that are not.

What is missing because it is small (a detection limit) or large (a sensor that saturates) is predicted from entries
that are not like it, and lies further out than predicted: no held-out entry can show that. The prediction can: it is
lower, or higher, where cells are missing. Missing at random and not at random: Rubin (1976), "Inference and missing
data", Biometrika 63(3), 581-592.
"""

import numpy as np
import scipy

from rankscape.entries import Entries
from rankscape.estimators.completion.models.base import Model

# Rows and columns that are looked at; fewest that can tell.
SAMPLE, FEWEST = 300, 8

# Chance below which a test within rows and columns speaks, and one of whole rows or columns, which also go together
# for other reasons (a group that answers less): these have to correlate by `CLEAR` as well.
WITHIN, OF_LINES, CLEAR = 1e-3, 1e-6, 0.5

# Standard deviations that missing cells have to differ by; less hardly moves what is filled in.
DIFFERENT = 0.2


def missing_by_value(entries: Entries, model: Model, alike: tuple[bool, bool], seed: int = 0) -> float:
    r"""Standard deviations that missing cells are predicted above those seen in their column, or row; 0 if by chance.

    `alike` says of rows and of columns whether they are of one kind, so that their levels can be compared.
    """
    random = np.random.default_rng([0xB7, seed])
    rows, columns = (np.sort(random.permutation(n)[:SAMPLE]) for n in entries.shape)
    if min(len(rows), len(columns)) < FEWEST:
        return 0.0
    block, cells = (len(rows), len(columns)), (np.repeat(rows, len(columns)), np.tile(columns, len(rows)))
    F = model.at(*cells).reshape(block)
    M = (entries.find(*cells) < 0).reshape(block).astype(float)
    if M.std() == 0 or F.std() == 0:
        return 0.0
    found = [_difference(F, M)] * _within(F, M)
    if alike[0] and _of_lines(F, M):
        found.append(_difference(F, M))
    if alike[1] and _of_lines(F.T, M.T):
        found.append(_difference(F.T, M.T))
    return max((d for d in found if abs(d) > DIFFERENT), key=abs, default=0.0)


def _within(F: np.ndarray, M: np.ndarray) -> bool:
    """Whether they go together beyond the levels of rows and columns.

    Gaps come in runs and blocks, so cells are no independent witnesses: rows are, and columns, and both have to agree.
    """
    product = _levelled(F) * _levelled(M)
    tests = [_chance(product.sum(axis)) for axis in (0, 1)]
    return max(tests) < WITHIN


def _chance(sums: np.ndarray) -> float:
    """Of a mean this far from zero."""
    spread = sums.std(ddof=1)
    return _beyond(sums.mean() / spread * len(sums) ** 0.5 if spread > 0 else 0.0, len(sums) - 1)


def _beyond(t: float, freedom: int) -> float:
    """Chance of a value of Student's t that lies as far out, on either side."""
    return float(2 * scipy.special.stdtr(freedom, -abs(t)))


def _of_lines(F: np.ndarray, M: np.ndarray) -> bool:
    """Whether rows of low (or high) values lack more: Spearman's correlation."""
    levels, missing = (F - F.mean(0)).mean(1), M.mean(1)
    if np.ptp(missing) == 0 or np.ptp(levels) == 0:
        return False
    rho, chance = rank_correlation(levels, missing)
    return abs(rho) > CLEAR and chance < OF_LINES


def rank_correlation(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Spearman's coefficient, and the chance of one as far from zero; scipy.stats takes as long to import as a fit.

    >>> [round(x, 6) for x in rank_correlation(np.array([1.0, 2.0, 3.0, 4.0]), np.array([2.0, 1.0, 4.0, 3.0]))]
    [0.6, 0.4]
    """
    rho = min(max(float(np.corrcoef(_ranks(x), _ranks(y))[0, 1]), -1.0), 1.0)
    freedom = len(x) - 2
    return rho, _beyond(rho * (freedom / max((1 - rho) * (1 + rho), 1e-300)) ** 0.5, freedom)


def _ranks(x: np.ndarray) -> np.ndarray:
    """From 1 on; equal ones share the mean of theirs."""
    _, place, counts = np.unique(x, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[place]


def _difference(F: np.ndarray, M: np.ndarray) -> float:
    """Prediction at missing cells minus that at seen ones of the same column, over its spread within columns."""
    f, m = F - F.mean(0), M - M.mean(0)
    return float((f * m).sum() / max((m**2).sum(), 1e-300) / max(f.std(), 1e-300))


def _levelled(matrix: np.ndarray) -> np.ndarray:
    return matrix - matrix.mean(0) - matrix.mean(1, keepdims=True) + matrix.mean()
