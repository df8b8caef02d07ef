"""What all estimators share: the one-standard-error rule, and what a certificate says of itself."""

from dataclasses import dataclass

import numpy as np
import pytest
from scipy.stats import ttest_rel

from rankscape.estimators.certificate import AbstractCertificate
from rankscape.estimators.choice import ties


@dataclass(frozen=True)
class Weighed(AbstractCertificate):
    subject = "stone"
    weight: float
    warnings: tuple[str, ...] = ()

    @property
    def evidence(self) -> str:
        return f"{self.weight:g} kg"


def test_a_fit_ties_where_the_paired_t_statistic_is_at_most_one():
    rng = np.random.default_rng(0)
    seen = []
    for _ in range(200):
        best = rng.exponential(size=rng.integers(2, 30))
        squares = best + rng.normal(0.1, 0.3, len(best))
        seen.append(ties(squares, best))
        assert seen[-1] == (ttest_rel(squares, best).statistic <= 1)
    assert 20 < sum(seen) < 180


def test_what_is_hard_for_both_fits_does_not_count():
    best = np.array([0.1, 0.2, 0.1, 0.3])
    worse = best + np.array([0.1, 0.12, 0.09, 0.11])
    assert not ties(worse, best)
    hard = np.array([0, 0, 1e6, 0])  # next to it the difference would drown, were the errors not paired
    assert not ties(worse + hard, best + hard)


@pytest.mark.parametrize(("square", "tie"), [(0.9, True), (1.0, True), (1.1, False)])
def test_one_error_has_no_spread_so_only_what_is_no_worse_ties(square, tie):
    assert ties(np.array([square]), np.array([1.0])) is tie


def test_a_certificate_is_trusted_where_nothing_is_doubted():
    sound = Weighed(3.0)
    assert sound.trusted
    assert str(sound) == "Nothing speaks against this stone. (3 kg.)"
    cracked = sound.judged(iter(["It has a crack.", "It is wet."]))
    assert (cracked.trusted, cracked.weight, cracked.warnings) == (False, 3.0, ("It has a crack.", "It is wet."))
    assert str(cracked) == "It has a crack. It is wet. (3 kg.)"
    assert sound.trusted
