"""Gradient descent on a product of factors from a small start, with steps as long as is safe where it stands."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from rankscape.problem import Sensing
from rankscape.run.outcome import Outcome
from rankscape.run.watchers.stopping import OnHeldout

# Learning rate over the inverse of a bound on the curvature.
SAFETY = 0.5

# Steps between two looks at the curvature.
REFRESH = 5

# Ratio of the steps that are recorded, ten steps or more apart at first.
SPACING = 1.08

# Relative residual at which descent has found what a faster method can finish.
REACHED = 0.01


@dataclass(frozen=True)
class Descent:
    """A descent that ended: the best product on its way, and what was recorded."""

    W: np.ndarray
    best: int
    outcome: Outcome
    records: list[tuple[int, dict[str, Any]]]

    @property
    def steps(self) -> int:
        """Steps taken."""
        return self.records[-1][0]


def gaussian_start(shape: tuple[int, int], depth: int, alpha: float, seed: int) -> list[np.ndarray]:
    r"""Factors with independent entries of standard deviation :math:`\alpha/\sqrt d`, as wide as the larger side."""
    rng, d = np.random.default_rng(seed), max(shape)
    widths = [shape[1], *[d] * (depth - 1), shape[0]]
    return [alpha / d**0.5 * rng.standard_normal((b, a)) for a, b in pairwise(widths)]


def identical_start(shape: tuple[int, int], depth: int, alpha: float) -> list[np.ndarray]:
    r"""Factors :math:`\alpha I`, as wide as the larger side."""
    widths = [shape[1], *[max(shape)] * (depth - 1), shape[0]]
    return [alpha * np.eye(b, a) for a, b in pairwise(widths)]


def descend(problem: Sensing, factors: Sequence[np.ndarray], most: int) -> Descent:
    r"""Full gradient descent until the measurements are nearly met, or those held out say stop.

    With :math:`\ell` the smoothness of the loss, :math:`\sigma` the largest norm of a factor and G the gradient with
    respect to W, the curvature is about :math:`N \ell \sigma^{2N-2} + (N-1) \|G\| \sigma^{N-2}`; the learning rate is
    half of its inverse, so the way out of a small start takes few steps.
    """
    factors, N, smoothness = list(factors), len(factors), problem.smoothness()
    size = float(np.linalg.norm(problem.measurements)) or 1.0
    rule, records, rate, following = OnHeldout(), [], 0.0, 0
    best, best_W, outcome = (np.inf, 0), np.zeros(problem.shape), Outcome.STEP_LIMIT
    for step in range(most + 1):
        below = [factors[0]]
        for W in factors[1:]:
            below.append(W @ below[-1])
        residual = problem.residual(below[-1])
        if step in (following, most):
            following = max(step + 10, int(step * SPACING))
            record = _record(problem, below[-1], residual)
            records.append((step, record))
            score = record.get("heldout_loss", record["loss"])
            if score <= best[0]:
                best, best_W = (score, step), below[-1]
            if problem.heldout is not None and rule.reason(records):
                outcome = Outcome.STOPPED
                break
            if np.linalg.norm(residual) < REACHED * size:
                outcome = Outcome.CONVERGED
                break
        G = problem.operators.adjoint(residual)
        if step % REFRESH == 0:
            sigma, g = max(float(np.linalg.norm(W, 2)) for W in factors), float(np.linalg.norm(G, 2))
            rate = SAFETY / (N * smoothness * sigma ** (2 * N - 2) + (N - 1) * g * sigma ** (N - 2))
        factors = _moved(factors, below, G, rate)
    return Descent(best_W, best[1], outcome, records)


def _moved(factors: list[np.ndarray], below: list[np.ndarray], G: np.ndarray, rate: float) -> list[np.ndarray]:
    """All factors one step further, at once; `below` holds the products up to each factor."""
    out, above = list(factors), G
    for l in range(len(factors) - 1, 0, -1):
        out[l] = factors[l] - rate * above @ below[l - 1].T
        above = factors[l].T @ above
    out[0] = factors[0] - rate * above
    return out


def _record(problem: Sensing, W: np.ndarray, residual: np.ndarray) -> dict[str, Any]:
    s = np.linalg.svd(W, compute_uv=False)
    seen = {
        "singular_values": s,
        "effective_rank": s.sum() / max(s[0], 1e-300),
        "loss": 0.5 * float(residual @ residual),
    }
    if problem.heldout is not None:
        seen["heldout_loss"] = float(problem.heldout.loss(W))
    return seen
