"""Gradient descent on a product of factors from a small start, until measurements are nearly met or held-out ones rise.

What it learns is finished by a faster method, so it may end early, and steps are as long as is safe on the way.
"""

from dataclasses import dataclass

import numpy as np

from rankscape.dynamics import GradientDescent
from rankscape.factorization import product
from rankscape.ground.final import final
from rankscape.initialization import AbstractInitialization
from rankscape.problem import Sensing
from rankscape.rates import Curvature
from rankscape.run.simulation import simulate
from rankscape.run.trajectory import Trajectory
from rankscape.run.watchers.base import Records
from rankscape.run.watchers.stopping import AbstractRule, OnHeldout

# Ratio of the steps that are recorded, ten steps or more apart at first.
SPACING = 1.08

# Relative residual at which descent has found what a faster method can finish.
REACHED = 0.01


@final
@dataclass(frozen=True)
class Reached(AbstractRule):
    """Stop below a loss; and where measurements are held out, when their loss has clearly passed its minimum."""

    loss: float

    def reason(self, records: Records) -> str | None:
        """At the first record that is low enough, or the second in a row that is clearly worse than the best."""
        passed = OnHeldout().reason(records) if "heldout_loss" in records[-1][1] else None
        return passed or ("the measurements are nearly met" if records[-1][1]["loss"] < self.loss else None)


def descend(problem: Sensing, depth: int, start: AbstractInitialization, seed: int, most: int) -> Trajectory:
    """At most so many steps; ``products`` holds the matrix at each record."""
    steps = [0]
    while steps[-1] < most:
        steps.append(min(max(steps[-1] + 10, int(steps[-1] * SPACING)), most))
    enough = 0.5 * REACHED**2 * (float(problem.measurements @ problem.measurements) or 1.0)
    return simulate(
        problem, depth=depth, initialization=start, dynamics=GradientDescent(Curvature()), steps=most, record=steps,
        seed=seed, stop=Reached(enough), observe={"products": product}, engine="curvature",
    )  # fmt: skip


def best_record(run: Trajectory) -> int:
    """The place of the record that predicts best, or fits best where nothing is held out; the last of equal ones."""
    losses = run.dataset.get("heldout_loss", run.dataset["loss"]).values
    return len(losses) - 1 - int(np.argmin(losses[::-1]))
