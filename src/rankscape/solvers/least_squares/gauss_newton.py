"""Least squares at a known rank for large matrices: Gauss-Newton steps by conjugate gradients."""

from typing import NamedTuple

import numpy as np

from rankscape.entries.prepared import PreparedEntries
from rankscape.solvers.least_squares.levenberg import Damping, levenberg_marquardt
from rankscape.solvers.least_squares.variable_projection import NOTHING_LEFT, Fitted

# Conjugate gradient steps per Gauss-Newton step.
INNER = 30

# Reduction of the preconditioned squared residual at which conjugate gradients stop (an inexact Newton method).
INNER_TOLERANCE = 1e-4

# The preconditioner keeps even undamped steps solvable, so nothing bounds the damping below; what a refused step needs
# is damping that conjugate gradients notice.
DAMPING = Damping(most=10, least=0.0, raised=1e-8)


def gauss_newton(entries: PreparedEntries, left: np.ndarray, right: np.ndarray, steps: int, tolerance: float) -> Fitted:
    """Damped Gauss-Newton (Levenberg-Marquardt) on both factors; the damping falls tenfold with every good step.

    Parameters
    ----------
    entries : PreparedEntries
        The observed entries.
    left, right : ndarray, shapes (n_out, r) and (n_in, r)
        The start.
    steps : int
        At most so many.
    tolerance : float
        Relative decrease at which a fit that is not exact ends; exact ones fall by large factors.

    References
    ----------
    .. [zilber2022] Zilber, Nadler, "GNMR: A provable one-line algorithm for low rank matrix recovery", SIAM Journal on
       Mathematics of Data Science 4 (2022).
    """
    model, n_out = _Linearization(entries), entries.shape[0]
    moved = lambda point, damping: model.evaluate(point.x + model.step(point, damping))
    start = model.evaluate(np.concatenate([left, right]))
    end = levenberg_marquardt(start, moved, steps, tolerance, NOTHING_LEFT * entries.count, DAMPING)
    return Fitted(end.point.x[:n_out], end.point.x[n_out:], end.point.squared, end.steps, end.converged)


class _Point(NamedTuple):
    """Both factors stacked, (n_out + n_in, r), the squared residual there and half its gradient."""

    x: np.ndarray
    squared: float
    gradient: np.ndarray


class _Linearization:
    """The objective and its Gauss-Newton steps."""

    def __init__(self, entries: PreparedEntries):
        self.entries, self.linear, self.n_out = entries, entries.with_values(np.zeros(entries.count)), entries.shape[0]

    def evaluate(self, x: np.ndarray) -> _Point:
        """The objective at x."""
        squared, G_left, G_right = self.entries.thin_gradient(x[: self.n_out], x[self.n_out :])
        return _Point(x, squared, np.concatenate([G_left, G_right]))

    def step(self, point: _Point, damping: float) -> np.ndarray:
        """Solve ``(J^T J + damping) step = -gradient`` by conjugate gradients.

        The preconditioner is the block diagonal: one r x r block for each row and column (an ALS step).
        """
        x = point.x
        U, V = x[: self.n_out], x[self.n_out :]
        rank = x.shape[1]
        blocks = np.concatenate(self.entries.grams(U, V))
        weight = np.einsum("iaa->a", blocks).mean() / len(x)
        shift = damping * weight
        # The floor keeps blocks of rows with fewer entries than modes invertible.
        inverse = np.linalg.inv(blocks + (shift + 1e-12 * weight + 1e-300) * np.eye(rank))
        apply = lambda r: np.einsum("iab,ib->ia", inverse, r)

        def normal(d):
            # J d = d_U V^T + U d_V^T is one product of doubled width, and J^T of it comes with the same call.
            _, left, right = self.linear.thin_gradient(np.c_[d[: self.n_out], U], np.c_[V, d[self.n_out :]])
            return np.concatenate([left[:, :rank], right[:, rank:]]) + shift * d

        return _conjugate_gradients(normal, apply, -point.gradient)


def _conjugate_gradients(normal, apply, right_side: np.ndarray) -> np.ndarray:
    x, r = np.zeros_like(right_side), right_side
    z = apply(r)
    d, size = z, float(np.vdot(r, z))
    first = size
    for _ in range(INNER):
        Ad = normal(d)
        curvature = float(np.vdot(d, Ad))
        if not curvature > 0:
            break
        x, r = x + size / curvature * d, r - size / curvature * Ad
        z = apply(r)
        size, previous = float(np.vdot(r, z)), size
        if not size > INNER_TOLERANCE * first:
            break
        d = z + size / previous * d
    return x
