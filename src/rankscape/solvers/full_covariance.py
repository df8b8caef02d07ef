r"""Rows drawn from one Gaussian with a full covariance, and parts of them unseen: expectation maximisation.

Rows with the same gaps share their regression of the unseen on the seen columns: it is made once for each pattern of
gaps, by sweeping the covariance matrix.
"""

from typing import NamedTuple

import numpy as np

from rankscape.solvers.filling import fill_patterns

# Change of the mean and of the covariance (columns of unit variance) at which the iteration ends; most iterations.
STILL, ROUNDS = 1e-4, 200

# Variance that a column without spread keeps, in units of the others.
FLOOR = 1e-9


class FullCovariance(NamedTuple):
    """The distribution of a row.

    Attributes
    ----------
    mean, covariance : ndarray
        Shapes (p,) and (p, p). Of Student's t it is the matrix of scale, not of covariance.
    tail : float
        Degrees of freedom of Student's t; infinite for a Gaussian.
    """

    mean: np.ndarray
    covariance: np.ndarray
    tail: float = np.inf


class Patterned(NamedTuple):
    """A table whose rows stand in the order of their patterns of gaps.

    Attributes
    ----------
    values : ndarray
        Shape (n, p), NaN where nothing is seen.
    order : ndarray
        Which row of the given table each of them is.
    starts : ndarray
        Where each pattern begins, and where the last one ends.
    weights : ndarray
        What each row counts.
    """

    values: np.ndarray
    order: np.ndarray
    starts: np.ndarray
    weights: np.ndarray


def by_pattern(table: np.ndarray, weights: np.ndarray | None = None) -> Patterned:
    """The table (n, p) with NaN for gaps, its rows sorted by where the gaps are."""
    packed = np.packbits(np.isnan(table), axis=1)
    # Bytes side by side compare as one number, and short numbers sort in linear time.
    kind = np.uint16 if packed.shape[1] <= 2 else np.uint64
    width = np.dtype(kind).itemsize
    keys = np.zeros((len(table), -(-packed.shape[1] // width) * width), dtype=np.uint8)
    keys[:, : packed.shape[1]] = packed
    words = keys.view(kind)
    order = np.lexsort(words.T) if words.shape[1] > 1 else np.argsort(words[:, 0], kind="stable")
    ahead = (np.diff(words[order], axis=0) != 0).any(1)
    starts = np.r_[0, np.flatnonzero(ahead) + 1, len(table)]
    counted = np.ones(len(table)) if weights is None else weights[order]
    return Patterned(table[order], order, starts, counted)


def fit_full_covariance(
    table: Patterned,
    pseudo_rows: float,
    tail: float = np.inf,
    start: FullCovariance | None = None,
    still: float = STILL,
) -> FullCovariance:
    r"""The mean and covariance that make the seen part of a table most probable.

    With ``z_i`` the expected row i given what is seen of it, ``C_i`` its conditional covariance and ``t_i`` the weight
    of a row, which is 1 for a Gaussian and ``(tail + seen) / (tail + d_i^2)`` for Student's t with Mahalanobis
    distance ``d_i``, each round sets

    .. math:: \mu = \frac{\sum t_i z_i}{\sum t_i}, \qquad
       S = \frac{Q + \lambda\, \mathrm{diag}(Q)/n}{n + \lambda}, \qquad
       Q = \sum_i t_i (z_i - \mu)(z_i - \mu)^T + C_i

    Parameters
    ----------
    table : Patterned
        Columns of a mean near 0 and a variance near 1.
    pseudo_rows : float
        :math:`\lambda`: how many rows without any correlation are added, of the variances that were found.
    tail : float
        Degrees of freedom of Student's t.
    start : FullCovariance, optional
        Where to start; columns without correlation otherwise.
    still : float
        Change in one round at which the iteration ends.

    References
    ----------
    .. [dempster1977] Dempster, Laird, Rubin, "Maximum likelihood from incomplete data via the EM algorithm", Journal of
       the Royal Statistical Society B 39 (1977).
    .. [little1988] Little, "Robust estimation of the mean and covariance matrix from data with missing values",
       Journal of the Royal Statistical Society C 37 (1988).
    """
    p = table.values.shape[1]
    mean, S = (np.zeros(p), np.eye(p)) if start is None else (start.mean, start.covariance)
    total = table.weights.sum()
    for _ in range(ROUNDS):
        filled, weights, scatter = _expect(table, FullCovariance(mean, S, tail))
        before = mean, S
        mean = weights @ filled / weights.sum()
        filled -= mean
        scatter += (filled * weights[:, None]).T @ filled
        alone = np.diag(scatter) / total
        # A difference between both halves grows with every round where columns nearly follow from others.
        S = ((scatter + scatter.T) / 2 + np.diag(pseudo_rows * alone + FLOOR)) / (total + pseudo_rows)
        if max(np.abs(mean - before[0]).max(), np.abs(S - before[1]).max()) < still:
            break
    return FullCovariance(mean, S, tail)


def filled_rows(table: Patterned, rows: FullCovariance) -> np.ndarray:
    """Each row, in the order of the given table, with its gaps filled by what is expected there; shape (n, p)."""
    return _unsorted(table, _fill(table, rows)[0])


def from_others(table: Patterned, rows: FullCovariance) -> tuple[np.ndarray, np.ndarray]:
    """What each cell is expected to be, given what is seen of the *other* cells of its row; and its standard deviation.

    Both have shape (n, p), in the order of the given table. Of Student's t the deviation grows with the distance of
    the others from the mean: a row that lies far out is uncertain in what is unseen, too.
    """
    expected, deviations = np.empty_like(table.values), np.empty_like(table.values)
    distances = _fill(table, rows, expected, deviations)[1][:, None]
    if len(distances):
        seen = np.isfinite(table.values)
        own = np.where(seen, (table.values - expected) / deviations, 0.0) ** 2
        # With two degrees of freedom or less there is no variance; one entry more brings it near.
        freedom = np.maximum(rows.tail + seen.sum(1)[:, None] - seen - 2, 1.0)
        deviations *= np.sqrt((rows.tail + np.maximum(distances - own, 0.0)) / freedom)
    return _unsorted(table, expected), _unsorted(table, deviations)


def _unsorted(table: Patterned, values: np.ndarray) -> np.ndarray:
    ordered = np.empty_like(values)
    ordered[table.order] = values
    return ordered


def _expect(table: Patterned, rows: FullCovariance) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Filled rows, the weight of each, and the summed conditional covariances."""
    filled, distances, spread = _fill(table, rows)
    weights = table.weights
    if len(distances):
        seen = np.isfinite(table.values).sum(1)
        weights = weights * (rows.tail + seen) / (rows.tail + distances)
    return filled, weights, spread


def _fill(
    table: Patterned, rows: FullCovariance, expected: np.ndarray | None = None, deviations: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Filled rows, the squared Mahalanobis distance of each (of Student's t), the summed conditional covariances."""
    n, p = table.values.shape
    filled, distances, spread = table.values.copy(), np.zeros(n if np.isfinite(rows.tail) else 0), np.zeros((p, p))
    S, nothing = np.ascontiguousarray(rows.covariance), np.empty((0, p))
    others = nothing if expected is None else expected, nothing if deviations is None else deviations
    fill_patterns(table.starts, table.weights, rows.mean, S, filled, distances, spread, *others)
    return filled, distances, spread
