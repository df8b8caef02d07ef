"""Random settings for the theory of climbing ranks, and what their own recursions say: written without rankscape."""

from typing import Any

import numpy as np
from numba import njit


def setting(rng: np.random.Generator) -> dict[str, Any]:
    """A spectrum, a start that may be tiny, large or perturbed, and two tolerances."""
    n, depth = int(rng.integers(2, 6)), int(rng.choice([2, 3, 4, 6]))
    lam = rng.uniform(0.2, 6, n) * np.where(rng.random(n) < 0.3, -1, 1)
    lam[rng.random(n) < 0.15] = 0
    lam[0] = abs(lam[0]) + 0.1
    if rng.random() < 0.2:
        lam[1] = lam[0] * (1 - 10 ** rng.uniform(-4, -1))
    alpha = (10 ** rng.uniform(-2.6, 1)) ** (1 / depth)
    beta = None if rng.random() < 0.5 else float(alpha * rng.choice([1.0, rng.uniform(0.05, 1)]))
    return {"lam": lam, "depth": depth, "alpha": alpha, "beta": beta, "tolerance": tuple(rng.uniform(0.01, 0.3, 2))}


@njit(cache=True)
def path(lam, depth, alpha, beta, eta, steps):
    """The eigenvalues of the product at every step; a perturbation of 0 is the identical start."""
    out = np.empty((steps, lam.size))
    for i in range(lam.size):
        a, b = alpha, alpha - beta
        for k in range(steps):
            p = a ** (depth - 1) * b
            out[k, i] = p
            g = eta * a ** (depth - 2) * (lam[i] - p)
            a, b = a + g * b, b + g * a
    return out


@njit(cache=True)
def first_step(lam, level, depth, alpha, beta, eta, most):
    """The first step at the level or past it, by powers and not by products; -1 after `most`."""
    a, b = alpha, alpha - beta
    up = level > a ** (depth - 1) * b
    for k in range(most):
        q = a ** (depth - 2)
        p = q * a * b
        if (p >= level) if up else (p <= level):
            return k
        g = eta * q * (lam - p)
        a, b = a + g * b, b + g * a
    return -1


@njit(cache=True)
def plateau_exists(lam, active, depth, alpha, beta, eps, small):
    """Whether small steps ever meet a state with the active modes within eps and the others below `small`."""
    a, b = np.full(lam.size, alpha), np.full(lam.size, alpha - beta)
    top = max(alpha**2, np.abs(lam).max() ** (2 / depth)) + beta * (2 * alpha - beta)
    eta = 0.01 / (depth * top ** (depth - 1))
    for _ in range(3_000_000):
        held = True
        for i in range(lam.size):
            p = a[i] ** (depth - 1) * b[i]
            held = held and (abs(p - lam[i]) <= eps if active[i] else abs(p) <= small)
            g = eta * a[i] ** (depth - 2) * (lam[i] - p)
            a[i], b[i] = a[i] + g * b[i], b[i] + g * a[i]
        if held:
            return True
    return False
