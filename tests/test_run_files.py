"""A run of the command line: written as its name ends, never over another one; when it stops and what watches it."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from command_line import caller
from exact_csv import read_csv

import rankscape as rs
from rankscape.config import SimulationConfig, make_config, read_toml
from rankscape.errors import InputError
from rankscape.sweeps import sweep

RUN = ["simulate", "--eigenvalues", "5,3", "--learning-rate", "0.01", "--steps", "600"]


@pytest.fixture
def call(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    return caller(capsys)


def test_a_run_is_written_as_its_name_ends(call):
    for ending in ("zarr", "nc", "csv", "parquet"):
        done = call(*RUN, "-o", f"run.{ending}", "--json")
        assert (done.code, json.loads(done.out)["output"]) == (0, f"run.{ending}")
    run = rs.Trajectory.load("run.zarr").dataset
    with xr.open_dataset("run.nc", engine="scipy") as stored:
        np.testing.assert_array_equal(stored.singular_values, run.singular_values)
        assert stored.attrs["engine"] == "spectral"
    for frame in (read_csv("run.csv"), pd.read_parquet("run.parquet")):
        np.testing.assert_array_equal(frame["step"], run.step)
        np.testing.assert_array_equal(frame["singular_values_2"], run.singular_values[:, 1])
        np.testing.assert_array_equal(frame["loss"], run.loss)


@pytest.mark.parametrize("name", ["run.txt", "run", "run.zip", "run.npz", "run.csv.gz"])
def test_an_ending_that_says_nothing_is_refused(call, name):
    done = call(*RUN, "-o", name)
    assert (done.code, done.out) == (2, "")
    assert ".zarr, .nc, .csv, .parquet" in done.err
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize("name", ["run.zarr", "run.nc"])
def test_only_the_same_run_is_replaced_without_being_told_so(call, name):
    assert call(*RUN, "-o", name).code == 0
    assert call(*RUN, "-o", name).code == 0  # the same once more
    for other in (["--alpha", "0.2"], ["--seed", "5"]):
        done = call(*RUN, *other, "-o", name)
        assert (done.code, done.out) == (2, "")
        assert "--force" in done.err
    assert call(*RUN, "-o", name).code == 0  # untouched
    assert call(*RUN, "--seed", "5", "-o", name, "--force").code == 0
    done = call(*RUN, "-o", name)
    assert done.code == 2


@pytest.mark.parametrize("name", ["notes.csv", "notes.nc", "notes.parquet"])
def test_what_is_no_run_is_kept(call, name):
    Path(name).write_text("mine")
    assert call(*RUN, "-o", name).code == 2
    assert Path(name).read_text() == "mine"
    # Another run may be replaced when that is asked for, and a text may be a table of one; no file of another kind.
    assert call(*RUN, "-o", name, "--force").code == (0 if name == "notes.csv" else 2)
    assert (Path(name).read_text() == "mine") == (name != "notes.csv")


def test_a_folder_is_never_replaced(call):
    Path("mine.zarr").mkdir()
    Path("mine.zarr", "notes").write_text("mine")
    for force in ([], ["--force"]):
        done = call(*RUN, "-o", "mine.zarr", *force)
        assert (done.code, done.out) == (2, "")
        assert "not a stored trajectory" in done.err
    assert Path("mine.zarr", "notes").read_text() == "mine"


# --- stopping, watching, moving -------------------------------------------------------------------------------------

START = {"depth": 3, "initialization": rs.Identical(0.1)}
ESTIMATION = rs.Estimation(eigenvalues=[5.0, 3.0])

STOPS = {
    "step": ({"stop_step": 77}, rs.AtStep(77)),
    "effective rank": ({"stop_effective_rank": 1.3, "stop_every": 10}, rs.AtEffectiveRank(1.3, every=10)),
    "plateau": ({"stop_plateau": 1, "stop_every": 5}, rs.OnPlateau(1, every=5)),
    "rank": ({"stop_rank": 1}, rs.theory.stopping_rule([5.0, 3.0], 3, 0.1, 0.01, rank=1)),
}


@pytest.mark.parametrize("case", STOPS)
def test_stopping_rules_are_those_of_python(call, case):
    named, rule = STOPS[case]
    dynamics = rs.GradientDescent(0.01)
    run = rs.simulate(ESTIMATION, **START, dynamics=dynamics, steps=600, stop=rule)
    Path("run.toml").write_text("".join(f"{name} = {value}\n" for name, value in named.items()))
    options = [word for name, value in named.items() for word in ("--" + name.replace("_", "-"), value)]
    for extra in (options, ["run.toml"]):
        facts = json.loads(call(RUN[0], *extra, *RUN[1:], "--json").out)
        assert facts["outcome"] == "stopped"
        assert (facts["message"], facts["last_record"]) == (run.message, int(run.step[-1]))


def test_a_heldout_loss_that_rises_stops_a_run(tmp_path):
    rng = np.random.default_rng(0)
    X = np.where(rng.random((12, 10)) < 0.8, rng.normal(size=(12, 10)), np.nan)
    np.save(tmp_path / "X.npy", X)
    config = SimulationConfig(
        entries=str(tmp_path / "X.npy"), heldout=0.3, stop_heldout=0.02, steps=20_000, learning_rate=0.1,
        initialization="gaussian",
    )  # fmt: skip
    assert config.run().outcome == "stopped"


def test_a_monitor_stamps_every_jump(call):
    facts = json.loads(call(*RUN, "--monitor", "--json").out)
    run = rs.simulate(ESTIMATION, **START, dynamics=rs.GradientDescent(0.01), steps=600, monitor=rs.RankMonitor())
    assert facts["jumps"] == run.jumps.values.tolist()
    assert f"step {facts['jumps'][0][0]}: 0 to 1" in call(*RUN, "--monitor").out


def test_optimizers_and_paths_are_those_of_python(tmp_path):
    import optax

    named = {"eigenvalues": [5.0, 3.0], "steps": 50}
    paths = "ridge_path = [[0, 1e-2], [20, 1e-4]]\nlearning-rate-path = '0:0.01,30:0.001'"
    (tmp_path / "run.toml").write_text(f"eigenvalues = [5, 3]\nsteps = 50\n{paths}\n")
    dynamics = {
        "adam": (SimulationConfig(**named, dynamics="optimizer", learning_rate=0.1), rs.Optimizer(optax.adam(0.1))),
        "paths": (
            make_config(read_toml(tmp_path / "run.toml"), "run.toml"),
            rs.GradientDescent(rs.rates.piecewise({0: 0.01, 30: 0.001}), rs.rates.piecewise({0: 1e-2, 20: 1e-4})),
        ),
    }
    for config, wanted in dynamics.values():
        run = rs.simulate(ESTIMATION, **START, dynamics=wanted, steps=50)
        np.testing.assert_array_equal(config.run().singular_values, run.singular_values)


MISTAKES = {
    "two reasons to stop": ({"stop_step": 3, "stop_rank": 1}, "--stop-step and --stop-rank"),
    "theory of another start": ({"stop_rank": 1, "initialization": "gaussian"}, "--stop-rank asks theory"),
    "no such optimizer": ({"dynamics": "optimizer", "optimizer": "adamm"}, "did you mean 'adam"),
    "a rate and its path": ({"ridge": 0.1, "ridge_path": "0:1"}, "--ridge and its path"),
    "a path without a start": ({"ridge_path": "5:1"}, "starts at 0"),
    "a path for optax": ({"dynamics": "optimizer", "learning_rate_path": "0:1"}, "--learning-rate-path"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_what_does_not_go_together_is_refused(case):
    settings, words = MISTAKES[case]
    with pytest.raises(InputError, match=words):
        make_config({"eigenvalues": [5, 3], "steps": 10} | settings, "run.toml").run()


def test_a_path_is_checked_where_it_is_typed(call):
    done = call(*RUN, "--ridge-path", "0:1,x:2")
    assert done.code == 2
    assert done.err == "error: --ridge-path x:2: Must be STEP:VALUE, as 0:1e-3,1000:1e-4.\n"


def test_a_sweep_does_not_stop_early(tmp_path):
    with pytest.raises(InputError, match=r"stop_step.*single run"):
        sweep({"eigenvalues": [5, 3], "steps": 10, "stop_step": 3}, over={"alpha": [0.1]}, store=tmp_path / "s.zarr")
