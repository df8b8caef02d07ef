r"""The perturbed flow along a leaf of constant imbalance, by its hyperbolic angle.

.. math:: a = \sqrt\delta \cosh\theta, \quad b = \sqrt\delta \sinh\theta, \quad
          \theta' = a^{N-2} (\lambda - p), \quad p = \delta^{N/2} \cosh^{N-1}\theta \sinh\theta

Integrals over time are sums over Gauss-Legendre nodes: in the angle while it is far from its limit, in the
logarithm of the distance near it, where the flow slows down.
"""

import math
from dataclasses import dataclass, field

import numpy as np

NODES, WEIGHTS = np.polynomial.legendre.leggauss(16)
# Width of a panel, in the angle or in the logarithm of its distance: errors near 1e-13.
PANEL = 0.6


def _cumulative() -> np.ndarray:
    """The matrix that integrates the interpolant at the nodes from -1 to each node."""
    n, leg = len(NODES), np.polynomial.legendre
    rows = [leg.legval(NODES, leg.legint(np.eye(n)[k], lbnd=-1)) for k in range(n)]
    return np.array(rows).T @ np.linalg.inv(leg.legvander(NODES, n - 1))


CUMULATIVE = _cumulative()


def lower_factor(N: int, p, delta):
    """The unique real b with ``b (b^2 + delta)^((N-1)/2) = p``, by Newton in log |b|: convex, so it cannot fail."""
    p, delta = np.broadcast_arrays(np.asarray(p, dtype=np.float64), np.asarray(delta, dtype=np.float64))
    with np.errstate(divide="ignore"):
        L = np.log(np.abs(p)) - N / 2 * np.log(delta)
    L = np.where(np.isfinite(L), L, 0.0)
    # The two asymptotes: b ~ p / delta^((N-1)/2) for small p, b ~ p^(1/N) for large.
    u = np.where(L < 0, L, L / N)
    for _ in range(60):
        e = np.exp(-2 * np.abs(u))
        softplus = np.maximum(2 * u, 0) + np.log1p(e)  # log(1 + e^2u)
        slope = np.where(u > 0, 1 / (1 + e), e / (1 + e))
        move = (u + (N - 1) / 2 * softplus - L) / (1 + (N - 1) * slope)
        u = u - move
        if not np.any(np.abs(move) > 1e-15 * (1 + np.abs(u))):
            break
    return np.where(p == 0, 0.0, np.sign(p) * np.sqrt(delta) * np.exp(u))


def angle(N: int, p, delta):
    """The hyperbolic angle of the product p on the leaf delta."""
    return np.arcsinh(lower_factor(N, p, delta) / np.sqrt(delta))


def way_left(N: int, lam, delta, p):
    """How far the angle of p is from that of its limit lam, also where both angles round to one number.

    Near the limit the difference of the angles is all rounding; there it is (lam - p) over the mean of dp/dtheta
    between them, by Simpson's rule.
    """
    end, here = angle(N, lam, delta), angle(N, p, delta)
    plain = np.abs(end - here)

    def slope(theta):
        a, b = np.sqrt(delta) * np.cosh(theta), np.sqrt(delta) * np.sinh(theta)
        return a ** (N - 2) * (a**2 + (N - 1) * b**2)

    # Simpson's error is of the order (N angle)^4, here 1e-10.
    near = N * plain < 3e-3
    e, h = np.where(near, end, 0.0), np.where(near, here, 0.0)
    with np.errstate(all="ignore"):
        exact = np.abs(lam - p) * 6 / (slope(e) + 4 * slope((e + h) / 2) + slope(h))
    return np.where(near & np.isfinite(exact), exact, plain)


def sharpness(N: int, p, delta):
    """S(p, delta) = a^(2N-2) + (N-1) a^(2N-4) b^2: the largest curvature of the loss at a minimum p.

    Examples
    --------
    >>> round(float(sharpness(2, 3.0, 0.0)), 12), round(float(sharpness(2, 3.0, 8.0)), 12)
    (6.0, 10.0)
    """
    p, delta = np.broadcast_arrays(np.asarray(p, dtype=np.float64), np.asarray(delta, dtype=np.float64))
    safe = np.where(delta > 0, delta, 1.0)
    b = np.where(delta > 0, lower_factor(N, p, safe), np.sign(p) * np.abs(p) ** (1 / N))
    a2 = b**2 + delta
    return a2 ** (N - 1) + (N - 1) * a2 ** (N - 2) * b**2


@dataclass
class Leaf:
    """Nodes along the flow of each mode from one angle to another, on the way to the angle of lam.

    Arrays have the shape (modes, panels, nodes); `jacobian` is dt / d(node coordinate).
    """

    N: int
    lam: np.ndarray
    delta: np.ndarray
    first: np.ndarray
    last: np.ndarray
    distance: np.ndarray | None = None
    theta: np.ndarray = field(init=False)
    rho: np.ndarray = field(init=False)
    a: np.ndarray = field(init=False)
    jacobian: np.ndarray = field(init=False)

    def __post_init__(self):
        # All distances are measured from the limit, where the flow slows down.
        end = angle(self.N, self.lam, self.delta)
        far = np.abs(end - self.first)
        near = np.abs(end - self.last) if self.distance is None else self.distance
        near = np.maximum(near, 1e-300)
        # Up to a distance of 1 in the angle, from there in its logarithm: both integrands are smooth.
        middle = np.clip(np.minimum(1.0, far), near, None)
        x1, j1 = self._panels(far, middle)
        s, j2 = self._panels(np.log(middle), np.log(near))
        x = np.concatenate([x1, np.exp(s)], axis=1)
        width = np.concatenate([np.broadcast_to(j1, x1.shape), j2 * np.exp(s)], axis=1)
        toward = np.sign(end - self.first)
        self.theta = end[:, None, None] - toward[:, None, None] * x
        self.a = np.sqrt(self.delta)[:, None, None] * np.cosh(self.theta)
        self.rho = self._residual(end[:, None, None], toward[:, None, None] * x)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            # A panel of no width may divide by zero: such nodes count nothing.
            jac = width / (self.a ** (self.N - 2) * np.abs(self.rho))
        self.jacobian = np.where(width == 0, 0.0, jac)

    @staticmethod
    def _panels(high: np.ndarray, low: np.ndarray):
        """Nodes from high down to low in equal panels, and half a panel's width."""
        longest = float(np.max(high - low, initial=0.0))
        # As many panels for every mode as the longest way needs: arrays stay rectangular.
        count = max(1, math.ceil(longest / PANEL))
        half = ((high - low) / (2 * count))[:, None, None]
        centres = high[:, None, None] - half * (2 * np.arange(count) + 1)[None, :, None]
        return centres - half * NODES, half

    def _residual(self, end, x):
        """Lam - p at the angle end - x, without cancellation near the limit."""
        lam, N = self.lam[:, None, None], self.N
        p = self.a ** (N - 1) * np.sqrt(self.delta)[:, None, None] * np.sinh(self.theta)
        half = 2 * np.sinh(x / 2)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            dc, ds = -half * np.sinh(end - x / 2) / np.cosh(end), -half * np.cosh(end - x / 2) / np.sinh(end)
            close = (lam != 0) & (np.abs(ds) < 0.5) & (np.abs(dc) < 0.5)
            exact = -lam * np.expm1((N - 1) * np.log1p(np.where(close, dc, 0)) + np.log1p(np.where(close, ds, 0)))
        return np.where(close, exact, lam - p)

    def integral(self, values: np.ndarray) -> np.ndarray:
        """Of values over the time of the way."""
        return np.einsum("mpn,n->m", values * self.jacobian, WEIGHTS)

    def running(self, values: np.ndarray) -> np.ndarray:
        """Integral of values from the start to every node."""
        inside = np.einsum("mpn,kn->mpk", values * self.jacobian, CUMULATIVE)
        panels = np.einsum("mpn,n->mp", values * self.jacobian, WEIGHTS)
        return inside + (np.cumsum(panels, axis=1) - panels)[:, :, None]

    def time(self) -> np.ndarray:
        """Flow time of the way."""
        return self.integral(np.ones_like(self.jacobian))

    def offset(self) -> np.ndarray:
        """How many steps gradient descent needs more than t/eta, to leading order (the perturbed predictor)."""
        N, rho, a = self.N, self.rho, self.a
        c = np.tanh(self.theta)
        share = 1 + (N - 1) * c**2
        S = a ** (2 * N - 2) * share
        S_p = 2 * (N - 1) * c * a ** (N - 2) * (2 + (N - 2) * c**2) / share
        S_delta = (N - 1) * a ** (2 * N - 4) * (1 - c**2) / share
        Q = self.running(rho**2 * a ** (2 * N - 4))
        return self.integral(S_delta / S * self.delta[:, None, None] * Q - S / 2 + rho * S_p / 4)
