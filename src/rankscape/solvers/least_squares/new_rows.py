"""One side of the factors given the other: for rows that the fit left out, and for rows that come later."""

import numpy as np

from rankscape.entries.prepared import PreparedEntries
from rankscape.solvers.conditioning import condition

# Least noise variance, as a share of that of the entries: rows with few entries would be ill-posed below. And how often
# what it leaves of rows with less noise is folded in as well: it is 1e-5 where a row hardly determines its factor.
LEAST, REFINEMENTS = 1e-11, 2

# Spread of the rows below which they do not differ: its inverse would overflow.
ALIKE = 1e-150


def fold(entries: PreparedEntries, right: np.ndarray, spread: np.ndarray, noise: float) -> np.ndarray:
    """The most probable left factor (n_out, k) of every row, given the right one.

    Rows are drawn from ``N(0, spread)``, with k x k `spread`, and seen with noise variance `noise`: a row without
    entries gets zeros, one with few gets the part that they determine; all get zeros where rows do not differ.
    """
    k, total = right.shape[1], float(np.trace(spread))
    if not k or total < ALIKE:
        return np.zeros((entries.shape[0], k))
    least = LEAST * total * float((right * right).mean())
    precision = entries.grams(np.zeros((entries.shape[0], k)), right)[0] / max(noise, least)
    precision += np.linalg.inv(spread + 1e-12 * total * np.eye(k))
    rows = _products(entries, entries.values, right) / max(noise, least)
    condition(precision, rows)
    for _ in range(REFINEMENTS if noise < least else 0):
        missed = _products(entries, -entries.residual(rows, right), right) / least
        rows += np.einsum("nab,nb->na", precision, missed)  # covariances by now
    return rows


def _products(entries: PreparedEntries, values: np.ndarray, right: np.ndarray) -> np.ndarray:
    return np.asarray(entries.as_sparse(entries.weighted(values)) @ right)
