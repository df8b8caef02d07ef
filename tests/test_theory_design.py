"""Inverse questions: critical scales, designs with their certificates, stopping rules, diagnoses."""

import numpy as np
import pytest

from rankscape import theory
from rankscape.errors import InputError, RankscapeWarning
from rankscape.theory.climbing.critical import window
from rankscape.theory.climbing.stopping import effective_rank_of
from rankscape.theory.inputs import start_of

SPECTRUM = [5.0, 3.0, 1.5, 0.5]
CRITICAL = {
    2: (0.003270887629, 0.01045626275, 0.02824805991),
    3: (0.2086770132, 0.2084331989, 0.1942896779),
    4: (0.3786053133, 0.3597493154, 0.3202503824),
    5: (0.4898226598, 0.4631113353, 0.4136885798),
}


@pytest.mark.parametrize("depth", CRITICAL)
def test_critical_scales(depth):
    found = [theory.critical_alpha(SPECTRUM, rank, depth).alpha for rank in (1, 2, 3)]
    np.testing.assert_allclose(found, CRITICAL[depth], rtol=1e-9)


def test_longer_plateaus_need_smaller_scales():
    alphas = [theory.critical_alpha(SPECTRUM, 2, 3, length=t).alpha for t in (0.0, 1.0, 10.0)]
    assert alphas[0] > alphas[1] > alphas[2]
    first, last = window(start_of(3, alphas[2]), np.array(SPECTRUM), 2, (0.05, 0.05))
    assert last - first == pytest.approx(10.0, rel=1e-8)


def test_critical_scale_of_the_perturbed_start():
    alpha = theory.critical_alpha([*SPECTRUM, -1.0], 2, 3, beta_ratio=0.3).alpha
    inside = theory.plateaus([*SPECTRUM, -1.0], 3, 0.9 * alpha, 1e-4, beta=0.27 * alpha)
    outside = theory.plateaus([*SPECTRUM, -1.0], 3, 1.1 * alpha, 1e-4, beta=0.33 * alpha)
    assert inside[1].guaranteed
    assert not outside[1].guaranteed


def test_scales_that_do_not_exist():
    assert "degenerate" in theory.critical_alpha([5.0, 5.0, 1.0], 1, 3).failed
    small = theory.critical_alpha([5.0, 4.999], 1, 2)
    assert small.alpha is None
    assert "gap is too small" in small.failed


@pytest.mark.parametrize("fixed", [(2, -0.655), (3, 2.263), (4, 5.568), (5, 8.421), (8, 13.221), (16, 14.103)])
def test_plateau_length_at_fixed_initial_product(fixed):
    depth, length = fixed
    first, last = window(start_of(depth, 1e-3 ** (1 / depth)), np.array([2.0, 1.0]), 1, (0.05, 0.05))
    assert last - first == pytest.approx(length, abs=1e-3)


@pytest.mark.parametrize(
    ("rank", "depth", "steps", "budget"), [(2, 3, 2000, 6000), (1, 2, 100, 2000), (3, 4, 5000, 20000), (4, 3, 10, 1000)]
)
def test_a_design_keeps_its_promise(rank, depth, steps, budget):
    plan = theory.design(SPECTRUM, rank, depth, steps, budget)
    assert plan.achievable
    record = theory.plateaus(SPECTRUM, depth, plan.alpha, plan.learning_rate)[rank - 1]
    assert (record.start, record.end) == (plan.plateau.start, plan.plateau.end)
    end = budget if record.end is None else min(record.end, budget)
    assert end - record.start + 1 == plan.steps >= steps
    p = theory.eigenvalue_path(SPECTRUM, depth, plan.alpha, plan.learning_rate, [record.start, end])
    difference = effective_rank_of(p) - record.effective_rank
    assert np.all((record.deviation[0] <= difference) & (difference <= record.deviation[1]))


def test_a_design_for_both_signs():
    plan = theory.design([*SPECTRUM, -2.0], 2, 3, 500, 20000, beta_ratio=0.3)
    assert plan.achievable
    assert plan.beta == pytest.approx(0.3 * plan.alpha)


def test_wishes_that_cannot_be_met():
    plan = theory.design(SPECTRUM, 2, 3, 5900, 6000)
    assert not plan.achievable
    assert "steps are the most" in plan.failed
    assert 0 < plan.steps < 5900
    assert theory.design(SPECTRUM, 2, 3, int(0.9 * plan.steps), 6000).achievable
    assert "do not fit" in theory.design(SPECTRUM, 2, 3, 10, 5).failed
    assert "degenerate" in theory.design([2.0, 2.0, 1.0], 1, 3, 10, 1000).failed
    with pytest.raises(InputError, match="`rank`"):
        theory.design(SPECTRUM, 5, 3, 10, 1000)
    with pytest.raises(InputError, match="`beta_ratio`"):
        theory.design(SPECTRUM, 1, 3, 10, 1000, beta_ratio=2.0)


def test_stop_for_a_rank():
    rule = theory.stopping_rule(SPECTRUM, 3, 0.1, 1e-3, rank=2)
    assert (rule.earliest, rule.latest, rule.rank, rule.certified) == (3386, 5125, 2, True)
    assert rule.earliest <= rule.step <= rule.latest
    r = float(effective_rank_of(theory.eigenvalue_path(SPECTRUM, 3, 0.1, 1e-3, rule.step))[0])
    assert rule.effective_rank[0] <= r <= rule.effective_rank[1]
    empty = theory.stopping_rule(SPECTRUM, 2, 0.1, 1e-3, rank=1)
    assert not empty.certified
    assert "empty" in empty.failed
    assert theory.stopping_rule(SPECTRUM, 3, 0.1, 1e-3, rank=4).latest is None


@pytest.mark.parametrize("beta", [None, 0.05, 0.1])
def test_stop_for_an_effective_rank(beta):
    rule = theory.stopping_rule(SPECTRUM, 3, 0.1, 1e-3, effective_rank=1.5, beta=beta)
    r = effective_rank_of(theory.eigenvalue_path(SPECTRUM, 3, 0.1, 1e-3, [rule.step - 1, rule.step], beta))
    assert r[1] >= 1.5
    assert r[0] < 1.5
    assert rule.effective_rank == (pytest.approx(r[1]), pytest.approx(r[1]))


def test_stopping_rules_that_cannot_be_met():
    never = theory.stopping_rule(SPECTRUM, 3, 0.1, 1e-2, effective_rank=3.5, max_steps=5000)
    assert never.step is None
    assert "does not rise" in never.failed
    for wishes in ({}, {"rank": 1, "effective_rank": 1.0}, {"rank": 5}, {"effective_rank": 0.5}):
        with pytest.raises(InputError):
            theory.stopping_rule(SPECTRUM, 3, 0.1, 1e-3, **wishes)
    with pytest.warns(RankscapeWarning, match="exceeds the limit"):
        assert not theory.stopping_rule(SPECTRUM, 3, 0.1, 0.1, rank=1).certified


DIAGNOSES = [
    ({"eigenvalues": [2.0, -1.0], "learning_rate": 1.0}, {"step too large", "unreachable"}),
    ({"eigenvalues": [5.0, 3.0], "depth": 2}, {"no plateau", "initial decrease"}),
    ({"eigenvalues": [5.0, 5.0, 1.0]}, {"cluster"}),
    ({"eigenvalues": [5.0, 1e-5]}, {"below the start"}),
    ({"eigenvalues": [5.0, 0.0]}, {"final decrease", "slow decay"}),
    ({"eigenvalues": [5.0, 0.5, -1.0]}, {"broken symmetry", "slow decay"}),
    ({"eigenvalues": [1.0], "depth": 12}, {"late"}),
    ({"eigenvalues": [1.0, -1.0, 0.0], "beta": 0.05}, {"bottleneck", "crossing zero", "slow decay"}),
    ({"eigenvalues": [1.0, -1.0], "beta": 0.1}, {"zero start"}),
]


@pytest.mark.parametrize(("setting", "names"), DIAGNOSES)
def test_diagnoses(setting, names):
    found = theory.diagnose(**{"depth": 3, "alpha": 0.1, "learning_rate": 1e-3} | setting)
    assert names <= {finding.name for finding in found}
    assert [finding.severity for finding in found] == sorted((finding.severity for finding in found), reverse=True)


def test_a_sound_setting_has_no_warnings():
    found = theory.diagnose(SPECTRUM, 3, 0.1, 1e-3)
    assert not [finding for finding in found if finding.severity == "warning"]
