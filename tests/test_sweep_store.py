"""What a sweep leaves behind: one labelled store, every run equal to the same run alone."""

import json
import tracemalloc
import warnings
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sweep_runs
import xarray as xr
from exact_csv import read_csv
from hypothesis import given
from hypothesis import strategies as st

import rankscape as rs
from rankscape.errors import InputError, RankscapeWarning
from rankscape.sweeps import Sweep
from rankscape.sweeps.experiment import batch_size
from rankscape.sweeps.grid import Grid
from rankscape.sweeps.kinds import PROBLEM
from rankscape.sweeps.layout import layout_of
from rankscape.sweeps.over import make_grid
from rankscape.sweeps.simulations import Simulations

BASE = dict(eigenvalues=[3.0, 1.0, 0.2], learning_rate=0.01, steps=500, record=[0, 100, 500])


def contents(store: Path) -> dict[str, bytes]:
    """Every file of a store."""
    return {str(p.relative_to(store)): p.read_bytes() for p in sorted(store.rglob("*")) if p.is_file()}


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """Depths, scales, seeds, and a learning rate that diverges; batches that cut across the depths."""
    over = {"scale": [0.05, 0.1], "depth": [2, 4], "learning_rate": [0.01, 5.0]}
    base = BASE | {"initialization": "gaussian"}
    return rs.sweep(base, over, seeds=[3, 8], store=tmp_path_factory.mktemp("sweep") / "mixed.zarr", batch=3)


def test_every_run_of_a_store_equals_the_same_run_alone(mixed):
    data = mixed.dataset
    assert data.done.values.all()
    for k in range(data.sizes["run"]):
        row = data.isel(run=k)
        start, dynamics = rs.Gaussian(float(row.scale)), rs.GradientDescent(float(row.learning_rate))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RankscapeWarning)
            alone = rs.simulate(
                rs.Estimation(eigenvalues=BASE["eigenvalues"]), int(row.depth), initialization=start,
                dynamics=dynamics, steps=500, record=[0, 100, 500], seed=int(row.seed),
            )  # fmt: skip
        assert str(alone.outcome) == data.outcome.attrs["flag_meanings"].split()[int(row.outcome)]
        assert str(row.message.values) == alone.message
        for name, variable in alone.dataset.data_vars.items():
            stored = row[name].sel(step=np.intersect1d(variable.step, row.step))
            inner = {dim: slice(0, variable.sizes[dim]) for dim in variable.dims if dim != "step"}
            expected = variable.sel(step=stored.step).values.astype(float)
            np.testing.assert_array_equal(stored.isel(inner).values, expected, str(name))
            rest = row[name].isel({dim: slice(size.stop, None) for dim, size in inner.items()})
            assert not inner or np.isnan(rest.values).all()


def test_divergence_is_an_outcome_and_the_others_go_on(mixed):
    data, now = mixed.dataset, mixed.status()
    bad = data.outcome.values == data.outcome.attrs["flag_meanings"].split().index("diverged")
    np.testing.assert_array_equal(bad, data.learning_rate.values == 5.0)
    assert (now.done, now.failed, now.left, now.state) == (16, 8, 0, "finished")
    assert np.isnan(data.loss.sel(step=500).values[bad]).all()
    assert np.isfinite(data.loss.values[~bad]).all()


def test_a_store_unstacks_to_a_labelled_grid(mixed):
    grid = mixed.unstack()
    assert {name: grid.sizes[name] for name in ("scale", "depth", "learning_rate", "seed")} == {
        "scale": 2, "depth": 2, "learning_rate": 2, "seed": 2,
    }  # fmt: skip
    data = mixed.dataset
    for k in range(16):
        place = {name: data[name].values[k] for name in ("scale", "depth", "learning_rate", "seed")}
        np.testing.assert_array_equal(grid.loss.sel(place).values, data.loss.values[k])
    assert grid.initialization.values == "gaussian"  # what all share is a scalar


def test_every_hyperparameter_is_a_coordinate_on_run(mixed):
    data = mixed.dataset
    names = set(Simulations.of(BASE).names()) - set(PROBLEM)
    assert names <= set(data.coords)
    assert all(data[name].dims == ("run",) for name in names)


def test_a_plain_zarr_reader_understands_the_store(mixed):
    plain = xr.open_zarr(mixed.path, consolidated=False, chunks=None)
    assert {"run", "step", "index"} <= set(plain.sizes)
    assert plain.effective_rank.dims == ("run", "step")
    assert set(mixed.axes.values()) <= set(plain.coords)


def test_the_executor_does_not_change_a_byte(tmp_path):
    from concurrent.futures import ThreadPoolExecutor

    grid = dict(base=BASE, over={"alpha": [0.1, 0.2, 0.3]}, seeds=3, batch=2)
    one = rs.sweep(**grid, store=tmp_path / "one.zarr")
    with ThreadPoolExecutor(3) as pool:
        other = rs.sweep(**grid, store=tmp_path / "other.zarr", executor=pool)
    assert contents(one.path) == contents(other.path)


def test_one_chunk_is_one_batch(tmp_path):
    made = rs.sweep(BASE, {"alpha": [0.1, 0.2, 0.3]}, seeds=3, store=tmp_path / "grid.zarr", batch=4)
    for name in (*made.dataset.data_vars,):
        description = json.loads((made.path / str(name) / "zarr.json").read_text())
        shape = description["chunk_grid"]["configuration"]["chunk_shape"]
        assert shape == [4, *description["shape"][1:]], name


@pytest.mark.parametrize("changed", ["steps", "eigenvalues", "heldout"])
def test_what_changes_the_problem_or_the_length_can_be_swept(tmp_path, changed, rng):
    if changed == "steps":
        made = rs.sweep({**BASE, "record": None}, {"steps": [300, 500]}, store=tmp_path / "grid.zarr").unstack()
        assert np.isfinite(made.loss.sel(steps=300, step=300))
        assert np.isnan(made.loss.sel(steps=300, step=500))
    elif changed == "eigenvalues":
        base = {**BASE, "eigenvalues": None}
        made = rs.sweep(base, {"eigenvalues": [[2.0, 1.0], [3.0, 2.0, 1.0]]}, store=tmp_path / "grid.zarr").dataset
        assert made.given_eigenvalues.values.tolist() == ["2.0,1.0", "3.0,2.0,1.0"]
        assert np.isnan(made.singular_values.values[0, :, 2]).all()
    else:
        np.save(tmp_path / "X.npy", rng.normal(size=(6, 2)) @ rng.normal(size=(2, 5)))
        base = dict(entries=str(tmp_path / "X.npy"), dynamics="sgd", initialization="gaussian", steps=40, heldout=0.3)
        data = rs.sweep(base, {"ridge": [0.0, 0.1]}, seeds=2, store=tmp_path / "grid.zarr").dataset
        first = data.heldout_loss.isel(step=0).values.reshape(2, 2)
        order = data.seed.values.reshape(2, 2)
        assert set(order[0]) in ({0}, {0, 1})
        by_seed = {seed: set(data.heldout_loss.isel(step=0).values[data.seed.values == seed]) for seed in (0, 1)}
        assert all(len(values) == 1 for values in by_seed.values())  # the split belongs to the seed
        assert len(np.unique(first)) == 2


def test_a_problem_as_an_object_is_swept(tmp_path, rng):
    sensing = rs.Sensing(rng.normal(size=(8, 4, 3)), rng.normal(size=8))
    base = dict(problem=sensing, initialization="gaussian", learning_rate=1e-3, steps=50, record=rs.Every(25))
    made = rs.sweep(base, {"scale": [0.1, 0.2]}, store=tmp_path / "grid.zarr").dataset
    assert made.step.values.tolist() == [0, 25, 50]
    alone = rs.simulate(
        sensing, initialization=rs.Gaussian(0.2), dynamics=rs.GradientDescent(1e-3), steps=50, record=[50]
    )
    assert made.loss.sel(step=50).values[1] == alone.loss.values[0]


def test_any_function_is_swept(tmp_path):
    made = rs.sweep(sweep_runs.numbers, {"x": [1, 2.5]}, seeds=2, store=tmp_path / "grid.zarr").unstack()
    for x in (1, 2.5):
        for seed in (0, 1):
            alone = sweep_runs.numbers(x, seed)
            np.testing.assert_array_equal(made.table.sel(x=x, seed=seed).values, alone["table"])
            assert made.twice.sel(x=x, seed=seed) == 2 * x
    assert made.pause == 0.0  # a default is a hyperparameter


# --- the grid ---------------------------------------------------------------------------------------------------


@given(st.lists(st.integers(1, 4), min_size=1, max_size=4), st.integers(0, 3), st.data())
def test_a_grid_numbers_every_combination_once(sizes, slow, data):
    axes = {f"name{k}": list(range(size)) for k, size in enumerate(sizes)}
    grid = Grid([{}], axes)
    settings = grid.part(0, len(grid))
    assert len({tuple(s.items()) for s in settings}) == len(grid) == int(np.prod(sizes))
    chosen = data.draw(st.lists(st.sampled_from(sorted(axes)), unique=True, max_size=slow))
    ordered = grid.ordered(chosen)
    assert {tuple(sorted(s.items())) for s in ordered.part(0, len(ordered))} == {
        tuple(sorted(s.items())) for s in settings
    }
    start, stop = sorted(data.draw(st.tuples(st.integers(0, len(grid)), st.integers(0, len(grid)))))
    for name in axes:
        assert grid.column(name, start, stop) == [setting[name] for setting in settings[start:stop]]
    kinds = [tuple(s[name] for name in sorted(chosen)) for s in ordered.part(0, len(ordered))]
    assert sum(a != b for a, b in pairwise(kinds)) == len(set(kinds)) - 1


def test_a_list_of_settings_is_swept_with_its_seeds(tmp_path):
    rows = [{"alpha": 0.1, "depth": 3}, {"alpha": 0.2, "depth": 2}, {"alpha": 0.3, "depth": 3}]
    made = rs.sweep(BASE, rows, seeds=2, store=tmp_path / "grid.zarr")
    data = made.dataset
    assert not (made.path / "steps" / "c").exists()  # what all runs share takes no chunk
    assert (data.steps.values == BASE["steps"]).all()
    found = sorted(zip(data.alpha.values, data.depth.values, data.seed.values, strict=True))
    assert found == sorted((row["alpha"], row["depth"], seed) for row in rows for seed in range(2))


@pytest.mark.parametrize(("runs", "affordable", "batches"), [(5, 9.0, 1), (10_000, 612.0, 20), (9, 1e-3, 9)])
def test_batches_are_equal_and_a_multiple_of_four(runs, affordable, batches):
    size = batch_size(runs, affordable)
    assert size <= max(affordable, 1)
    assert -(-runs // size) == batches


def test_values_may_be_spaced():
    grid = make_grid({"alpha": {"from": 0.01, "to": 1, "count": 3, "spacing": "log"}}, None, None)
    np.testing.assert_allclose([s["alpha"] for s in grid.part(0, 3)], [0.01, 0.1, 1.0])


def test_the_client_does_not_grow_with_the_number_of_runs():
    """A grid of a million runs and the search for its first batch take no memory for the runs."""
    tracemalloc.start()
    grid = make_grid({"alpha": [0.1, 0.2], "ridge": [0.0, 0.1]}, range(250_000), ["alpha", "ridge", "seed"])
    assert len(grid) == 1_000_000
    assert len(grid.ordered(["ridge"]).part(500_000, 500_100)) == 100
    json.dumps(grid.describe())
    assert tracemalloc.get_traced_memory()[1] < 300_000
    tracemalloc.stop()


def test_a_layout_pads_and_refuses_what_does_not_fit():
    small = xr.Dataset({"v": (("step", "index"), np.ones((2, 1)))}, coords={"step": [0, 5], "index": [1]})
    large = xr.Dataset({"v": (("step", "index"), np.ones((1, 3)))}, coords={"step": [9], "index": [1, 2, 3]})
    layout = layout_of([small, large], np.array([0, 5, 9]))
    blocks = layout.blank(2)
    layout.place(blocks, [1], small.expand_dims("run"))
    assert np.isnan(blocks["v"][0]).all()
    assert np.argwhere(np.isfinite(blocks["v"][1])).tolist() == [[0, 0], [1, 0]]
    with pytest.raises(InputError, match="recorded step 7"):
        layout.place(blocks, [0], small.assign_coords(step=[0, 7]).expand_dims("run"))


# --- export -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_a_table_holds_what_the_store_holds(mixed, tmp_path, format):
    path = mixed.export(tmp_path / f"runs.{format}")
    frame = read_csv(path) if format == "csv" else pd.read_parquet(path)
    data = mixed.dataset
    recorded = int(np.isfinite(data.loss.values).sum())
    assert len(frame) == recorded
    for _, row in frame.sample(5, random_state=0).iterrows():
        here = data.isel(run=int(row["run"])).sel(step=int(row["step"]))
        assert row["loss"] == float(here.loss)
        assert row["singular_values_2"] == float(here.singular_values.sel(index=2))
        assert row["scale"] == float(here.scale)
    assert set(frame["outcome"]) <= {"finished", "diverged"}


def test_netcdf_holds_what_the_store_holds(mixed, tmp_path):
    back = xr.load_dataset(mixed.export(tmp_path / "runs.nc"), engine="scipy")
    data = mixed.dataset
    for name in ("loss", "singular_values", "scale", "depth", "outcome"):
        np.testing.assert_array_equal(back[name].values, data[name].values)
    assert back.initialization.values.tolist() == data.initialization.values.tolist()


def test_exports_of_unknown_formats_are_refused(mixed, tmp_path):
    with pytest.raises(InputError, match=r"did you mean 'parquet'"):
        mixed.export(tmp_path / "runs", "parket")
    with pytest.raises(InputError, match="name the format"):
        mixed.export(tmp_path / "runs.xlsx")


def test_a_sweep_is_opened_from_its_store(mixed):
    xr.testing.assert_identical(Sweep(mixed.path).dataset.load(), mixed.dataset.load())


def test_exported_columns_do_not_follow_the_order_of_a_folder(tmp_path, monkeypatch):
    done = rs.sweep({**BASE}, over={"depth": [2, 3], "alpha": [0.1]}, store=tmp_path / "grid.zarr")
    first = done.export(tmp_path / "first.csv").read_text()
    opened = xr.open_zarr
    backwards = lambda *args, **kwargs: (data := opened(*args, **kwargs))[[*reversed([*data.variables])]]
    monkeypatch.setattr(xr, "open_zarr", backwards)
    assert done.export(tmp_path / "second.csv").read_text() == first
