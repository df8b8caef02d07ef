"""Gradient descent on a noisy matrix, and the step at which to stop it."""

from functools import cached_property

import numpy as np
import xarray as xr

import rankscape as rs
from rankscape import theory
from rankscape.papers.claims import Claim
from rankscape.plot import Line, Panel
from rankscape.plot.panels import COLORS

# Learning rate over the monotone limit.
SHARE = 0.2


class StoppedPath:
    """The error of W along gradient descent on `noisy`; `stop` is predicted from `threshold`, which knows no truth.

    The directions are learned in the order of their singular values, so stopping where one of size `threshold` would
    be half learned keeps those that are larger: every direction below it holds more noise than signal.
    """

    def __init__(self, noisy: np.ndarray, clean: np.ndarray, threshold: float, depth: int, alpha: float, records: int):
        self.noisy, self.clean, self.threshold = noisy, clean, threshold
        problem = rs.Estimation(noisy)
        self.target, self._left, self._right, start = _modes(problem, alpha, depth)
        rate = SHARE * theory.step_limit(self.target, depth, alpha).value
        # Half: a direction at the threshold, as much noise as signal, is then in the middle of its rise.
        time = theory.hitting_time(threshold, threshold / 2, depth, alpha, rate, method="predict")
        self.stop = int(time.estimate)
        # Far beyond the stop, so that the noise is seen being learned.
        record = np.unique(np.append(np.geomspace(1, 12 * self.stop, records).round(), [0, self.stop])).astype(int)
        run = rs.simulate(
            problem, depth=depth, initialization=start, dynamics=rs.GradientDescent(rate),
            steps=int(record[-1]), record=record,
        ).dataset
        self.steps, self._learned = (
            run.step.values,
            (run.eigenvalues if problem.symmetric else run.singular_values).values,
        )

    @cached_property
    def error(self) -> np.ndarray:
        """``||W - clean||_F / ||clean||_F`` at every record."""
        kept = np.einsum("ik,ij,jk->k", self._left, self.clean, self._right, optimize=True)
        size = np.sum(self.clean**2)
        # By inner products of the modes: W is never formed at the records.
        return np.sqrt((np.sum((self._learned - kept) ** 2, axis=1) + size - np.sum(kept**2)) / size)

    @property
    def stopped(self) -> np.ndarray:
        """W at the predicted step."""
        return (self._left * self._learned[self.steps == self.stop]) @ self._right.T

    def claims(self, where: str) -> list[Claim]:
        """The predicted step is near the best one, and stopping there beats the usual alternatives."""
        found = float(self.error[self.steps == self.stop][0])
        best, end, truncated = float(self.error.min()), float(self.error[-1]), self._best_truncation()
        return [
            Claim(f"{where}: error at the predicted step over the least error", [1.0, 1.1],
                  found / best, found <= 1.1 * best),
            Claim(f"{where}: error over that of the best truncation, whose rank is chosen knowing the truth", [0, 1.02],
                  found / truncated, found <= 1.02 * truncated),
            Claim(f"{where}: error below that at the end of training", end, found, found < end),
        ]

    def panel(self, title: str) -> Panel:
        """The error by step."""
        noisy = float(np.linalg.norm(self.noisy - self.clean) / np.linalg.norm(self.clean))
        later = self.steps > 0
        line = Line(self.steps[later], self.error[later], "gradient descent", COLORS[0])
        return Panel(
            title, "relative error of W", "step", [line],
            log_x=True, mark=(float(self.stop), f"stop at {self.stop}"), span=(self.stop / 20, 12 * self.stop),
            references=[(noisy, "noisy matrix"), (self._best_truncation(), "best truncation, knowing the truth")],
        )

    def spectrum(self, title: str) -> Panel:
        """The share of each direction that is learned at the stop, by its size in the noisy matrix."""
        order = np.argsort(self.target)
        share = (self._learned[self.steps == self.stop][0] / self.target)[order]
        size, kept = self.target[order], order.size
        shown = size > 0.2 * self.threshold
        lines = [Line(size[shown], share[shown], f"{kept} directions", COLORS[0], marker=".")]
        return Panel(
            title, "share learned at the stop", "size in the noisy matrix", lines, log_x=True,
            mark=(self.threshold, "threshold of the noise"), span=(float(size[shown][0]), float(size[-1])),
        )

    def data(self) -> xr.Dataset:
        """What is drawn."""
        return xr.Dataset({"error": ("step", self.error), "learned": (("step", "mode"), self._learned)},
                          coords={"step": self.steps, "target": ("mode", self.target)})

    def _best_truncation(self) -> float:
        """The least error of keeping the largest singular values as they are, at any rank."""
        U, s, Vt = np.linalg.svd(self.noisy, full_matrices=False)
        kept = np.einsum("ik,ij,kj->k", U, self.clean, Vt, optimize=True)
        size = np.sum(self.clean**2)
        # One more direction changes the squared error by s^2 - 2 s kept: all ranks in one sum.
        return float(np.sqrt(np.min(np.cumsum(s**2 - 2 * s * kept)) / size + 1))


def _modes(problem: rs.Estimation, alpha: float, depth: int):
    """The modes of a target, its vectors on both sides, and the start that shares them."""
    if problem.symmetric:
        eigenvalues, V = problem.eigenbasis
        assert V is not None
        return eigenvalues, V, V, rs.Identical(alpha)
    U, sigma, V = problem.singular_basis
    return sigma, U, V, rs.Balanced(spectrum=alpha**depth)
