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

# Hidden widths: as wide as the larger side, all the same, or one for each joint of two layers.
Width: TypeAlias = int | Sequence[int] | None

# Where a run starts, or the run that it continues; a list, or a batch of runs, makes a batch.
Start: TypeAlias = AbstractInitialization | Trajectory | Sequence[AbstractInitialization | Trajectory]

# How a run moves; a list makes a batch.
Motion: TypeAlias = AbstractDynamics | Sequence[AbstractDynamics]

# Which steps are recorded.
Record: TypeAlias = Every | LogSpaced | Iterable[int] | None

# What decides the random numbers; a list makes a batch.
Seed: TypeAlias = int | Sequence[int] | np.ndarray | None

# When a run ends early.
Stop: TypeAlias = AbstractRule | StoppingRule | None

# A function of ``[W_1, ..., W_N]`` that returns a number, or an array of fixed shape.
Observer: TypeAlias = Callable[[list[np.ndarray]], Any]

# Told ``(step, steps, latest record)``.
Progress: TypeAlias = Callable[[int, int, Mapping[str, Any]], None]

Precision: TypeAlias = Literal["float64", "float32"]

EngineName: TypeAlias = Literal["auto", "spectral", "matrix", "entrywise", "flow", "stack", "measurements"]
