"""What rankscape did not write stays, and what it left half written goes."""

import contextlib
import gzip
import os
import re
import signal
import subprocess
import sys
import time
import warnings
import zipfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from command_line import caller, check_refused

import rankscape as rs
from rankscape.errors import CheckpointMismatch, InputError, StorageError
from rankscape.ground import beside, durable, kinds
from rankscape.ground.storage import check_readable, check_writable, replacing

pytestmark = pytest.mark.usefixtures("hasty_file")

posix = pytest.mark.skipif(os.name == "nt", reason="needs locks of files and pipes")


@pytest.fixture
def call(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    table = np.add.outer(np.arange(8.0), np.arange(6.0)).astype(object)
    table[[1, 3, 5], [2, 4, 0]] = ""
    lines = [",a,b,c,d,e,f", *(f"r{k}," + ",".join(map(str, row)) for k, row in enumerate(table))]
    Path("s.csv").write_text("\n".join(lines) + "\n")
    np.save("noisy.npy", np.random.default_rng(0).normal(size=(9, 7)))
    Path("pairs.csv").write_text("row,column\nr0,a\nr1,c\n")
    return caller(capsys)


OPTIONS = {
    "--output": "o.csv",
    "--report": "o.html",
    "--figure": "o.png",
    "--model": "o.npz",
    "--standard-errors": "e.csv",
}


@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("link", [os.symlink, os.link])
@pytest.mark.parametrize("source", ["s.csv", "pairs.csv"])
def test_no_output_is_or_links_to_an_input(call, option, link, source):
    link(source, OPTIONS[option])
    pairs = ["--pairs", "pairs.csv"] if source == "pairs.csv" else []
    owner = "the source itself" if source == "s.csv" else "the file of --pairs"
    check_refused(call, ["complete", "s.csv", option, OPTIONS[option], *pairs], f"{OPTIONS[option]} is {owner}")


@pytest.mark.parametrize(
    ("command", "owner"),
    [
        (["denoise", "noisy.npy", "--figure", "l.png"], "the source itself"),
        (["simulate", "--target", "noisy.npy", "--figure", "l.png", "--steps", "3"], "the file of --target"),
        (["simulate", "--target", "noisy.npy", "--checkpoint", "l.png", "--steps", "3"], "the file of --target"),
    ],
)
def test_no_output_of_other_commands_links_to_an_input(call, command, owner):
    os.symlink("noisy.npy", "l.png")
    check_refused(call, command, f"l.png is {owner}")


def test_two_outputs_are_two_files(call):
    os.symlink("o.csv", "p.csv")  # to nothing yet
    check_refused(call, ["complete", "s.csv", "-o", "o.csv", "--standard-errors", "p.csv"], "is --output")


def svg() -> bytes:
    return b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"></svg>'


def archive(*names: str) -> bytes:
    import io

    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as out:
        for name in names:
            out.writestr(name, b"")
    return file.getvalue()


# What a file may be, and the endings that such a file may be replaced under.
CONTENTS = {
    "text": (b"a,b\n1,2\n", {".csv", ".tsv", ".txt", ".json"}),
    "utf-16": ("a,b\n1,2\n".encode("utf-16"), {".csv", ".tsv", ".txt", ".json"}),
    "png": (b"\x89PNG\r\n\x1a\n....", {".png"}),
    "pdf": (b"%PDF-1.4\n", {".pdf"}),
    "svg": (svg(), {".svg"}),
    "page": (b"<!DOCTYPE html>\n<html><head></head></html>", set()),
    "report": (b"<!DOCTYPE html>\n<html><head>" + kinds.GENERATOR + b"</head></html>", {".html", ".htm"}),
    "npy": (b"\x93NUMPY\x01\x00", {".npy"}),
    "arrays": (archive("X.npy", "mask.npy"), {".npz"}),
    "model": (archive("facts.npy", "entries_rows.npy"), set()),
    "checkpoint": (archive("header.npy", "run0/steps.npy"), set()),
    "workbook": (archive("[Content_Types].xml"), {".xlsx"}),
    "parquet": (b"PAR1....", {".parquet"}),
    "arrow": (b"ARROW1\0\0", {".feather", ".arrow"}),
    "hdf5": (b"\x89HDF\r\n\x1a\n", {".h5ad", ".mat", ".nc"}),
    "matlab": (b"MATLAB 5.0 MAT-file, by", {".mat"}),
    "market": (b"%%MatrixMarket matrix coordinate real general\n", {".mtx"}),
    "netcdf": (b"CDF\x01\x00", {".nc"}),
    "gzip": (b"\x1f\x8b\x08\0", {".gz"}),
    "bytes": (b"\x7fELF\x02\0\0\0", set()),
    "nothing": (b"", set(kinds.ENDINGS)),
}


@pytest.mark.parametrize("content", CONTENTS)
def test_only_a_file_of_its_own_kind_is_replaced(content, tmp_path):
    held, mine = CONTENTS[content]
    for ending in kinds.ENDINGS:
        path = tmp_path / f"x{ending}"
        path.write_bytes(held)
        if ending in mine:
            check_writable(path)
        else:
            with pytest.raises(InputError, match=rf"x{ending} is .* and not .*: it stays"):
                check_writable(path)
        assert path.read_bytes() == held
    assert len(list(tmp_path.iterdir())) == len(kinds.ENDINGS)


def test_what_is_written_can_be_written_again(call):
    """The real files of each kind are known again."""
    others = ["--report", "o.html", "--model", "o.npz"]
    for figure, more in (("f.png", others), ("f.pdf", []), ("f.svg", [])):
        for _ in range(2):
            assert call("complete", "s.csv", "-o", "o.csv", "--figure", figure, *more).code == 0
    check_refused(call, ["complete", "s.csv", "-o", "o.npz", "--no-figure"], "is a saved model")
    np.savez("mine.npz", X=np.eye(3))
    check_refused(call, ["complete", "s.csv", "--no-figure", "--model", "mine.npz"], "is an archive of arrays")
    run = rs.simulate(rs.Estimation(eigenvalues=[2.0]), initialization=rs.Identical(0.1),
                      dynamics=rs.GradientDescent(0.1), steps=5)  # fmt: skip
    for name in ("r.nc", "r.csv", "r.parquet"):
        for _ in range(2):
            run.export(name)
    from rankscape import files

    table = files.read("s.csv")
    full, many = np.nan_to_num(table.dense()), ".csv .npy .npz .mtx .mat .parquet .xlsx .h5ad .csv.gz .tsv.xz .feather"
    for ending in many.split() * 2:
        files.write(f"w{ending}", full, table)


# -- two runs on one checkpoint ----------------------------------------------------------------------------


def simulated(path, rate, **options):
    return rs.simulate(
        rs.Estimation(np.random.default_rng(0).normal(size=(12, 10))), depth=3, initialization=rs.Gaussian(scale=0.05),
        dynamics=rs.GradientDescent(rate), steps=64, seed=1, checkpoint=path, **options,
    )  # fmt: skip


@pytest.mark.parametrize("interval", [0.0, 1e9])
def test_the_second_of_two_runs_on_one_checkpoint_is_refused_when_it_saves(tmp_path, monkeypatch, interval):
    monkeypatch.setattr("rankscape.run.simulation.CHUNK_SECONDS", 1e-9)
    monkeypatch.setattr("rankscape.run.checkpoint.INTERVAL", interval)
    path, made = tmp_path / "run.npz", []

    def other(*now):
        if not made:
            path.unlink(missing_ok=True)  # as if both had begun on an empty place
            made.append(simulated(path, 5e-4))

    with pytest.raises(CheckpointMismatch, match=r"run\.npz belongs to another run.*learning_rate"):
        simulated(path, 1e-3, progress=other)
    again = simulated(path, 5e-4)
    assert again.dataset.equals(made[0].dataset)


def test_a_file_that_is_no_checkpoint_stays(tmp_path, monkeypatch):
    monkeypatch.setattr("rankscape.run.simulation.CHUNK_SECONDS", 1e-9)
    path = tmp_path / "run.npz"
    with pytest.raises(CheckpointMismatch, match="is not a checkpoint"):
        simulated(path, 1e-3, progress=lambda *now: path.write_bytes(b"mine"))
    assert path.read_bytes() == b"mine"


# -- what dead writers leave ---------------------------------------------------------------------------------

DIES = """
import os, sys
from pathlib import Path
from rankscape.ground.beside import folder_beside
from rankscape.ground.storage import replacing
path = Path(sys.argv[1])
if sys.argv[2] == "file":
    with replacing(path) as file:
        file.write(b"half")
        os.kill(os.getpid(), 9)
with folder_beside(path) as part:
    (part / "new").mkdir()
    (part / "new" / "zarr.json").write_text("{")
    os.kill(os.getpid(), 9)
"""


@posix
@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_killed_writers_left_is_gone_after_the_next_start(tmp_path, kind):
    path = tmp_path / "run.npz"
    for _ in range(3):
        subprocess.run([sys.executable, "-c", DIES, path, kind])
    with beside.file_beside(path) as (mine, _), beside.folder_beside(path) as folder:  # of writers that live
        assert len(beside.places(path)) == 2
        for start in (check_writable, beside.collect):
            start(path)
            assert {*beside.places(path)} == {mine, folder}
        with replacing(path) as other:
            other.write(b"whole")
        assert {*beside.places(path)} == {mine, folder}
    assert [place.name for place in tmp_path.iterdir()] == ["run.npz"]
    assert path.read_bytes() == b"whole"


@posix
def test_writers_at_once_do_not_collect_each_other(tmp_path):
    from concurrent.futures import ThreadPoolExecutor

    path = tmp_path / "x.bin"

    def write(k):
        with replacing(path) as file:
            file.write(bytes([k]) * 1000)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(200)))
    assert len({*path.read_bytes()}) == 1
    assert list(tmp_path.iterdir()) == [path]


def test_others_files_of_like_names_stay(tmp_path):
    names = [".x.npz.part", ".x.npz.0123.part", "x.npz.01234567.part", ".y.npz.01234567.part", ".x.npz.0123456z.part"]
    for name in names:
        (tmp_path / name).write_bytes(b"mine")
    check_writable(tmp_path / "x.npz")
    with replacing(tmp_path / "x.npz") as file:
        file.write(b"")
    assert {path.name for path in tmp_path.iterdir()} == {*names, "x.npz"}


# -- folders that refuse to be synced ------------------------------------------------------------------------


@pytest.mark.parametrize(("error", "fine"), [("EINVAL", True), ("EBADF", True), ("EACCES", True), ("EIO", False)])
def test_a_folder_that_cannot_be_synced_is_no_failure_and_one_with_an_error_is(tmp_path, monkeypatch, error, fine):
    import errno

    real = os.fsync

    def refused(descriptor):
        if os.path.isdir(f"/proc/self/fd/{descriptor}"):
            raise OSError(getattr(errno, error), error)
        real(descriptor)

    monkeypatch.setattr(durable.os, "fsync", refused)
    path = tmp_path / "x.bin"
    words = f"{path} is written, but a power cut may undo that: {error}."
    said = contextlib.nullcontext() if fine else pytest.raises(StorageError, match=re.escape(words))
    with said, replacing(path) as file:
        file.write(b"whole")
    assert path.read_bytes() == b"whole"
    with pytest.raises(StorageError, match="nothing was left behind"), replacing(tmp_path / "y.bin"):
        raise OSError(5, "no disk")


# -- SIGTERM and Ctrl-C --------------------------------------------------------------------------------------


def started(tmp_path, *arguments, code="from rankscape.cli import main; main()"):
    path = os.pathsep.join(filter(None, [str(Path(__file__).parent), os.environ.get("PYTHONPATH")]))
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)], cwd=tmp_path, stderr=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONPATH": path},
    )  # fmt: skip


def wait_for(condition, process):
    end = time.monotonic() + 120
    while not condition():
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < end
        time.sleep(0.02)


SCRIPT = """
import sys, rankscape as rs
import rankscape.run.checkpoint as checkpoint, rankscape.run.simulation as simulation
checkpoint.INTERVAL, simulation.CHUNK_SECONDS = 1e9, 1e-9
def progress(step, steps, record):
    if step > 200 and len(sys.argv) > 1:
        open("there", "w").close()
run = rs.simulate(rs.Estimation(eigenvalues=[3.0, 2.0]), initialization=rs.Gaussian(0.1), depth=2, engine="matrix",
                  dynamics=rs.GradientDescent(0.01), steps=int(sys.argv[1]), checkpoint="run.npz", progress=progress)
"""


@posix
@pytest.mark.parametrize(("signal_", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, -signal.SIGINT)])
def test_a_run_that_is_told_to_end_saves_first(tmp_path, signal_, code):
    """No checkpoint is due for years, and still it is there, and the run goes on from it."""
    process = started(tmp_path, 1 << 22, code=SCRIPT)
    try:
        wait_for((tmp_path / "there").exists, process)
        process.send_signal(signal_)
        process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == code
    assert {path.name for path in tmp_path.iterdir()} == {"run.npz", "there"}
    with np.load(tmp_path / "run.npz") as stored:
        assert stored["run0/state/step"] % 8 == 0
        assert stored["run0/state/step"] > 0


@posix
def test_a_command_that_is_terminated_says_so_and_leaves_nothing(tmp_path):
    grid = (
        'eigenvalues = [3, 2]\nsteps = 400000\nengine = "matrix"\n[over]\nalpha = {from = 0.1, to = 0.2, count = 400}\n'
    )
    (tmp_path / "g.toml").write_text(grid)
    process = started(tmp_path, "sweep", "g.toml", "--batch", "1")
    wait_for(lambda: list(tmp_path.glob("g.zarr/done/c/*")), process)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 143
    assert "terminated" in said
    assert "Traceback" not in said
    assert sorted(path.name for path in tmp_path.iterdir()) == ["g.toml", "g.zarr"]


# -- pipes and devices ---------------------------------------------------------------------------------------


@posix
@pytest.mark.parametrize("target", ["pipe", "/dev/zero"])
@pytest.mark.parametrize(
    "command",
    [
        ["complete", "x.csv"], ["complete", "x.npy"], ["complete", "s.csv", "--pairs", "x.csv"], ["sense", "x.npz"],
        ["fill", "x.npz", "s.csv"], ["fill", "x.npz", "--top", "2"], ["simulate", "x.toml"], ["sweep", "x.toml"],
        ["check", "x.npz"], ["simulate", "--target", "x.npy", "--steps", "3"], ["denoise", "x.parquet"],
        ["simulate", "--eigenvalues", "1", "--steps", "3", "--checkpoint", "x.npz"],
    ],
)  # fmt: skip
def test_pipes_and_devices_are_refused(call, command, target):
    name = next(word for word in command if word.startswith("x."))
    if target == "pipe":
        os.mkfifo(name)
    else:
        os.symlink(target, name)
    check_refused(call, command, name)


def test_a_stream_without_an_end_is_read_to_a_limit(call, monkeypatch, tmp_path):
    class Endless:
        def read(self, count):
            return b"1,2,3\n" * (count // 6)

    monkeypatch.setattr("rankscape.files.reading.available", lambda: 5_000_000)
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=Endless()))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    check_refused(call, ["complete", "-", "--format", "csv"], "standard input goes on beyond 5 MB")


@posix
def test_a_pipe_is_no_model_and_no_checkpoint(tmp_path):
    os.mkfifo(tmp_path / "x.npz")
    with pytest.raises(InputError, match="is a pipe or a device"):
        check_readable(tmp_path / "x.npz")
    with pytest.raises(InputError, match=r"x\.npz"):
        rs.CompletedMatrix.load(tmp_path / "x.npz")
    with pytest.raises(InputError, match=r"x\.npz"):
        simulated(tmp_path / "x.npz", 1e-3)


# -- forked children -----------------------------------------------------------------------------------------


@posix
@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")
@pytest.mark.parametrize("engine", ["matrix", "spectral", "flow"])
def test_a_child_forked_after_jax_was_used_is_refused_and_not_left_to_hang(engine):
    def simulate():
        dynamics = rs.GradientFlow(0.01) if engine == "flow" else rs.GradientDescent(0.01)
        start = rs.Gaussian(0.1) if engine == "matrix" else rs.Identical(0.1)
        return rs.simulate(rs.Estimation(eigenvalues=[2.0, 1.0]), 3, initialization=start, dynamics=dynamics, steps=5)

    simulate()
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # JAX warns of the fork
        child = os.fork()
    if child == 0:  # pragma: no cover
        try:
            simulate()
            said = "nothing"
        except BaseException as error:
            said = f"{type(error).__name__}: {error}"
        os.write(writing, said.encode())
        os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    said = os.read(reading, 1000).decode()
    os.close(reading)
    assert said.startswith("InputError: This process was forked after JAX had been used")
    assert "get_context('spawn')" in said


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("o.csv", b"precious notes\n"),
        ("o.csv", b"k,l\n1,2\n"),
        ("o.tsv", b"a\tb\tc\n1\t2\t3\n"),
        ("o.csv.gz", b"k,l\n1,2\n"),
    ],
)
@pytest.mark.parametrize("option", ["--output", "--standard-errors"])
def test_a_table_that_is_another_one_stays(call, name, content, option):
    path = Path(name)
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    before = path.read_bytes()
    check_refused(call, ["complete", "s.csv", "--no-figure", option, name], "it stays")
    assert path.read_bytes() == before


def test_an_earlier_answer_is_replaced(call):
    Path("noisy.csv").write_text("id,x,y,z\n" + "".join(f"r{k},{k}.5,{2 * k},{3 * k % 5}\n" for k in range(9)))
    for command in (
        ("complete", "s.csv", "--no-figure", "--output", "o.csv", "--standard-errors", "e.csv"),
        ("complete", "s.csv", "--no-figure", "--output", "o.tsv.gz"),
        ("complete", "s.csv", "--no-figure", "--pairs", "pairs.csv", "--output", "p.csv"),
        ("complete", "s.csv", "--no-figure", "--top", "1", "--output", "t.csv"),
        ("denoise", "noisy.csv", "--output", "d.csv"),
    ):
        for _ in range(2):
            done = call(*command)
            assert done.code == 0, done.err
