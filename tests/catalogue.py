"""The catalogue: engines x problems x depths x widths x dtypes, as named cases.

Properties that hold for every engine are tested over it; a new engine or problem is a line of `LINES`, a new kind of
dynamics a function of `ORACLES` beside it.
"""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any
from unittest.mock import patch

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
    """A problem, and the gradient of its loss written out by hand, also that over a batch of its samples."""

    problem: Any
    gradient: Callable[[np.ndarray], np.ndarray]
    of_batch: Any = None


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


SAMPLES = np.random.default_rng(10).normal(size=(6, 4)) @ np.diag([1.0, 0.5, 2.0, 1.0])
"""Inputs that are not white."""


def _regression() -> Fit:
    Y = np.random.default_rng(11).normal(size=(6, 3))

    def of_batch(batch: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
        X, y = SAMPLES[batch], Y[batch]
        return lambda W: (W @ X.T - y.T) @ X / len(batch)

    return Fit(rs.Regression(SAMPLES, Y), of_batch(np.arange(6)), of_batch)


LABELS = np.array([1.0, -1.0, -1.0, 1.0, 1.0, -1.0])


def _classified(loss: str) -> Fit:
    slope = {"logistic": lambda m: 1 / (1 + np.exp(m)), "exponential": lambda m: np.exp(-m)}[loss]

    def of_batch(batch: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
        signed = LABELS[batch, None] * SAMPLES[batch]
        return lambda W: -(slope(signed @ W[0]) @ signed)[None] / len(batch)

    problem = rs.Classification(SAMPLES, LABELS, loss)  # pyright: ignore[reportArgumentType]
    return Fit(problem, of_batch(np.arange(6)), of_batch)


FITS = {
    "symmetric": _symmetric(),
    "rectangular": _rectangular(),
    "sensing": _sensing(),
    "rank-one": _rank_one(),
    "pauli": _pauli(),
    "functions": _functions(),
    "completion": _completion(),
    "objective": _objective(),
    "regression": _regression(),
    "logistic": _classified("logistic"),
    "exponential": _classified("exponential"),
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
        with small_stacks_are_large(self.engine):
            return rs.simulate(self.fit.problem, steps=steps, **(fixed | changes))

    def engine_at_work(self) -> AbstractEngine:
        """The engine of the case, set up for this one run."""
        widths = chain_widths(self.fit.problem.shape, self.depth, self.width)
        setting = Setting(self.fit.problem, widths, self.initialization, self.dynamics, 3, self.dtype)
        with small_stacks_are_large(self.engine):
            return choose(setting, self.engine)[0]([setting])

    def reference_factors(self, steps: int = STEPS) -> list[np.ndarray]:
        """The factors after `steps` of the NumPy reference, from the same start."""
        return ORACLES[type(self.dynamics)](self, self.simulate(steps=0).factors, steps)

    @property
    def tolerance(self) -> float:
        """What engine and reference may differ by, relative to the largest entry."""
        if self.engine == "flow":
            return 1e-8
        return 1e-13 if self.dtype == "float64" else 2e-6


def small_stacks_are_large(engine: str) -> Any:
    """The stack engine refuses small stacks of operators, which other engines run faster; here it takes any."""
    return patch("rankscape.engine.stack.engine.LARGE_STACK", 0) if engine == "stack" else nullcontext()


# -- the oracles, one for each kind of dynamics ------------------------------------------------------------


def _descended(case: Case, factors: list[np.ndarray], steps: int) -> list[np.ndarray]:
    eta = 0.0
    for k in range(steps):
        d = case.dynamics.at(k)
        if not isinstance(d.learning_rate, rs.rates.Curvature):
            eta = d.learning_rate
        elif k % d.learning_rate.refresh == 0:
            eta = d.learning_rate.safety / reference.curvature(
                factors, case.fit.gradient, case.fit.problem.shape, d.ridge
            )
        factors = reference.gd_step(factors, case.fit.gradient, eta, d.ridge)
    return factors


def _rolled(case: Case, factors: list[np.ndarray], steps: int) -> list[np.ndarray]:
    before = factors
    step = reference.heavy_ball_step if isinstance(case.dynamics, rs.HeavyBall) else reference.nesterov_step
    for k in range(steps):
        d = case.dynamics.at(k)
        new = step(factors, before, case.fit.gradient, d.learning_rate, d.momentum, d.ridge)
        factors, before = new, factors
    return factors


def _flowed(case: Case, factors: list[np.ndarray], steps: int) -> list[np.ndarray]:
    return reference.flow(factors, case.fit.gradient, case.dynamics.ridge, case.dynamics.time_step * steps)


def _drawn(case: Case, factors: list[np.ndarray], steps: int) -> list[np.ndarray]:
    problem, stream = case.fit.problem, Stream(3)
    if isinstance(problem, rs.Regression | rs.Classification):
        return _sampled(case, factors, steps)
    d, senses = case.dynamics, isinstance(problem, rs.Sensing)
    count = len(problem.measurements if senses else problem.values)
    batches = (stream.draws if d.replacement else stream.shuffled)(0, steps * d.batch_size, count)
    A = np.asarray(problem.operators) if senses else None
    for k, batch in enumerate(batches.reshape(steps, d.batch_size)):
        d = case.dynamics.at(k)
        if senses:
            numbers = A[batch], problem.measurements[batch], count
            factors = reference.sensing_sgd_step(factors, *numbers, d.learning_rate, d.ridge)
        else:
            entries = problem.rows[batch], problem.columns[batch], problem.values[batch]
            factors = reference.sgd_step(factors, *entries, d.learning_rate, d.ridge)
    return factors


def _sampled(case: Case, factors: list[np.ndarray], steps: int) -> list[np.ndarray]:
    """Batches of samples, each as a small problem of its own."""
    d, stream = case.dynamics, Stream(3)
    batches = (stream.draws if d.replacement else stream.shuffled)(0, steps * d.batch_size, len(SAMPLES))
    for k, batch in enumerate(batches.reshape(steps, d.batch_size)):
        now = case.dynamics.at(k)
        factors = reference.gd_step(factors, case.fit.of_batch(batch), now.learning_rate, now.ridge)
    return factors


ORACLES = {rs.GradientDescent: _descended, rs.HeavyBall: _rolled, rs.Nesterov: _rolled}
ORACLES |= {rs.SGD: _drawn, rs.GradientFlow: _flowed}


# -- the cases ---------------------------------------------------------------------------------------------

EQUAL, ALL = ("equal",), ("equal", "narrow", "varied")


def _width(name: str, depth: int) -> Any:
    """Hidden widths: as wide as the matrix, narrower, and all different."""
    return {"equal": None, "narrow": 2, "varied": [6, 3, 5, 2][: depth - 1], "wide": 6}[name] if depth > 1 else None


def cases(
    engine: str,
    fit: str,
    dynamics: Any,
    *,
    start: Any = None,
    label: str = "",
    depths: Sequence[int] = DEPTHS,
    widths: Sequence[str] = EQUAL,
) -> list[Case]:
    """The cases of one line of the catalogue; `start` may depend on the depth. Depth 3 is run in float32, too."""
    found = []
    for depth in depths:
        for width in widths if depth > 1 else widths[:1]:
            name = f"{engine}-{label or fit}-{depth}" + (f"-{width}" if len(widths) > 1 else "")
            first = start(depth) if callable(start) else start or rs.Gaussian(0.5)
            found.append(Case(name, engine, FITS[fit], depth, first, dynamics, _width(width, depth)))
    single = [replace(c, name=f"{c.name}-float32", dtype="float32") for c in found if c.depth == 3]
    return found + (single if engine != "flow" else [])


def _perturbed(depth: int) -> rs.PerturbedIdentical:
    return rs.PerturbedIdentical(0.4, 0.1, layer=(depth + 1) // 2)


DESCENT, ALIGNED = rs.GradientDescent(0.02, ridge=0.01), rs.Balanced(spectrum=[0.3, 0.1, 0.2])
HEAVY, AHEAD = rs.HeavyBall(0.01, 0.8, ridge=0.01), rs.Nesterov(0.01, 0.8, ridge=0.01)

# A new engine is one line here.
LINES = [
    cases("matrix", "completion", rs.GradientDescent(0.2, ridge=0.01), widths=ALL),
    cases("matrix", "completion", rs.HeavyBall(0.1, 0.8, ridge=0.01), label="heavy ball", depths=(1, 3)),
    cases("matrix", "completion", rs.Nesterov(0.1, 0.8, ridge=0.01), label="nesterov", depths=(1, 3)),
    cases("matrix", "rectangular", HEAVY, label="heavy ball rectangular", depths=(2, 5), widths=("varied",)),
    cases("matrix", "symmetric", DESCENT),
    cases("matrix", "rectangular", DESCENT, widths=ALL),
    cases("matrix", "sensing", rs.GradientDescent(0.01, ridge=0.01)),
    cases("matrix", "rank-one", rs.GradientDescent(0.005, ridge=0.01), depths=(3,)),
    cases("matrix", "pauli", DESCENT, depths=(3,)),
    cases("matrix", "functions", DESCENT, depths=(3,)),
    cases("matrix", "objective", DESCENT),
    cases("curvature", "sensing", rs.GradientDescent(rs.rates.Curvature(), ridge=0.01)),
    cases("entrywise", "completion", rs.SGD(0.05, ridge=0.01), label="single", widths=ALL),
    cases("entrywise", "completion", rs.SGD(0.05), label="no ridge", depths=(1, 3)),
    cases("entrywise", "completion", rs.SGD(0.05, ridge=0.01, batch_size=3), label="batch", depths=(1, 3)),
    cases("entrywise", "completion", rs.SGD(0.05, 0.01, replacement=False), label="shuffled", depths=(1, 3)),
    cases("entrywise", "completion", rs.SGD(0.05, 0.01, 4, replacement=False), label="shuffled batch", depths=(1, 3)),
    cases("measurements", "sensing", rs.SGD(0.003, 0.01, batch_size=3), label="batch-sensing", depths=(3, 2)),
    cases("measurements", "sensing", rs.SGD(0.003, 0.01), label="single-sensing", depths=(2, 3)),
    cases("measurements", "sensing", rs.SGD(0.003, 0, 4, replacement=False), label="shuffled-sensing", depths=(2, 3)),
    cases("measurements", "rank-one", rs.SGD(0.003, 0.01, 3), label="batch-rank-one", depths=(3,)),
    cases("measurements", "pauli", rs.SGD(0.003, 0.01, 3), label="batch-pauli", depths=(3,)),
    cases("measurements", "functions", rs.SGD(0.003, 0.01, 3), label="batch-functions", depths=(3,)),
    cases("matrix", "regression", rs.GradientDescent(0.05, weight_decay=0.02), depths=(1, 3)),
    cases("matrix", "logistic", rs.GradientDescent(0.1, ridge=0.01), depths=(1, 3)),
    cases("matrix", "exponential", rs.GradientDescent(0.05, ridge=0.01), depths=(3,)),
    cases("samples", "regression", rs.SGD(0.02, ridge=0.01), label="single", widths=ALL),
    cases("samples", "regression", rs.SGD(0.02), label="no ridge", depths=(3,)),
    cases("samples", "regression", rs.SGD(0.02, 0.01, 5), label="batch", widths=ALL),
    cases("samples", "regression", rs.SGD(0.02, 0.01, replacement=False), label="shuffled", depths=(1, 3)),
    cases("samples", "regression", rs.SGD(0.02, 0.01, 4, replacement=False), label="shuffled batch", depths=(3,)),
    cases("samples", "logistic", rs.SGD(0.05, ridge=0.01), label="single-logistic", depths=(1, 3)),
    cases("samples", "exponential", rs.SGD(0.02, 0.01, 3), label="batch-exponential", depths=(2, 3)),
    cases("samples", "rank-one", rs.SGD(0.003, 0.01), label="single-rank-one", depths=(1, 2, 3)),
    cases("samples", "rank-one", rs.SGD(0.003, 0.01, 3), label="batch-rank-one", depths=(3,)),
    cases("flow", "regression", rs.GradientFlow(0.05, ridge=0.01), label="regression", depths=(3,)),
    cases("spectral", "symmetric", DESCENT, start=_perturbed, label="perturbed"),
    cases("spectral", "symmetric", DESCENT, start=rs.Identical(0.4), label="identical"),
    cases("spectral", "rectangular", DESCENT, start=ALIGNED, label="aligned", widths=("wide",)),
    cases("spectral", "symmetric", HEAVY, start=_perturbed, label="heavy ball", depths=(2, 3)),
    cases("spectral", "symmetric", AHEAD, start=_perturbed, label="nesterov", depths=(2, 3)),
    cases("spectral", "rectangular", HEAVY, start=ALIGNED, label="heavy ball aligned", depths=(3,), widths=("wide",)),
    cases("stack", "sensing", rs.GradientDescent(0.01, ridge=0.01), depths=(2, 3)),
    cases("stack", "sensing", rs.HeavyBall(0.005, 0.8, ridge=0.01), label="heavy ball", depths=(3,)),
    cases("stack", "sensing", rs.Nesterov(0.005, 0.8, ridge=0.01), label="nesterov", depths=(3,)),
    cases("flow", "completion", rs.GradientFlow(0.05, ridge=0.01), label="factors", depths=(3,)),
    cases("flow", "symmetric", rs.GradientFlow(0.02, ridge=0.01), start=_perturbed, label="modes", depths=(3,)),
    cases("flow", "symmetric", rs.GradientFlow(0.05), start=_perturbed, label="closed form", depths=(1, 2)),
]

CASES = {case.name: case for line in LINES for case in line}

ONE_OF_EACH: dict[str, Case] = {}
"""The first case of depth 3 of each engine and kind of dynamics, where one is enough."""

for case in CASES.values():
    if case.depth == 3 and all(
        (case.engine, type(case.dynamics)) != (known.engine, type(known.dynamics)) for known in ONE_OF_EACH.values()
    ):
        kind = f"{case.engine}-{type(case.dynamics).__name__}"
        ONE_OF_EACH[kind if case.engine in ONE_OF_EACH else case.engine] = case


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
