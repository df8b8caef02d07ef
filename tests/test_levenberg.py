"""Damped least squares: it ends where SciPy's does, never climbs, and says whether it ended by itself."""

from typing import NamedTuple

import numpy as np
import pytest
from scipy.optimize import least_squares

from rankscape.solvers.least_squares.levenberg import Damping, levenberg_marquardt


class At(NamedTuple):
    x: np.ndarray
    residual: np.ndarray

    @property
    def squared(self) -> float:
        return float(self.residual @ self.residual)


def rosenbrock(x: np.ndarray) -> np.ndarray:
    """A curved valley, where undamped Gauss-Newton overshoots; 0.3 keeps the least residual off zero."""
    return np.array([10 * (x[1] - x[0] ** 2), 1 - x[0], 0.3 * x[1]])


def jacobian(x: np.ndarray) -> np.ndarray:
    return np.array([[-20 * x[0], 10.0], [-1.0, 0.0], [0.0, 0.3]])


def moved(at: At, damping: float) -> At:
    J = jacobian(at.x)
    normal = J.T @ J
    x = at.x - np.linalg.solve(normal + damping * np.trace(normal) / 2 * np.eye(2), J.T @ at.residual)
    return At(x, rosenbrock(x))


@pytest.mark.parametrize("start", [(-1.2, 1.0), (3.0, -2.0)])
def test_it_ends_at_the_least_squares_solution_of_scipy(start):
    end = levenberg_marquardt(At(np.array(start), rosenbrock(np.array(start))), moved, 200, 1e-14, 0, Damping(1e10))
    assert end.converged
    np.testing.assert_allclose(
        end.point.x, least_squares(rosenbrock, start, ftol=1e-15, xtol=1e-15, gtol=1e-15).x, atol=1e-6
    )


def test_steps_that_help_nothing_are_refused_and_end_it():
    """Also those that overflow: the damping rises tenfold from 1e-3 until it passes the limit."""
    start = At(np.zeros(1), np.ones(1))
    for residual in (1.0, 2.0, np.nan, np.inf):
        seen = []
        worse = lambda at, damping, seen=seen, r=residual: seen.append(damping) or At(at.x, np.array([r]))
        end = levenberg_marquardt(start, worse, 50, 1e-4, 0, Damping(most=10))
        assert (end.point, end.converged) == (start, True)
        np.testing.assert_allclose(seen, [1e-3, 1e-2, 0.1, 1, 10])


def test_a_limit_of_steps_is_no_convergence():
    start = At(np.array([-1.2, 1.0]), rosenbrock(np.array([-1.2, 1.0])))
    end = levenberg_marquardt(start, moved, 2, 0.0, 0.0, Damping(1e10))
    assert (end.steps, end.converged) == (2, False)
    assert end.point.squared < start.squared
