"""At a known rank: Gauss-Newton on two factors with a ridge that only the noise asks for.

The deep ridge shrinks every singular value, so a path's result is biased; at its rank the bias can be removed.
Without noise the ridge vanishes and the steps converge quadratically to an exact fit.
"""

import numpy as np

from rankscape.engine.sparse import ObservedEntries
from rankscape.estimators.solve import Modes, modes_of

ROUNDS = 3
"""Re-estimates of the noise level; the third changes it by less than a percent."""

STEPS = 15
"""Gauss-Newton steps per round; a good start needs 4 to 8."""

INNER = 60
"""Conjugate gradient steps per Gauss-Newton step."""

INNER_TOLERANCE = 1e-4
"""Reduction of the preconditioned squared residual at which conjugate gradients stop (an inexact Newton method)."""

EXACT = 1e-26
"""Mean squared residual, on entries of rms 1, below which a fit is exact to rounding."""

MIN_FREEDOM = 0.05
"""Least share of the entries that counts as degrees of freedom, where parameters nearly use up the entries."""


def polish(entries: ObservedEntries, modes: Modes) -> tuple[Modes, int, bool]:
    r"""Minimise the squared residual of ``W = sum_k u_k v_k^T`` with a ridge for each mode.

    .. math:: \tfrac12\sum_{ij\ \mathrm{observed}} (W_{ij}-y_{ij})^2 + \tfrac12\sum_k \mu_k(\|u_k\|^2+\|v_k\|^2)

    ``mu_k = noise^2 sqrt(n_out n_in) / s_k`` is the ridge under which the factors are the most probable ones when
    the entries of mode k's factors have the variance that ``s_k`` implies (a Gaussian prior read off the data). The
    noise is the residual over its degrees of freedom ``m - r (n_out + n_in - r)``. Modes that a pure noise matrix of
    this level could show, ``s <= noise (sqrt(n_out) + sqrt(n_in)) / sqrt(share observed)``, are dropped.

    Parameters
    ----------
    entries : ObservedEntries
        With an rms near 1.
    modes : Modes
        The start, which also sets the largest rank.

    Returns
    -------
    modes : Modes
        Of rank at most that of the start.
    steps : int
        Conjugate gradient steps taken.
    converged : bool
        Whether the last Gauss-Newton iteration ended by its tolerance.
    """
    n_out, n_in = entries.shape
    share = entries.count / (n_out * n_in)
    edge = (n_out**0.5 + n_in**0.5) / share**0.5
    converged = True
    steps, squared = 0, _squared_residual(entries, modes)
    for _ in range(ROUNDS):
        rank = len(modes.s)
        if not rank:
            break
        freedom = entries.count - rank * (n_out + n_in - rank)
        noise = np.sqrt(squared / max(freedom, MIN_FREEDOM * entries.count))
        fitted, taken, converged = _gauss_newton(entries, modes, noise**2 * np.sqrt(n_out * n_in) / modes.s)
        steps += taken
        squared = _squared_residual(entries, fitted)
        noise = np.sqrt(squared / max(freedom, MIN_FREEDOM * entries.count))
        modes = fitted.head(int((fitted.s > max(edge * noise, 1e-12 * fitted.s[0])).sum()))
        if len(modes.s) < rank:
            squared = _squared_residual(entries, modes)
        elif squared < EXACT * 1e4 * entries.count:
            break
    return modes, steps, converged


def _squared_residual(entries: ObservedEntries, modes: Modes) -> float:
    residual = entries.residual(modes.U * modes.s, modes.V)
    return float(residual @ residual)


def _gauss_newton(entries: ObservedEntries, modes: Modes, ridge: np.ndarray) -> tuple[Modes, int, bool]:
    """Damped Gauss-Newton (Levenberg-Marquardt) from `modes`; the damping falls tenfold with every good step."""
    root = np.sqrt(modes.s)
    x = np.concatenate([modes.U * root, modes.V * root])
    model = _Linearization(entries, ridge)
    value, gradient, squared = model.evaluate(x)
    damping, taken, converged = 1e-3, 0, False
    for _ in range(STEPS):
        step, inner = model.step(x, gradient, damping)
        taken += inner
        new_value, new_gradient, new_squared = model.evaluate(x + step)
        if not new_value < value:
            damping = max(10 * damping, 1e-8)
            if damping > 10:  # no step helps: the point is stationary to rounding
                converged = True
                break
            continue
        gain = (value - new_value) / value
        x, value, gradient, squared = x + step, new_value, new_gradient, new_squared
        damping /= 10
        if gain < 1e-7 or squared < EXACT * entries.count:
            converged = True
            break
    return modes_of(x[: entries.shape[0]], x[entries.shape[0] :]), taken, converged


class _Linearization:
    """The two-factor objective and its Gauss-Newton steps; a point stacks the factors, (n_out + n_in, k)."""

    def __init__(self, entries: ObservedEntries, ridge: np.ndarray):
        self.entries, self.linear, self.ridge, self.n_out = entries, entries.with_zero_values(), ridge, entries.shape[0]

    def evaluate(self, x: np.ndarray) -> tuple[float, np.ndarray, float]:
        """Objective, gradient and squared residual."""
        squared, G_left, G_right = self.entries.thin_gradient(x[: self.n_out], x[self.n_out :])
        value = 0.5 * squared + 0.5 * float((self.ridge * x * x).sum())
        return value, np.concatenate([G_left, G_right]) + self.ridge * x, squared

    def step(self, x: np.ndarray, gradient: np.ndarray, damping: float) -> tuple[np.ndarray, int]:
        """Solve ``(J^T J + ridge + damping) step = -gradient`` by conjugate gradients.

        The preconditioner is the block diagonal: one k x k block for each row and column (an ALS step).
        """
        U, V = x[: self.n_out], x[self.n_out :]
        rank = x.shape[1]
        blocks = np.concatenate(self.entries.grams(U, V))
        weight = np.einsum("iaa->a", blocks).mean() / len(x)
        shift = self.ridge + damping * weight
        # The floor keeps blocks of rows with fewer entries than modes invertible when there is no noise.
        inverse = np.linalg.inv(blocks + np.diag(shift + 1e-12 * weight + 1e-300))
        apply = lambda r: np.einsum("iab,ib->ia", inverse, r)

        def normal(d):
            # J d = d_U V^T + U d_V^T is one product of doubled width, and J^T of it comes with the same call.
            _, left, right = self.linear.thin_gradient(np.c_[d[: self.n_out], U], np.c_[V, d[self.n_out :]])
            return np.concatenate([left[:, :rank], right[:, rank:]]) + shift * d

        return _conjugate_gradients(normal, apply, -gradient)


def _conjugate_gradients(normal, apply, right_side: np.ndarray) -> tuple[np.ndarray, int]:
    x, r = np.zeros_like(right_side), right_side
    z = apply(r)
    d, size = z, float(np.vdot(r, z))
    first = size
    for taken in range(1, INNER + 1):
        Ad = normal(d)
        curvature = float(np.vdot(d, Ad))
        if not curvature > 0:
            return x, taken
        x, r = x + size / curvature * d, r - size / curvature * Ad
        z = apply(r)
        size, previous = float(np.vdot(r, z)), size
        if not size > INNER_TOLERANCE * first:
            return x, taken
        d = z + size / previous * d
    return x, INNER
