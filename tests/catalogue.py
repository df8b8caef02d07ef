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
from rankscape.engine import AbstractEngine, Setting, choose
from rankscape.factorization import chain_widths
from rankscape.ground.stream import Stream

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


def _gradient_of_stack(A: np.ndarray, y: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    return lambda W: np.einsum("kij,k->ij", A, np.einsum("kij,ij->k", A, W) - y)


def _rank_one() -> Fit:
    rng = np.random.default_rng(6)
    a, b, y = rng.normal(size=(7, 4)) / 3, rng.normal(size=(7, 3)), rng.normal(size=7)
    A = np.stack([np.outer(*pair) for pair in zip(a, b, strict=True)])
    return Fit(rs.Sensing(rs.RankOneOperators(a, b), y), _gradient_of_stack(A, y))


PAULI = {"I": np.eye(2), "X": np.eye(2)[::-1], "iY": np.array([[0.0, 1.0], [-1.0, 0.0]]), "Z": np.diag([1.0, -1.0])}
"""The Pauli matrices, Y times i so that all are real."""


def _pauli() -> Fit:
    y = np.random.default_rng(7).normal(size=6)
    I, X, iY, Z = PAULI.values()
    A = np.stack([np.kron(I, I), np.kron(Z, X), -np.kron(iY, iY), np.kron(iY, Z), np.kron(X, I), np.kron(I, iY)])
    return Fit(rs.Sensing(rs.PauliOperators(["II", "ZX", "YY", "YZ", "XI", "IY"]), y), _gradient_of_stack(A, y))


def _functions() -> Fit:
    """A circular blur of every row, of which every second number is seen."""
    kernel, y = np.random.default_rng(8).normal(size=(4, 4)) / 2, np.random.default_rng(9).normal(size=6)
    A = np.stack([np.outer(np.eye(3)[k // 2], kernel[:, 2 * (k % 2)]) for k in range(6)])
    operators = rs.FunctionOperators(
        lambda W: (W @ kernel)[:, ::2].reshape(-1),
        lambda z: z.reshape(3, 2) @ kernel.T[::2],
        shape=(3, 4),
    )
    return Fit(rs.Sensing(operators, y), _gradient_of_stack(A, y))


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
    "rank-one": _rank_one(),
    "pauli": _pauli(),
    "functions": _functions(),
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

    def engine_at_work(self) -> AbstractEngine:
        """The engine of the case, set up for this one run."""
        widths = chain_widths(self.fit.problem.shape, self.depth, self.width)
        setting = Setting(self.fit.problem, widths, self.initialization, self.dynamics, 3, self.dtype)
        return choose(setting, self.engine)[0]([setting])

    def reference_factors(self, steps: int = STEPS) -> list[np.ndarray]:
        """The factors after `steps` of the NumPy reference, from the same start."""
        factors, d = self.simulate(steps=0).factors, self.dynamics
        if isinstance(d, rs.GradientDescent):
            for _ in range(steps):
                factors = reference.gd_step(factors, self.fit.gradient, d.learning_rate, d.ridge)
            return factors
        problem, stream = self.fit.problem, Stream(3)
        draw = stream.draws if d.replacement else stream.shuffled
        if isinstance(problem, rs.Sensing):
            A, y = np.asarray(problem.operators), problem.measurements
            for batch in draw(0, steps * d.batch_size, len(y)).reshape(steps, d.batch_size):
                factors = reference.sensing_sgd_step(factors, A[batch], y[batch], len(y), d.learning_rate, d.ridge)
            return factors
        for batch in draw(0, steps * d.batch_size, len(problem.values)).reshape(steps, d.batch_size):
            entries = problem.rows[batch], problem.columns[batch], problem.values[batch]
            factors = reference.sgd_step(factors, *entries, d.learning_rate, d.ridge)
        return factors


def _widths(depth: int) -> dict[str, Any]:
    """Hidden widths: as wide as the matrix, narrower, and all different."""
    varied = [6, 3, 5, 2][: depth - 1]
    return {"equal": None} if depth == 1 else {"equal": None, "narrow": 2, "varied": varied}


def _matrix_cases() -> list[Case]:
    rates = {"sensing": 0.01, "rank-one": 0.005, "completion": 0.2}
    cases = []
    for fit_name, fit in FITS.items():
        dynamics = rs.GradientDescent(rates.get(fit_name, 0.02), ridge=0.01)
        for depth in (3,) if fit_name in ("rank-one", "pauli", "functions") else DEPTHS:
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


def _measurements_cases() -> list[Case]:
    variants = {
        "single": rs.SGD(0.003, ridge=0.01),
        "batch": rs.SGD(0.003, ridge=0.01, batch_size=3),
        "shuffled batch": rs.SGD(0.003, batch_size=4, replacement=False),
    }
    cases = []
    for variant, dynamics in variants.items():
        for fit_name in ("sensing", "rank-one", "pauli", "functions"):
            for depth in (2, 3) if fit_name == "sensing" else (3,):
                name = f"measurements-{variant}-{fit_name}-{depth}"
                if fit_name == "sensing" or variant == "batch":
                    cases.append(Case(name, "measurements", FITS[fit_name], depth, rs.Gaussian(0.5), dynamics))
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


_DOUBLE = [*_matrix_cases(), *_entrywise_cases(), *_measurements_cases(), *_spectral_cases()]

CASES = {case.name: case for case in [*_DOUBLE, *_in_float32(_DOUBLE)]}

ONE_OF_EACH = {
    "matrix": CASES["matrix-completion-3-equal"],
    "entrywise": CASES["entrywise-single-3-equal"],
    "measurements": CASES["measurements-batch-sensing-3"],
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
