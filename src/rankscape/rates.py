r"""HOW a rate changes: paths of a ridge or a learning rate, piecewise constant in the step.

A dynamics takes a path wherever it takes a number:

>>> import rankscape as rs
>>> rs.SGD(learning_rate=0.1, ridge=rs.rates.geometric(1e-3, 1e-5, stages=3, length=1000)).at(1500)
SGD(learning_rate=0.1, ridge=0.0001, batch_size=1, replacement=True)

Steps and plain ridges are what engines count in. People think in epochs and, because the loss of a completion is a
mean over its m observed entries, in ``ridge * m``: what one entry has to pay for all of the weights. `convert` goes
from one to the other, and always says how:

>>> import numpy as np
>>> problem = rs.Completion.from_array(np.eye(2))                                   # m = 4
>>> path = rs.rates.geometric(0.3, 0.003, stages=2, length=50)
>>> rs.rates.convert(path, problem, value="ridge * m", time="epochs")
Path(starts=(0, 200), values=(0.075, 0.00075), period=None)
"""

import math
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rankscape.errors import InputError, did_you_mean
from rankscape.ground.checks import nonnegative, positive, several, whole
from rankscape.ground.final import final

VALUES = ("ridge", "learning_rate", "ridge * m", "learning_rate / batch_size", "weight_decay")
TIMES = ("steps", "epochs")

# Least curvature that counts: where all factors are zero nothing moves at any rate, but no rate may be infinite.
FLAT = 1e-30


@final
@dataclass(frozen=True)
class Path:
    """A number for each step: ``values[k]`` from ``starts[k]`` to the next start, the last for ever or for a period.

    Parameters
    ----------
    starts : tuple of float
        Where each value begins to hold: 0 first, then increasing. Steps, or epochs that are still to be converted.
    values : tuple of float
        As many finite numbers.
    period : float, optional
        After so many steps the path begins anew.
    """

    starts: tuple[float, ...]
    values: tuple[float, ...]
    period: float | None = None

    def __post_init__(self):
        starts, values = (_numbers(name, getattr(self, name)) for name in ("starts", "values"))
        ends = [*starts[1:], math.inf if self.period is None else positive("period", self.period)]
        if len(starts) != len(values) or starts[0] != 0 or any(a >= b for a, b in zip(starts, ends, strict=True)):
            raise InputError(f"A path starts at 0 and goes on at increasing steps, one for each value; got {self}.")
        object.__setattr__(self, "starts", starts)
        object.__setattr__(self, "values", values)

    def at(self, step: int) -> float:
        """The value of the step that begins at `step`."""
        place = step if self.period is None else step % self.period
        return self.values[bisect_right(self.starts, place) - 1]  # right: a value holds from its start on

    def breaks(self, steps: int) -> np.ndarray:
        """The steps within ``1 .. steps - 1`` at which the value changes."""
        values = np.array(self.values)
        changed = values != np.roll(values, 1)  # the first follows the last when the path begins anew
        cycles = [0] if self.period is None else np.arange(0, steps, self.period)
        # Starts at which nothing changes are left out: each break ends a call of the engine.
        starts = np.add.outer(cycles, np.array(self.starts)[changed]).ravel()
        return starts[(starts > 0) & (starts < steps)].astype(np.int64)

    def checked(self, name: str, check: Callable[[str, Any], float]) -> "Path":
        """The path of a rate: every value passes `check`, every start is a whole step."""
        period = None if self.period is None else _whole_steps(name, self.period)
        starts = tuple(_whole_steps(name, start) for start in self.starts)
        return Path(starts, tuple(check(name, value) for value in self.values), period)

    def describe(self) -> dict[str, Any]:
        """The numbers, as JSON."""
        return {"starts": list(self.starts), "values": list(self.values), "period": self.period}


@final
@dataclass(frozen=True)
class Curvature:
    r"""A learning rate of `GradientDescent` that follows the curvature: every step as long as is safe.

    With :math:`\ell` the smoothness of the loss, :math:`\sigma` the largest norm of a factor and G the gradient with
    respect to W, the curvature along the N factors is about

    .. math:: N \ell \sigma^{2N-2} + (N-1) \|G\| \sigma^{N-2} + 2\lambda,

    all norms spectral, and the rate is `safety` over it. So the way out of a small start, which takes most of the steps
    at one rate for all, takes few. Step k is no time here: what theory says of steps needs a constant rate.

    Parameters
    ----------
    safety : float
        The rate in units of the inverse curvature; below 1 the loss falls in practice.
    refresh : int
        Steps for which a rate holds, counted from step 0 of the run. In between the factors move little.

    Examples
    --------
    >>> import rankscape as rs
    >>> run = rs.simulate(rs.Estimation(eigenvalues=[2.0, 1.0]), depth=3, initialization=rs.Identical(alpha=0.1),
    ...                   dynamics=rs.GradientDescent(rs.rates.Curvature()), steps=150, record=[0, 150])
    >>> run.learning_rate.values.round(2).tolist(), run.singular_values.values[-1].round(2).tolist()
    ([1.25, 0.07], [2.0, 1.0])
    """

    safety: float = 0.5
    refresh: int = 5

    def __post_init__(self):
        object.__setattr__(self, "safety", positive("safety", self.safety))
        object.__setattr__(self, "refresh", whole("refresh", self.refresh, least=1))

    def at(self, smoothness: float, sizes: Sequence[float], slope: float, ridge: float = 0.0) -> float:
        """The rate where the factors have these norms and the gradient with respect to W has norm `slope`."""
        N, sigma = len(sizes), max(sizes)
        # Of a single factor the second term is nothing; the power would be that of a norm that may be zero.
        bent = (N - 1) * slope * sigma ** (N - 2) if N > 1 else 0.0
        curvature = N * smoothness * sigma ** (2 * N - 2) + bent + 2 * ridge
        return self.safety / max(curvature, FLAT)

    def describe(self) -> dict[str, Any]:
        """The numbers, as JSON."""
        return {"safety": self.safety, "refresh": self.refresh}


def piecewise(stages: Mapping[float, float]) -> Path:
    """A value from each of these steps on.

    Examples
    --------
    >>> path = piecewise({0: 0.3, 1000: 0.1, 2000: 0.03})
    >>> path.at(999), path.at(1000), path.at(10**9)
    (0.3, 0.1, 0.03)
    """
    if not isinstance(stages, Mapping) or not stages:
        raise InputError(f"`stages` must map steps to values, as {{0: 0.3, 1000: 0.1}}, got {stages!r}.")
    return Path(tuple(sorted(stages)), tuple(stages[start] for start in sorted(stages)))


def geometric(first: float, last: float, stages: int, length: float) -> Path:
    """Annealing: `stages` values in geometric progression, each for `length` steps, the last one for ever.

    Examples
    --------
    >>> geometric(0.1, 0.001, stages=3, length=500)
    Path(starts=(0, 500, 1000), values=(0.1, 0.01, 0.001), period=None)
    """
    count = whole("stages", stages, least=1)
    spread = np.geomspace(positive("first", first), positive("last", last), count).tolist()
    positive("length", length)
    return Path(tuple(k * length for k in range(count)), tuple(spread))


def pulse(base: float, height: float, start: float, length: float) -> Path:
    """The value `height` for `length` steps from `start` on, `base` before and after.

    A pulse of the ridge pushes gradient descent out of a minimum of too high rank, as noise does.

    Examples
    --------
    >>> [pulse(0.01, 0.1, start=50, length=20).at(step) for step in (49, 50, 69, 70)]
    [0.01, 0.1, 0.1, 0.01]
    """
    start = nonnegative("start", start)
    end = start + positive("length", length)
    return piecewise({0: height, end: base} if start == 0 else {0: base, start: height, end: base})


def periodic(values: Sequence[float], lengths: Sequence[float]) -> Path:
    """The `values` one after the other, each for its length, again and again.

    Every change ends a call of the engine, which costs as much as some thousand steps of SGD on a small matrix: lengths
    below that are possible, and slow.

    Examples
    --------
    >>> path = periodic([0.2, 0.01], lengths=[10, 90])
    >>> path.at(105), path.at(110), path.breaks(300).tolist()
    (0.2, 0.01, [10, 100, 110, 200, 210])
    """
    values, lengths = several("values", values), several("lengths", lengths)
    if not lengths or len(values) != len(lengths):
        raise InputError(f"`values` and `lengths` must have the same length, at least 1; got {values} and {lengths}.")
    ends = np.cumsum([positive("lengths", length) for length in lengths]).tolist()
    return Path((0, *ends[:-1]), tuple(values), ends[-1])


def convert(rate: Any, problem: Any, *, value: str = "ridge", time: str = "steps", batch_size: int = 1) -> Any:
    """A number or a path in the units of the dynamics, from the units that a person thinks in.

    Parameters
    ----------
    rate : float or Path
        What is given.
    problem : Completion, Sensing, Regression or Classification
        Its m observed entries, measurements or samples are one epoch.
    value : {"ridge", "learning_rate", "ridge * m", "learning_rate / batch_size", "weight_decay"}
        What the given numbers are. The first two stay as they are; a ridge is divided by m; a learning rate is
        multiplied by the batch size (linear scaling), which keeps the noise of SGD, and with it its jumps, what they
        are for single entries. PyTorch's ``weight_decay`` adds itself times ``W`` to a gradient, a ridge twice itself:
        it is halved.
    time : {"steps", "epochs"}
        What the path counts in; an epoch is ``m / batch_size`` steps, rounded where a stage begins.
    batch_size : int
        Entries in one step.

    Examples
    --------
    >>> import numpy as np, rankscape as rs
    >>> problem = rs.Completion.from_array(np.eye(2))
    >>> convert(0.3, problem, value="ridge * m")
    0.075
    >>> convert(0.05, problem, value="learning_rate / batch_size", batch_size=4)
    0.2
    """
    _check_unit("value", value, VALUES)
    _check_unit("time", time, TIMES)
    size = whole("batch_size", batch_size, least=1)
    factor = float(size) if value == "learning_rate / batch_size" else 1.0
    if value == "weight_decay":
        factor = 0.5
    if value == "ridge * m":
        factor = 1 / _count(problem, "values")  # the loss is a mean over m, the ridge is not
    if not isinstance(rate, Path):
        return nonnegative("rate", rate) * factor
    starts, period = rate.starts, rate.period
    if time == "epochs":
        epoch = _count(problem, "values", "measurements", "samples") / size
        starts = tuple(round(t * epoch) for t in starts)  # an epoch need not be a whole number of steps
        period = None if period is None else round(period * epoch)
    return Path(starts, tuple(v * factor for v in rate.values), period)


def _count(problem: Any, *names: str) -> int:
    """The number m of observed entries (or of measurements, or of samples)."""
    held = (getattr(problem, name, None) for name in names)
    found = [len(getattr(given, "numbers", given)) for given in held if given is not None]
    if not found:
        entries = "observed entries: use Completion"
        needed = entries if names == ("values",) else "observed entries, measurements or samples"
        raise InputError(f"These units count in m, but a {type(problem).__name__} has no {needed}.")
    return found[0]


def _check_unit(name: str, unit: Any, known: Sequence[str]) -> None:
    if unit not in known:
        hint = did_you_mean(str(unit), known) or "."
        raise InputError(f"`{name}` must be one of {', '.join(map(repr, known))}, got {unit!r}{hint}")


def _numbers(name: str, given: Any) -> tuple[float, ...]:
    try:
        numbers = tuple(given)
        if numbers and all(math.isfinite(number) for number in numbers):
            return numbers
    except TypeError:
        pass
    raise InputError(f"`{name}` must be finite numbers, at least one, got {given!r}.")


def _whole_steps(name: str, start: float) -> int:
    try:
        return whole(name, start, least=0)
    except InputError:
        problem = f"The path of `{name}` changes at {start!r}, which is no whole step"
        raise InputError(f"{problem}; convert(path, problem, time='epochs') makes steps of epochs.") from None
