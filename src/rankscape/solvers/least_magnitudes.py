"""A linear fit that a minority of wild values cannot lead: least absolute deviations."""

import numpy as np

# Reweightings; and the residual, as a share of the largest value, below which it no longer weighs more.
STEPS, SMALL = 30, 1e-6


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
    root, a = np.ones(len(y)), np.zeros(x.shape[1])
    least = SMALL * float(np.abs(y).max(initial=0.0)) + 1e-300
    for _ in range(STEPS):
        a = np.linalg.lstsq(x * root[:, None], y * root, rcond=None)[0]
        root = 1 / np.sqrt(np.maximum(np.abs(y - x @ a), least))
    return a
