"""Names for what `simulate` takes where more than one type will do."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, TypeAlias

import numpy as np

from rankscape.dynamics import AbstractDynamics
from rankscape.initialization import AbstractInitialization
from rankscape.run.schedule import Every, LogSpaced
from rankscape.run.trajectory import Trajectory
from rankscape.run.watchers.stopping import AbstractRule
from rankscape.theory.climbing.stopping import StoppingRule

Width: TypeAlias = int | Sequence[int] | None  # as the larger side, all the same, or one for each joint of layers
Start: TypeAlias = AbstractInitialization | Trajectory | Sequence[AbstractInitialization | Trajectory]
Motion: TypeAlias = AbstractDynamics | Sequence[AbstractDynamics]  # here and below, a list makes a batch
Seed: TypeAlias = int | Sequence[int] | np.ndarray | None
Record: TypeAlias = Every | LogSpaced | Iterable[int] | None
Stop: TypeAlias = AbstractRule | StoppingRule | None  # a rule, or what theory says
Observer: TypeAlias = Callable[[list[np.ndarray]], Any]  # of ``[W_1, ..., W_N]``: a number, or an array of fixed shape
Progress: TypeAlias = Callable[[int, int, Mapping[str, Any]], None]  # told ``(step, steps, latest record)``
Precision: TypeAlias = Literal["float64", "float32"]
EngineName: TypeAlias = Literal[
    "auto", "spectral", "matrix", "entrywise", "flow", "stack", "samples", "measurements", "curvature"
]
