"""Phase diagrams: every claim holds, intervals cover, baselines fit, and what was killed goes on where it was."""

import json
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

import rankscape as rs
from rankscape.cli.app import start
from rankscape.errors import CheckpointMismatch
from rankscape.phases import DIAGRAMS, phase_diagram
from rankscape.phases.baselines import least_squares, nuclear_norm, told_rank
from rankscape.phases.cells import heat_map, place, wilson
from rankscape.phases.methods import METHODS, estimate
from rankscape.phases.plateau_length import DIAGRAM, cell
from rankscape.sweeps import Sweep, sweep


def call(arguments, capsys) -> tuple[int, str, str]:
    """Run the command line in this process."""
    capsys.readouterr()
    return (start(arguments), *capsys.readouterr())


# --- the diagrams -----------------------------------------------------------------------------------------------


# These take a quarter of a minute each.
LONG = {"final-rank", "completion", "sensing", "sparse-completion"}


@pytest.mark.parametrize("name", [pytest.param(n, marks=[pytest.mark.slow] if n in LONG else []) for n in DIAGRAMS])
def test_every_claim_holds_and_the_figure_is_whole(name, tmp_path, capsys):
    code, out, err = call(["phases", name, "--quick", "-o", str(tmp_path), "--json"], capsys)
    claims = json.loads(out)["claims"]
    assert (code, err) == (0, "")
    assert claims
    assert all(claim["holds"] for claim in claims)
    assert len({claim["name"] for claim in claims}) == len(claims)
    for ending in ("png", "pdf", "nc", "json"):
        assert (tmp_path / f"{name}.{ending}").stat().st_size > 0
    assert Sweep(tmp_path / f"{name}-quick.zarr").status().left == 0
    with xr.open_dataset(tmp_path / f"{name}.nc", engine="scipy") as data:
        for probability in {"probability", "recovered"} & set(data.data_vars):  # never a share without its interval
            inside = (data.low <= data[probability]) & (data[probability] <= data.high)
            assert inside.where(data[probability].notnull(), True).all()


@pytest.fixture
def small(monkeypatch):
    """Four cells are a diagram, for what does not depend on what is in them."""
    quick = {"alpha": [0.14, 0.6], "depth": [2, 3]}
    monkeypatch.setattr("rankscape.phases.plateau_length.DIAGRAM", replace(DIAGRAM, quick=quick))


def test_nothing_is_made_twice(small, tmp_path, monkeypatch):
    store = tmp_path / "cells.zarr"
    first = phase_diagram("plateau-length", store, quick=True)

    def never(*_, **__):
        raise AssertionError("a cell was made again")

    monkeypatch.setattr("rankscape.sweeps.function.Function.run", never)
    again = phase_diagram("plateau-length", store, quick=True, progress=never)
    xr.testing.assert_identical(first.data, again.data)


def test_what_was_interrupted_goes_on(small, tmp_path):
    store, seen = tmp_path / "cells.zarr", []

    def interrupt(now):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        phase_diagram("plateau-length", store, quick=True, progress=interrupt)
    half = Sweep(store).status()
    assert 0 < half.done < half.runs
    figure = phase_diagram("plateau-length", store, quick=True, progress=lambda now: seen.append(now.done))
    assert len(seen) == half.left
    whole = phase_diagram("plateau-length", tmp_path / "whole.zarr", quick=True)
    xr.testing.assert_identical(figure.data, whole.data)


def test_workers_find_the_cells(tmp_path):
    over = {"alpha": [0.2], "depth": [2, 3]}
    here = sweep(cell, over, store=tmp_path / "here")
    there = sweep(cell, over, store=tmp_path / "there", executor="processes", workers=1)
    xr.testing.assert_equal(here.dataset.load(), there.dataset.load())


def test_a_store_of_another_diagram_is_refused(small, tmp_path):
    phase_diagram("plateau-length", tmp_path / "cells.zarr", quick=True)
    with pytest.raises(CheckpointMismatch):
        phase_diagram("plateau-length", tmp_path / "cells.zarr")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["plateau-lengths"], "did you mean 'plateau-length'"),
        (["weather"], "there are plateau-length, "),
        (["sensing", "--executor", "slrum"], "did you mean 'slurm'"),
        (["sensing", "--executor", "processes", "--workers", "0"], "workers"),
    ],
    ids=["misspelled", "unknown", "executor", "workers"],
)
def test_bad_input_is_said_before_any_work(arguments, text, tmp_path, capsys):
    code, _, err = call(["phases", *arguments, "--quick", "-o", str(tmp_path / "f")], capsys)
    assert code == 2
    assert text in err
    assert "Traceback" not in err


def test_a_claim_that_fails_is_said_aloud(small, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("rankscape.phases.plateau_length.flow_length", lambda *_: 2.0)
    code, out, err = call(["phases", "plateau-length", "--quick", "-o", str(tmp_path)], capsys)
    assert code == 1
    assert "FAILS" in out
    assert "claims do not hold" in err


# --- cells ------------------------------------------------------------------------------------------------------


@given(st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_is_the_interval_of_scipy(case):
    hits, trials = case
    expected = binomtest(hits, trials).proportion_ci(0.95, "wilson")
    np.testing.assert_allclose(wilson(np.array(hits), np.array(trials)), expected, atol=1e-12)


def test_a_place_between_cells_is_that_of_the_logarithms():
    axis = np.array([0.1, 0.2, 0.8])
    assert [place(axis, float(a)) for a in axis] == pytest.approx([0, 1, 2])
    assert place(axis, 0.4) == pytest.approx(1.5)
    assert place(axis, 0.05) == pytest.approx(-1)


def test_a_heat_map_writes_each_number_where_it_belongs():
    values = xr.DataArray([[0.0, 1.0], [np.nan, 0.5]], [("depth", [2, 3]), ("alpha", [0.1, 0.2])])
    panel = heat_map("title", values, ("depth", "alpha", "length"), (0.0, 1.0))
    (axes, bar) = rs.plot.draw([panel]).axes
    written = {text.get_position(): text.get_text() for text in axes.texts}
    assert (written[0, 0], written[1, 0], written[1, 1]) == ("0", "1", "0.5")
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["2", "3"]
    assert bar.get_ylabel() == "length"
    assert bar.axison
    shades = {text.get_text(): text.get_color() for text in axes.texts}
    assert (shades["0"] == "white", shades["1"] == "white") == (True, False)


# --- methods ----------------------------------------------------------------------------------------------------


def problems() -> dict[str, tuple]:
    """A problem of each kind with its truth, of rank 2 and measured well."""
    lab = rs.data.gaussian(12, 2, 3.0, seed=0)
    rng = np.random.default_rng(0)
    truth = rng.normal(size=(8, 2)) @ rng.normal(size=(2, 9))
    truth /= np.linalg.norm(truth, 2)
    return {"completion": (lab.problem, lab.matrix), "sensing": (rs.Sensing.gaussian(truth, 66), truth)}


@pytest.mark.parametrize("kind", ["completion", "sensing"])
@pytest.mark.parametrize("method", ["told rank", "depth 3, GD", "depth 3, annealed"])
def test_methods_find_what_is_measured_well(kind, method):
    problem, truth = problems()[kind]
    W, rank = estimate(problem, method, 2, seed=0)
    assert rank == 2
    np.testing.assert_allclose(least_squares(problem, W, rank)[0], truth, atol=1e-7)


@pytest.mark.parametrize("kind", ["completion", "sensing"])
def test_the_nuclear_norm_is_at_most_that_of_the_truth(kind):
    problem, truth = problems()[kind]
    W = nuclear_norm(problem)
    assert problem.loss(W) < 1e-4 * problem.loss(0 * W)
    assert np.linalg.norm(W, "nuc") <= np.linalg.norm(truth, "nuc") * (1 + 1e-6)


def test_least_squares_goes_down_to_a_stationary_point():
    problem = rs.Sensing.gaussian(np.diag([3.0, 2.0, 1.0]), 9, noise=0.1, seed=1)
    W, residual = least_squares(problem, np.diag([3.0, 2.0, 1.0]), rank=1)
    U, s, Vt = np.linalg.svd(W)
    assert s[1] < 1e-10
    slope = problem.gradient(W)
    assert max(np.abs(slope @ Vt[0]).max(), np.abs(U[:, 0] @ slope).max()) < 1e-3 * np.linalg.norm(slope)
    assert residual == pytest.approx(np.sqrt(2 * problem.loss(W)) / np.linalg.norm(problem.measurements))
    assert told_rank(problem, 1).shape == (3, 3)


def test_the_methods_are_depths_and_kinds():
    assert [m for m in METHODS if m.startswith("depth")] == [
        f"depth {N}, {kind}" for N in (2, 3, 4) for kind in ("GD", "SGD", "annealed")
    ]


def test_the_grids_hold_what_the_cells_need():
    for grid in (DIAGRAM.full, DIAGRAM.quick):
        assert set(grid) == {"alpha", "depth"}
