"""Sensing: what operators measure, what engines do with them, and that the ranks climb here as well."""

import tracemalloc
from functools import reduce

import jax.numpy as jnp
import numpy as np
import pytest
import reference
from catalogue import identical
from hypothesis import given
from hypothesis import strategies as st

import rankscape as rs
from rankscape.engine.stack import gradients
from rankscape.errors import CheckpointMismatch, InputError
from rankscape.ground.stream import Stream

SYMMETRIC = np.array([[2.0, 1.0, 0.0, 0.5], [1.0, 0.0, 0.3, 0.0], [0.0, 0.3, -1.0, 0.2], [0.5, 0.0, 0.2, 0.7]])


def _every_second_column():
    """Reads every second entry, through functions."""
    return rs.FunctionOperators(
        lambda W: W[:, ::2].reshape(-1),
        lambda z: jnp.zeros((4, 4), z.dtype).at[:, ::2].set(z.reshape(4, 2)),
        shape=(4, 4),
    )


FAMILIES = {
    "dense": rs.DenseOperators.gaussian(9, (4, 4), seed=1),
    "rank-one": rs.RankOneOperators.gaussian(9, (4, 4), seed=1),
    "pauli": rs.PauliOperators.random(9, (4, 4), seed=1),
    "functions": _every_second_column(),
}
every_family = pytest.mark.parametrize("operators", FAMILIES.values(), ids=FAMILIES.keys())


# -- operators -------------------------------------------------------------------------------------------


@every_family
def test_apply_and_adjoint_are_those_of_the_stack(operators, rng):
    stack, W, z = np.asarray(operators), rng.normal(size=(4, 4)), rng.normal(size=len(operators))
    np.testing.assert_allclose(operators.apply(W), np.einsum("kij,ij->k", stack, W), atol=1e-14)
    np.testing.assert_allclose(operators.adjoint(z), np.einsum("kij,k->ij", stack, z), atol=1e-14)


@given(st.integers(1, 6), st.integers(1, 5), st.integers(1, 5), st.integers(0, 2**32))
def test_rank_one_operators_are_outer_products(count, n_out, n_in, seed):
    a, b = (np.random.default_rng([seed, k]).normal(size=(count, n)) for k, n in enumerate((n_out, n_in)))
    stack = np.stack([np.outer(*pair) for pair in zip(a, b, strict=True)])
    np.testing.assert_allclose(np.asarray(rs.RankOneOperators(a, b)), stack, atol=1e-14)


PAULI = {
    "I": np.eye(2),
    "X": np.array([[0, 1], [1, 0]]),
    "Y": np.array([[0, -1j], [1j, 0]]),
    "Z": np.diag([1, -1]),
}


@given(st.integers(1, 4).flatmap(lambda q: st.lists(st.text("IXYZ", min_size=q, max_size=q), min_size=1, max_size=5)))
def test_a_pauli_string_is_the_tensor_product_or_i_times_it(words):
    operators = rs.PauliOperators(words)
    assert operators.strings() == words
    for word, A in zip(words, np.asarray(operators), strict=True):
        P = reduce(np.kron, [PAULI[letter] for letter in word])
        np.testing.assert_array_equal(A, 1j * P if word.count("Y") % 2 else P)


def test_all_pauli_strings_together_measure_without_distortion(rng):
    W = rng.normal(size=(8, 8))
    everything = rs.PauliOperators.random(64, (8, 8))
    np.testing.assert_allclose(everything.adjoint(everything.apply(W)), W, atol=1e-13)
    symmetric = rs.PauliOperators.random(36, (8, 8), symmetric=True)
    assert all(word.count("Y") % 2 == 0 for word in symmetric.strings())
    np.testing.assert_allclose(symmetric.adjoint(symmetric.apply(W)), (W + W.T) / 2, atol=1e-13)


@pytest.mark.parametrize("family", [rs.DenseOperators.gaussian, rs.RankOneOperators.gaussian, rs.PauliOperators.random])
def test_normalized_operators_keep_the_norm_on_average(family, rng):
    W = rng.normal(size=(4, 4))
    ratios = [np.sum(family(10, (4, 4), seed=k).apply(W) ** 2) / np.sum(W**2) for k in range(400)]
    assert abs(np.mean(ratios) - 1) < 4 * np.std(ratios) / 20
    one, normalized = (family(10, (4, 4), normalize=n).apply(W) for n in (False, True))
    assert np.ptp(one / normalized) < 1e-12 * np.max(one / normalized)


def test_operators_and_the_start_of_a_run_with_the_same_seed_are_independent():
    drawn, start = rs.DenseOperators.gaussian(4, (4, 4), seed=3, normalize=False), Stream(3)
    for part in range(5):
        assert not np.intersect1d(drawn.table, start.normal((64,), part)).size


def test_large_operators_are_never_formed(rng):
    n, m = 256, 2000  # a stack would take 1 GB
    W = rng.normal(size=(n, n))
    for problem in (rs.Sensing.rank_one(W, m), rs.Sensing.pauli(W, m)):
        tracemalloc.start()
        problem.gradient(W)
        problem.split(0.2)
        problem.smoothness()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 50e6


# -- the problem -----------------------------------------------------------------------------------------


@every_family
def test_the_problem_of_a_family_is_that_of_its_stack(operators, rng):
    W, factors = rng.normal(size=(4, 4)), [rng.normal(size=(4, 4)) for _ in range(2)]
    problem = rs.Sensing.of(SYMMETRIC, operators, noise=0.1, seed=2)
    dense = rs.Sensing(np.asarray(operators), problem.measurements)
    flat = np.asarray(operators).reshape(len(operators), -1)
    least_squares = np.linalg.pinv(flat) @ problem.measurements
    assert problem.loss(W) == pytest.approx(0.5 * np.sum((flat @ W.ravel() - problem.measurements) ** 2), rel=1e-12)
    np.testing.assert_allclose(problem.gradient(W), dense.gradient(W), atol=1e-13)
    assert problem.smoothness() == pytest.approx(np.linalg.norm(flat, 2) ** 2, rel=1e-9)
    largest = (flat**2).sum(axis=1).max()
    assert largest * (1 - 1e-12) <= problem.sample_smoothness() / len(flat) <= problem.smoothness() * (1 + 1e-9)
    if not isinstance(operators, rs.FunctionOperators):
        assert problem.sample_smoothness() == pytest.approx(len(flat) * largest, rel=1e-12)
    assert problem.scale() == pytest.approx(np.linalg.norm(least_squares.reshape(4, 4), 2), rel=1e-6)
    part, dense_part = problem.split(0.4, seed=5), dense.split(0.4, seed=5)
    assert part.heldout_loss_of_factors(factors) == pytest.approx(dense_part.heldout_loss_of_factors(factors))
    assert part.loss(W) + part.heldout.loss(W) == pytest.approx(problem.loss(W), rel=1e-12)
    assert len(part.measurements) + len(part.heldout.measurements) == len(problem.measurements)


def test_noise_has_the_stated_size():
    clean, noisy = (rs.Sensing.gaussian(SYMMETRIC, 4000, noise=noise, seed=1) for noise in (0.0, 0.3))
    assert np.std(noisy.measurements - clean.measurements) == pytest.approx(0.3, rel=0.05)


def test_a_description_tells_problems_apart():
    y = np.ones(9)
    problems = [rs.Sensing(FAMILIES[name], y[: len(FAMILIES[name])]) for name in FAMILIES]
    problems += [
        rs.Sensing(rs.DenseOperators.gaussian(9, (4, 4), seed=2), y),
        rs.Sensing(rs.PauliOperators.random(9, (4, 4), seed=1, normalize=False), y),
        rs.Sensing(rs.FunctionOperators(lambda W: W[:, :2].reshape(-1),
                                        lambda z: jnp.zeros((4, 4), z.dtype).at[:, :2].set(z.reshape(4, 2)),
                                        (4, 4)), y[:8]),
    ]  # fmt: skip
    described = [str(problem.describe()) for problem in problems]
    assert len(set(described)) == len(described)
    again = rs.Sensing(rs.DenseOperators.gaussian(9, (4, 4), seed=1), y)
    assert str(again.describe()) == described[0]


def test_all_pauli_strings_give_the_run_of_the_whole_matrix():
    settings = dict(depth=3, initialization=rs.Identical(0.3), dynamics=rs.GradientDescent(0.05), steps=200)
    seen = rs.simulate(rs.Sensing.pauli(SYMMETRIC, 16), **settings)
    whole = rs.simulate(rs.Estimation(SYMMETRIC), engine="matrix", **settings)
    np.testing.assert_allclose(seen.product, whole.product, atol=1e-12)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: rs.Sensing(FAMILIES["rank-one"], [1.0]), "9 operators but 1 measurements"),
        (lambda: rs.Sensing.of(np.eye(3), FAMILIES["pauli"]), r"shape \(4, 4\), `target` has shape \(3, 3\)"),
        (lambda: rs.Sensing.gaussian(np.ones(3), 5), "`shape` must be two numbers"),
        (lambda: rs.Sensing.gaussian(np.eye(3), 0), "`count` must be a whole number"),
        (lambda: rs.Sensing.rank_one(np.eye(3), 5, noise=-1.0), "`noise` must be zero or positive"),
        (lambda: rs.Sensing.rank_one(np.eye(3), 5, seed=-1), "`seed` must be a whole number"),
        (lambda: rs.RankOneOperators(np.ones((2, 3)), np.ones((3, 3))), "`left` has 2 rows but `right` has 3"),
        (lambda: rs.RankOneOperators([[np.nan]], [[1.0]]), r"`left` holds nan at position \(0, 0\)"),
        (lambda: rs.PauliOperators([]), "`strings` is empty"),
        (lambda: rs.PauliOperators(["XA"]), "'XA' is not a Pauli string"),
        (lambda: rs.PauliOperators(["XX", "X"]), "'X' has 1 letters, the first one has 2"),
        (lambda: rs.Sensing.pauli(np.eye(6), 5), r"a power of two, not \(6, 6\)"),
        (lambda: rs.Sensing.pauli(np.ones((4, 2)), 5), r"a power of two, not \(4, 2\)"),
        (lambda: rs.Sensing.pauli(np.eye(4), 11, symmetric=True), "only 10 symmetric Pauli strings"),
        (lambda: rs.FunctionOperators(None, np.sum, (2, 2)), "`forward` must be a function"),
        (lambda: rs.FunctionOperators(lambda W: W, lambda z: z, (2, 2)), r"`forward` must return .* not \(2, 2\)"),
        (lambda: rs.FunctionOperators(lambda W: W[0], lambda z: z, (2, 2)), r"matrix of shape \(2, 2\), not \(2,\)"),
        (lambda: rs.FunctionOperators(lambda W: W @ np.ones((3, 3)), None, (2, 2)), "`backward` must be a function"),
        (lambda: rs.FunctionOperators(lambda W: W @ np.ones(3), np.sum, (2, 2)), "`forward` cannot take an array"),
        (lambda: rs.FunctionOperators(lambda W: np.linalg.svd(W)[1], np.sum, (2, 2)), "cannot be compiled by JAX"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_with_the_reason(make, message):
    with pytest.raises(InputError, match=message):
        make()


@pytest.mark.parametrize("wrong", [lambda z: 2 * jnp.diag(z), lambda z: jnp.diag(z[::-1])], ids=["scaled", "reversed"])
def test_functions_that_are_not_adjoint_are_refused_with_the_difference(wrong):
    rs.FunctionOperators(jnp.diag, jnp.diag, (3, 3))
    with pytest.raises(InputError, match=r"<A\(W\), z> = .* but <W, A\*\(z\)> = .*difference of [0-9.e-]+ where 1e-08"):
        rs.FunctionOperators(jnp.diag, wrong, (3, 3))


# -- gradient descent on a stack that exceeds the cache --------------------------------------------------


@pytest.fixture
def no_cache(monkeypatch):
    """Let small stacks count as large."""
    monkeypatch.setattr("rankscape.engine.stack.engine.LARGE_STACK", 0)


TALL = rs.Sensing.gaussian(np.diag([2.0, 1.0, 0.0, 0.0])[:, :3], count=19, seed=4)  # 19: two blocks of rows and a rest


def _descend(problem=TALL, engine="auto", **changes):
    fixed = dict(depth=3, initialization=rs.Gaussian(0.3), dynamics=rs.GradientDescent(0.03, ridge=0.01), steps=60)
    return rs.simulate(problem, engine=engine, **(fixed | dict(record=[0, 60], seed=3) | changes))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_kernel_gives_a_lane_the_same_bits_whatever_the_width(dtype, rng):
    flat, y, W = (rng.normal(size=shape).astype(dtype) for shape in ((37, 101), (37,), (101, 8)))
    together = gradients.gradients(flat, y, W)
    expected = flat.T.astype(float) @ (flat.astype(float) @ W - y[:, None])
    np.testing.assert_allclose(together, expected, rtol=0, atol=50 * np.finfo(dtype).eps * np.abs(expected).max())
    for width in gradients.WIDTHS:
        for first in range(0, 8, width):
            part = np.ascontiguousarray(W[:, first : first + width])
            np.testing.assert_array_equal(gradients.gradients(flat, y, part), together[:, first : first + width])


def test_the_kernel_keeps_infinity_in_its_lane(rng):
    flat, y, W = rng.normal(size=(9, 5)), rng.normal(size=9), rng.normal(size=(5, 4))
    spoilt = W.copy()
    spoilt[2, 1] = np.inf
    one, other = gradients.gradients(flat, y, W), gradients.gradients(flat, y, spoilt)
    assert not np.isfinite(other[:, 1]).any()
    np.testing.assert_array_equal(np.delete(one, 1, axis=1), np.delete(other, 1, axis=1))


def test_arrays_that_the_kernel_would_misread_are_refused(rng):
    flat, y, W = rng.normal(size=(9, 5)), rng.normal(size=9), rng.normal(size=(5, 4))
    for arrays in ((flat[:, :4], y, W), (flat, y[:8], W), (flat, y, W[:, :3].copy()), (flat, y.astype("f4"), W)):
        with pytest.raises(ValueError, match="A contiguous array"):
            gradients.gradients(*arrays)


@pytest.mark.usefixtures("no_cache")
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-13), ("float32", 2e-6)])
@pytest.mark.parametrize("depth", [1, 2, 4])
def test_the_stack_engine_agrees_with_the_reference_step(depth, dtype, tolerance):
    run, factors = _descend(depth=depth, dtype=dtype), _descend(depth=depth, dtype=dtype, steps=0, record=[0]).factors
    assert run.dataset.attrs["engine"] == "stack"
    for _ in range(60):
        factors = reference.gd_step(factors, TALL.gradient, 0.03, 0.01)
    for mine, expected in zip(run.factors, factors, strict=True):
        np.testing.assert_allclose(mine, expected, rtol=0, atol=tolerance * np.abs(expected).max())


@pytest.mark.usefixtures("no_cache")
@pytest.mark.parametrize("runs", [2, 3, 8, 13])
def test_a_run_beside_others_on_one_stack_is_the_single_run(runs):
    rates = [rs.GradientDescent(0.03 / (1 + k), ridge=0.001 * k) for k in range(runs)]
    batch = _descend(seed=list(range(runs)), dynamics=rates)
    for k in (0, runs // 2, runs - 1):
        assert identical(batch.all_factors[k], _descend(seed=k, dynamics=rates[k]).factors)


@pytest.mark.usefixtures("no_cache")
def test_a_run_that_diverges_leaves_the_others_on_its_stack_alone():
    with pytest.warns(rs.errors.DivergenceWarning, match="Lower the learning rate"):
        batch = _descend(dynamics=[rs.GradientDescent(0.03), rs.GradientDescent(9.0)], seed=[3, 3])
    assert identical(batch.all_factors[0], _descend(dynamics=rs.GradientDescent(0.03)).factors)


@pytest.mark.usefixtures("no_cache", "short_chunks")
def test_an_interrupted_run_on_a_stack_ends_like_an_undisturbed_one(tmp_path):
    def interrupt(step, *_):
        if step >= 24:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _descend(seed=[3, 4], checkpoint=tmp_path / "run.npz", progress=interrupt)
    resumed = _descend(seed=[3, 4], checkpoint=tmp_path / "run.npz")
    often = _descend(seed=[3, 4], record=rs.Every(7))
    for k in range(2):
        assert identical(resumed.all_factors[k], often.all_factors[k])
    with pytest.raises(CheckpointMismatch):
        _descend(rs.Sensing.gaussian(np.eye(4)[:, :3], 19), seed=[3, 4], checkpoint=tmp_path / "run.npz")


def test_small_stacks_and_other_operators_stay_with_the_matrix_engine():
    assert "not stack: its operators are smaller than 32 MB" in _descend().dataset.attrs["engine_why"]
    with pytest.raises(InputError, match="no stack of dense operators"):
        _descend(rs.Sensing.rank_one(np.eye(4), 9), engine="stack")


@every_family
@pytest.mark.parametrize("dynamics", [rs.GradientDescent(0.03), rs.SGD(0.01, batch_size=3)], ids=["gd", "sgd"])
def test_runs_that_are_taken_together_as_on_a_gpu_are_those_taken_alone(operators, dynamics, monkeypatch):
    problem = rs.Sensing.of(SYMMETRIC, operators)
    alone = _descend(problem, dynamics=dynamics, seed=[1, 2, 3])
    for engine in ("matrix", "measurements"):
        monkeypatch.setattr(f"rankscape.engine.{engine}.on_gpu", lambda: True)
    together = _descend(problem, dynamics=dynamics, seed=[1, 2, 3])
    for mine, expected in zip(together.all_factors, alone.all_factors, strict=True):
        for W, V in zip(mine, expected, strict=True):
            np.testing.assert_allclose(W, V, atol=1e-12)


# -- SGD over measurements -------------------------------------------------------------------------------


@every_family
def test_a_step_of_sgd_is_the_step_of_gradient_descent_on_average(operators):
    problem = rs.Sensing.of(SYMMETRIC, operators)
    count = len(problem.measurements)
    settings = dict(depth=2, initialization=rs.Gaussian(0.5), seed=7)
    start = rs.simulate(problem, dynamics=rs.GradientDescent(0.1), steps=0, **settings)
    full = rs.simulate(problem, dynamics=rs.GradientDescent(0.1, ridge=0.1), steps=1, **settings)
    epoch = Stream(7).shuffled(0, count, count)
    assert sorted(epoch) == list(range(count))
    total = [np.zeros_like(W) for W in start.factors]
    for k in range(count):  # one measurement each, all from the same start
        one = rs.Sensing(operators.take(epoch[k : k + 1]), problem.measurements[epoch[k : k + 1]])
        step = rs.simulate(one, dynamics=rs.SGD(0.1 * count, ridge=0.1 / count), steps=1, depth=2,
                           initialization=rs.Factors(start.factors))  # fmt: skip
        total = [T + W / count for T, W in zip(total, step.factors, strict=True)]
    for mean, expected in zip(total, full.factors, strict=True):
        np.testing.assert_allclose(mean, expected, atol=1e-13)


def test_batches_of_all_measurements_are_gradient_descent():
    sgd = _descend(dynamics=rs.SGD(0.03, ridge=0.01, batch_size=19, replacement=False))
    assert sgd.dataset.attrs["engine"] == "measurements"
    for mine, expected in zip(sgd.factors, _descend().factors, strict=True):
        np.testing.assert_allclose(mine, expected, atol=1e-13)


def test_blocks_of_batches_leave_no_trace(monkeypatch):
    whole = _descend(dynamics=rs.SGD(0.01, batch_size=3))
    monkeypatch.setattr("rankscape.engine.measurements.STEPS_AT_ONCE", 7)
    assert identical(_descend(dynamics=rs.SGD(0.01, batch_size=3)).factors, whole.factors)


# -- the same picture ------------------------------------------------------------------------------------


def _cosines(n):
    """The orthonormal cosine basis, one vector a column."""
    i = np.arange(n)
    V = np.sqrt(2 / n) * np.cos(np.pi * (2 * i[:, None] + 1) * i / (2 * n))
    V[:, 0] /= np.sqrt(2)
    return V


V = _cosines(10)
RANK_TWO = np.outer(V[:, 1], V[:, 1]) + 0.6 * np.outer(V[:, 2], V[:, 2])  # effective rank 1.6


def _errors(target):
    return {"error": lambda factors: np.linalg.norm(rs.product(factors) - target) / np.linalg.norm(target)}


@pytest.mark.parametrize(
    ("depth", "scale", "rate", "steps"), [(2, 1e-3, 0.01, 700), (3, 0.05, 0.005, 2000), (4, 0.1, 0.004, 2200)]
)
def test_small_random_starts_pass_the_plateaus_in_order(depth, scale, rate, steps):
    target = np.diag([5.0, 3.0, 1.5] + [0.0] * 7)
    runs = rs.simulate(
        rs.Estimation(target), depth=depth, initialization=rs.Gaussian(scale), dynamics=rs.GradientDescent(rate),
        steps=steps, record=rs.Every(10), seed=[1, 2, 3],
    )  # fmt: skip
    for run in runs.dataset.effective_rank.transpose("run", "step").values:
        lowest = int(run.argmin())
        assert run[0] > 2.4  # no plateau yet: a random product has many directions
        assert np.all(run[:lowest] > run[lowest])
        plateaus = [np.flatnonzero(abs(run[lowest:] - rank) < 0.05) for rank in (1.0, 1.6, 1.9)]
        assert all(len(plateau) >= 4 for plateau in plateaus)
        assert np.all(np.diff([np.median(plateau) for plateau in plateaus]) > 0)
        assert np.all(np.diff(run[lowest:]) > -1e-2)
        assert run[-1] == pytest.approx(1.9, abs=0.01)


def test_small_random_starts_are_learned_when_the_growth_rate_says():
    """For depth 2, W grows as ``scale^2 exp(2 sigma_1 t)``: escape near ``ln(sigma_1 / scale^2) / (2 sigma_1)``."""
    runs = rs.simulate(
        rs.Estimation(np.diag([2.0, 1.0] + [0.0] * 8)), depth=2, initialization=rs.Gaussian(1e-3),
        dynamics=rs.GradientDescent(0.02), steps=400, record=rs.Every(1), seed=list(range(10)),
    )  # fmt: skip
    sigma = runs.dataset.singular_values.transpose("run", "index", "step").values
    for i, value in enumerate([2.0, 1.0]):
        half = np.argmax(sigma[:, i] >= value / 2, axis=1)
        predicted = np.log(value / 1e-6) / (2 * value) / 0.02
        assert np.all(abs(half / predicted - 1) < 0.25)


def test_sensing_first_lowers_the_rank_then_raises_it_and_depth_helps_near_the_threshold():
    problem = rs.Sensing.gaussian(RANK_TWO, count=45, seed=0)
    errors = []
    for depth, alpha, steps in ((2, 0.01, 10_000), (3, 0.1, 10_000), (4, 0.2, 20_000)):
        run = rs.simulate(
            problem, depth=depth, initialization=rs.Identical(alpha), dynamics=rs.GradientDescent(0.05), steps=steps,
            record=rs.Every(50), observe=_errors(RANK_TWO),
        ).dataset  # fmt: skip
        rank = run.effective_rank.values
        assert rank[0] == pytest.approx(10)
        assert 1.0 < rank.min() < 1.35
        errors.append(run.error.values[-1])
    assert rank[-1] == pytest.approx(1.6, abs=0.03)
    assert errors[0] > 5 * errors[1] > 5 * errors[2]
    flat = problem.table.reshape(45, -1)
    smallest = np.linalg.pinv(flat) @ problem.measurements
    assert errors[0] < 0.3 < np.linalg.norm(smallest - RANK_TWO.ravel()) / np.linalg.norm(RANK_TWO)


@pytest.mark.parametrize("kind", ["rank_one", "pauli"])
def test_other_operators_show_the_same_picture(kind):
    basis = _cosines(16)
    target = basis[:, :2] @ np.diag([1.0, 0.6]) @ basis[:, :2].T
    run = rs.simulate(
        getattr(rs.Sensing, kind)(target, 160), depth=3, initialization=rs.Identical(0.1),
        dynamics=rs.GradientDescent(0.05), steps=8000, record=rs.Every(100), observe=_errors(target),
    ).dataset  # fmt: skip
    rank = run.effective_rank.values
    assert 1.0 < rank.min() < 1.2 < rank[-1]
    assert rank[-1] == pytest.approx(1.6, abs=0.03)
    assert run.error.values[-1] < 0.03


def test_sgd_over_measurements_shows_the_same_picture():
    """Depth 2, m = 80, batches of 8 without replacement: near another order of the same batches (0.063, 0.031)."""
    A = np.random.RandomState(5).standard_normal((100, 100))[:80].reshape(80, 10, 10) / np.sqrt(80)
    problem = rs.Sensing.of(RANK_TWO, A)
    settings = dict(depth=2, initialization=rs.Identical(0.01), steps=5000, record=rs.Every(50))
    run, full = (
        rs.simulate(problem, dynamics=dynamics, observe=_errors(RANK_TWO), **settings).dataset
        for dynamics in (rs.SGD(0.01, batch_size=8, replacement=False), rs.GradientDescent(0.01))
    )
    rank = run.effective_rank.values
    assert rank.min() == pytest.approx(1.0502, abs=5e-4)
    assert int(run.step[rank.argmin()]) == 400
    np.testing.assert_allclose(run.error.sel(step=[2000, 5000]), [0.063189, 0.031341], rtol=0.01)
    np.testing.assert_allclose(rank, full.effective_rank.values, atol=0.1)
