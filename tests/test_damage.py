"""Flipped bits, lost and swapped files: noticed, never read as other numbers, made again where that is possible."""

import contextlib
import os
import shutil

import numpy as np
import pytest
from sweep_runs import DRAWN, draw

import rankscape as rs
from rankscape.cli.app import start
from rankscape.errors import RankscapeError, StorageError
from rankscape.ground import durable
from rankscape.run.storing import load
from rankscape.sweeps import Sweep

pytestmark = pytest.mark.usefixtures("hasty_file")


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    path = tmp_path_factory.mktemp("sweep") / "s.zarr"
    rs.sweep(draw, **DRAWN, store=path)
    return path, Sweep(path).dataset.load()


@pytest.fixture
def copy(swept, tmp_path):
    return shutil.copytree(swept[0], tmp_path / "s.zarr"), swept[1]


def flip(path, bit):
    content = bytearray(path.read_bytes())
    content[bit // 8 % len(content)] ^= 1 << bit % 8
    path.write_bytes(content)


def same(path, true):
    found = Sweep(path).dataset.load()
    return all(np.array_equal(found[name], true[name]) for name in ("mean", "table", "x"))


@pytest.mark.parametrize("seed", range(20))
def test_no_flipped_bit_of_a_sweep_is_read(copy, seed):
    path, true = copy
    random = np.random.default_rng(seed)
    files = sorted(file for file in path.rglob("*") if file.is_file())
    flip(files[random.integers(len(files))], int(random.integers(1 << 20)))
    with contextlib.suppress(RankscapeError):
        assert same(path, true)


@pytest.mark.parametrize("harm", ["flip", "drop", "swap", "empty", "digest"])
def test_damaged_batches_are_refused_and_made_again(copy, harm, capsys):
    path, true = copy
    chunks = [path / "table" / "c" / str(k) / "0" / "0" for k in range(3)]
    if harm == "swap":
        first, second = (chunk.read_bytes() for chunk in chunks[:2])
        chunks[0].write_bytes(second)
        chunks[1].write_bytes(first)
    elif harm == "drop":
        chunks[0].unlink()
    elif harm == "digest":
        flip(path / "digest" / "c" / "0", 77)
    else:
        chunks[0].write_bytes(b"") if harm == "empty" else flip(chunks[0], 99)
    with pytest.raises(StorageError, match=r"runs 0 to 1"):
        Sweep(path).dataset  # noqa: B018
    assert start(["check", str(path)]) == 2
    assert "makes these runs again" in capsys.readouterr().err
    done = []
    rs.sweep(draw, **DRAWN, store=path, progress=lambda now: done.append(now.done))
    assert done[-1] == 6
    assert len(done) == (2 if harm == "swap" else 1)
    assert same(path, true)
    assert start(["check", str(path)]) == 0


def test_a_mark_that_cannot_be_read_is_none(copy):
    path, true = copy
    (path / "done" / "c" / "1").write_bytes(b"")
    assert rs.sweep(draw, **DRAWN, store=path).status().done == 6
    assert same(path, true)


@pytest.mark.parametrize("seed", range(6))
def test_no_flipped_bit_of_a_run_is_read(tmp_path, seed):
    problem, random = rs.Estimation(eigenvalues=[2.0]), np.random.default_rng(seed)
    run = rs.simulate(problem, initialization=rs.Identical(0.1), dynamics=rs.GradientDescent(0.1), steps=20)
    path = run.save(tmp_path / "run.zarr")
    files = sorted(file for file in path.rglob("*") if file.is_file())
    flip(files[random.integers(len(files))], int(random.integers(1 << 20)))
    with pytest.raises(RankscapeError, match=r"run\.zarr"):
        load(path)


@pytest.mark.parametrize("seed", range(10))
def test_no_flipped_bit_of_a_model_is_read(tmp_path, seed):
    X = np.outer(np.arange(1.0, 9.0), [1.0, -1.0, 2.0, 0.5, 3.0, 1.0])
    X[np.arange(8), np.arange(8) % 6] = np.nan
    done = rs.complete(X)
    done.save(tmp_path / "model.npz")
    flip(tmp_path / "model.npz", int(np.random.default_rng(seed).integers(1 << 24)))
    with contextlib.suppress(RankscapeError):  # a spare bit of the archive may change nothing
        np.testing.assert_array_equal(type(done).load(tmp_path / "model.npz").matrix, done.matrix)


@pytest.fixture
def read(monkeypatch):
    """The names of files whose bytes are read for a digest; their times tell at once whether they have changed."""
    names, digest = [], durable.hashlib.file_digest
    monkeypatch.setattr(durable, "SETTLED", 0)
    monkeypatch.setattr(
        durable.hashlib, "file_digest", lambda file, kind: (names.append(file.name), digest(file, kind))[1]
    )
    return names


def test_a_store_is_read_for_its_digests_once_for_each_change(copy, read):
    path, _ = copy
    sweep = Sweep(path)
    assert sweep.dataset.done.all()
    assert len(read) == len(set(read)) > 5
    read.clear()
    assert sweep.dataset.done.all()
    assert Sweep(path).status().done == 6
    assert read == []
    flip(path / "table" / "c" / "1" / "0" / "0", 77)
    with pytest.raises(StorageError, match="runs 2 to 3"):
        assert sweep.dataset
    assert [name.split("s.zarr/")[1] for name in read] == ["table/c/1/0/0"]


def test_a_file_that_may_have_changed_within_a_tick_is_read_again(tmp_path):
    file = tmp_path / "file"
    file.write_bytes(b"one")
    first = durable.digest_of(file)
    stamp = file.stat().st_mtime_ns
    file.write_bytes(b"two")
    os.utime(file, ns=(stamp, stamp))
    assert durable.digest_of(file) != first
