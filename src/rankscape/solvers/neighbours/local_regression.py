"""Local polynomials: each cell from the nearest entries, by least squares of few terms in their places."""

import numpy as np
import scipy

from rankscape.entries import Entries
from rankscape.ground.arrays import root_mean_square

# Cells at a time: a hundred entries each, six terms.
PART = 4_000

# Share of the mean square of the terms by which all but the constant are held: where neighbours lie on one line, or one
# side, nothing else says how it goes on across.
HELD = 1e-6

# Most by which a step along one axis counts more than one along the other.
STEEP = 16.0

# Share of the range of its neighbours by which a cell may leave it.
BEYOND = 0.5


def local_polynomial(
    entries: Entries, rows: np.ndarray, columns: np.ndarray, steps: tuple[float, float], count: int, degree: int
) -> np.ndarray:
    r"""Values of cells by polynomials that are fitted to the entries near each of them; NaN where there is none.

    With coordinates from the cell, over the distance h of the farthest of `count` neighbours,

    .. math:: \min_p \sum_k \bigl(1 - (d_k / h)^3\bigr)^3 \bigl(p(x_k) - y_k\bigr)^2,

    and p(0) is the value. An entry is not used to predict itself.

    Parameters
    ----------
    entries : Entries
        What is seen; weights are not used.
    rows, columns : ndarray, shape (q,)
        The cells.
    steps : (float, float)
        The length of a step from row to row, and from column to column. Infinite where the order of rows (or columns)
        means nothing: then neighbours are those of the same row (column).
    count, degree : int
        Of neighbours, and of the polynomials.

    Examples
    --------
    A surface of degree two is met, whatever is around it.

    >>> surface = np.add.outer(np.arange(6.0) ** 2, 3 * np.arange(6.0))
    >>> seen = np.where(np.eye(6), np.nan, surface)
    >>> local_polynomial(Entries.from_array(seen), np.array([2]), np.array([2]), (1.0, 1.0), 16, 2).round(3)
    array([10.])

    References
    ----------
    .. [cleveland1988] Cleveland, Devlin, "Locally weighted regression: An approach to regression analysis by local
       fitting", Journal of the American Statistical Association 83 (1988).
    """
    if not entries.count:
        return np.full(len(rows), np.nan)
    known = np.column_stack([entries.rows, entries.columns])
    asked = np.column_stack([rows, columns])
    free = np.isfinite(steps)
    # Lines without an order are so far apart that all entries of one are nearer than any of another.
    apart = 2 * float(np.sum(np.array(entries.shape)[free] * np.array(steps)[free]))
    scale = np.where(free, steps, apart)
    tree = scipy.spatial.cKDTree(known * scale)
    values = np.empty(len(rows))
    for k in range(0, len(rows), PART):
        part = asked[k : k + PART]
        distance, near = tree.query(part * scale, k=min(count + 1, entries.count))
        distance, near = distance.reshape(len(part), -1), near.reshape(len(part), -1)
        offsets = ((known[near] - part[:, None]) * scale)[..., free]
        values[k : k + PART] = _at_zero(offsets, entries.values[near], distance, 0.7 * apart, degree)
    return values


def steps_of(entries: Entries) -> tuple[float, float]:
    """The lengths of a step from row to row and from column to column by which neighbours differ alike.

    >>> steps_of(Entries.from_array(np.add.outer(4.0 * np.arange(9), np.arange(5))))
    (2.0, 0.5)
    """
    across, along = _step(entries.transposed()), _step(entries)
    ratio = float(np.clip(across / along, 1 / STEEP, STEEP)) if across > 0 and along > 0 else 1.0
    return ratio**0.5, ratio**-0.5


def _step(entries: Entries) -> float:
    """Root mean square difference of entries that are next to each other in a row."""
    beside = (np.diff(entries.rows) == 0) & (np.diff(entries.columns) == 1)
    return root_mean_square(np.diff(entries.values)[beside]) if beside.any() else 0.0


def _at_zero(offsets: np.ndarray, y: np.ndarray, distance: np.ndarray, far: float, degree: int) -> np.ndarray:
    """Of these neighbours, (q, k); `far` is on another line, and at a distance of zero is the cell itself."""
    counts = (distance > 0) & (distance < far)
    reach = np.where(counts, distance, 0).max(1, keepdims=True) * (1 + 1e-3)
    weights = np.where(counts, (1 - np.minimum(distance / np.maximum(reach, 1e-300), 1) ** 3) ** 3, 0.0)
    terms = _terms(np.where(counts[..., None], offsets, 0.0) / np.maximum(reach, 1e-300)[..., None], degree)
    weighted = terms * weights[..., None]
    gram = np.einsum("qkp,qkr->qpr", weighted, terms)
    right = np.einsum("qkp,qk->qp", weighted, y)
    size = np.maximum(np.trace(gram, axis1=1, axis2=2) / gram.shape[1], 1e-300)
    held = np.diag(np.r_[0.0, np.full(gram.shape[1] - 1, HELD)])
    nothing = ~counts.any(1)
    gram[nothing], size[nothing] = np.eye(gram.shape[1]), 1.0
    found = np.linalg.solve(gram + size[:, None, None] * held, right[..., None])[:, 0, 0]
    low = np.where(counts, y, np.inf).min(1)
    high = np.where(counts, y, -np.inf).max(1)
    found = np.clip(found, low - BEYOND * (high - low), high + BEYOND * (high - low))
    return np.where(nothing, np.nan, found)


def _terms(x: np.ndarray, degree: int) -> np.ndarray:
    """All monomials up to the degree, (q, k, terms), of coordinates (q, k, 1 or 2)."""
    if x.shape[-1] == 1:
        return np.concatenate([x**power for power in range(degree + 1)], axis=-1)
    u, v = x[..., 0], x[..., 1]
    return np.stack([u ** (total - b) * v**b for total in range(degree + 1) for b in range(total + 1)], axis=-1)
