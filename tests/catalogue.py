"""The catalogue: engines x problems x depths x widths x dtypes, as named cases.

Properties that hold for every engine are tested over it; a new engine or problem is a line here.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import jax.numpy as jnp
import numpy as np
import reference

import rankscape as rs
from rankscape.stream import Stream

STEPS = 300
DEPTHS = (1, 2, 3, 5)


@dataclass(frozen=True)
class Fit:
    """A problem, and the gradient of its loss written out by hand."""

    problem: Any
    gradient: Callable[[np.ndarray], np.ndarray]


def _symmetric() -> Fit:
    G = np.random.default_rng(1).normal(size=(4, 4))
    target = (G + G.T) / 2
    return Fit(rs.Estimation(target), lambda W: W - target)


def _rectangular() -> Fit:
    target = np.random.default_rng(2).normal(size=(3, 5))
    return Fit(rs.Estimation(target), lambda W: W - target)


def _sensing() -> Fit:
    rng = np.random.default_rng(3)
    A, y = rng.normal(size=(7, 4, 3)) / 3, rng.normal(size=7)
    return Fit(rs.Sensing(A, y), lambda W: sum((np.sum(A_k * W) - y_k) * A_k for A_k, y_k in zip(A, y, strict=True)))


def _completion() -> Fit:
    rng = np.random.default_rng(4)
    truth, seen = rng.normal(size=(5, 4)), rng.random((5, 4)) < 0.7
    seen |= np.eye(5, 4, dtype=bool)
    seen[4, 0] = True
    problem = rs.Completion.from_array(np.where(seen, truth, np.nan))
    return Fit(problem, lambda W: np.where(seen, W - truth, 0.0) / seen.sum())


def _objective() -> Fit:
    signs = np.sign(np.random.default_rng(5).normal(size=(3, 4)))
    problem = rs.Objective(lambda W: jnp.logaddexp(0.0, -signs * W).sum(), shape=(3, 4))
    return Fit(problem, lambda W: -signs / (1 + np.exp(signs * W)))


FITS = {
    "symmetric": _symmetric(),
    "rectangular": _rectangular(),
    "sensing": _sensing(),
    "completion": _completion(),
    "objective": _objective(),
}


@dataclass(frozen=True)
class Case:
    """One setting that one engine must be able to run."""

    name: str
    engine: str
    fit: Fit
    depth: int
    initialization: Any
    dynamics: Any
    width: Any = None
    dtype: str = "float64"

    def simulate(self, steps: int = STEPS, **changes: Any) -> rs.Trajectory:
        """Run the case, with changes to the arguments of `simulate`."""
        fixed = dict(
            depth=self.depth,
            width=self.width,
            initialization=self.initialization,
            dynamics=self.dynamics,
            engine=self.engine,
            dtype=self.dtype,
            seed=3,
        )
        return rs.simulate(self.fit.problem, steps=steps, **(fixed | changes))

    def reference_factors(self, steps: int = STEPS) -> list[np.ndarray]:
        """The factors after `steps` of the NumPy reference, from the same start."""
        factors, d = self.simulate(steps=0).factors, self.dynamics
        if isinstance(d, rs.GradientDescent):
            for _ in range(steps):
                factors = reference.gd_step(factors, self.fit.gradient, d.learning_rate, d.ridge)
            return factors
        problem, stream = self.fit.problem, Stream(3)
        draw = stream.draws if d.replacement else stream.shuffled
        for batch in draw(0, steps * d.batch_size, len(problem.values)).reshape(steps, d.batch_size):
            entries = problem.rows[batch], problem.columns[batch], problem.values[batch]
            factors = reference.sgd_step(factors, *entries, d.learning_rate, d.ridge)
        return factors


def _widths(depth: int) -> dict[str, Any]:
    """Hidden widths: as wide as the matrix, narrower, and all different."""
    varied = [6, 3, 5, 2][: depth - 1]
    return {"equal": None} if depth == 1 else {"equal": None, "narrow": 2, "varied": varied}


def _matrix_cases() -> list[Case]:
    rates = {"sensing": 0.01, "completion": 0.2}
    cases = []
    for fit_name, fit in FITS.items():
        dynamics = rs.GradientDescent(rates.get(fit_name, 0.02), ridge=0.01)
        for depth in DEPTHS:
            for width_name, width in _widths(depth).items():
                if width_name == "equal" or fit_name in ("rectangular", "completion"):
                    name = f"matrix-{fit_name}-{depth}-{width_name}"
                    cases.append(Case(name, "matrix", fit, depth, rs.Gaussian(0.5), dynamics, width))
    return cases


def _entrywise_cases() -> list[Case]:
    fit, cases = FITS["completion"], []
    variants = {
        "single": rs.SGD(0.05, ridge=0.01),
        "no ridge": rs.SGD(0.05),
        "batch": rs.SGD(0.05, ridge=0.01, batch_size=3),
        "shuffled": rs.SGD(0.05, ridge=0.01, replacement=False),
        "shuffled batch": rs.SGD(0.05, ridge=0.01, batch_size=4, replacement=False),
    }
    for depth in DEPTHS:
        for width_name, width in _widths(depth).items():
            for variant, dynamics in variants.items():
                if variant == "single" or (width_name == "equal" and depth in (1, 3)):
                    name = f"entrywise-{variant}-{depth}-{width_name}"
                    cases.append(Case(name, "entrywise", fit, depth, rs.Gaussian(0.5), dynamics, width))
    return cases


def _spectral_cases() -> list[Case]:
    dynamics, cases = rs.GradientDescent(0.02, ridge=0.01), []
    for depth in DEPTHS:
        starts = {
            "identical": ("symmetric", rs.Identical(0.4), None),
            "perturbed": ("symmetric", rs.PerturbedIdentical(0.4, 0.1, layer=(depth + 1) // 2), None),
            "aligned": ("rectangular", rs.Balanced(spectrum=[0.3, 0.1, 0.2]), 6 if depth > 1 else None),
        }
        for start, (fit_name, initialization, width) in starts.items():
            name = f"spectral-{start}-{depth}"
            cases.append(Case(name, "spectral", FITS[fit_name], depth, initialization, dynamics, width))
    return cases


def _in_float32(cases: list[Case]) -> list[Case]:
    single = [c for c in cases if c.depth == 3]
    return [replace(c, name=f"{c.name}-float32", dtype="float32") for c in single]


_DOUBLE = [*_matrix_cases(), *_entrywise_cases(), *_spectral_cases()]

CASES = {case.name: case for case in [*_DOUBLE, *_in_float32(_DOUBLE)]}

ONE_OF_EACH = {
    "matrix": CASES["matrix-completion-3-equal"],
    "entrywise": CASES["entrywise-single-3-equal"],
    "spectral": CASES["spectral-perturbed-3"],
}
"""One case for each engine, where one is enough."""


def distance(one: list[np.ndarray], other: list[np.ndarray]) -> float:
    """The largest difference of two lists of factors, relative to the largest entry."""
    top = max(np.abs(W).max() for W in other)
    return max(np.abs(A - B).max() for A, B in zip(one, other, strict=True)) / top


def identical(one: list[np.ndarray], other: list[np.ndarray]) -> bool:
    """Whether two lists of factors agree in every bit."""
    return len(one) == len(other) and all(
        A.shape == B.shape and A.dtype == B.dtype and A.tobytes() == B.tobytes()
        for A, B in zip(one, other, strict=True)
    )
