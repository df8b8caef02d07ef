"""The exact recursions: reference trajectories, integers of the hitting times, and the simulator."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rankscape as rs
from rankscape import theory
from rankscape.errors import InputError
from rankscape.theory.climbing import recursion
from rankscape.theory.climbing.recursion import first_passage
from rankscape.theory.inputs import start_of

# depth, eigenvalue, beta, step -> p; alpha = 0.5, learning rate 0.01
TRAJECTORIES = [
    (2, 2.0, None, {1: 0.2588265625, 10: 0.3507171606622105, 100: 1.777026122019794}),
    (3, 2.0, None, {1: 0.12854868698120112, 10: 0.1669626858500359, 100: 1.8559439133538758}),
    (4, 2.0, None, {1: 0.06371976416308883, 10: 0.0764540002221684, 100: 1.4913840273030319}),
    (3, -2.0, None, {1: 0.12105780905151367, 100: 0.01493544244189302, 1000: 9.252904045054735e-05}),
    (3, 0.0, None, {1: 0.12476577145385744, 100: 0.10571496551676102, 1000: 0.04882887137969975}),
    (3, 0.05, None, {1: 0.12485942772778319, 100: 0.11294799165394667, 1000: 0.07210488420323095}),
    (2, -2.0, 0.2, {1: 0.1427593375, 100: -0.44280268574709725}),
    (3, -2.0, 0.2, {1: 0.07278837713590819, 100: -0.010780969650666328}),
    (3, 2.0, 0.2, {1: 0.07708581251559572, 100: 1.5759339841030295}),
    (4, -2.0, 0.5, {1: -0.0003125, 100: -0.053614714997379784}),
]
FACTORS = [  # depth, eigenvalue, beta, a and b after 1000 steps
    (2, -2.0, 0.2, 1.441525074857059, -1.3874195009742107),
    (3, -2.0, 0.2, 1.2811019627579896, -1.2186040089488899),
    (3, 2.0, 0.2, 1.2813644048247912, 1.2181048844182807),
    (4, -2.0, 0.5, 1.2166583853862358, -1.1105139913818067),
]


@given(
    depth=st.integers(2, 7), beta=st.sampled_from([None, 0.05, 0.4]), steps=st.integers(0, 400),
    lam=st.lists(st.floats(-3, 3), min_size=7, max_size=20), rate=st.sampled_from([1e-3, 0.05, 0.6]),
)  # fmt: skip
@settings(deadline=None)  # the first one is compiled
def test_compiled_steps_are_those_of_the_loop_to_the_bit(depth, beta, steps, lam, rate):
    lam = np.array(lam)
    a, b = recursion._initial(start_of(depth, 0.5, beta), lam)
    with np.errstate(over="ignore", invalid="ignore"):
        expected, found = (go(a, b, lam, rate, depth, steps) for go in (recursion.advance, recursion._leap))
    for one, other in zip(expected, found, strict=True):
        np.testing.assert_array_equal(one, other)
    assert (found[0] is found[1]) == (beta is None)


@pytest.mark.parametrize(("depth", "eigenvalue", "beta", "values"), TRAJECTORIES)
def test_reference_trajectories(depth, eigenvalue, beta, values):
    path = theory.eigenvalue_path([eigenvalue], depth, 0.5, 0.01, list(values), beta)
    np.testing.assert_allclose(path[:, 0], list(values.values()), rtol=1e-12)


@pytest.mark.parametrize(("depth", "eigenvalue", "beta", "a", "b"), FACTORS)
def test_reference_factors(depth, eigenvalue, beta, a, b):
    found = theory.factor_path([eigenvalue], depth, 0.5, 0.01, 1000, beta)
    np.testing.assert_allclose(np.squeeze(found), [a, b], rtol=1e-12)


DECAY = {  # depth, eigenvalue: p after 1e3, 1e4, 1e5 steps; alpha = 0.3, learning rate 1e-3
    (2, -1.0): (0.01128803759, 1.684706781e-10, None),
    (2, 0.0): (0.07626974193, 0.03214126142, 0.004736743005),
    (3, -1.0): (0.01213323507, 0.0004178072816, 9.05054185e-07),
    (3, -3.0): (0.003912748343, 2.694728701e-05, 3.581930978e-08),
    (4, -1.0): (0.005804919362, 0.001029239775, 2.24186713e-05),
    (5, -1.0): (0.00213355486, 0.0009029286029, 6.123098853e-05),
}


@pytest.mark.parametrize(("depth", "eigenvalue"), DECAY)
def test_decay_of_modes_that_are_not_learned(depth, eigenvalue):
    expected = [p for p in DECAY[depth, eigenvalue] if p is not None]
    path = theory.eigenvalue_path([eigenvalue], depth, 0.3, 1e-3, [10**3, 10**4, 10**5][: len(expected)])[:, 0]
    np.testing.assert_allclose(path, expected, rtol=1e-9)


IDENTICAL = {  # depth: first steps past 50 %, 95 %, 99 % of 5, 3, 1.5, 0.5; alpha = 0.1, learning rate 1e-3
    2: [(623, 916, 1081), (951, 1441, 1716), (1669, 2650, 3199), (3893, 6836, 8486)],
    3: [(1903, 2028, 2092), (3139, 3386, 3513), (6172, 6796, 7118), (17839, 20542, 21940)],
    4: [(9980, 10054, 10091), (16619, 16780, 16859), (33190, 33647, 33874), (99230, 101612, 102793)],
}


@pytest.mark.parametrize("depth", IDENTICAL)
def test_hitting_times_from_below(depth):
    lam = np.repeat([5.0, 3.0, 1.5, 0.5], 3).reshape(4, 3)
    T = first_passage(start_of(depth, 0.1), lam, lam * [0.5, 0.95, 0.99], 1e-3, 200_000)
    assert T.tolist() == [list(row) for row in IDENTICAL[depth]]
    assert theory.hitting_time(0.5, 0.495, depth, 0.1, 1e-3, method="exact").estimate == IDENTICAL[depth][3][2]


PERTURBED = {  # depth: eigenvalue -> first steps past 50 %, 99 % and (negative) zero; alpha = 0.3, beta = 0.1, 1e-3
    2: {4: (519, 1091), 2: (859, 2006), 1: (1354, 3648), -1: (2965, 5260, 786), -3: (1180, 1944, 267)},
    3: {4: (806, 1060), 2: (1536, 2180), 1: (2876, 4501), -1: (9404, 11030, 3244), -3: (3232, 3606, 1086)},
    4: {4: (1633, 1789), 2: (3232, 3675), 1: (6363, 7622), -1: (33032, 34291, 13314), -3: (11060, 11301, 4443)},
}


@pytest.mark.parametrize("depth", PERTURBED)
def test_hitting_times_from_the_perturbed_start(depth):
    shares = (0.5, 0.99, 0.0)
    rows = [(lam, lam * shares[i], T) for lam, times in PERTURBED[depth].items() for i, T in enumerate(times)]
    lam, level, T = map(np.array, zip(*rows, strict=True))
    assert first_passage(start_of(depth, 0.3, 0.1), lam, level, 1e-3, 50_000).tolist() == T.tolist()
    for one in rows[:2] + rows[-2:]:
        found = theory.hitting_time(*one[:2], depth, 0.3, 1e-3, beta=0.1, method="exact")
        assert (found.lower, found.upper, found.estimate) == (one[2],) * 3


@pytest.mark.parametrize(("depth", "T"), [(2, 7060), (3, 69629), (4, 682483)])
def test_zero_eigenvalue_halves_late_from_the_perturbed_start(depth, T):
    half = 0.3 ** (depth - 1) * 0.2 / 2
    assert theory.hitting_time(0.0, half, depth, 0.3, 1e-3, beta=0.1, method="exact").estimate == T


@pytest.mark.parametrize(
    ("eigenvalue", "times"), [(1.0, (2012, 1328, 982)), (0.0, (49774, 115986, 166647)), (-1.0, (2122, 3411, 4249))]
)
def test_hitting_times_from_above(eigenvalue, times):
    level = max(eigenvalue, 0.0) + 0.01
    found = [theory.hitting_time(eigenvalue, level, N, 1.5, 1e-3, method="exact").estimate for N in (2, 3, 4)]
    assert found == list(times)


@pytest.mark.parametrize("beta", [None, 0.05])
def test_one_mode_and_many_give_the_same_integers(beta, rng):
    lam = rng.uniform(0.5, 4, 40)
    start = start_of(3, 0.3, beta)
    many = first_passage(start, lam, 0.9 * lam, 0.01, 3000)
    alone = [first_passage(start, np.array([x]), np.array([0.9 * x]), 0.01, 3000)[0] for x in lam]
    assert many.tolist() == alone
    assert first_passage(start, lam, 0.9 * lam, 0.01, 2).tolist() == [-1] * 40


@pytest.mark.parametrize(("depth", "beta"), [(2, None), (3, None), (4, 0.1), (3, 0.3)])
def test_simulation_agrees_in_a_random_basis(depth, beta, rng):
    lam = np.array([3.0, 1.0, 0.5, -2.0] if beta else [3.0, 2.0, 1.0, 0.5])
    V, _ = np.linalg.qr(rng.standard_normal((4, 4)))
    initialization = rs.Identical(0.3) if beta is None else rs.PerturbedIdentical(0.3, beta)
    for engine in ("spectral", "matrix"):
        run = rs.simulate(
            rs.Estimation((V * lam) @ V.T), depth=depth, initialization=initialization,
            dynamics=rs.GradientDescent(0.01), steps=400, record=[1, 50, 400], engine=engine,
        )  # fmt: skip
        path = theory.eigenvalue_path(lam, depth, 0.3, 0.01, [1, 50, 400], beta)
        expected = np.sort(np.abs(path))[:, ::-1]
        found = run.dataset.singular_values.sel(step=[1, 50, 400]).values
        np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)


@given(st.floats(-3, 3), st.sampled_from([2, 3, 4, 5]), st.floats(0.1, 0.9), st.floats(0.05, 1.0))
def test_imbalance_shrinks_by_the_exact_factor(eigenvalue, depth, alpha, ratio):
    a, b = theory.factor_path([eigenvalue], depth, alpha, 0.01, [0, 1, 2, 3], alpha * ratio)
    y = 0.01 * (eigenvalue - a ** (depth - 1) * b) * a ** (depth - 2)
    np.testing.assert_allclose((a**2 - b**2)[1:], ((a**2 - b**2) * (1 - y**2))[:-1], rtol=1e-12)


@given(st.floats(0.1, 3), st.sampled_from([2, 3, 4]), st.floats(0.1, 0.9))
def test_beta_equal_to_alpha_is_odd_in_the_eigenvalue(eigenvalue, depth, alpha):
    path = theory.eigenvalue_path([eigenvalue, -eigenvalue], depth, alpha, 0.01, [0, 5, 40], alpha)
    assert np.array_equal(path[:, 0], -path[:, 1])


def test_bad_input_is_named():
    with pytest.raises(InputError, match="`alpha`"):
        theory.eigenvalue_path([1.0], 3, 0.0, 0.01, 1)
    with pytest.raises(InputError, match="`beta` must satisfy 0 < beta <= alpha"):
        theory.eigenvalue_path([1.0], 3, 0.1, 0.01, 1, beta=0.2)
    with pytest.raises(InputError, match="`depth`"):
        theory.eigenvalue_path([1.0], 1, 0.1, 0.01, 1)
    with pytest.raises(InputError, match="finite"):
        theory.eigenvalue_path([np.nan], 3, 0.1, 0.01, 1)
    with pytest.raises(InputError, match="increasing"):
        theory.eigenvalue_path([1.0], 3, 0.1, 0.01, [2, 1])
    with pytest.raises(InputError, match="overflows"):
        theory.eigenvalue_path([1.0], 3, 5.0, 1.0, [40])
