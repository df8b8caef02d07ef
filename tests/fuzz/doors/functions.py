"""The public functions and classes beside theory: problems, starts, dynamics, runs, completions, sweeps, estimators."""

import inspect
from functools import cache
from pathlib import Path

import numpy as np

import rankscape as rs

from ..case import Case
from ..pieces import FITS, ODD, names, pick
from ..trial import Wrong
from .theory import check_numbers

# What is called, with the arguments that a sound call has; `{}` stands where odd values are tried.
HOLES = "np.where(np.add.outer(np.arange(8), np.arange(6)) % 3 > 0, np.add.outer(np.arange(8.0), np.arange(6.0)), nan)"
BASE = {
    "rs.complete": {"data": HOLES},
    "rs.simulate": {
        "problem": "rs.Estimation([[2.0, 0.5], [0.5, 1.0]])", "depth": "2", "width": "2", "initialization": "rs.Identical(0.3)",
        "dynamics": "rs.GradientDescent(0.01)", "steps": "20", "seed": "0",
    },
    "rs.Estimation": {"target": "[[2.0, 0.5], [0.5, 1.0]]"},
    "rs.Completion": {"rows": "[0, 1]", "columns": "[0, 1]", "values": "[1.0, 2.0]", "shape": "(3, 3)"},
    "rs.Completion.from_array": {"array": "[[1.0, nan], [2.0, 3.0]]"},
    "rs.Sensing": {"operators": "np.ones((4, 2, 2))", "measurements": "np.ones(4)"},
    "rs.DenseOperators": {"stack": "np.ones((4, 2, 2))"},
    "rs.Objective": {"function": "lambda W: (W**2).sum()", "shape": "(2, 2)"},
    "rs.Identical": {"alpha": "0.1"},
    "rs.PerturbedIdentical": {"alpha": "0.1", "beta": "0.05"},
    "rs.Gaussian": {"scale": "0.1"},
    "rs.Orthogonal": {"scale": "0.1"},
    "rs.Balanced": {"spectrum": "[2.0, 1.0]"},
    "rs.Factors": {"matrices": "[np.eye(2), np.eye(2)]"},
    "rs.GradientDescent": {"learning_rate": "0.1"},
    "rs.GradientFlow": {"time_step": "0.1"},
    "rs.SGD": {"learning_rate": "0.1"},
    "rs.HeavyBall": {"learning_rate": "0.1", "momentum": "0.9"},
    "rs.Nesterov": {"learning_rate": "0.1", "momentum": "0.9"},
    "rs.Every": {"interval": "3"},
    "rs.LogSpaced": {"count": "5"},
    "rs.RankMonitor": {},
    "rs.AtStep": {"step": "3"},
    "rs.AtEffectiveRank": {"level": "1.5"},
    "rs.OnPlateau": {"number": "1"},
    "rs.OnHeldout": {"tolerance": "0.1"},
    "rs.effective_rank": {"matrix": "np.eye(3)"},
    "rs.stable_rank": {"matrix": "np.eye(3)"},
    "rs.entropy_rank": {"matrix": "np.eye(3)"},
    "rs.numerical_rank": {"matrix": "np.eye(3)"},
    "rs.singular_values": {"matrix": "np.eye(3)"},
    "rs.product": {"factors": "[np.eye(2), np.eye(2)]"},
    "rs.imbalance": {"factors": "[np.eye(2), np.eye(2)]"},
    "rs.compress": {"factors": "[np.eye(2), np.eye(2)]"},
    "rs.rates.piecewise": {"stages": "{0: 0.1, 5: 0.01}"},
    "rs.data.load": {"name": "'flower'"},
    "completed": {"X": HOLES},
    "denoised": {"X": "np.nan_to_num(np.add.outer(np.arange(8.0), np.arange(6.0)))"},
    "sensed": {"X": "np.ones((4, 2, 2))", "y": "np.ones(4)"},
    "rs.anneal": {"problem": f"rs.Completion.from_array({HOLES})", "epochs": "2"},
    "rs.estimate_jump_rate": {
        "problem": f"rs.Completion.from_array({HOLES})", "start": "rs.Gaussian(0.1)", "dynamics": "rs.SGD(0.01)", "steps": "20",
        "replicas": "2",
    },
    "rs.files.read": {"path": "'a.csv'"},
    "rs.files.triplets": {"source": "'a.csv'"},
    "rs.estimators.completion_cost": {"entries": "1e6", "rows": "1e4", "columns": "1e3"},
    "rs.estimators.completion_schedule": {"entries": "1e6", "rows": "1e4", "columns": "1e3"},
}  # fmt: skip


@cache
def parameters(function: str) -> dict[str, bool]:
    """Its parameters, and whether each must be given; of an estimator those of its class, and of `fit`."""
    found = [*inspect.signature(eval(function, scope())).parameters.values()]
    if function in ESTIMATORS:
        found = [*found, *inspect.signature(_class(function)).parameters.values()]
    return {p.name: p.default is p.empty for p in found if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}


ESTIMATORS = {"completed": "DeepMatrixCompletion", "denoised": "DeepMatrixDenoiser", "sensed": "DeepMatrixSensing"}


def _class(function: str) -> type:
    from rankscape import estimators

    return getattr(estimators, ESTIMATORS[function])


def scope() -> dict[str, object]:
    """What a call may use."""
    return names() | {
        "completed": lambda X, **settings: _class("completed")(**settings).fit(X),
        "denoised": lambda X, **settings: _class("denoised")(**settings).fit(X),
        "sensed": lambda X, y, **settings: _class("sensed")(**settings).fit(X, y),
    }


# Functions that raise errors of their own when they are called.
RAISING = {"int", "Exception", "lambda W: W"}

# Steps that are sound, and take hours.
LONG = {"1e9", "10**9"}

SPARED = {"progress": RAISING, **dict.fromkeys(("steps", "epochs", "replicas"), LONG)}


def make(rng: np.random.Generator) -> Case:
    """A sound call in which one to three arguments are odd."""
    function = pick(rng, [f for f in BASE for _ in range(10 if f in ("rs.simulate", "rs.complete") else 2)])
    given, known = dict(BASE[function]), list(parameters(function))
    if not known:
        return Case.of(f"{function}()")
    for name in rng.choice(known, size=int(rng.integers(1, 4))).tolist():
        given[name] = (
            pick(rng, FITS[name])
            if name in FITS and rng.random() < 0.3
            else pick(rng, [odd for odd in ODD if odd not in SPARED.get(name, ())])
        )
    for name, needed in parameters(function).items():
        if needed and name not in given:
            given[name] = pick(rng, FITS.get(name, ODD))
    return Case.of(f"{function}({', '.join(f'{name}={value}' for name, value in given.items())})")


def hand_in(case: Case, folder: Path) -> None:
    """Call; a completion holds finite numbers."""
    answer = eval(case.text, scope())
    matrix = getattr(answer, "matrix", None)
    if isinstance(answer, rs.CompletedMatrix) and not np.isfinite(matrix).all():
        raise Wrong(f"a completion that is not finite: {matrix[:3]}")
    if isinstance(answer, float | np.ndarray | tuple) and "_rank(" not in case.text:  # of zero there is none: NaN
        check_numbers(answer)
