"""What comes back: labels, access, and storage that is read as it was written."""

import errno
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
import zarr
from catalogue import ONE_OF_EACH, identical

import rankscape as rs
from rankscape.errors import DivergenceWarning, InputError, StorageError


def _single(steps=60, **changes):
    return ONE_OF_EACH["spectral"].simulate(steps, record=rs.Every(20), **changes)


def _batch():
    return ONE_OF_EACH["matrix"].simulate(
        60, record=rs.Every(20), initialization=[rs.Gaussian(0.3), rs.Gaussian(0.5)], seed=[3, 4]
    )


def _diverged():
    with pytest.warns(DivergenceWarning):
        return ONE_OF_EACH["matrix"].simulate(
            60, record=rs.Every(1), dynamics=[rs.GradientDescent(0.1), rs.GradientDescent(500.0)]
        )


RUNS = {"single": _single, "batch": _batch, "a diverged lane": _diverged}
every_run = pytest.mark.parametrize("make", RUNS.values(), ids=RUNS.keys())


# -- storage ---------------------------------------------------------------------------------------------


@every_run
def test_a_stored_trajectory_is_read_as_it_was_written(make, tmp_path):
    run = make()
    assert run.save(tmp_path / "run.zarr") == tmp_path / "run.zarr"
    back = rs.Trajectory.load(tmp_path / "run.zarr")
    xr.testing.assert_identical(back.dataset, run.dataset)
    assert {name: v.dtype for name, v in back.dataset.items()} == {name: v.dtype for name, v in run.dataset.items()}
    assert len(back.all_factors) == len(run.all_factors)
    for mine, theirs in zip(back.all_factors, run.all_factors, strict=True):
        assert identical(mine, theirs)
    assert back.outcome == run.outcome
    assert back.configuration == run.configuration


def test_saving_leaves_the_trajectory_as_it_is(tmp_path):
    run = _single()
    before = run.dataset.copy(deep=True)
    run.save(tmp_path / "run.zarr")
    xr.testing.assert_identical(run.dataset, before)


def test_nothing_is_pickled(tmp_path, monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("pickle")

    for function in ("dump", "dumps", "load", "loads"):
        monkeypatch.setattr(pickle, function, refuse)
    _single().save(tmp_path / "run.zarr")
    rs.Trajectory.load(tmp_path / "run.zarr")
    stored = zarr.open_group(tmp_path / "run.zarr", mode="r")
    assert all(array.dtype.kind in "iufbU" for _, array in stored.arrays())


def test_a_trajectory_replaces_the_one_that_stood_there(tmp_path):
    path = tmp_path / "run.zarr"
    _single(steps=20).save(path)
    run = _single()
    run.save(path)
    xr.testing.assert_identical(rs.Trajectory.load(path).dataset, run.dataset)
    assert [p.name for p in tmp_path.iterdir()] == ["run.zarr"]


def _no_space(*args, **kwargs):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_leaves_what_stood_there(tmp_path, monkeypatch):
    path, run = tmp_path / "run.zarr", _single()
    run.save(path)
    with monkeypatch.context() as full:
        full.setattr(xr.Dataset, "to_zarr", _no_space)
        with pytest.raises(StorageError, match=r"Could not write .*run\.zarr: No space left on device"):
            _single(steps=20).save(path)
    xr.testing.assert_identical(rs.Trajectory.load(path).dataset, run.dataset)
    assert [p.name for p in tmp_path.iterdir()] == ["run.zarr"]


def test_a_failure_in_the_last_move_leaves_what_stood_there(tmp_path, monkeypatch):
    path, run, move, failures = tmp_path / "run.zarr", _single(), Path.rename, [OSError(errno.EIO, "I/O error")]
    run.save(path)

    def fail_once_to_move_into_place(self, target):
        if Path(target) == path and failures:
            raise failures.pop()
        return move(self, target)

    with monkeypatch.context() as full:
        full.setattr(Path, "rename", fail_once_to_move_into_place)
        full.setattr(Path, "replace", fail_once_to_move_into_place)
        with pytest.raises(StorageError):
            _single(steps=20).save(path)
    xr.testing.assert_identical(rs.Trajectory.load(path).dataset, run.dataset)
    assert [p.name for p in tmp_path.iterdir()] == ["run.zarr"]


def test_a_folder_that_is_not_there_is_a_storage_error(tmp_path):
    with pytest.raises(StorageError, match="Could not write"):
        _single().save(tmp_path / "no" / "run.zarr")


def _folder(path):
    path.mkdir()
    (path / "thesis.tex").write_text("years of work")


def _file(path):
    path.write_text("years of work")


def _foreign_zarr(path):
    xr.Dataset({"years": ("t", np.arange(3))}).to_zarr(path, zarr_format=3, consolidated=False)


@pytest.mark.parametrize("make", [_folder, _file, _foreign_zarr], ids=["folder", "file", "foreign zarr"])
def test_what_is_not_a_trajectory_is_neither_read_nor_replaced(make, tmp_path):
    path = tmp_path / "run.zarr"
    make(path)

    def contents():
        files = sorted(tmp_path.rglob("*"))
        return [(p.relative_to(tmp_path), p.read_bytes() if p.is_file() else None) for p in files]

    before = contents()
    with pytest.raises(InputError, match="is not a stored trajectory"):
        rs.Trajectory.load(path)
    with pytest.raises(InputError, match=r"run\.zarr exists and is not"):
        _single().save(path)
    assert contents() == before


def test_a_path_without_anything_is_named(tmp_path):
    with pytest.raises(InputError, match=r"There is no trajectory at .*missing\.zarr"):
        rs.Trajectory.load(tmp_path / "missing.zarr")


@pytest.mark.parametrize(
    ("version", "text"), [(99, r"newer rankscape \(format 99\); update to read it"), (1, "an older rankscape")]
)
def test_another_format_is_refused(version, text, tmp_path):
    _single().save(tmp_path / "run.zarr")
    zarr.open_group(tmp_path / "run.zarr", mode="r+").attrs["rankscape_format"] = version
    with pytest.raises(InputError, match=text):
        rs.Trajectory.load(tmp_path / "run.zarr")


# -- access ----------------------------------------------------------------------------------------------


def test_every_record_is_an_attribute():
    run = _single()
    for name in ("loss", "singular_values", "effective_rank", "eigenvalues", "imbalance"):
        xr.testing.assert_identical(getattr(run, name), run.dataset[name])
    with pytest.raises(AttributeError, match="no 'rank'; it recorded loss, "):
        _ = run.rank
    assert not hasattr(run, "_private")


def test_dimensions_are_named_and_counted_from_one():
    run = _single()
    sizes = {"step": 4, "index": 4, "mode": 4, "layer": 3, "joint": 2}
    assert dict(run.dataset.sizes) == sizes
    assert run.loss.dims == ("step",)
    assert run.singular_values.dims == ("step", "index")
    assert run.eigenvalues.dims == ("step", "mode")
    assert run.layer_norm.dims == ("step", "layer")
    assert run.imbalance.dims == ("step", "joint")
    for dim in ("index", "mode", "layer", "joint"):
        assert run.dataset[dim].values.tolist() == list(range(1, sizes[dim] + 1))
    assert run.numerical_rank.dtype == np.int64


def test_a_batch_has_its_runs_first_and_their_numbers_beside_them():
    batch = _batch()
    assert batch.loss.dims == ("run", "step")
    assert batch.dataset.scale.values.tolist() == [0.3, 0.5]
    assert batch.dataset.seed.values.tolist() == [3, 4]
    assert [str(outcome) for outcome in batch.outcome] == ["finished", "finished"]


def test_numbers_of_a_batch_do_not_take_the_name_of_a_dimension():
    starts = [rs.PerturbedIdentical(0.4, beta, layer=2) for beta in (0.1, 0.2)]
    batch = _single(initialization=starts)
    assert batch.dataset.beta.values.tolist() == [0.1, 0.2]
    assert batch.dataset.layer.dims == ("layer",)
    assert batch.select(1).layer_norm.shape == (4, 3)


def test_select_takes_one_run_out_of_a_batch():
    lane = _batch().select(1)
    assert not lane.batched
    assert lane.outcome == "finished"
    assert lane.loss.dims == ("step",)
    assert len(lane.factors) == 3


def test_a_batch_has_no_factors_of_its_own():
    batch = _batch()
    for name in ("factors", "product"):
        with pytest.raises(InputError, match=r"batch of runs: take `all_factors\[k\]`, or `select\(k\)"):
            getattr(batch, name)


def test_a_trajectory_says_what_it_is():
    assert repr(_single()) == "Trajectory(4 records, finished: all 60 steps were taken)"
    assert repr(_batch()) == "Trajectory(2 runs, 4 records, finished: all 60 steps were taken)"


def test_the_product_is_the_product_of_the_factors():
    run = _single()
    W_1, W_2, W_3 = run.factors
    np.testing.assert_array_equal(run.product, W_3 @ (W_2 @ W_1))
    sigma = np.linalg.svd(run.product, compute_uv=False)
    np.testing.assert_allclose(run.singular_values[-1], sigma, atol=1e-13)


def test_a_trajectory_can_be_copied_and_sent_to_another_process():
    run = _single()
    back = pickle.loads(pickle.dumps(run))
    xr.testing.assert_identical(back.dataset, run.dataset)
    assert identical(back.factors, run.factors)
