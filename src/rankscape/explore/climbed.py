"""What the room `climb` draws, in Python and on the command line; and at which steps."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from rankscape.explore.rooms.climb import ClimbState

# Points of a curve.
POINTS = 240

# Curves from which on they have fewer points: what is drawn has to follow a drag.
FEW, COARSE = 20, 140


def points_of(state: "ClimbState") -> int:
    """Of each of its curves."""
    return POINTS if len(state.eigenvalues) <= FEW else COARSE


def recorded(last: int, axis: str, points: int = POINTS) -> np.ndarray:
    """Steps that are drawn, increasing, the last one among them.

    >>> recorded(4, "linear").tolist()
    [0, 1, 2, 3, 4]
    """
    if axis == "log":
        return np.unique(np.round(np.geomspace(1, last, points)).astype(np.int64))
    return np.unique(np.linspace(0, last, points + 1).astype(np.int64))


def lines(state: "ClimbState") -> dict[str, str]:
    """The same in Python and on the command line."""
    beta = "" if state.beta is None else f", beta={state.beta!r}"
    setting = f"{list(state.eigenvalues)!r}, {state.depth}, {state.alpha!r}, {state.learning_rate!r}"
    tolerance = f"tolerance={state.tolerance!r}"
    level = f"{1 - state.tolerance!r} * value, {state.depth}, {state.alpha!r}, {state.learning_rate!r}{beta}"
    python = [
        "import numpy as np", "import rankscape as rs", "", f"steps = {_steps_in_words(state)}",
        f"paths = rs.theory.eigenvalue_path({setting}, steps=steps{beta})",
        f"plateaus = rs.theory.plateaus({setting}{beta}, {tolerance})",
        f"times = [rs.theory.hitting_time(value, {level}) for value in {list(state.eigenvalues)!r}]",
    ]  # fmt: skip
    if state.rank is not None:
        python.append(f"stop = rs.theory.stopping_rule({setting}, rank={state.rank}{beta}, {tolerance})")
    return {"python": "\n".join(python) + "\n", "shell": "\n".join(_commands(state)) + "\n"}


def _steps_in_words(state: "ClimbState") -> str:
    points = points_of(state)
    if state.axis == "log":
        return f"np.unique(np.round(np.geomspace(1, {state.steps}, {points})).astype(int))"
    return f"np.unique(np.linspace(0, {state.steps}, {points + 1}).astype(int))"


def _commands(state: "ClimbState") -> list[str]:
    """What is guaranteed, and the run itself."""
    setting = f"--eigenvalues={','.join(map(repr, state.eigenvalues))} --depth {state.depth} --alpha {state.alpha!r}"
    setting += f" --learning-rate {state.learning_rate!r}"
    beta = "" if state.beta is None else f" --beta {state.beta!r}"
    start = f" --initialization perturbed-identical{beta}" if beta else ""
    record = ",".join(map(str, recorded(state.steps, state.axis, points_of(state))))
    return [
        f"rankscape plateaus {setting}{beta} --tolerance {state.tolerance!r}",
        f"rankscape simulate {setting}{start} --steps {state.steps} --record {record} -o run.zarr",
    ]
