"""A linear fit that a minority of wild values cannot lead: least absolute deviations."""

import numpy as np

from rankscape.ground.jit import compiled

# Reweightings; and the residual, as a share of the largest value, below which it no longer weighs more.
STEPS, SMALL = 30, 1e-6

_loop = compiled()


def least_magnitudes(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    r"""Coefficients a, shape (k,), that make :math:`\sum_e |y_e - x_e \cdot a|` small, by reweighted least squares.

    Examples
    --------
    >>> x = np.random.default_rng(0).standard_normal((50, 2))
    >>> y = x @ [2.0, -1.0]
    >>> y[:15] += 100
    >>> least_magnitudes(x, y).round(3)
    array([ 2., -1.])

    References
    ----------
    .. [holland1977] Holland, Welsch, "Robust regression using iteratively reweighted least-squares", Communications in
       Statistics - Theory and Methods 6 (1977).
    """
    if not x.size:
        return np.zeros(x.shape[1])
    least = SMALL * float(np.abs(y).max(initial=0.0)) + 1e-300
    return _reweighted(np.ascontiguousarray(x, np.float64), np.asarray(y, np.float64), least)


@_loop
def _reweighted(x, y, least):
    # Thousands of short lines are fitted one by one: calls from the interpreter take three to seven times as long.
    root, a, rounding = np.ones(len(y)), np.zeros(x.shape[1]), 2.2e-16 * max(x.shape)
    for _ in range(STEPS):
        a = np.linalg.lstsq(x * root.reshape(-1, 1), y * root, rounding)[0]
        root = 1 / np.sqrt(np.maximum(np.abs(y - x @ a), least))
    return a


@_reweighted.few()
def _reweighted_few(x, y, least):
    # Compiling a least squares solver takes four seconds: longer than it is called by any table of few lines.
    root, a, rounding = np.ones(len(y)), np.zeros(x.shape[1]), 2.2e-16 * max(x.shape)
    for _ in range(STEPS):
        a = np.linalg.lstsq(x * root[:, None], y * root, rounding)[0]
        root = 1 / np.sqrt(np.maximum(np.abs(y - x @ a), least))
    return a
