"""The list of minima: all of those that theory knows, each at rest and certified; relaxation says what it cannot do."""

import jax.numpy as jnp
import numpy as np
import pytest

import rankscape as rs
from rankscape.errors import InputError
from rankscape.theory.landscape import local_minima


@pytest.mark.parametrize(("depth", "target"), [(3, [3.0, 2.0, 1.0]), (4, [3.0, 2.0])])
def test_of_a_seen_matrix_all_minima_are_found(depth, target):
    found = rs.minima(rs.Estimation(np.diag(target)), 0.09, depth, restarts=3)
    minima = local_minima(target, depth, 0.09)
    known = [np.pad(m.singular_values, (0, len(target) - len(m.singular_values))) for m in minima]
    value = lambda s: 0.5 * np.sum((s - target) ** 2) + 0.09 * depth * np.sum(s ** (2 / depth))
    np.testing.assert_allclose([m.objective for m in found], sorted(map(value, known)), rtol=1e-9)
    assert {m.kind for m in found} == {"strict minimum"}
    assert sum(m.found for m in found) >= 3


def test_at_depth_two_there_is_one():
    found = rs.minima(rs.Estimation(np.diag([3.0, 2.0])), 0.1, 2, restarts=4)
    assert [m.rank for m in found] == [2]
    np.testing.assert_allclose(found[0].singular_values, [2.8, 1.8], rtol=1e-7)


def test_the_trap_of_a_partly_seen_matrix_is_among_them():
    lab = rs.data.planted(seed=0)
    ridge = rs.rates.convert(0.4, lab.problem, value="ridge * m")
    found = rs.minima(lab.problem, ridge, restarts=4, largest_rank=4)
    trap = rs.relax(lab.problem, lab.start(), ridge)
    assert min(np.linalg.norm(rs.product(trap.factors) - m.product) for m in found if m.rank == 3) < 1e-4
    assert [m.objective for m in found] == sorted(m.objective for m in found)
    for m in found:
        assert m.kind == "strict minimum"
        assert m.gradient < 1e-7
        assert m.loss == pytest.approx(lab.problem.loss(m.product))
        assert [W.shape[0] for W in m.factors[:-1]] == [max(m.rank, 1)] * 2


def test_a_descent_ends_where_it_is_told_to_stop():
    lab = rs.data.planted(seed=0)
    asked = []

    def stop() -> bool:
        asked.append(None)
        return len(asked) > 40

    whole, free = (rs.relax(lab.problem, lab.start(), 1e-3, stop=until) for until in (lambda: False, None))
    for mine, theirs in zip(whole.factors, free.factors, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    some = rs.relax(lab.problem, lab.start(), 1e-3, stop=stop)
    assert whole.converged
    assert not some.converged
    assert some.steps < whole.steps
    start = lab.start()
    of = lambda factors: lab.problem.loss(rs.product(factors)) + 1e-3 * sum(float(np.sum(W**2)) for W in factors)
    assert of(some.factors) < of(start)  # it went down as far as it came


def test_only_what_the_hessian_knows_is_certified():
    with pytest.raises(InputError, match="certifies by the Hessian of a Completion or an Estimation, got Regression"):
        rs.minima(rs.Regression([[1.0]], [[1.0]]), 0.1)


def test_a_loss_without_a_gradient_is_refused():
    rough = rs.Objective(lambda W: jnp.sqrt(jnp.abs(W)).sum(), shape=(2, 2))
    with pytest.raises(InputError, match=r"needs a finite loss and gradient.*differentiable"):
        rs.relax(rough, [np.zeros((2, 2))] * 2, 0.1)
