"""Models as plain arrays and words, and back: nothing that is loaded is executed."""

from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from rankscape.entries import Entries
from rankscape.errors import InputError
from rankscape.estimators.completion.models.base import Model
from rankscape.estimators.completion.models.combined import Combined
from rankscape.estimators.completion.models.determined import Determined, Open
from rankscape.estimators.completion.models.drawn import Drawn
from rankscape.estimators.completion.models.gaussian_rows import GaussianRows
from rankscape.estimators.completion.models.interpolated import Interpolated
from rankscape.estimators.completion.models.intervals import Calibration
from rankscape.estimators.completion.models.limited import Limited
from rankscape.estimators.completion.models.links import Below, Chance, Classes, Rate
from rankscape.estimators.completion.models.local import Local
from rankscape.estimators.completion.models.low_rank import LowRank
from rankscape.estimators.completion.models.near_lines import NearLines
from rankscape.estimators.completion.models.scaled import Scaled, Unscaled
from rankscape.estimators.completion.models.stepwise import Stepwise
from rankscape.estimators.completion.ready.offsets import Offset
from rankscape.estimators.completion.ready.scaling import Scaling
from rankscape.estimators.outliers import Outliers
from rankscape.ground.modes import Modes
from rankscape.solvers.least_squares.determined import Motions
from rankscape.solvers.noise.noise_variances import Variances

ALONE: tuple[Any, ...] = LowRank, GaussianRows, NearLines, Interpolated, Local, Drawn
OF_OTHERS: tuple[Any, ...] = Stepwise, Scaled, Unscaled, Combined, Determined, Limited
PARTS: tuple[Any, ...] = Offset, Scaling, Modes, Variances, Entries, Calibration, Open, Motions, Outliers
LINKS: tuple[Any, ...] = Rate, Chance, Classes, Below

# The records that a file may name: no other class is ever made.
KINDS: dict[str, Any] = {kind.__name__: kind for kind in (*ALONE, *OF_OTHERS, *PARTS, *LINKS)}


def register(kind: type[Model]) -> None:
    """Let files hold models of this kind: a frozen dataclass."""
    KINDS[kind.__name__] = kind


def pack(value: Any, arrays: dict[str, np.ndarray], at: str = "model") -> Any:
    """A model, or a part of one, as JSON; its arrays go into `arrays` under names that begin with `at`."""
    if isinstance(value, np.ndarray):
        arrays[at] = value
        return {"array": at}
    if type(value).__name__ in KINDS:
        parts = {name: pack(getattr(value, name), arrays, f"{at}.{name}") for name in _names(value)}
        return {"kind": type(value).__name__, "parts": parts}
    if isinstance(value, tuple):
        return [pack(part, arrays, f"{at}.{k}") for k, part in enumerate(value)]
    if isinstance(value, np.generic):
        return value.item()
    return value


def unpack(packed: Any, arrays: dict[str, np.ndarray]) -> Any:
    """What `pack` packed.

    Raises
    ------
    InputError
        The file names a kind that is not known here.
    """
    if isinstance(packed, list):
        return tuple(unpack(part, arrays) for part in packed)
    if not isinstance(packed, dict):
        return packed
    if "array" in packed:
        return arrays[packed["array"]]
    kind = KINDS.get(packed["kind"])
    if kind is None:
        raise InputError(f"There is no model of the kind {packed['kind']!r}; register it before it is used.")
    return kind(**{name: unpack(part, arrays) for name, part in packed["parts"].items()})


def _names(value: Any) -> list[str]:
    return [field.name for field in fields(value)] if is_dataclass(value) else list(value._fields)
