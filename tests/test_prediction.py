"""Prediction meets simulation: the command that predicts plateaus, and runs that stop where theory says."""

import json

import numpy as np
import pytest

import rankscape as rs
from rankscape import theory
from rankscape.cli.app import app, run
from rankscape.errors import InputError

SPECTRUM = [5.0, 3.0, 1.5, 0.5, 0.0]
SETTING = ["--eigenvalues", "5,3,1.5,0.5,0", "--depth", "3", "--alpha", "0.1", "--learning-rate", "1e-3"]


def _command(*arguments):
    return run(lambda: app(["plateaus", *arguments], exit_on_error=False, print_error=False))


def test_the_command_prints_the_intervals_of_the_reference_experiment(capsys):
    assert _command(*SETTING, "--tolerance", "0.05", "--json") == 0
    printed = json.loads(capsys.readouterr().out)["plateaus"]
    assert [(p["rank"], p["start"], p["end"]) for p in printed] == [
        (1, 2028, 2723),
        (2, 3386, 5125),
        (3, 6796, 13315),
        (4, 20542, None),
    ]
    np.testing.assert_allclose([p["effective_rank"] for p in printed], [1, 1.6, 1.9, 2])


def test_the_table_says_why_a_plateau_is_empty(capsys):
    assert _command("--eigenvalues", "5,3", "--depth", "2", "--alpha", "0.1", "--learning-rate", "1e-3") == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("1"))
    assert "none" in line


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--eigenvalues", "5,x", *SETTING[2:]], "finite number, got 'x'"),
        ([*SETTING[:-1], "-1"], "learning_rate"),
        (["--depth", "2.5", *SETTING[:2], *SETTING[4:]], "whole number"),
        (["--eigenvalues", "0,0", *SETTING[2:]], "zero"),
        ([*SETTING, "--beta", "0.2"], "beta"),
    ],
)
def test_bad_numbers_are_named(arguments, word, capsys):
    assert _command(*arguments) == 2
    captured = capsys.readouterr()
    assert word in captured.err
    assert not captured.out


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_a_run_stops_where_theory_says_and_has_that_rank(rank, rng):
    V = np.linalg.qr(rng.normal(size=(5, 5)))[0]
    target = (V * SPECTRUM) @ V.T
    rule = theory.stopping_rule(SPECTRUM, depth=3, alpha=0.1, learning_rate=1e-3, rank=rank)
    stopped = rs.simulate(
        rs.Estimation((target + target.T) / 2), 3, initialization=rs.Identical(0.1),
        dynamics=rs.GradientDescent(1e-3), steps=30_000, stop=rule,
    )  # fmt: skip
    assert stopped.outcome == "stopped"
    assert stopped.step[-1] == rule.step
    assert "as theory says" in stopped.message
    sigma = stopped.singular_values.values[-1]
    assert np.all(np.abs(sigma[:rank] - SPECTRUM[:rank]) <= 0.05 * SPECTRUM[rank - 1])
    assert sigma[rank] <= 0.05 * SPECTRUM[rank]
    low, high = rule.effective_rank
    assert low <= stopped.effective_rank[-1] <= high


def test_a_wish_that_cannot_be_met_is_refused():
    rule = theory.stopping_rule([5.0, 3.0], depth=2, alpha=0.1, learning_rate=1e-3, effective_rank=1.9)
    with pytest.raises(InputError, match="no step to stop at"):
        _two_modes(rule)


def test_a_step_without_a_certificate_says_so():
    rule = theory.stopping_rule([5.0, 3.0], depth=2, alpha=0.1, learning_rate=1e-3, rank=1)
    assert "without a certificate" in _two_modes(rule).message


def _two_modes(rule):
    return rs.simulate(
        rs.Estimation(eigenvalues=[5.0, 3.0]), 2, initialization=rs.Identical(0.1),
        dynamics=rs.GradientDescent(1e-3), steps=1000, stop=rule,
    )  # fmt: skip
