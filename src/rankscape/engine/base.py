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
from rankscape.problem import AbstractProblem


@dataclass(frozen=True)
class Setting:
    """Everything that decides one run, apart from its length.

    Examples
    --------
    >>> import rankscape as rs
    >>> problem = rs.Estimation(eigenvalues=[2.0, 1.0])
    >>> setting = Setting(problem, (2, 2, 2, 2), rs.Identical(0.1), rs.GradientDescent(0.01))
    >>> setting.depth, [W.tolist() for W in setting.initial_factors()][0]
    (3, [[0.1, 0.0], [0.0, 0.1]])
    """

    problem: AbstractProblem
    widths: tuple[int, ...]
    initialization: AbstractInitialization
    dynamics: Any  # whatever it is, `obstacle` of each engine looks at it
    seed: int = 0
    dtype: str = "float64"
    offset: int = 0
    """Observations that were drawn before step 0 of the stream's own count: a run goes on with another batch size."""

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

    def batches(self, step: int, end: int, count: int) -> np.ndarray:
        """Which of `count` observations each of these steps of SGD uses, a row a step."""
        dynamics = self.dynamics
        draw = self.stream.draws if dynamics.replacement else self.stream.shuffled
        first, last = (k * dynamics.batch_size + self.offset for k in (step, end))
        return draw(first, last, count).reshape(end - step, dynamics.batch_size)

    def safe_learning_rate(self) -> float | None:
        r"""A uniform sufficient step for monotone gradient descent, :math:`1 / (3 N \beta M^{2N-2})`.

        M bounds the spectral norms of the factors at the start and of a balanced solution; :math:`\beta` is the
        smoothness of the loss. None when the smoothness is unknown, and for momentum: the bound is not one of it.
        """
        smoothness = self.problem.smoothness()
        if isinstance(self.dynamics, SGD):
            smoothness = self.problem.sample_smoothness()
        if smoothness is None or self.dynamics.inertia:
            return None
        # Balanced factors of a solution share its norm evenly; a start may be larger than they are.
        start = max(float(np.linalg.norm(W, 2)) for W in self.initial_factors())
        M = max(start, self.problem.scale() ** (1 / self.depth))
        with np.errstate(over="ignore"):  # no step is safe where this overflows: 1 / inf
            return float(1 / (3 * self.depth * smoothness * np.float64(M) ** (2 * self.depth - 2)))


class State(NamedTuple):
    """One run at `step`: enough for its engine to continue bit for bit, in this process or in a later one.

    Attributes
    ----------
    step : int
        Steps since the run began: it addresses the random numbers and the paths of rates.
    moving : sequence of array
        The factors, or what the engine keeps in their place (the modes, the factors without their scale).
    memory : sequence of array
        What is remembered beside them, of a meaning that the engine knows: an optimizer's state, a velocity, a scale.

    Examples
    --------
    >>> State(10, [np.eye(2)]).within(1e3), State(10, [np.array([np.nan])]).within(1e3)
    (True, False)
    """

    step: int
    moving: Sequence[np.ndarray]
    memory: Sequence[np.ndarray] = ()

    def within(self, limit: float) -> bool:
        """Whether what moves is finite and below `limit` in magnitude (False for NaN).

        Memory does not count: an optimizer may hold an infinite "best value so far".
        """
        return all(bool(np.all(np.abs(a) <= limit)) for a in self.moving)

    def pack(self) -> dict[str, np.ndarray]:
        """Named arrays for a file, in an order that `unpack` reads back."""
        parts = {"moving": self.moving, "memory": self.memory}
        named = {f"{part}_{k}": a for part, arrays in parts.items() for k, a in enumerate(arrays, start=1)}
        return {**named, "step": np.array(self.step)}

    @classmethod
    def unpack(cls, arrays: Mapping[str, np.ndarray]) -> "State":
        """The state that was packed.

        Examples
        --------
        >>> State.unpack(State(3, [np.zeros(2)], [np.array(0.5)]).pack())
        State(step=3, moving=[array([0., 0.])], memory=[array(0.5)])
        """
        step, names = int(arrays["step"]), [name for name in arrays if name != "step"]
        # In the order of the file, which is that of `pack`: names are not sorted, so ten layers stay in place.
        parts = ([arrays[name] for name in names if name.startswith(part)] for part in ("moving", "memory"))
        return cls(step, *parts)


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


class AbstractEngine(ABC):
    """Moves the states of one or more runs that differ in numbers only (same problem, widths, kind of dynamics).

    Results do not depend on how a run is cut into calls of `advance`, nor on the runs beside it.

    Subclass it for an engine of your own and name it in `rankscape.engine.choose.ENGINES`; `obstacle` says what it
    cannot run, `begin` what it remembers beside what moves.

    Examples
    --------
    >>> import rankscape as rs
    >>> problem = rs.Estimation(eigenvalues=[2.0, 1.0])
    >>> setting = Setting(problem, (2, 2, 2, 2), rs.Identical(0.1), rs.GradientDescent(0.01))
    >>> from rankscape.engine.matrix import MatrixEngine
    >>> engine = MatrixEngine([setting])
    >>> (state,) = engine.advance([engine.begin(setting, setting.initial_factors(), 0)], 100)
    >>> state.step
    100
    """

    name: ClassVar[str]
    why: ClassVar[str]
    tied: ClassVar[bool] = False
    """Whether what moves means something for its problem and its start only, as modes do."""

    def __init__(self, settings: Sequence[Setting]):
        self.settings = list(settings)

    @staticmethod
    @abstractmethod
    def obstacle(setting: Setting) -> str | None:
        """Why this engine cannot run the setting; None when it can."""

    def start(self) -> list[State]:
        """The states at step 0."""
        return [self.begin(setting, moving, 0) for setting, moving in zip(self.settings, self.initial(), strict=True)]

    def initial(self) -> Sequence[Sequence[np.ndarray]]:
        """What moves, as it is at step 0, for each run."""
        return [setting.initial_factors() for setting in self.settings]

    def begin(self, setting: Setting, moving: Sequence[np.ndarray], step: int) -> State:
        """The state of a run that stands here at `step`, at rest, and remembers nothing of the way."""
        moving = [W.astype(setting.dtype) for W in moving]
        return State(step, moving, [np.zeros_like(W) for W in moving] if setting.dynamics.inertia else [])

    def remembers(self, setting: Setting) -> str:
        """What of the dynamics a state remembers beside what moves; empty where that is nothing.

        A run goes on with the memory of another one where both remember the same.
        """
        return "velocity" if setting.dynamics.inertia else ""

    @abstractmethod
    def advance(self, states: Sequence[State], stop: int) -> list[State]:
        """New states at step `stop`; the given ones, all at one earlier step, stay as they are."""

    def factors(self, state: State) -> list[np.ndarray]:
        """``[W_1, ..., W_N]`` in float64."""
        return [W.astype(np.float64) for W in state.moving]

    def record(self, state: State, setting: Setting) -> dict[str, Any]:
        """What is measured on a state."""
        ridge = setting.dynamics.at(state.step).ridge
        return measure(setting.problem, self.factors(state), ridge, setting.tolerance)

    def within(self, states: Sequence[State], limit: float) -> Sequence[bool]:
        """Whether what moves is finite and below `limit` in magnitude, for each run."""
        return [state.within(limit) for state in states]

    def records(self, states: Sequence[State]) -> Sequence[Mapping[str, Any]]:
        """What is measured on the states of all runs; each as if `record` had been called for it alone."""
        # One by one is right for every engine; where a call costs more than its arithmetic, an engine overrides it.
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


def check_dynamics(
    setting: Setting, kind: type[AbstractDynamics] | tuple[type[AbstractDynamics], ...], follows: bool = False
) -> str | None:
    """The obstacle when the dynamics are of another kind, or their rate does not follow the curvature as it should."""
    if not isinstance(setting.dynamics, kind):  # settings are final, so this is the exact class
        return f"its dynamics are {type(setting.dynamics).__name__}"
    if setting.dynamics.follows != follows:
        return f"its learning rate {'is given' if follows else 'follows the curvature'}"
    return None
