"""Fits over the workers of a Dask cluster: the bits of one process, whoever dies on the way."""

import os
import pickle
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from command_line import caller
from pyarrow import parquet
from test_at_scale import ratings

import rankscape as rs
from rankscape.entries import Entries
from rankscape.entries.stored.keeping import on_disk
from rankscape.errors import FileFormatError, InputError, RunFailed
from rankscape.estimators import DeepMatrixCompletion
from rankscape.files import triplets
from rankscape.solvers.packed import away
from rankscape.solvers.packed.journal import Journal
from rankscape.solvers.packed.orders import Orders
from rankscape.solvers.packed.posterior import PackedPosterior
from rankscape.solvers.packed.records import State
from rankscape.sweeps import hands
from rankscape.sweeps.hands import DaskHands, open_hands, parts_of

pytestmark = pytest.mark.filterwarnings("ignore")  # Dask and its event loops warn while they are being killed


@pytest.fixture(autouse=True)
def worth_sending(monkeypatch):
    """Few records are sorted by workers, too."""
    monkeypatch.setattr("rankscape.files.in_parts.gather.WORTH_SENDING", 0)


@pytest.fixture(scope="module")
def entries() -> Entries:
    X = ratings(10_000, 1_000, 30, 2)[0]
    return Entries(*X.coords, X.data - X.data.mean(), X.shape)


@pytest.fixture
def small_tasks(monkeypatch):
    """Several tasks a side."""
    monkeypatch.setattr(hands, "TASK", 40_000)


def begun(entries: Entries, of=None) -> PackedPosterior:
    """Two sweeps away from where it was begun."""
    orders = Orders.of(entries, np.arange(entries.count) % 10 == 0, 0.0, 0.6)
    vectors = np.random.default_rng(0).standard_normal((entries.shape[1], 4))
    state = State.begin(vectors, tuple(np.zeros(n) for n in entries.shape))
    return PackedPosterior(orders, state, (True, True), hands=of)


def ends(posterior: PackedPosterior) -> list[np.ndarray]:
    return [posterior.left, posterior.right, np.array([posterior.state.noise, *posterior.left_over(0.3, 6.0)])]


def same(one: PackedPosterior, other: PackedPosterior) -> bool:
    return all(map(np.array_equal, ends(one), ends(other)))


def cluster(workers: int):
    from distributed import LocalCluster

    return LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None)


@pytest.fixture(scope="module")
def one_worker():
    """A cluster for the tests that leave it as it was."""
    with cluster(1) as made:
        yield made


@pytest.mark.parametrize("workers", [1, 3])
def test_any_number_of_workers_gives_the_bits_of_one_process(entries, small_tasks, workers):
    here, there = begun(entries), None
    assert len(list(parts_of(here.orders.sides[0]))) > 3
    here.converge(1e-3, 4)
    with cluster(workers) as made, open_hands(made.scheduler_address, 1) as many:
        there = begun(on_disk(entries), many)
        there.converge(1e-3, 4)
        assert same(here, there)
        assert not [key for key in many.client.futures if "rankscape" in str(key)]
        # Records go with the sweep that needs them, on disk, too.
        folder = Path(there.orders.sides[0].values.path).parent
        left = len(list(folder.iterdir()))
        there.sweep()
        assert len(list(folder.iterdir())) == left


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Path:
    """Shuffled triplets with names, in files of two groups of rows each."""
    folder, random = tmp_path_factory.mktemp("ratings"), np.random.default_rng(3)
    cells = random.permutation(np.unique(random.integers(0, 800 * 150, 12_000)))
    users = np.array([f"user {k}" for k in range(800)])[cells // 150]
    table = pa.table({"user": users, "item": cells % 150, "score": random.standard_normal(len(cells))})
    for k in range(4):
        parquet.write_table(table.slice(3_000 * k, 3_000), folder / f"{k}.parquet", row_group_size=1_500)
    return folder


def test_workers_sort_files_and_partitions_as_one_process_does(files, monkeypatch):
    from dask import dataframe

    monkeypatch.setattr("rankscape.entries.stored.sorting.RANGE", 2_500)
    monkeypatch.setattr("rankscape.files.in_parts.parquet.SHARE", 1_000)
    monkeypatch.setattr("rankscape.files.in_parts.gather.MERGED", 2)
    here = triplets(files).table
    frame = dataframe.from_pandas(parquet.read_table(files).to_pandas(), npartitions=5, sort=False)
    with cluster(3) as made, open_hands(made.scheduler_address, 1) as many:
        seen: list[str] = []
        each = lambda function, given, folder: seen.append(function.__name__) or many.each(function, given, folder)
        for source in (files, frame):
            seen.clear()
            there = triplets(source).sorted_by(each)
            assert all(map(np.array_equal, here.entries, there.entries))
            assert np.array_equal(here.row_labels, there.row_labels)
            assert np.array_equal(here.column_labels, there.column_labels)
            assert seen == ["look", "merge", "merge", "merge", "deal", "sort"]
        # What a worker cannot use is named as it is here.
        twice = dataframe.concat([frame, frame.partitions[2]])
        with pytest.raises(FileFormatError, match=r"partition 5, record \d+: the same cell, .*partition 2"):
            triplets(twice).sorted_by(many.each)


def test_few_records_are_sorted_where_they_are_asked_for(files, monkeypatch):
    asked = []
    here = lambda function, given, folder: asked.append(function) or [function(*one) for one in given]
    monkeypatch.undo()
    triplets(files).sorted_by(here)
    assert not asked
    monkeypatch.setattr("rankscape.files.in_parts.gather.WORTH_SENDING", 1)
    triplets(files).sorted_by(here)
    assert asked


def test_a_file_that_workers_do_not_see_is_named(files, tmp_path):
    copied = tmp_path / "ratings"
    shutil.copytree(files, copied)
    source = triplets(copied)
    shares = source.shares()
    (copied / "2.parquet").unlink()
    with pytest.raises(InputError, match=r"2\.parquet is not seen where it is read: all workers have to see it"):
        [list(share.lines()) for share in pickle.loads(pickle.dumps(shares))]


def test_a_worker_that_dies_while_it_sorts_changes_nothing(files, monkeypatch):
    monkeypatch.setattr("rankscape.files.in_parts.parquet.SHARE", 1_000)
    here = triplets(files).table
    with cluster(2) as made, open_hands(made.scheduler_address, 1) as many:
        rounds = []

        def each(function, given, folder):
            rounds.append(function)
            if len(rounds) in (1, 3):
                threading.Timer(0.01, kill_one, [made]).start()
            return many.each(function, given, folder)

        assert all(map(np.array_equal, here.entries, triplets(files).sorted_by(each).entries))


def kill_one(made) -> None:
    os.kill(next(iter(made.workers.values())).pid, signal.SIGKILL)


def test_a_killed_worker_changes_no_bit(entries, small_tasks):
    here = begun(entries)
    for _ in range(6):
        here.sweep()
    with cluster(2) as made, open_hands(made.scheduler_address, 1) as many:
        there = begun(on_disk(entries), many)
        for number in range(6):
            if number in (1, 3):
                threading.Timer(0.02, kill_one, [made]).start()
            there.sweep()
        assert same(here, there)


def test_a_client_and_the_command_take_an_executor(one_worker, tmp_path, monkeypatch, capsys):
    X = ratings(8_000, 800, 20, 3)[0]
    here = DeepMatrixCompletion(n_jobs=1).fit(X)
    with one_worker.get_client() as client:
        there = DeepMatrixCompletion(n_jobs=1).fit(X, executor=client, checkpoint=tmp_path / "place.npz")
        assert np.array_equal(here.components_, there.components_)
        assert here.certificate_ == there.certificate_
        monkeypatch.chdir(tmp_path)
        for name, array in (("rows", X.coords[0]), ("columns", X.coords[1]), ("values", X.data)):
            Path("X").mkdir(exist_ok=True)
            np.save(f"X/{name}.npy", array)
        run = caller(capsys)
        options = ["--top", "1", "--no-figure", "--json", "--executor", one_worker.scheduler_address]
        done = run("complete", "X", *options)
        assert done.code == 0, done.err
        assert done.facts["rank"] == here.rank_
        assert done.facts["heldout_rmse"] == here.completed_.heldout_rmse


# -- who is refused -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("executor", "said"),
    [("desk", "did you mean 'dask'"), (7, "got 7"), ("tcp://127.0.0.1:9", "No Dask scheduler answers")],
)
def test_an_executor_that_is_none(executor, said):
    with pytest.raises(InputError, match=said):
        rs.complete(np.outer(np.arange(1.0, 9), np.arange(1.0, 6)), executor=executor)


def test_workers_that_differ_are_refused(entries, one_worker, monkeypatch):
    address = hands.at_address(one_worker.scheduler_address)
    with one_worker.get_client() as client:
        sweep = lambda: begun(on_disk(entries), DaskHands(client, address)).sweep()
        monkeypatch.setattr(hands, "versions", lambda: {"rankscape": "0.0.0"})
        with pytest.raises(InputError, match=r"instead of 0\.0\.0"):
            sweep()
        monkeypatch.undo()
        monkeypatch.setattr(hands, "arithmetic", lambda: "another")
        with pytest.raises(InputError, match="a processor that adds in another way"):
            sweep()


def test_a_worker_without_the_package_is_refused(files):
    def without_the_package() -> None:  # inside: sent as it is, for a worker cannot always import this file
        sys.modules["rankscape"] = None  # as far as importing goes, it is not there

    with cluster(1) as made, made.get_client() as client:
        client.run(without_the_package)
        many = DaskHands(client, hands.at_address(made.scheduler_address))
        with pytest.raises(InputError, match=r"rankscape.*: install rankscape with the same packages on all workers"):
            triplets(files).sorted_by(many.each)


def test_a_worker_without_the_folder_is_named(tmp_path):
    assert away.probe(str(tmp_path / "nowhere"), {}) == ""
    assert away.probe(str(tmp_path), {}) == away.arithmetic()


def test_a_task_that_fails_says_so(entries, one_worker):
    with one_worker.get_client() as client:
        posterior = begun(on_disk(entries), DaskHands(client, hands.at_address(one_worker.scheduler_address)))
        posterior.sweep()
        Path(posterior.orders.sides[0].values.path).unlink()
        with pytest.raises(RunFailed, match="A worker failed"):
            posterior.sweep()


def test_a_killed_scheduler_is_noticed_and_the_fit_goes_on(entries, small_tasks, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    options = dict(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    dask, port = [sys.executable, "-m", "dask"], address.rpartition(":")[2]
    started = [[*dask, "scheduler", "--host", "127.0.0.1", "--port", port, "--no-dashboard"]]
    started += [[*dask, "worker", address, "--nthreads", "1", "--no-dashboard", "--no-nanny"]]
    processes = [subprocess.Popen(command, **options) for command in started]
    try:
        _wait_for(address)
        with open_hands(address, 1) as many:
            posterior = begun(on_disk(entries), many)
            posterior.converge(1e-12, 2, journal=Journal(tmp_path / "place.npz", "this"))
            processes[0].kill()
            with pytest.raises(RunFailed, match="scheduler"):
                posterior.converge(1e-12, 3)
    finally:
        for process in processes:
            process.kill()
            process.wait()
    whole, again = begun(entries), begun(entries)
    whole.converge(1e-12, 4)
    again.converge(1e-12, 4, journal=Journal(tmp_path / "place.npz", "this"))
    assert same(whole, again)


def _wait_for(address: str) -> None:
    from distributed import Client

    deadline = time.monotonic() + 60
    while True:
        try:
            with Client(address, timeout=5, set_as_default=False) as client:
                client.wait_for_workers(1, timeout=30)
                return
        except (OSError, TimeoutError):
            assert time.monotonic() < deadline
            time.sleep(0.2)


# -- the client dies ----------------------------------------------------------------------------------------


def test_sweeps_go_on_where_they_were(entries, tmp_path):
    whole, path = begun(entries), tmp_path / "place.npz"
    whole.converge(1e-12, 7)
    first = begun(entries)
    first.converge(1e-12, 4, journal=Journal(path, "this"))
    calls, again = [], begun(entries)
    monkey = again._update
    again._update = lambda side, other: calls.append(side) or monkey(side, other)
    again.converge(1e-12, 7, journal=Journal(path, "this"))
    assert same(whole, again)
    assert len(calls) == 2 * 4  # the fourth sweep again, and three more
    with pytest.raises(InputError, match=r"belongs to another fit \(this\)"):
        Journal(path, "that")
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 3] ^= 0xFF
    path.write_bytes(damaged)
    with pytest.raises(InputError, match="is no checkpoint of a fit, or is damaged"):
        Journal(path, "this")


CLIENT = """
import sys
import numpy as np
import rankscape as rs

if __name__ == "__main__":
    done = rs.complete(sys.argv[1], n_jobs=1, checkpoint=sys.argv[2])
    np.save(sys.argv[3], done.modes.U)
"""


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_a_killed_client_goes_on(tmp_path):
    X = ratings(9_000, 900, 20, 4)[0]
    (tmp_path / "X").mkdir()
    for name, array in (("rows", X.coords[0]), ("columns", X.coords[1]), ("values", X.data)):
        np.save(tmp_path / "X" / f"{name}.npy", array)
    place, found = tmp_path / "place.npz", tmp_path / "found.npy"
    command = [sys.executable, "-c", CLIENT, str(tmp_path / "X"), str(place), str(found)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as client:
        while not place.exists() and client.poll() is None:
            time.sleep(0.01)
        client.send_signal(signal.SIGKILL)
    assert not found.exists()
    assert place.exists()
    subprocess.run(command, check=True)
    assert np.array_equal(np.load(found), rs.complete(str(tmp_path / "X")).modes.U)


@pytest.mark.chaos
def test_ten_seeded_kills(entries, small_tasks):
    random, here = np.random.default_rng(0), begun(entries)
    for _ in range(20):
        here.sweep()
    with cluster(3) as made, open_hands(made.scheduler_address, 1) as many:
        there = begun(on_disk(entries), many)
        kills = set(random.choice(20, 10, replace=False).tolist())
        for number in range(20):
            if number in kills:
                threading.Timer(float(0.05 * random.random()), kill_one, [made]).start()
            there.sweep()
        assert same(here, there)
