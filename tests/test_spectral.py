"""The spectral engine against published recursions, raw reference numbers and full matrices."""

import numpy as np
import pytest
from catalogue import distance

import rankscape as rs
from rankscape.errors import RankscapeWarning

# Raw trajectories of the scalar recursions, alpha = 1/2, learning rate 1/100:
# (depth, eigenvalue, beta or None, {step: product}, {step: (equal factors, perturbed factor)}).
RAW = [
    (2, 2.0, None, {1: 0.2588265625, 10: 0.3507171606622105, 100: 1.777026122019794}, {}),
    (3, 2.0, None, {1: 0.12854868698120112, 10: 0.1669626858500359, 100: 1.8559439133538758}, {}),
    (4, 2.0, None, {1: 0.06371976416308883, 10: 0.0764540002221684, 100: 1.4913840273030319}, {}),
    (3, -2.0, None, {1: 0.12105780905151367, 100: 0.01493544244189302, 1000: 9.252904045054735e-05}, {}),
    (3, 0.0, None, {1: 0.12476577145385744, 100: 0.10571496551676102, 1000: 0.04882887137969975}, {}),
    (3, 0.05, None, {1: 0.12485942772778319, 100: 0.11294799165394667, 1000: 0.07210488420323095}, {}),
    (2, -2.0, 0.2, {1: 0.1427593375, 100: -0.44280268574709725}, {1000: (1.441525074857059, -1.3874195009742107)}),
    (
        3, -2.0, 0.2,
        {1: 0.07278837713590819, 100: -0.010780969650666328}, {1000: (1.2811019627579896, -1.2186040089488899)},
    ),
    (
        3, 2.0, 0.2,
        {1: 0.07708581251559572, 100: 1.5759339841030295}, {1000: (1.2813644048247912, 1.2181048844182807)},
    ),
    (
        4, -2.0, 0.5,
        {1: -0.0003125, 100: -0.053614714997379784}, {1000: (1.2166583853862358, -1.1105139913818067)},
    ),
]  # fmt: skip


@pytest.mark.parametrize("engine", ["spectral", "matrix"])
@pytest.mark.parametrize(
    ("depth", "eigenvalue", "beta", "products", "factors"), RAW, ids=[f"{r[0]}-{r[1]}-{r[2]}" for r in RAW]
)
def test_raw_trajectories(engine, depth, eigenvalue, beta, products, factors):
    start = rs.Identical(0.5) if beta is None else rs.PerturbedIdentical(0.5, beta)
    setting = dict(depth=depth, initialization=start, dynamics=rs.GradientDescent(0.01), engine=engine)
    for step, p in products.items():
        run = rs.simulate(rs.Estimation([[eigenvalue]]), steps=step, record=[step], **setting)
        np.testing.assert_allclose(run.product, [[p]], rtol=1e-12)
    for step, (a, b) in factors.items():
        run = rs.simulate(rs.Estimation([[eigenvalue]]), steps=step, record=[step], **setting)
        np.testing.assert_allclose(np.ravel(run.factors), [b, *[a] * (depth - 1)], rtol=1e-12)


# First steps at which an eigenvalue of diag(5, 3, 1.5, 0.5, 0) has reached 50, 95, 99 % of its target, alpha = 0.1.
REACHED = {
    2: [(623, 916, 1081), (951, 1441, 1716), (1669, 2650, 3199), (3893, 6836, 8486)],
    3: [(1903, 2028, 2092), (3139, 3386, 3513), (6172, 6796, 7118)],
}
EFFECTIVE_RANK = {
    2: {0: 5.0, 100: 2.947498369408, 638: 1.18236147612, 1000: 1.395358571104, 5000: 1.976979510465},
    3: {0: 5.0, 1000: 1.841378244897, 2013: 1.00457226196, 5000: 1.612723215012},
}


def _first(step, reached):
    return int(step[np.argmax(reached)]) if reached.any() else None


@pytest.mark.parametrize("depth", [2, 3])
def test_learning_times_and_effective_ranks_of_the_identical_start(depth):
    lam = np.array([5, 3, 1.5, 0.5, 0])
    times = np.array(REACHED[depth])
    record = np.union1d(np.concatenate([times, times - 1], axis=None), list(EFFECTIVE_RANK[depth]))
    run = rs.simulate(
        rs.Estimation(eigenvalues=lam), depth, initialization=rs.Identical(0.1),
        dynamics=rs.GradientDescent(1e-3), steps=8500, record=record,
    )  # fmt: skip
    p, step = run.eigenvalues.values, run.step.values
    for mode, expected in enumerate(times):
        for share, when in zip((0.5, 0.95, 0.99), expected, strict=True):
            assert _first(step, p[:, mode] >= share * lam[mode]) == when
    for k, r in EFFECTIVE_RANK[depth].items():
        np.testing.assert_allclose(run.effective_rank.sel(step=k), r, rtol=1e-10)


# The same for diag(4, 2, 1, -1, -3), alpha = 0.3, beta = 0.1: steps to 50 % and 99 %, and the first with p <= 0.
PERTURBED = {
    2: [(519, 1091, None), (859, 2006, None), (1354, 3648, None), (2965, 5260, 786), (1180, 1944, 267)],
    3: [(806, 1060, None), (1536, 2180, None), (2876, 4501, None), (9404, 11030, 3244), (3232, 3606, 1086)],
}


@pytest.mark.parametrize("depth", [2, 3])
def test_learning_times_of_the_perturbed_start(depth):
    lam = np.array([4, 2, 1, -1, -3])
    times = [k for row in PERTURBED[depth] for k in row if k is not None]
    run = rs.simulate(
        rs.Estimation(eigenvalues=lam), depth, initialization=rs.PerturbedIdentical(0.3, 0.1),
        dynamics=rs.GradientDescent(1e-3), steps=max(times), record=np.union1d(times, np.subtract(times, 1)),
    )  # fmt: skip
    p, step = run.eigenvalues.values, run.step.values
    for mode, (half, nearly, zero) in enumerate(PERTURBED[depth]):
        assert _first(step, p[:, mode] / lam[mode] >= 0.5) == half
        assert _first(step, p[:, mode] / lam[mode] >= 0.99) == nearly
        assert _first(step, p[:, mode] <= 0) == zero


def _rotated(rng, eigenvalues):
    n = len(eigenvalues)
    V = np.linalg.qr(rng.normal(size=(n, n)))[0]
    return V, (V * eigenvalues) @ V.T


def _scalar(depth, lam, a, b, rate, steps):
    """Products of the recursion for depth - 1 equal factors `a` and one factor `b`."""
    for _ in range(steps):
        pull = rate * (lam - a ** (depth - 1) * b)
        with np.errstate(divide="ignore"):
            slope = np.ones_like(a) if depth == 2 else a ** (depth - 2)
        a, b = a + pull * slope * b, b + pull * a ** (depth - 1)
    return a ** (depth - 1) * b


LAM = np.array([3.0, 1.5, 0.5, 0.0, -1.0, -2.0])


@pytest.mark.parametrize("engine", ["spectral", "matrix"])
@pytest.mark.parametrize("depth", [2, 3, 4])
@pytest.mark.parametrize("layer", [None, 1, 2, -1], ids=["identical", "first", "second", "last"])
def test_eigenvalues_decouple_in_a_random_basis(engine, depth, layer, rng):
    V, target = _rotated(rng, LAM)
    layer = depth if layer == -1 else layer
    beta = 0.0 if layer is None else 0.1
    start = rs.Identical(0.4) if layer is None else rs.PerturbedIdentical(0.4, beta, layer=layer)
    run = rs.simulate(
        rs.Estimation(target), depth, initialization=start, dynamics=rs.GradientDescent(0.01),
        steps=400, record=[400], engine=engine,
    )  # fmt: skip
    p = _scalar(depth, LAM, np.full(6, 0.4), np.full(6, 0.4 - beta), 0.01, 400)
    np.testing.assert_allclose(run.product, (V * p) @ V.T, rtol=0, atol=1e-12)


@pytest.mark.parametrize("depth", [1, 2, 3, 5])
@pytest.mark.parametrize(("shape", "width"), [((4, 7), 4), ((7, 4), [9, 5, 6, 4])], ids=["wide", "tall"])
def test_an_aligned_rectangular_start_runs_like_the_matrices(depth, shape, width, rng):
    problem = rs.Estimation(rng.normal(size=shape) / 2)
    width = width[: depth - 1] if isinstance(width, list) else width
    setting = dict(
        depth=depth, width=width, initialization=rs.Balanced(spectrum=[0.1, 0.4, 0.3, 0.2]),
        dynamics=rs.GradientDescent(0.02, ridge=0.01), steps=200, record=[0, 200],
    )  # fmt: skip
    spectral = rs.simulate(problem, engine="spectral", **setting)
    matrix = rs.simulate(problem, engine="matrix", **setting)
    np.testing.assert_allclose(spectral.product, matrix.product, rtol=0, atol=1e-12)
    assert [W.shape for W in spectral.factors] == [W.shape for W in matrix.factors]
    np.testing.assert_allclose(spectral.singular_values, matrix.singular_values, rtol=0, atol=1e-12)


def test_an_identical_start_keeps_its_bases_orthogonal(rng):
    _, target = _rotated(rng, LAM)
    setting = dict(initialization=rs.PerturbedIdentical(0.4, 0.1, 2), dynamics=rs.GradientDescent(0.01), steps=100)
    spectral = rs.simulate(rs.Estimation(target), 3, engine="spectral", **setting)
    matrix = rs.simulate(rs.Estimation(target), 3, engine="matrix", **setting)
    assert distance(spectral.factors, matrix.factors) < 1e-12


@pytest.mark.parametrize("depth", [2, 3, 5])
def test_the_imbalance_shrinks_by_its_exact_factor(depth):
    """delta_{k+1} = delta_k (1 - y_k^2), y_k = eta (lam - p_k) a_k^{N-2}, delta = a^2 - b^2."""
    eta, lam = 0.02, np.array([2.0, 0.7, 0.0, -1.5])
    scales = []

    def both(factors):
        scales.append([np.diag(factors[-1]).copy(), np.diag(factors[0]).copy()])
        return 0.0

    rs.simulate(
        rs.Estimation(eigenvalues=lam), depth, initialization=rs.PerturbedIdentical(0.5, 0.2),
        dynamics=rs.GradientDescent(eta), steps=200, record=rs.Every(1), observe={"seen": both},
    )  # fmt: skip
    a, b = np.moveaxis(np.array(scales), 1, 0)
    delta = a**2 - b**2
    np.testing.assert_allclose(delta[0], 0.2 * (2 * 0.5 - 0.2), rtol=1e-13)
    y = eta * (lam - a ** (depth - 1) * b) * a ** (depth - 2)
    np.testing.assert_allclose(delta[1:], (delta * (1 - y**2))[:-1], rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("depth", [2, 4])
@pytest.mark.parametrize("start", [rs.Identical(0.3), rs.PerturbedIdentical(0.3, 0.2)], ids=["identical", "perturbed"])
def test_every_eigenvalue_moves_monotonically_below_the_step_limit(depth, start):
    lam = np.array([2.0, 1.0, 0.2, 0.0, -1.0])
    beta = getattr(start, "beta", 0.0)
    M = np.sqrt(max(0.3**2, 2 ** (2 / depth) + beta * (0.6 - beta)))
    run = rs.simulate(
        rs.Estimation(eigenvalues=lam), depth, initialization=start,
        dynamics=rs.GradientDescent(1 / (3 * depth * M ** (2 * depth - 2))), steps=1500, record=rs.Every(1),
    )  # fmt: skip
    limit = lam if beta else np.maximum(lam, 0)
    gaps = np.abs(run.eigenvalues.values - limit)
    assert np.all(np.diff(gaps, axis=0) <= 1e-15)
    assert np.all(np.diff(run.loss.values) <= 1e-15)


@pytest.mark.parametrize("depth", [2, 3])
def test_the_identical_start_learns_the_positive_part_and_the_perturbed_one_everything(depth):
    lam = np.array([2.0, 0.8, -0.7, -1.5])
    setting = dict(depth=depth, dynamics=rs.GradientDescent(0.05), record=[60_000], steps=60_000)
    problem = rs.Estimation(eigenvalues=lam)
    plain = rs.simulate(problem, initialization=rs.Identical(0.4), **setting).eigenvalues.values[-1]
    bent = rs.simulate(problem, initialization=rs.PerturbedIdentical(0.4, 0.2), **setting).eigenvalues.values[-1]
    np.testing.assert_allclose(plain, np.maximum(lam, 0), atol=1e-6)
    np.testing.assert_allclose(bent, lam, atol=1e-12)


def test_slightly_too_large_a_step_on_an_odd_depth_finds_the_negative_eigenvalue():
    def end(rate):
        problem, start = rs.Estimation(eigenvalues=[-1.0]), rs.Identical(1.0)
        run = rs.simulate(problem, 3, initialization=start, dynamics=rs.GradientDescent(rate), steps=20_000)
        return float(run.eigenvalues[-1, 0])

    with pytest.warns(RankscapeWarning, match=r"exceeds the limit 0\.142857 .* sign"):
        assert end(0.6) == pytest.approx(-1, abs=1e-12)
    with pytest.warns(RankscapeWarning, match=r"exceeds the limit 0\.142857"):
        assert end(0.49) == pytest.approx(0, abs=1e-4)


def test_a_step_within_the_limit_is_not_warned_of_and_one_above_is_named_with_what_happens():
    limit = rs.theory.step_limit([2.0, 1.0], 2, 0.1).value

    def run(share):
        return rs.simulate(
            rs.Estimation(eigenvalues=[2.0, 1.0]), 2, initialization=rs.Identical(0.1),
            dynamics=rs.GradientDescent(share * limit), steps=10,
        )  # fmt: skip

    run(1.0)  # warnings are errors here
    for share, happens in ((1.5, "oscillat"), (2.1, "cycle")):
        with pytest.warns(RankscapeWarning, match=f"exceeds the limit {limit:g} .*{happens}"):
            run(share)


def test_half_perturbed_to_zero_the_dynamics_are_odd_in_the_eigenvalue():
    run = rs.simulate(
        rs.Estimation(eigenvalues=[1.5, -1.5]), 3, initialization=rs.PerturbedIdentical(0.4, 0.4),
        dynamics=rs.GradientDescent(0.01), steps=500,
    )  # fmt: skip
    p = run.eigenvalues.values
    np.testing.assert_array_equal(p[:, 0], -p[:, 1])
    assert p[-1, 0] > 1


def test_eigenvalues_keep_the_order_in_which_they_were_given():
    run = rs.simulate(
        rs.Estimation(eigenvalues=[0.5, 2.0, 1.0]), 2, initialization=rs.Identical(0.3),
        dynamics=rs.GradientDescent(0.05), steps=2000,
    )  # fmt: skip
    np.testing.assert_array_equal(run.dataset.target_eigenvalue, [0.5, 2.0, 1.0])
    np.testing.assert_allclose(run.eigenvalues[-1], [0.5, 2.0, 1.0], rtol=1e-12)
    np.testing.assert_allclose(run.singular_values[-1], [2.0, 1.0, 0.5], rtol=1e-12)


def test_lanes_perturbed_in_different_layers_keep_their_own_layers():
    starts = [rs.PerturbedIdentical(0.4, 0.1, layer=layer) for layer in (1, 3)]
    setting = dict(depth=3, dynamics=rs.GradientDescent(0.01), steps=40, record=[0, 40])
    batch = rs.simulate(rs.Estimation(eigenvalues=[1.5, -1.0]), initialization=starts, **setting)
    for k, start in enumerate(starts):
        alone = rs.simulate(rs.Estimation(eigenvalues=[1.5, -1.0]), initialization=start, **setting)
        np.testing.assert_array_equal(batch.dataset.layer_norm[k], alone.dataset.layer_norm)
        np.testing.assert_array_equal(batch.dataset.eigenvalues[k], alone.dataset.eigenvalues)
