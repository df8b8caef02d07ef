"""Which engine runs a setting, and why."""

import importlib

from rankscape.engine.base import AbstractEngine, Setting
from rankscape.errors import InputError
from rankscape.ground.checks import shown

# In order of preference: the first that can run a setting is the fastest that can.
ENGINES = {
    "entrywise": ("rankscape.engine.entrywise.engine", "EntrywiseEngine"),
    "spectral": ("rankscape.engine.spectral", "SpectralEngine"),
    "stack": ("rankscape.engine.stack.engine", "StackEngine"),
    "matrix": ("rankscape.engine.matrix", "MatrixEngine"),
    "curvature": ("rankscape.engine.curvature", "CurvatureEngine"),
    "samples": ("rankscape.engine.samples.engine", "SamplesEngine"),
    "measurements": ("rankscape.engine.measurements", "MeasurementsEngine"),
    "flow": ("rankscape.engine.flow.engine", "FlowEngine"),
}


def choose(setting: Setting, engine: str = "auto") -> tuple[type[AbstractEngine], str]:
    """The engine class for a setting, and one sentence that says why.

    Parameters
    ----------
    setting : Setting
        The run.
    engine : str
        "auto", or the name of an engine that is wanted.

    Raises
    ------
    InputError
        The engine does not exist, or cannot run the setting; the text names the obstacle.

    Examples
    --------
    >>> import rankscape as rs
    >>> problem = rs.Estimation(eigenvalues=[2.0, 1.0])
    >>> setting = Setting(problem, (2, 2, 2, 2), rs.Identical(0.1), rs.GradientDescent(0.01))
    >>> engine, why = choose(setting)
    >>> engine.name, why[:9]
    ('spectral', 'spectral:')
    """
    if not isinstance(engine, str):
        raise InputError(f"`engine` must be the name of one, got {shown(engine)}.")
    if engine == "auto":
        obstacles = []
        for name in ENGINES:  # loaded when it is their turn: importing JAX or diffrax takes a second
            kind = load(name)
            obstacle = kind.obstacle(setting)
            if obstacle is None:
                return kind, _sentence(kind, obstacles)  # why the faster ones could not is part of the answer
            obstacles.append(f"not {name}: {obstacle}")
        raise InputError(f"No engine can run this: {'; '.join(obstacles)}.")
    if engine not in ENGINES:
        raise InputError(f"There is no engine {engine!r}; choose 'auto' or one of {', '.join(ENGINES)}.")
    kind = load(engine)
    obstacle = kind.obstacle(setting)
    if obstacle is not None:
        raise InputError(f"The {engine} engine cannot run this: {obstacle}. With engine='auto' another one is used.")
    return kind, f"{engine}: asked for"


def load(name: str) -> type[AbstractEngine]:
    """The engine of this name; only engines that are asked for are imported."""
    module, attribute = ENGINES[name]
    return getattr(importlib.import_module(module), attribute)


def _sentence(kind: type[AbstractEngine], obstacles: list[str]) -> str:
    return "; ".join([f"{kind.name}: {kind.why}", *obstacles])
