"""An ordinary differential equation, followed to given times."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np

from rankscape.errors import InputError
from rankscape.ground.checks import positive
from rankscape.ground.range import MOST_EVALUATIONS


def solve(slope: Callable, start: np.ndarray, times: np.ndarray, rtol: float, atol: float) -> np.ndarray:
    """The solution of an ordinary differential equation at `times`, shape (times, len(start))."""
    from scipy.integrate import solve_ivp

    rtol, atol = positive("rtol", rtol), positive("atol", atol)
    y, path, slope = start, [], _counted(slope)
    for span in pairwise([0.0, *times.tolist()]):  # stop at each time: interpolation would cost digits
        if span[1] > span[0]:
            solution = solve_ivp(slope, span, y, method="DOP853", t_eval=span[1:], rtol=rtol, atol=atol)
            if not solution.success:
                raise InputError(f"The flow could not be followed to time {span[1]:g}: {solution.message}")
            y = solution.y[:, -1]
        path.append(y)
    return np.array(path).reshape(-1, len(start))


def _counted(slope: Callable) -> Callable:
    """The same slope, as often as a person waits for it."""
    count = 0

    def counted(time: float, y: np.ndarray) -> np.ndarray:
        nonlocal count
        count += 1
        if count > MOST_EVALUATIONS:
            raise InputError(
                f"The flow was evaluated {MOST_EVALUATIONS:,} times and is at time {time:g}: ask for earlier `times`, "
                "or scale the target down."
            )
        return slope(time, y)

    return counted
