"""One side of the factors given the other: for rows that the fit left out, and for rows that come later."""

import numpy as np

from rankscape.entries.prepared import PreparedEntries
from rankscape.solvers.conditioning import condition


def fold(entries: PreparedEntries, right: np.ndarray, spread: np.ndarray, noise: float) -> np.ndarray:
    """The most probable left factor (n_out, k) of every row, given the right one.

    Rows are drawn from ``N(0, spread)``, with k x k `spread`, and seen with noise variance `noise`: a row without
    entries gets zeros, one with few gets the part that they determine.
    """
    k = right.shape[1]
    if not k:
        return np.zeros((entries.shape[0], 0))
    total = float(np.trace(spread)) + 1e-300
    noise = max(noise, 1e-11 * total * float((right * right).mean()))  # rows with few entries would be ill-posed below
    precision = entries.grams(np.zeros((entries.shape[0], k)), right)[0] / noise
    precision += np.linalg.inv(spread + 1e-12 * total * np.eye(k))
    products = np.asarray(entries.as_sparse(entries.weighted(entries.values)) @ right) / noise
    condition(precision, products)
    return products
