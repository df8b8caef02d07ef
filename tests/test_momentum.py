"""Momentum: against optax, closed forms of the linear recursion and plain descent; and where it is refused."""

import numpy as np
import optax
import pytest
from catalogue import CASES, distance, identical

import rankscape as rs
from rankscape.cli.app import start
from rankscape.config import make_config
from rankscape.errors import DivergenceWarning, InputError

both = pytest.mark.parametrize("kind", [rs.HeavyBall, rs.Nesterov])
MATRIX, PERTURBED = CASES["matrix-rectangular-3-varied"], CASES["spectral-perturbed-3"]


def _optax(case, rule, ridge, steps):
    return case.simulate(steps, dynamics=rs.Optimizer(rule, ridge)).factors


@pytest.mark.parametrize("ridge", [0.0, 0.02])
def test_heavy_ball_is_optax_sgd_with_momentum(ridge):
    ours = MATRIX.simulate(200, dynamics=rs.HeavyBall(0.01, 0.9, ridge)).factors
    assert distance(ours, _optax(MATRIX, optax.sgd(0.01, momentum=0.9), ridge, 200)) < 1e-13


@pytest.mark.parametrize("ridge", [0.0, 0.02])
def test_the_weights_of_optax_nesterov_are_the_look_ahead_points(ridge):
    now, before = (MATRIX.simulate(k, dynamics=rs.Nesterov(0.01, 0.9, ridge)).factors for k in (60, 59))
    ahead = [W + 0.9 * (W - B) for W, B in zip(now, before, strict=True)]
    theirs = _optax(MATRIX, optax.sgd(0.01, momentum=0.9, nesterov=True), ridge, 60)
    assert distance(ahead, theirs) < 1e-13
    assert distance(now, theirs) > 1e-5  # the two conventions do differ


@both
@pytest.mark.parametrize("case", [MATRIX, PERTURBED, CASES["stack-sensing-3"]], ids=lambda case: case.engine)
def test_without_momentum_it_is_gradient_descent(kind, case):
    plain = case.simulate(dynamics=rs.GradientDescent(0.01, 0.02))
    assert distance(case.simulate(dynamics=kind(0.01, 0.0, 0.02)).factors, plain.factors) < 1e-14


@both
@pytest.mark.parametrize("name", ["spectral-identical-3", "spectral-perturbed-2", "spectral-perturbed-5"])
def test_modes_alone_move_like_the_matrices(kind, name):
    """The target has eigenvalues of both signs."""
    case, dynamics = CASES[name], kind(0.01, 0.9, ridge=0.005)
    modes, matrix = (case.simulate(200, dynamics=dynamics, engine=engine) for engine in ("spectral", "matrix"))
    assert distance(modes.factors, matrix.factors) < 1e-12
    assert modes.dataset.attrs["engine"] == case.simulate(1, dynamics=dynamics, engine="auto").dataset.attrs["engine"]


@both
@pytest.mark.parametrize("lam", [2.0, 0.5, -1.0])
def test_a_small_mode_of_depth_two_grows_at_the_rate_of_the_linear_recursion(kind, lam):
    """v' = v + eta lam at + mu (v - before), from rest, where `at` is v or the look-ahead point."""
    rate, mu, steps, alpha = 0.01, 0.8, 60, 1e-9
    nesterov = kind is rs.Nesterov
    pull = rate * lam
    z = np.roots([1, -(1 + mu) * (1 + pull) if nesterov else -(1 + mu + pull), mu * (1 + pull) if nesterov else mu])
    share = np.linalg.solve([[1, 1], z], [1, 1 + pull])  # v_0 = 1 and v_1 = 1 + eta lam
    run = rs.simulate(
        rs.Estimation(eigenvalues=[lam]), 2, initialization=rs.Identical(alpha), dynamics=kind(rate, mu), steps=steps
    )
    assert run.factors[0].item() / alpha == pytest.approx((share @ z**steps).real, rel=1e-11)


@pytest.mark.parametrize(
    ("kind", "limit"), [(rs.HeavyBall, lambda mu: 2 * (1 + mu)), (rs.Nesterov, lambda mu: 2 * (1 + mu) / (1 + 2 * mu))]
)
@pytest.mark.parametrize("mu", [0.0, 0.5, 0.9])
@pytest.mark.parametrize("engine", ["spectral", "matrix"])
def test_steps_are_stable_up_to_the_limit_of_the_quadratic(kind, limit, mu, engine):
    """At depth 1 the loss with ridge is a quadratic of curvature 1 + 2 ridge."""
    ridge, problem = 0.1, rs.Estimation(eigenvalues=[1.0, -2.0])

    def run(share):
        dynamics = kind(share * limit(mu) / (1 + 2 * ridge), mu, ridge)
        setting = dict(initialization=rs.Identical(0.5), dynamics=dynamics, steps=20_000, record=[0, 20_000])
        return rs.simulate(problem, 1, engine=engine, **setting)

    np.testing.assert_allclose(run(0.98).product, np.diag([1.0, -2.0]) / 1.2, atol=1e-9)
    with pytest.warns(DivergenceWarning):
        assert run(1.02).outcome == "diverged"


def test_limits_of_plain_descent_are_not_said_of_momentum():
    """The rate is above the limit of gradient descent, below that of the heavy ball; and no safe rate is promised."""
    limit = rs.theory.step_limit([2.0, 1.0], 2, 0.1).value
    setting = dict(depth=2, initialization=rs.Identical(0.1), steps=2000)
    run = rs.simulate(rs.Estimation(eigenvalues=[2.0, 1.0]), dynamics=rs.HeavyBall(1.2 * limit, 0.5), **setting)
    np.testing.assert_allclose(run.eigenvalues[-1], [2.0, 1.0], rtol=1e-12)  # warnings are errors here
    with pytest.warns(DivergenceWarning) as told:
        rs.simulate(rs.Estimation(eigenvalues=[2.0, 1.0]), dynamics=rs.HeavyBall(9.0, 0.5), **setting)
    assert "is safe here" not in str(told[0].message)


@both
@pytest.mark.parametrize("engine", ["entrywise", "measurements", "flow"])
def test_an_engine_that_cannot_roll_says_so(kind, engine):
    with pytest.raises(InputError, match=f"The {engine} engine cannot run this: its dynamics are {kind.__name__}"):
        MATRIX.simulate(1, dynamics=kind(0.1, 0.5), engine=engine)


@both
@pytest.mark.parametrize("momentum", [-0.1, 1.0, 2.0, np.nan, "much", rs.rates.piecewise({0: 0.5})])
def test_a_momentum_out_of_range_is_refused(kind, momentum):
    with pytest.raises(InputError, match="`momentum`"):
        kind(0.1, momentum)


# -- from other doors ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "kind"), [("heavy-ball", rs.HeavyBall), ("nesterov", rs.Nesterov)])
def test_a_configuration_names_it(name, kind):
    fields = dict(eigenvalues=[2.0, -1.0], dynamics=name, momentum=0.7, learning_rate=0.01, steps=50, ridge=0.01)
    run = make_config(fields, "here").run()
    setting = dict(depth=3, initialization=rs.Identical(0.1), dynamics=kind(0.01, 0.7, 0.01), steps=50)
    same = rs.simulate(rs.Estimation(eigenvalues=[2.0, -1.0]), **setting)
    assert run.product.tolist() == same.product.tolist()


def test_a_sweep_over_momentum_is_one_batch_of_single_runs(tmp_path):
    base = dict(eigenvalues=[2.0, 1.0], dynamics="heavy-ball", learning_rate=0.01, steps=300, record=[0, 300])
    sweep = rs.sweep(base, over={"momentum": [0.0, 0.5, 0.9]}, store=tmp_path / "runs.zarr")
    for momentum in (0.0, 0.5, 0.9):
        alone = make_config(base | {"momentum": momentum}, "here").run()
        seen = sweep.dataset.eigenvalues.sel(momentum=momentum).values
        np.testing.assert_array_equal(seen.squeeze(), alone.eigenvalues.values)


def test_the_command_line_moves_with_momentum(capsys, tmp_path):
    arguments = "simulate --eigenvalues 2,-1 --dynamics heavy-ball --momentum 0.7 --learning-rate 0.01 --steps 50"
    assert start([*arguments.split(), "--output", str(tmp_path / "run.zarr")]) == 0
    dynamics = rs.Trajectory.load(tmp_path / "run.zarr").configuration["dynamics"]
    assert dynamics == [{"kind": "HeavyBall", "learning_rate": 0.01, "momentum": 0.7, "ridge": 0.0}]
    assert start(["simulate", "--eigenvalues", "2", "--momentum", "0.7", "--steps", "5"]) == 0
    assert "--momentum: without effect" in capsys.readouterr().err


@both
@pytest.mark.parametrize("name", ["spectral-perturbed-5", "spectral-aligned-3", "matrix-rectangular-5-varied"])
def test_a_run_may_be_cut_after_any_step(kind, name):
    """Sums of two products are fused one way or the other; both pieces of a run must be fused alike."""
    case, dynamics = CASES[name], kind(0.01, 0.9, ridge=0.01)
    whole = case.simulate(97, dynamics=dynamics, record=[97])
    for cuts in (rs.Every(1), rs.Every(3), [1, 2, 50], [96]):
        assert identical(case.simulate(97, dynamics=dynamics, record=cuts).factors, whole.factors)


@both
def test_widths_are_not_compressed_under_a_velocity(kind):
    with pytest.raises(InputError, match=f"`compress_width` is not for {kind.__name__}, whose memory"):
        MATRIX.simulate(5, dynamics=kind(0.01, 0.5), width=None, compress_width=True)


@both
@pytest.mark.parametrize("case", [MATRIX, PERTURBED, CASES["stack-sensing-3"]], ids=lambda case: case.engine)
def test_a_continued_run_keeps_rolling(kind, case):
    dynamics = kind(0.01, 0.9, ridge=0.01)
    half = case.simulate(37, dynamics=dynamics)
    rest = case.simulate(60, dynamics=dynamics, initialization=half, width=None, depth=None, seed=None)
    assert identical(rest.factors, case.simulate(97, dynamics=dynamics).factors)
    anew = case.simulate(60, dynamics=dynamics, initialization=rs.Factors(half.factors), width=None, engine="auto")
    assert distance(anew.factors, rest.factors) > 1e-6
