"""Plateaus: reference intervals, certificates against the recursion, noise, mixed signs, stated failures."""

import numpy as np
import pytest

import rankscape as rs
from rankscape import theory
from rankscape.errors import InputError, RankscapeWarning
from rankscape.theory.climbing import settled_times
from rankscape.theory.climbing.bounds import passage
from rankscape.theory.climbing.levels import learning_order
from rankscape.theory.climbing.recursion import first_passage
from rankscape.theory.climbing.stopping import effective_rank_of
from rankscape.theory.inputs import start_of

SPECTRUM = [5.0, 3.0, 1.5, 0.5]


def _intervals(records):
    return [(p.start, p.end) for p in records]


def _exact(lam, depth, alpha, eta, beta, record):
    """The exact interval: all active modes are within the first level, all inactive ones below the second."""
    lam, start, active = np.asarray(lam, dtype=float), start_of(depth, alpha, beta), list(record.active)
    eps, small = record.levels
    first = first_passage(start, lam[active], lam[active] - np.sign(lam[active]) * eps, eta, 400_000).max()
    rest = np.delete(lam, active)
    rest = rest[(np.abs(rest) > small) & ((rest > 0) | (beta is not None))]
    last = first_passage(start, rest, np.sign(rest) * small, eta, 400_000).min() - 1 if rest.size else None
    return int(first), None if last is None else int(last)


REFERENCE = [  # depth, alpha, guaranteed intervals; learning rate 1e-3
    (3, 0.1, [(2028, 2723), (3386, 5125), (6796, 13315), (20542, None)]),
    (4, 0.1, [(10057, 16260), (16781, 32178), (33648, 93979), (101612, None)]),
    (2, 0.1, [(916, 459), (1441, 686), (2650, 947), (6836, None)]),
    (2, 1e-2, [None, (2210, 2225), (4188, 5573)]),
    (2, 1e-3, [(1840, 1997), (2979, 3761), (5724, 10180)]),
    (2, 1e-4, [(2301, 2766), (3748, 5297), (7261, 14786)]),
]


@pytest.mark.parametrize(("depth", "alpha", "expected"), REFERENCE)
def test_reference_intervals(depth, alpha, expected):
    records = theory.plateaus([*SPECTRUM, 0.0], depth, alpha, 1e-3)
    for record, interval in zip(records, expected, strict=False):
        if interval is None:
            assert not record.guaranteed
            assert "empty" in record.failed
        else:
            assert (record.start, record.end) == interval
    assert [p.effective_rank for p in records] == pytest.approx([1.0, 1.6, 1.9, 2.0], abs=1e-12)


@pytest.mark.parametrize(("depth", "alpha"), [(3, 0.1), (2, 1e-3), (2, 1e-4)])
def test_guaranteed_plateau_is_the_exact_one(depth, alpha):
    for record in theory.plateaus(SPECTRUM, depth, alpha, 1e-3):
        assert (record.start, record.end) == _exact(SPECTRUM, depth, alpha, 1e-3, None, record)


def test_reference_deviations():
    records = theory.plateaus([*SPECTRUM, 0.0], 3, 0.1, 1e-3)
    # The zero mode adds its start, 0.001, and not the level of inactive modes.
    expected = [(0, 0.451 / 4.75), (-0.15 / 5, 3.151 / 4.85 - 0.6), (-0.15 / 5, 4.526 / 4.925 - 0.9)]
    np.testing.assert_allclose([p.deviation for p in records[:3]], expected, atol=1e-12)


def test_reference_effective_ranks():
    steps = [0, 1000, 2000, 5000, 10000, 20000]
    r = effective_rank_of(theory.eigenvalue_path([*SPECTRUM, 0.0], 3, 0.1, 1e-3, steps))
    expected = [5, 1.841378244897, 1.004589383463, 1.612723215012, 1.901770844236, 1.991203749323]
    np.testing.assert_allclose(r, expected, rtol=1e-10)
    steps = [500, 1000, 2000, 5000, 10000, 20000]
    r = effective_rank_of(theory.eigenvalue_path([4, 2, 1, 0, -1, -3], 3, 0.3, 1e-3, steps, 0.1))
    expected = [1.632638808630, 1.061077688874, 1.527131472003, 2.504970209903, 2.710715734400, 2.753467624908]
    np.testing.assert_allclose(r, expected, rtol=1e-10)


@pytest.mark.parametrize(("depth", "order"), [(2, [4, 2, -3, 1, -1]), (3, [4, 2, 1, -3, -1]), (4, [4, 2, 1, -3, -1])])
def test_learning_order_is_not_by_modulus(depth, order):
    lam = np.array([-3.0, 0.0, 2.0, -1.0, 4.0, 1.0])
    assert lam[learning_order(start_of(depth, 0.3, 0.1), lam)].tolist() == order
    records = theory.plateaus(lam, depth, 0.3, 1e-3, beta=0.1)
    assert lam[list(records[-1].active)].tolist() == order


def _certificate_holds(lam, depth, alpha, eta, beta, noisy=None):
    """Check the modes and the effective rank at both ends and in the middle of each plateau; count the plateaus."""
    held = 0
    noise = 0.0 if noisy is None else np.max(np.abs(np.asarray(noisy) - lam))
    tolerance = 0.05 if noisy is None else 0.2
    for record in theory.plateaus(lam, depth, alpha, eta, beta, tolerance=tolerance, target_noise=noise):
        if not record.guaranteed or record.start > 60_000:
            continue
        end = record.end if record.end is not None else record.start + 3000
        steps = [record.start, (record.start + min(end, 60_000)) // 2, max(min(end, 60_000), record.start)]
        p = theory.eigenvalue_path(lam if noisy is None else noisy, depth, alpha, eta, sorted(steps), beta)
        active = list(record.active)
        eps, small = record.levels
        room = 1e-9
        assert np.all(np.abs(p[:, active] - lam[active]) <= eps + room)
        assert np.all(np.abs(np.delete(p, active, axis=1)) <= small + room)
        difference = effective_rank_of(p) - record.effective_rank
        assert np.all((record.deviation[0] - room <= difference) & (difference <= record.deviation[1] + room))
        held += 1
    return held


def test_certificates_hold_on_random_spectra():
    rng, held = np.random.default_rng(7), 0
    for _ in range(60):
        depth = int(rng.integers(2, 5))
        lam = rng.uniform(0.3, 1) * 1.9 ** np.arange(4)[::-1] * np.append(1, rng.uniform(0.9, 1.1, 3))
        lam = np.append(lam, [0.0, -rng.uniform(0, 2)])
        held += _certificate_holds(lam, depth, {2: 0.003, 3: 0.15, 4: 0.3}[depth], 5e-3, None)
    assert held > 100


def test_certificates_hold_for_both_signs():
    rng, held = np.random.default_rng(8), 0
    for _ in range(30):
        depth = int(rng.integers(2, 5))
        lam = rng.choice([-1, 1], 4) * rng.uniform(0.5, 1) * 2.0 ** np.arange(4)[::-1]
        alpha = {2: 0.05, 3: 0.15, 4: 0.3}[depth]
        held += _certificate_holds(np.append(lam, 0.0), depth, alpha, 1e-3, alpha * rng.uniform(0.2, 1))
    assert held > 30


@pytest.mark.parametrize("beta", [None, 0.03])
def test_certificates_hold_for_noisy_targets(beta):
    rng, held = np.random.default_rng(9), 0
    for _ in range(20):
        lam = np.array([4.0, 1.8, 0.8, 0.0, 0.0 if beta else -0.5])
        noisy = lam + rng.uniform(-0.05, 0.05, 5)
        held += _certificate_holds(lam, 3, 0.1, 2e-3, beta, noisy=noisy)
    assert held >= 20


def test_noise_shrinks_the_interval():
    previous = None
    for noise in (0.0, 0.01, 0.03, 0.07):
        here = theory.plateaus([5, 3, 0.6, 0.3, 0], 3, 0.05, 1e-3, None, (0.05, 0.05 / 0.6), noise)[1]
        reference = {0.0: (6729, 29001), 0.01: (6763, 28523), 0.03: (6838, 27611), 0.07: (7108, 25953)}[noise]
        assert here.start <= reference[0]
        assert here.end >= reference[1]
        if previous is not None:
            assert previous.start < here.start
            assert here.end < previous.end
        previous = here
    assert "target_noise" in theory.plateaus([5, 3], 3, 0.05, 1e-3, target_noise=0.1)[1].failed


def test_a_simulation_rests_on_the_plateaus(rng):
    V, _ = np.linalg.qr(rng.standard_normal((5, 5)))
    lam = np.array([5.0, 2.0, 0.8, 0.0, 0.0])
    records = theory.plateaus(lam, 3, 0.15, 0.01)
    steps = sorted({k for p in records for k in (p.start, p.end) if k is not None})
    run = rs.simulate(
        rs.Estimation((V * lam) @ V.T), depth=3, initialization=rs.Identical(0.15), steps=steps[-1],
        dynamics=rs.GradientDescent(0.01), record=steps, engine="matrix",
    )  # fmt: skip
    for record in records:
        assert record.guaranteed
        for step in (record.start, record.end):
            if step is not None:
                r = float(run.dataset.effective_rank.sel(step=step))
                assert record.deviation[0] <= r - record.effective_rank <= record.deviation[1]


def _spectrum(kind, n, rng):
    """Shapes that are hard for the exclusion of pairs: wide, clustered, repeated, with zeros, one narrow band."""
    wide = 10 ** rng.uniform(-2, 1, n)
    return {
        "uniform": rng.uniform(0.05, 10, n),
        "wide": wide,
        "clustered": np.repeat(wide[: n // 10], 10) * (1 + 1e-4 * rng.standard_normal(n // 10 * 10)),
        "repeated": np.repeat(wide[: n // 10], 10),
        "zeros": np.where(rng.random(n) < 0.3, 0.0, wide),
        "narrow": 3 + 0.1 * rng.uniform(-1, 1, n),
    }[kind] * rng.choice([-1, 1], n // 10 * 10)


KINDS = ["uniform", "wide", "clustered", "repeated", "zeros", "narrow"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("depth", "ratio"), [(2, None), (3, None), (2, 0.4), (3, 0.4), (4, 1.0)])
@pytest.mark.parametrize("noise", [0.0, 1e-4])
def test_starts_are_those_of_all_pairs(kind, depth, ratio, noise, rng):
    lam = _spectrum(kind, 60, rng)
    alpha = 0.05 if depth == 2 else rng.uniform(0.1, 0.9)
    beta = None if ratio is None else ratio * alpha
    start, eta = start_of(depth, alpha, beta), 0.5 * theory.step_limit([10.0], depth, alpha, beta).value
    for record in theory.plateaus(lam, depth, alpha, eta, beta, 0.05, noise):
        if record.start is not None:
            active, (eps, small) = lam[list(record.active)], record.levels
            nearest = active + np.sign(start.product - active) * noise
            level = nearest + np.sign(start.product - nearest) * (eps - 2 * noise)
            last = passage(start, nearest, level, eta).upper.max()
            rest = np.delete(lam, record.active)
            if start.product > small and rest.size:  # the largest of the others falls to its level last
                largest = rest.max() + noise
                last = max(last, float(passage(start, np.array([largest]), small, eta).upper[0]))
            assert record.start == last


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("depth", "ratio"), [(2, 0.3), (3, None), (3, 0.3), (5, 1.0)])
def test_a_thousand_eigenvalues_are_quick(kind, depth, ratio, rng, monkeypatch):
    bounded = []

    def counted(start, lam, *rest, **options):
        bounded.append(lam.size)
        return passage(start, lam, *rest, **options)

    monkeypatch.setattr(settled_times, "passage", counted)
    lam, alpha = _spectrum(kind, 1000, rng), 0.3
    beta = None if ratio is None else ratio * alpha
    eta = 0.5 * theory.step_limit(lam, depth, alpha, beta).value
    assert len(theory.plateaus(lam, depth, alpha, eta, beta)) == np.sum((lam > 0) if beta is None else (lam != 0))
    assert sum(bounded) < 25_000  # of half a million pairs


def test_noise_may_turn_an_eigenvalue_round():
    noisy, record = [4.0, 2.0, 0.009], theory.plateaus([4.0, 2.0, -0.001], 3, 0.04, 1e-3, 0.02, 0.05, 0.01)[1]
    passed = first_passage(start_of(3, 0.04, 0.02), np.array([0.009]), np.array([record.levels[1]]), 1e-3, 2_000_000)
    assert record.end is not None
    assert record.end < passed[0]
    p = theory.eigenvalue_path(noisy, 3, 0.04, 1e-3, record.end, 0.02)[0]
    assert abs(p[2]) <= record.levels[1]


CLUSTERS = [  # target, beta, ranks of which the last is that of the cluster
    ([3.0, 3.0, 1.0], None, (1, 2)),
    ([3.0, 3.0 - 1e-14, 1.0], None, (1, 2)),
    ([2.0, 1.0, -1.0], 0.1, (2, 3)),  # from W = 0 both signs are learned at once
    ([2.0, -1.0, -1.0, -1.0], 0.05, (2, 3, 4)),
]


@pytest.mark.parametrize(("lam", "beta", "ranks"), CLUSTERS)
def test_a_cluster_has_one_plateau(lam, beta, ranks):
    records = theory.plateaus(lam, 3, 0.1, 1e-3, beta)
    for rank in ranks[:-1]:
        assert records[rank - 1].start is records[rank - 1].end is None
        assert f"whole cluster, rank {ranks[-1]}" in records[rank - 1].failed
    assert records[ranks[-1] - 1].guaranteed


def test_a_cluster_in_a_matrix_is_seen_through_rounding(rng):
    V, _ = np.linalg.qr(rng.standard_normal((6, 6)))
    records = theory.plateaus((V * [3.0, 3.0, 1.0, 1.0, 0.0, 0.0]) @ V.T, 3, 0.1, 1e-3)
    expected = theory.plateaus([3.0, 3.0, 1.0, 1.0, 0.0, 0.0], 3, 0.1, 1e-3)
    assert _intervals(records) == _intervals(expected)
    assert [p.guaranteed for p in records] == [False, True, False, True]


def test_empty_and_unavailable_intervals_say_why():
    above = theory.plateaus([5.0, 0.01], 2, 0.2, 1e-3)[0]
    assert "the start 0.04 is already above 0.0005" in above.failed
    assert not above.guaranteed
    assert "smaller alpha" in theory.plateaus(SPECTRUM, 2, 0.1, 1e-3)[0].failed
    with pytest.warns(RankscapeWarning, match="exceeds the limit"):
        large = theory.plateaus([5.0, 1.0], 3, 0.1, 0.1)
    assert all(p.start is None and "learning rate" in p.failed for p in large)


def test_bad_input_is_named():
    with pytest.raises(InputError, match="zero"):
        theory.plateaus([0.0, 0.0], 3, 0.1, 1e-3)
    with pytest.raises(InputError, match="no eigenvalue is positive"):
        theory.plateaus([-1.0], 3, 0.1, 1e-3)
    with pytest.raises(InputError, match="`tolerance`"):
        theory.plateaus([1.0], 3, 0.1, 1e-3, tolerance=1.5)
    with pytest.raises(InputError, match="`target_noise`"):
        theory.plateaus([1.0], 3, 0.1, 1e-3, target_noise=-1.0)
    assert len(theory.plateaus(np.diag([2.0, 1.0]), 3, 0.1, 1e-3)) == 2


BAD_TARGETS = [
    ([[1.0, 2.0], [3.0, 4.0]], r"must be symmetric; here \|\|A - A\^T\|\| = 0.26 \|\|A\|\|.*singular values"),
    ([[1.0, 2.0, 3.0]], r"this one has shape \(1, 3\)"),
    (np.array([1 + 0j]), "real numbers"),
    (["five"], "real numbers, got"),
    ([1.0, np.nan], "NaN"),
    ([], "non-empty"),
    ([10**400], "real numbers"),
]


@pytest.mark.parametrize(("target", "words"), BAD_TARGETS, ids=range(len(BAD_TARGETS)))
def test_a_bad_target_is_named(target, words):
    with pytest.raises(InputError, match=words):
        theory.plateaus(target, 3, 0.1, 1e-3)


@pytest.mark.parametrize(("depth", "alpha"), [(3, 1e200), (3, 1e-200), (10**30, 0.1), (1, 0.1), (2.5, 0.1), (3, 1j)])
def test_a_start_out_of_range_is_named(depth, alpha):
    with pytest.raises(InputError, match=r"`(depth|alpha)`"):
        start_of(depth, alpha)
