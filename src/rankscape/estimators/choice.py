"""Which of two fits to prefer by what neither has seen: the one-standard-error rule."""

import numpy as np


def standard_errors(differences: np.ndarray) -> float:
    """The mean of paired differences, in its standard errors; 0 where there is no telling."""
    if len(differences) < 2:
        return 0.0
    error = float(differences.std(ddof=1)) / len(differences) ** 0.5
    return float(differences.mean()) / error if error else 0.0


def ties(squares: np.ndarray, best: np.ndarray) -> bool:
    """Whether held-out errors are worse than the best ones by at most one standard error of their mean difference.

    The errors are *paired*: what is hard for both fits does not count, so even few of them compare. Among fits that
    tie the simplest is preferred, which keeps chance from adding directions.

    Parameters
    ----------
    squares, best : ndarray
        Squared errors of the two fits on the same entries or measurements.

    Examples
    --------
    >>> hard = np.array([0.1, 0.2, 30.0, 0.1])
    >>> ties(hard + [0.1, -0.1, 0.1, 0.0], hard), ties(hard + 1.0, hard)
    (True, False)

    References
    ----------
    .. [breiman1984] Breiman, Friedman, Olshen, Stone, "Classification and Regression Trees", Wadsworth 1984.
    """
    difference = squares - best
    if len(difference) < 2:  # one error has no spread: only a fit that is no worse ties with it
        return not difference.mean() > 0
    return bool(difference.mean() <= difference.std(ddof=1) / np.sqrt(len(difference)))
