"""Which rank: the first that meets all measurements, or the smallest that predicts held-out ones as well as any."""

from typing import Any

import numpy as np

from rankscape.errors import InputError
from rankscape.estimators.choice import ties
from rankscape.ground.checks import share
from rankscape.problem import Sensing
from rankscape.solvers.least_squares.fixed_rank import RankFit, best_fit, fit_rank, freedom

# Relative residual from which the measurements count as free of noise.
MET = 1e-9

# Splits by which ranks are compared when there is noise.
FOLDS = 5

# Ranks that may fail to improve on the best one before the climb ends.
PATIENCE = 2


def splits(problem: Sensing, fraction: float, seed: int) -> list[Any]:
    """Splits with different parts held out; none when a part would have no measurement."""
    share("validation_fraction", fraction)
    try:
        return [problem.split(fraction, seed + k) for k in range(FOLDS)]
    except InputError:
        return []


def meets(problem: Sensing, fit: RankFit) -> bool:
    """Whether nothing of the measurements is left to explain but rounding."""
    return fit.squared <= MET**2 * float(problem.measurements @ problem.measurements)


def until_exact(problem: Sensing, W: np.ndarray) -> list[RankFit]:
    """Fits of rank 0, 1, ... up to the first that meets the measurements, while they are more than what is free."""
    fits = [fit_rank(problem, W, 0)]
    while not meets(problem, fits[-1]):
        rank = len(fits)
        # With as many free numbers as measurements anything is met, and nothing said by it.
        if rank > min(problem.shape) or freedom(rank, problem.shape) >= len(problem.measurements):
            break
        fits.append(fit_rank(problem, W, rank))
    return fits


def heldout_squares(
    folds: list[Any], problem: Sensing, starts: list[np.ndarray], most: int
) -> tuple[list[RankFit], list[np.ndarray]]:
    """For each rank the fit to all, and its squared errors on what the splits hold out, until no rank improves.

    The fits without a part start where the fit to all ended: near the information limit they would not find it alone,
    and their minimum, not its way there, is what the held-out measurements judge.
    """
    whole: list[RankFit] = []
    errors: list[np.ndarray] = []
    # With as many free numbers as measurements left a fit is not unique: it would keep what its start has seen.
    fewest = min(len(fold.measurements) for fold in folds)
    for rank in range(most):
        if freedom(rank, problem.shape) >= fewest:
            break
        whole.append(best_fit(problem, starts, rank))
        fits = [fit_rank(fold, whole[-1].W, rank) for fold in folds]
        # Measurement by measurement: the comparison of two ranks is paired.
        errors.append(
            np.concatenate([fold.heldout.residual(fit.W) ** 2 for fold, fit in zip(folds, fits, strict=True)])
        )
        if rank - int(np.argmin([e.mean() for e in errors])) >= PATIENCE:
            break
    return whole, errors


def smallest_as_good(errors: list[np.ndarray]) -> int:
    """The smallest rank that ties with the best."""
    best = errors[int(np.argmin([e.mean() for e in errors]))]
    return next(rank for rank, squares in enumerate(errors) if ties(squares, best))
