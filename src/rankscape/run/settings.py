"""From what a user types to one `Setting` for each run, and to the configuration that a checkpoint must match."""

import platform
from collections.abc import Sequence
from functools import cache
from importlib.metadata import version
from typing import Any

import numpy as np

from rankscape import __version__
from rankscape.dynamics import AbstractDynamics
from rankscape.engine import AbstractEngine, Setting, choose
from rankscape.errors import InputError
from rankscape.factorization import chain_widths
from rankscape.ground.checks import whole
from rankscape.initialization import AbstractInitialization, Factors
from rankscape.problem import AbstractProblem
from rankscape.run.trajectory import Trajectory

PRECISIONS = ("float64", "float32")

# Packages whose versions decide the last bits of a run.
VERSIONS = ("numpy", "scipy", "numba", "jax", "optax", "diffrax")


def make_settings(
    problem: Any, depth: int | None, width: Any, initialization: Any, dynamics: Any, seed: Any, dtype: str
) -> tuple[list[Setting], bool]:
    """One setting for each run, and whether they are a batch; what is not a list is shared by all runs."""
    if dtype not in PRECISIONS:
        raise InputError(f"`dtype` must be 'float64' or 'float32', got {dtype!r}.")
    if not isinstance(problem, AbstractProblem):
        raise InputError(
            f"`problem` must be an Estimation, Sensing, Completion or Objective, got {type(problem).__name__}; "
            "wrap a matrix as Estimation(matrix), one with NaN as Completion.from_array(matrix)."
        )
    lists = {"initialization": initialization, "dynamics": dynamics, "seed": seed}
    lengths = {name: len(v) for name, v in lists.items() if isinstance(v, list | tuple | range | np.ndarray)}
    if len(set(lengths.values())) > 1 or 0 in lengths.values():
        raise InputError(f"Lists of one batch must have the same length, at least 1; got {lengths}.")
    runs = next(iter(lengths.values()), 1)
    lanes = [{name: v[k] if name in lengths else v for name, v in lists.items()} for k in range(runs)]
    settings = []
    for lane in lanes:
        start = _start(lane["initialization"])
        widths = _widths(problem, depth, width, start)
        if not isinstance(lane["dynamics"], AbstractDynamics):
            raise InputError(
                f"`dynamics` must be GradientDescent, GradientFlow, SGD or Optimizer, got {lane['dynamics']!r}."
            )
        number = whole("seed", lane["seed"], 0, 2**64 - 1)
        settings.append(Setting(problem, widths, start, lane["dynamics"], number, dtype))
    if len({(s.widths, type(s.dynamics), type(s.initialization)) for s in settings}) > 1:
        raise InputError("The runs of a batch must share their widths, their kind of dynamics and of initialization.")
    return settings, bool(lengths)


def _start(initialization: Any) -> AbstractInitialization:
    if isinstance(initialization, Trajectory):
        return Factors(initialization.factors)
    if not isinstance(initialization, AbstractInitialization):
        if isinstance(initialization, np.ndarray):
            raise InputError("Factors to start from are given as one object: Factors([W_1, ..., W_N]).")
        raise InputError(
            "`initialization` must be Identical, PerturbedIdentical, Gaussian, Orthogonal, Balanced, Factors or a "
            f"finished run, got {type(initialization).__name__}."
        )
    return initialization


def _widths(problem: AbstractProblem, depth: int | None, width: Any, start: AbstractInitialization) -> tuple[int, ...]:
    """The chain of widths; given factors decide it, and may not be contradicted."""
    if not isinstance(start, Factors):
        return chain_widths(problem.shape, 3 if depth is None else depth, width)
    widths = chain_widths(problem.shape, start.depth, start.hidden_widths)
    asked = chain_widths(problem.shape, start.depth if depth is None else depth, width)
    if (depth is not None and len(asked) != len(widths)) or (width is not None and asked != widths):
        raise InputError(
            f"The factors to start from have depth {start.depth} and hidden widths {start.hidden_widths}; "
            f"leave out depth={depth} and width={width}, or make them agree."
        )
    return widths


def choose_for_all(settings: Sequence[Setting], engine: str) -> tuple[type[AbstractEngine], str]:
    """The engine that suits every run of a batch."""
    choices = [choose(setting, engine) for setting in settings]
    if len({kind for kind, _ in choices}) == 1:
        return choices[0]
    return choose(settings[0], "matrix")[0], "matrix: runs of the batch would otherwise need different engines"


def configuration(settings: Sequence[Setting], engine: str, **loop: Any) -> dict[str, Any]:
    """Everything that decides the numbers of a run, as JSON; a checkpoint must agree with all of it."""
    first = settings[0]
    return {
        "problem": first.problem.describe(),
        "widths": list(first.widths),
        "initialization": [s.initialization.describe() for s in settings],
        "dynamics": [s.dynamics.describe() for s in settings],
        "seed": [s.seed for s in settings],
        "dtype": first.dtype,
        "engine": engine,
        **loop,
        "versions": dict(versions()),
    }


@cache
def versions() -> dict[str, str]:
    """Everything whose version decides the last bits of a run; to look it up costs as much as a short run."""
    return {"rankscape": __version__, "python": platform.python_version()} | {name: version(name) for name in VERSIONS}
