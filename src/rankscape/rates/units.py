"""From the units that people think in, epochs and ``ridge * m``, to those that engines count in."""

from collections.abc import Sequence
from typing import Any

from rankscape.errors import InputError, did_you_mean
from rankscape.ground.checks import nonnegative, whole
from rankscape.rates.path import Path

VALUES = ("ridge", "learning_rate", "ridge * m", "learning_rate / batch_size", "weight_decay")
TIMES = ("steps", "epochs")


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
