"""The mean of many draws from the posterior of two thin factors (Gibbs sampling), for data that are mostly noise."""

from collections.abc import Callable

import numpy as np

from rankscape.estimators.completion.methods.posterior import FLOOR, Posterior
from rankscape.estimators.completion.methods.solve import Modes, modes_of

# Share of the power of a mean of draws that its rank has to carry.
AGREED = 0.995

# Draws whose sum is held before it is made thin again.
BATCH = 12

# Rows that the prior of the factors counts for when their centre is drawn towards zero.
PULL = 2.0


def average_of_draws(
    posterior: Posterior, random: np.random.Generator, sweeps: int, burn: int, watch: Callable[[], None]
) -> tuple[Modes, tuple[np.ndarray, ...], float]:
    """The mean over `sweeps` Gibbs draws, the first `burn` left out: modes, biases and noise variance.

    Directions that the draws do not agree on shrink in the mean: all but `AGREED` of its power is left out.
    """
    left, right = (side.mean[:, :0] for side in (posterior.left, posterior.right))
    biases, noise = [np.zeros(n) for n in posterior.entries.shape], 0.0
    kept = sweeps - burn
    for sweep in range(sweeps):
        draw(posterior, random)
        if sweep < burn:
            continue
        drawn, given = posterior.factors
        left, right = np.hstack([left, drawn / kept]), np.hstack([right, given])
        if left.shape[1] >= BATCH * posterior.width:  # the sum of thin products, kept thin
            total = modes_of(left, right).head(4 * posterior.width)
            left, right = total.U * total.s, total.V
        biases = [b + new / kept for b, new in zip(biases, posterior.biases, strict=True)]
        noise += posterior.noise / kept
        watch()
    total = modes_of(left, right)
    power = np.cumsum(total.s**2)
    agreed = int(np.searchsorted(power, AGREED * power[-1]) + 1) if power[-1] > 0 else 0
    return total.head(agreed), tuple(biases), noise


def draw(posterior: Posterior, random: np.random.Generator) -> None:
    """One sweep of Gibbs sampling: priors, factors and noise, each drawn given all others."""
    left, right, entries = posterior.left, posterior.right, posterior.entries
    for here, other in ((left, right), (right, left)):
        here.precision, here.centre = _draw_prior(here.mean[:, here.free], random)
        posterior.update(here, other, random.standard_normal((len(here.mean), len(here.free))))
    residual = entries.residual(left.mean, right.mean)
    missed = float(entries.weighted(residual) @ residual)
    posterior.noise = max(missed / random.chisquare(entries.count), FLOOR)


def _draw_prior(x: np.ndarray, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Precision and centre of the rows of `x`, from their normal-Wishart posterior with a weak prior."""
    n, k = x.shape
    centre = x.mean(0)
    scatter = (x - centre).T @ (x - centre) + 0.1 * np.eye(k) + np.outer(centre, centre) * n * PULL / (n + PULL)
    # Bartlett: the precision is T T^T with T = L A, A lower triangular of normals and roots of chi squares.
    A = np.tril(random.standard_normal((k, k)), -1)
    A[np.diag_indices(k)] = np.sqrt(random.chisquare(n + k - np.arange(k)))
    T = np.linalg.cholesky(np.linalg.inv(scatter)) @ A
    precision = T @ T.T
    offset = np.linalg.solve(T.T, random.standard_normal(k)) / np.sqrt(n + PULL)
    return precision, centre * n / (n + PULL) + offset
