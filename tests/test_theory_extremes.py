"""Tiny, denormal and extreme numbers: an answer or a clear error, never a NaN, a hang or an error of the machinery."""

import math

import pytest

from rankscape import theory
from rankscape.errors import InputError


def _answer(call, *arguments):
    """The record, or None, and what was said instead."""
    try:
        return call(*arguments), ""
    except InputError as error:
        return None, str(error)


@pytest.mark.parametrize("predict", [theory.escape.wkb_exponent, theory.escape.mean_exit_time])
@pytest.mark.parametrize(
    ("target", "depth", "ridge", "rate"),
    [
        (1e300, 4, 1.0, 0.1),
        (2.0, 30, 1e-160, 0.1),
        (1e-310, 3, 1.0, 1.0),
        (2.0, 10, 1.0, 1e154),
        (2.0, 3, 0.4, 1e-300),
        (2.0, 3, 1e-300, 0.1),
        (2.0, 3, 1e-6, 0.1),
    ],
)
def test_escape_answers_or_says_why(predict, target, depth, ridge, rate):
    found, refused = _answer(predict, target, depth, ridge, rate)
    if found is None:
        assert "beyond what float64" in refused or "learning rate" in refused
    else:
        assert not any(math.isnan(x) for x in vars(found).values() if isinstance(x, float))


@pytest.mark.parametrize("depth", [3, 4, 10])
@pytest.mark.parametrize("size", [1e-300, 1e-20, 1e20, 1e300])
def test_absorbing_constants_answer_or_say_why(depth, size):
    for call in (lambda: theory.absorbing.worst_case(1, depth, 0.1, size),
                 lambda: theory.absorbing.worst_case(1, depth, size, 1.0)):  # fmt: skip
        found, refused = _answer(call)
        assert "range of floating point" in refused if found is None else found.largest_learning_rate > 0


@pytest.mark.parametrize("tolerance", [1e-300, 1e-15, 0.05, 0.999])
@pytest.mark.parametrize("beta", [1e-12, 1e-6, 0.1])
def test_plateaus_of_faint_perturbations_and_tolerances(beta, tolerance):
    for record in theory.plateaus([5.0, 3.0, -1.0], 3, 0.1, 1e-3, beta, tolerance):
        assert record.failed is not None or record.guaranteed
        assert record.start is None or record.start >= 0
        assert record.end is None or record.end >= 0
        assert not any(math.isnan(x) for x in record.deviation)


@pytest.mark.parametrize("beta", [5e-324, 1e-310, 1e-20])
def test_a_perturbation_that_rounding_swallows_is_refused(beta):
    """In float64 alpha - beta is alpha, so that the negative eigenvalue goes to zero as from the identical start."""
    assert 0.1 - beta == 0.1
    with pytest.raises(InputError, match="lost in the rounding of alpha"):
        theory.plateaus([5.0, -1.0], 3, 0.1, 1e-3, beta)
