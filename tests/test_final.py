"""Abstract or final: a class of settings is not subclassed into silence, and what may be subclassed is open."""

import importlib
import inspect
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
import pytest
import reference
from catalogue import distance

import rankscape as rs
from rankscape.dynamics import AbstractDynamics
from rankscape.engine import AbstractEngine
from rankscape.engine.choose import ENGINES
from rankscape.errors import FinalClassError, InputError
from rankscape.factorization import factor_shapes
from rankscape.initialization import AbstractInitialization
from rankscape.problem import AbstractOperators, AbstractProblem
from rankscape.run.watchers.base import AbstractWatcher
from rankscape.run.watchers.stopping import AbstractRule

# What comes back from a call. Every other public class is one of settings.
RESULTS = {
    "Annealed", "CompletedMatrix", "JumpProbability", "JumpRate", "Minimum", "Outcome", "Relaxed", "Sweep",
    "Trajectory",
}  # fmt: skip

OPEN = [
    AbstractDynamics, AbstractEngine, AbstractInitialization, AbstractOperators, AbstractProblem, AbstractRule,
    AbstractWatcher,
]  # fmt: skip

for module, _ in ENGINES.values():
    importlib.import_module(module)


def _ours(base: type) -> list[type]:
    """All classes of the library below an abstract one."""
    below = [cls for cls in base.__subclasses__() if cls.__module__.startswith("rankscape.")]
    return [cls for child in below for cls in [child, *_ours(child)]]


PUBLIC = [getattr(rs, name) for name in rs.__all__ if inspect.isclass(getattr(rs, name)) and name not in RESULTS]
BELOW = [cls for base in OPEN for cls in _ours(base) if not cls.__name__.startswith("_")]
SETTINGS = {f"{cls.__module__}.{cls.__name__}": cls for cls in [*PUBLIC, *BELOW, rs.rates.Path] if cls not in OPEN}


@pytest.mark.parametrize("cls", SETTINGS.values(), ids=SETTINGS.keys())
def test_a_settings_class_refuses_to_be_subclassed_and_says_what_to_do_instead(cls):
    base = next((base for base in OPEN if issubclass(cls, base)), None)
    remedy = "Hold one as a field instead" if base is None else f"Subclass {base.__name__} instead"
    with pytest.raises(FinalClassError, match=f"{cls.__name__} is final.* {remedy}"):
        type("Mine", (cls,), {})


def test_momentum_is_not_smuggled_into_gradient_descent():
    with pytest.raises(FinalClassError, match=r"GradientDescent is final.*AbstractDynamics"):
        type("HeavyBall", (rs.GradientDescent,), {})


@pytest.mark.parametrize("base", OPEN, ids=lambda base: base.__name__)
def test_an_abstract_class_is_open_and_says_how_to_use_it(base):
    assert issubclass(type("Mine", (base,), {}), base)
    assert "Subclass it" in base.__doc__


def test_dynamics_that_no_engine_knows_are_refused_by_each_with_a_sentence():
    @dataclass(frozen=True)
    class Still(AbstractDynamics):
        """Nothing moves."""

    setting = dict(depth=2, initialization=rs.Gaussian(0.1), dynamics=Still(), steps=1)
    with pytest.raises(InputError, match="No engine can run this") as refused:
        rs.simulate(rs.Estimation(np.eye(2)), **setting)
    assert all(f"not {name}: its dynamics are Still" in str(refused.value) for name in ENGINES)


@dataclass(frozen=True, eq=False)
class Absolute(AbstractProblem):
    """A loss that the library does not have: the sum of ``log cosh (W - target)``."""

    target: np.ndarray
    arrays = data = ("target",)

    @property
    def shape(self):
        return self.target.shape

    def loss(self, W):
        d = W - self.target
        return (abs(d) + jnp.log1p(jnp.exp(-2 * abs(d))) - jnp.log(2.0)).sum()

    def gradient(self, W):
        return jnp.tanh(W - self.target)


@dataclass(frozen=True)
class Ones(AbstractInitialization):
    """All entries of all factors are the same."""

    value: float

    def factors(self, problem, widths, stream):
        return [np.full(shape, self.value) for shape in factor_shapes(widths)]


@dataclass(frozen=True, eq=False, repr=False)
class Columns(AbstractOperators):
    """The sums of single columns."""

    table: np.ndarray
    shape: tuple[int, int]

    def apply(self, W):
        return W.sum(0)[self.table]

    def adjoint(self, z):
        return jnp.zeros(self.shape).at[:, self.table].add(z[None])

    def flops(self):
        return float(self.shape[0] * len(self.table))


def test_a_problem_and_a_start_of_ones_own_run():
    target = np.random.default_rng(0).normal(size=(3, 4))
    setting = dict(depth=2, initialization=Ones(0.3), dynamics=rs.GradientDescent(0.05), steps=50)
    run = rs.simulate(Absolute(target), **setting)
    factors = [np.full((4, 4), 0.3), np.full((3, 4), 0.3)]
    for _ in range(50):
        factors = reference.gd_step(factors, lambda W: np.tanh(W - target), 0.05, 0.0)
    assert distance(run.factors, factors) < 1e-13
    assert run.configuration["initialization"] == [{"kind": "Ones", "value": 0.3}]


def test_operators_of_ones_own_measure():
    operators, y = Columns(np.array([2, 0]), (3, 4)), np.array([1.0, -2.0])
    setting = dict(depth=1, initialization=rs.Gaussian(0.1), dynamics=rs.GradientDescent(0.2), steps=400)
    run = rs.simulate(rs.Sensing(operators, y), **setting)
    np.testing.assert_allclose(run.product.sum(0)[[2, 0]], y, rtol=1e-12)
