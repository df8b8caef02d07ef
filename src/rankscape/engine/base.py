"""The contract of the engines: ``start``, ``advance``, ``record``, on plain NumPy states."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar, NamedTuple

import numpy as np

from rankscape.dynamics import SGD, AbstractDynamics
from rankscape.ground.stream import Stream
from rankscape.initialization import AbstractInitialization
from rankscape.observe import RANK_TOLERANCE, measure
from rankscape.problem import AbstractProblem, Sensing


@dataclass(frozen=True)
class Setting:
    """Everything that decides one run, apart from its length."""

    problem: AbstractProblem
    widths: tuple[int, ...]
    initialization: AbstractInitialization
    dynamics: Any
    seed: int = 0
    dtype: str = "float64"

    @property
    def depth(self) -> int:
        """The number of factors."""
        return len(self.widths) - 1

    @property
    def stream(self) -> Stream:
        """The random numbers of the run."""
        return Stream(self.seed)

    @property
    def tolerance(self) -> float:
        """Relative tolerance of the numerical rank in this precision."""
        return RANK_TOLERANCE[self.dtype]

    def initial_factors(self) -> list[np.ndarray]:
        """The factors at step 0 in the precision of the run."""
        factors = self.initialization.factors(self.problem, self.widths, self.stream)
        return [np.ascontiguousarray(W, dtype=self.dtype) for W in factors]

    def safe_learning_rate(self) -> float | None:
        r"""A uniform sufficient step for monotone gradient descent, :math:`1 / (3 N \beta M^{2N-2})`.

        M bounds the spectral norms of the factors at the start and of a balanced solution; :math:`\beta` is the
        smoothness of the loss. None when the smoothness is unknown.
        """
        smoothness = self.problem.smoothness()
        if isinstance(self.dynamics, SGD):
            smoothness = self.problem.sample_smoothness() if isinstance(self.problem, Sensing) else 1.0
        if smoothness is None:
            return None
        start = max(float(np.linalg.norm(W, 2)) for W in self.initial_factors())
        M = max(start, self.problem.scale() ** (1 / self.depth))
        with np.errstate(over="ignore"):  # no step is safe where this overflows: 1 / inf
            return float(1 / (3 * self.depth * smoothness * np.float64(M) ** (2 * self.depth - 2)))


# Prefix of the arrays in a state that an optimizer keeps beside the factors.
MEMORY = "optimizer"


class State(NamedTuple):
    """One run at `step`: named NumPy arrays, enough to continue bit for bit."""

    step: int
    arrays: dict[str, np.ndarray]

    def within(self, limit: float) -> bool:
        """Whether what moves is finite and below `limit` in magnitude (False for NaN).

        The memory of an optimizer does not count: it may hold an infinite "best value so far".
        """
        moving = (a for name, a in self.arrays.items() if not name.startswith(MEMORY))
        return all(bool(np.all(np.abs(a) <= limit)) for a in moving)


class Row(Mapping[str, Any]):
    """One run's row of columns that were measured on many runs at once: a dictionary for each would cost more."""

    __slots__ = ("columns", "place")

    def __init__(self, columns: dict[str, np.ndarray], place: int):
        self.columns, self.place = columns, place

    def __getitem__(self, name: str) -> Any:
        return self.columns[name][self.place]

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)

    def __len__(self) -> int:
        return len(self.columns)


def named(prefix: str, arrays: Sequence[Any]) -> dict[str, np.ndarray]:
    """Arrays of a state, numbered from 1 in their order."""
    return {f"{prefix}_{k:02d}": np.asarray(array) for k, array in enumerate(arrays, start=1)}


def prefixed(arrays: Mapping[str, np.ndarray], prefix: str) -> list[np.ndarray]:
    """What `named` put there, in its order."""
    return [array for name, array in arrays.items() if name.startswith(prefix)]


class AbstractEngine(ABC):
    """Moves the states of one or more runs that differ in numbers only (same problem, widths, kind of dynamics).

    Results do not depend on how a run is cut into calls of `advance`, nor on the runs beside it.
    """

    name: ClassVar[str]
    why: ClassVar[str]

    def __init__(self, settings: Sequence[Setting]):
        self.settings = list(settings)

    @staticmethod
    @abstractmethod
    def obstacle(setting: Setting) -> str | None:
        """Why this engine cannot run the setting; None when it can."""

    def start(self) -> list[State]:
        """The states at step 0."""
        return [self.begin(setting, setting.initial_factors(), 0) for setting in self.settings]

    @abstractmethod
    def begin(self, setting: Setting, factors: Sequence[np.ndarray], step: int) -> State:
        """The state of a run that has these factors at `step`."""

    @abstractmethod
    def advance(self, states: Sequence[State], stop: int) -> list[State]:
        """New states at step `stop`; the given ones stay as they are."""

    @abstractmethod
    def factors(self, state: State) -> list[np.ndarray]:
        """``[W_1, ..., W_N]`` in float64."""

    def record(self, state: State, setting: Setting) -> dict[str, Any]:
        """What is measured on a state."""
        ridge = setting.dynamics.at(state.step).ridge
        return measure(setting.problem, self.factors(state), ridge, setting.tolerance)

    def within(self, states: Sequence[State], limit: float) -> Sequence[bool]:
        """Whether what moves is finite and below `limit` in magnitude, for each run."""
        return [state.within(limit) for state in states]

    def records(self, states: Sequence[State]) -> Sequence[Mapping[str, Any]]:
        """What is measured on the states of all runs; each as if `record` had been called for it alone."""
        return [self.record(state, setting) for state, setting in zip(states, self.settings, strict=True)]

    @abstractmethod
    def step_cost(self) -> float:
        """Rough cost of one step of one run in microseconds: sizes chunks and the default schedule."""

    def record_cost(self) -> float:
        """Rough cost of one record in microseconds: the spectrum, the product and the imbalance."""
        widths = self.settings[0].widths
        products = sum(a * b * (a + b) for a, b in pairwise(widths))
        n_out, n_in = widths[-1], widths[0]
        return 400 + (products + 8 * n_out * n_in * min(n_out, n_in)) / 1.1e4


def check_dynamics(setting: Setting, kind: type[AbstractDynamics] | tuple[type[AbstractDynamics], ...]) -> str | None:
    """The obstacle when the dynamics are of another kind."""
    if isinstance(setting.dynamics, kind):
        return None
    return f"its dynamics are {type(setting.dynamics).__name__}"
