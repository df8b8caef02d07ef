"""Every public function and class of `rankscape.theory` and of its rooms, with arguments of any kind."""

import inspect
from functools import cache
from pathlib import Path

import numpy as np

from rankscape import theory

from ..case import Case
from ..pieces import call, names
from ..trial import Wrong

# Results without arguments of their own: records that functions fill.
ROOMS = {"theory": theory, **{f"theory.{name}": getattr(theory, name) for name in ("absorbing", "escape", "landscape")}}


@cache
def functions() -> dict[str, dict[str, bool]]:
    """Each function, and of its parameters whether they must be given."""
    found = {}
    for room, module in ROOMS.items():
        for name in module.__all__:
            member = getattr(module, name)
            if inspect.isfunction(member) or name == "RankSet":
                parameters = inspect.signature(member).parameters.values()
                found[f"{room}.{name}"] = {p.name: p.default is p.empty for p in parameters}
    return found


def make(rng: np.random.Generator) -> Case:
    """A call."""
    known = sorted(functions())
    name = known[int(rng.integers(len(known)))]
    return Case.of(call(rng, name, functions()[name]))


def hand_in(case: Case, folder: Path) -> None:
    """Call; what comes back holds no NaN."""
    answer = eval(case.text, names())
    check_numbers(answer)


def check_numbers(answer: object) -> None:
    """No NaN anywhere."""
    parts = answer if isinstance(answer, tuple | list) else [answer]
    for part in parts:
        for value in [part, *vars(part).values()] if hasattr(part, "__dict__") else [part]:
            if isinstance(value, float | np.ndarray) and np.asarray(value).dtype.kind == "f" and np.isnan(value).any():
                raise Wrong(f"NaN in {str(answer)[:200]}")
