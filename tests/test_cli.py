"""The command line: facts on stdout, the rest on stderr, one clear error for each mistake, nothing half-written."""

import errno
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from command_line import caller

from rankscape import Trajectory, data
from rankscape.cli import main
from rankscape.cli.app import COMMANDS
from rankscape.files import read
from rankscape.papers.bibliography import bibliography

pytestmark = pytest.mark.usefixtures("hasty_file")

FACTS = {"shape", "observed", "rank", "heldout_rmse", "baselines", "outcome", "output"}
COLUMNS = ["--rows", "u", "--columns", "v", "--values", "r"]
SMALL = ["simulate", "--eigenvalues", "5,3", "--steps", "200"]


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    """A folder with a matrix of rank 2 with holes, in every format."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    rng = np.random.default_rng(3)
    truth = rng.normal(size=(20, 2)) @ rng.normal(size=(2, 15))
    X = np.where(rng.random(truth.shape) < 0.6, truth, np.nan)
    np.save("X.npy", X)
    np.savez("X.npz", X=X)
    np.save("truth.npy", truth)
    entries = [(f"u{i:02}", f"v{j:02}", repr(float(X[i, j]))) for i, j in np.argwhere(~np.isnan(X)).tolist()]
    for name, delimiter in (("X.csv", ","), ("X.tsv", "\t")):
        Path(name).write_text("\n".join(delimiter.join(line) for line in [("u", "v", "r"), *entries]) + "\n")
    rows = [f"{i + 1} {j + 1} {float(X[i, j])!r}" for i, j in np.argwhere(~np.isnan(X)).tolist()]
    Path("X.mtx").write_text("\n".join(["%%MatrixMarket matrix coordinate real general", f"20 15 {len(rows)}", *rows]))
    return tmp_path


@pytest.fixture
def call(here, capsys):
    """Run the command line in this process."""
    return caller(capsys)


def listing(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


# --- complete ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", ["X.npy", "X.npz", "X.csv", "X.tsv", "X.mtx"])
def test_complete_prints_facts_and_writes_the_same_family(call, source):
    long = Path(source).suffix in (".csv", ".tsv")
    output = f"out{Path(source).suffix}"
    done = call("complete", source, *(COLUMNS if long else []), "-o", output, "--json")
    assert (done.code, done.err) == (0, "")
    facts = done.facts
    assert facts.keys() >= FACTS
    assert facts["shape"] == [20, 15]
    assert facts["rank"] == 2
    assert facts["outcome"] == "converged"
    assert facts["output"] == output
    assert facts["heldout_rmse"] < 1e-6 < min(facts["baselines"].values())
    assert facts["baselines"].keys() == {"column_mean", "row_column_bias"}
    names = dict(zip(("rows", "columns", "values"), COLUMNS[1::2], strict=True)) if long else {}
    completed = read(output, **names).dense()
    np.testing.assert_allclose(completed, np.load("truth.npy"), atol=1e-6)
    given = np.load("X.npy")
    seen = ~np.isnan(given)
    assert facts["observed"] == seen.sum()
    assert np.array_equal(completed[seen], given[seen])  # known entries come back bit for bit
    assert Path("out.png").read_bytes().startswith(b"\x89PNG")


def test_complete_reads_and_writes_parquet(call):
    from pyarrow import csv, parquet

    parquet.write_table(csv.read_csv("X.csv"), "X.parquet")
    facts = call("complete", "X.parquet", *COLUMNS, "--json").facts
    assert (facts["rank"], facts["output"]) == (2, "X-completed.parquet")
    assert parquet.read_table("X-completed.parquet").column_names == ["u", "v", "r", "observed", "std_error"]


def test_complete_prints_a_table_for_people(call):
    done = call("complete", "X.npy")
    assert (done.code, done.err) == (0, "")
    rows = dict(re.split(r"\s{2,}", line.strip(), maxsplit=1) for line in done.out.splitlines() if "  " in line.strip())
    assert rows["matrix"] == "X.npy, 20 x 15"
    assert rows["rank found"] == "2"
    assert rows["observed"].endswith("%)")
    assert {"held-out RMSE", "column mean", "row + column bias", "why", "offset", "outcome"} <= rows.keys()
    assert (rows["written"], rows["picture"]) == ("X-completed.npy", "X-completed.png")
    assert all(len(line) <= 80 and line == line.rstrip() for line in done.out.splitlines())


def test_hidden_entries_are_judged_and_the_seed_decides(call):
    options = ["complete", "X.npy", "--hide", "0.2", "--seed", "4", "--json"]
    first, second = call(*options).facts, call(*options).facts
    del first["seconds"], second["seconds"]
    assert first == second
    total = int((~np.isnan(np.load("X.npy"))).sum())
    assert first["observed"] + first["hidden"]["entries"] == total
    assert first["hidden"]["rmse"] < 1e-6


def test_a_named_data_set_is_completed(call):
    done = call("complete", "breast-cancer-correlation", "--hide", "0.3", "--max-rank", "6", "--json")
    assert done.code == 0
    assert done.facts["output"] == "breast-cancer-correlation-completed.npy"
    assert np.load(done.facts["output"]).shape == (30, 30)


@pytest.mark.parametrize(
    ("name", "output"),
    [
        ("ratings.v2.csv", "ratings.v2-completed.csv"),
        ("with space äöü.csv", "with space äöü-completed.csv"),
        ("a$b$ [bold]c.csv", "a$b$ [bold]c-completed.csv"),
    ],
)
def test_outputs_are_named_after_the_source(call, name, output):
    Path("X.csv").rename(name)
    done = call("complete", name)
    assert done.code == 0
    assert f"{name}, 20 x 15" in done.out
    assert Path(output).exists()
    assert Path(output).with_suffix(".png").exists()


def test_a_packed_file_gives_a_packed_file(call):
    import gzip

    Path("X.csv.gz").write_bytes(gzip.compress(Path("X.csv").read_bytes()))
    assert call("complete", "X.csv.gz", "--json").facts["output"] == "X-completed.csv.gz"
    assert gzip.decompress(Path("X-completed.csv.gz").read_bytes()).startswith(b"u,v,r,observed,std_error\n")


@pytest.mark.parametrize("matrix", [[[1.0]], [[1.0, np.nan], [np.nan, np.nan]], [[3.0, 3.0], [3.0, np.nan]]])
def test_nothing_to_find_is_no_failure(call, matrix):
    np.save("odd.npy", np.array(matrix))
    done = call("complete", "odd.npy", "--json")
    assert (done.code, done.facts["rank"]) == (0, 0)
    assert np.isfinite(np.load("odd-completed.npy")).all()
    assert Path("odd-completed.png").exists()
    assert call("complete", "odd.npy").code == 0  # the table too


def test_an_empty_row_is_one_warning(call):
    X = np.load("X.npy")
    X[3] = np.nan
    np.save("row.npy", X)
    done = call("complete", "row.npy", "--json")
    assert done.code == 0
    assert re.fullmatch(r"warning: [^\n]*row[^\n]*3[^\n]*\n", done.err)


BAD = {
    "no command of this name": (["complet"], "complete"),
    "no source": (["complete"], "SOURCE"),
    "empty source": (["complete", ""], "neither a file nor a named data set"),
    "a folder": (["complete", "."], "folder"),
    "no such file": (["complete", "XX.npy"], "did you mean 'X.npy'"),
    "no such data set": (["complete", "flowr"], "did you mean 'flower'"),
    "two sources": (["complete", "X.npy", "X.csv"], "unexpected argument X.csv"),
    "unknown option": (["complete", "X.npy", "--hid", "0.1"], "--hide"),
    "depth 0": (["complete", "X.npy", "--depth", "0"], "--depth"),
    "depth 1": (["complete", "X.npy", "--depth", "1"], "--depth"),
    "largest rank 0": (["complete", "X.npy", "--max-rank", "0"], "--max-rank"),
    "negative share": (["complete", "X.npy", "--hide", "-0.5"], "--hide"),
    "share above one": (["complete", "X.npy", "--validation-fraction", "1.5"], "--validation-fraction"),
    "share that is no number": (["complete", "X.npy", "--hide", "nan"], "--hide"),
    "unknown offset": (["complete", "X.npy", "--offset", "median"], "--offset"),
    "negative seed": (["complete", "X.npy", "--seed", "-1"], "--seed"),
    "column that is not there": (["complete", "X.csv", "--rows", "w", *COLUMNS[2:]], "'w'"),
    "columns of an array": (["complete", "X.npy", "--rows", "u"], "X.npy"),
    "all missing": (["complete", "none.npy"], "none.npy"),
    "infinite": (["complete", "inf.npy"], "row 1, column 0"),
    "text in a cell": (["complete", "text.csv"], "'many'"),
    "an entry twice": (["complete", "twice.csv"], "twice.csv"),
    "unknown format to write": (["complete", "X.npy", "-o", "out.xls"], ".xls"),
    "no name to write": (["complete", "X.npy", "-o", ""], "no extension"),
    "folder that is not there": (["complete", "X.npy", "-o", "nowhere/out.npy"], "nowhere"),
    "source as output": (["complete", "X.npy", "-o", "./X.npy"], "source itself"),
    "unknown kind of figure": (["complete", "X.npy", "--figure", "out.gif"], ".gif"),
    "figure in no folder": (["complete", "X.npy", "--figure", "nowhere/out.png"], "nowhere"),
    "figure that is a folder": (["complete", "X.npy", "--figure", "folder.png"], "folder.png"),
    "nothing to simulate": (["simulate"], "--eigenvalues"),
    "two problems": ([*SMALL, "--target", "X.npy"], "eigenvalues and target"),
    "simulated depth 0": ([*SMALL, "--depth", "0"], "--depth 0"),
    "negative rate": ([*SMALL, "--learning-rate", "-1"], "--learning-rate -1"),
    "infinite rate": ([*SMALL, "--learning-rate", "inf"], "--learning-rate inf"),
    "negative steps": ([*SMALL, "--steps", "-1"], "--steps"),
    "record outside": ([*SMALL, "--record", "-1"], "--record"),
    "record that is no step": ([*SMALL, "--record", "1,x"], "--record x"),
    "eigenvalue that is no number": (["simulate", "--eigenvalues", "5,abc"], "--eigenvalues abc"),
    "eigenvalue that is empty": (["simulate", "--eigenvalues", "5,,3"], "--eigenvalues ''"),
    "infinite eigenvalue": (["simulate", "--eigenvalues", "inf,1"], "--eigenvalues inf"),
    "SGD without entries": ([*SMALL, "--dynamics", "sgd"], "--entries"),
    "unknown dynamics": ([*SMALL, "--dynamics", "newton"], "--dynamics newton"),
    "target that is not symmetric": (["simulate", "--target", "square.npy", "--engine", "spectral"], "symmetric"),
    "target with holes": (["simulate", "--target", "X.npy"], "--entries"),
    "no such target": (["simulate", "--target", "Y.npy"], "Y.npy"),
    "checkpoint that is none": ([*SMALL, "--checkpoint", "X.npz"], "X.npz is not a checkpoint"),
    "checkpoint in no folder": ([*SMALL, "--checkpoint", "nowhere/c.npz"], "nowhere"),
    "store that is a folder": ([*SMALL, "-o", "folder.zarr"], "not a stored trajectory"),
    "run with another ending": ([*SMALL, "-o", "X.npy"], "end the name in .zarr"),
    "run over a table": ([*SMALL, "-o", "X.csv"], "--force"),
    "store in no folder": ([*SMALL, "-o", "nowhere/run.zarr"], "nowhere"),
    "one name for two files": ([*SMALL, "-o", "run.nc", "--figure", "./run.nc"], "run.nc is --output"),
    "unknown figure of a run": ([*SMALL, "--figure", "run.gif"], ".gif"),
    "no such TOML": (["simulate", "run.toml"], "run.toml"),
    "unknown data set": (["data", "show", "flowr"], "did you mean 'flower'"),
    "no data set": (["data", "fetch"], "NAME"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_clear_error(call, here, case):
    np.save("none.npy", np.full((4, 3), np.nan))
    np.save("inf.npy", np.array([[1.0, 2.0], [np.inf, 1.0]]))
    np.save("square.npy", np.arange(9.0).reshape(3, 3))
    Path("text.csv").write_text("u,v,r\na,b,1\na,c,many\n")
    Path("twice.csv").write_text("u,v,r\na,b,1\na,c,2\na,b,3\n")
    Path("folder.png").mkdir()
    Path("folder.zarr").mkdir()
    before = listing(here)
    arguments, words = BAD[case]
    done = call(*arguments)
    assert done.code == 2
    assert done.out == ""
    assert re.fullmatch(r"error: [^\n]+\n", done.err), done.err
    assert words in done.err
    assert listing(here) == before  # neither a new file nor a changed one


@pytest.mark.parametrize("policy", ["mean", "last"])
def test_entries_that_are_given_twice_follow_the_policy(call, policy):
    Path("twice.csv").write_text("u,v,r\na,b,1\na,c,2\nd,b,4\na,b,3\n")
    done = call("complete", "twice.csv", "--duplicates", policy, "--json")
    assert done.code == 0
    written = Path("twice-completed.csv").read_text()
    assert f"a,b,{ {'mean': 2, 'last': 3}[policy] },true," in written


def test_a_full_disk_leaves_what_was_there(call, here, monkeypatch):
    Path("out.png").write_bytes(b"\x89PNG\r\n old picture of rankscape")

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("matplotlib.figure.Figure.savefig", full)
    done = call("complete", "X.npy", "-o", "out.npy")
    assert (done.code, done.out) == (2, "")
    assert re.fullmatch(r"error: out.png [^\n]*No space left[^\n]*out.npy is written[^\n]*\n", done.err)
    assert Path("out.png").read_bytes() == b"\x89PNG\r\n old picture of rankscape"
    assert np.load("out.npy").shape == (20, 15)
    assert not list(here.glob(".*"))


def test_a_matrix_that_cannot_be_written_keeps_the_old_one(call, here, monkeypatch):
    Path("out.npy").write_bytes(b"old matrix")
    monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError(errno.ENOSPC, "No space left on device")))
    done = call("complete", "X.npy", "-o", "out.npy")
    assert (done.code, done.out) == (2, "")
    assert done.err.count("error") == 1
    assert Path("out.npy").read_bytes() == b"old matrix"
    assert not list(here.glob(".*"))


# --- simulate ---------------------------------------------------------------------------------------------------


def test_simulate_prints_facts(call):
    done = call(*SMALL, "--record", "5,1,3", "--record", "200", "--json")
    assert (done.code, done.err) == (0, "")
    facts = done.facts
    assert (facts["shape"], facts["depth"], facts["steps"], facts["last_record"]) == ([2, 2], 3, 200, 200)
    assert facts.keys() >= {"outcome", "message", "engine", "engine_why", "loss", "effective_rank", "singular_values"}
    assert call(*SMALL, "--record", "5,1,3", "--json").facts["last_record"] == 5
    assert "effective rank" in call(*SMALL).out


def test_negative_eigenvalues_follow_the_option(call):
    for typed in (["--eigenvalues", "-1,2"], ["--eigenvalues=-1,2"], ["--eigenvalues", "-1", "--eigenvalues", "2"]):
        assert call("simulate", *typed, "--steps", "10", "--json").facts["shape"] == [2, 2]


def test_options_override_the_file(call):
    Path("run.toml").write_text("eigenvalues = [5, 3]\nsteps = 100\nlearning-rate = 1e-2\n")
    assert call("simulate", "run.toml", "--json").facts["steps"] == 100
    assert call("simulate", "run.toml", "--steps", "7", "--json").facts["steps"] == 7


def test_a_trajectory_and_a_figure_are_written(call):
    done = call(*SMALL, "-o", "run.zarr", "--figure", "run.svg", "--json")
    assert done.facts["output"] == "run.zarr"
    assert Path("run.svg").read_text().startswith("<?xml")
    run = Trajectory.load("run.zarr")
    assert float(run.dataset.loss[-1]) == done.facts["loss"]


def test_a_run_that_diverges_is_a_failure_with_a_remedy(call):
    done = call(*SMALL, "--learning-rate", "10", "--figure", "up.png", "--json")
    assert done.code == 1
    assert done.facts["outcome"] == "diverged"
    before, after = done.err.splitlines()
    assert re.fullmatch(r"warning: learning rate 10 exceeds the limit .*what happens there: divergence\.", before)
    assert re.fullmatch(r"warning: diverged at step \d+.*learning rate.*", after)
    assert Path("up.png").exists()


def test_a_start_that_overflows_is_a_failure_with_a_remedy(call):
    options = ["--initialization", "gaussian", "--scale", "1e200", "--figure", "up.png"]
    done = call("simulate", "--target", "truth.npy", *options, "--steps", "10")
    assert done.code == 1
    assert "smaller initialization" in done.err
    assert Path("up.png").exists()


def test_sgd_reports_the_heldout_loss(call):
    options = ["--dynamics", "sgd", "--initialization", "gaussian", "--heldout", "0.1", "--learning-rate", "0.01"]
    facts = call("simulate", "--entries", "X.npy", *options, "--steps", "500", "--json").facts
    assert facts["heldout_loss"] > 0
    assert facts["engine"] == "entrywise"


def test_settings_without_effect_are_named(call):
    done = call(*SMALL, "--heldout", "0.5", "--batch-size", "3", "--scale", "1", "--json")
    assert done.code == 0
    assert done.err == "warning: --heldout, --batch-size, --scale: without effect in this run.\n"


def test_a_finished_checkpoint_is_read_and_another_run_refused(call):
    first = call(*SMALL, "--checkpoint", "c.npz", "--json")
    again = call(*SMALL, "--checkpoint", "c.npz", "--json")
    assert first == again
    other = call(*SMALL, "--alpha", "0.2", "--checkpoint", "c.npz")
    assert (other.code, other.out) == (2, "")
    assert re.fullmatch(r"error: [^\n]*alpha[^\n]*\n", other.err)


# --- data, cite, version ------------------------------------------------------------------------------------------


def test_data_sets_are_listed_and_described(call):
    listed = call("data", "list", "--json").facts["datasets"]
    assert [entry["name"] for entry in listed] == list(data.names())
    table = call("data", "list")
    assert table.code == 0
    assert all(name in table.out for name in data.names())  # never cut, at 80 columns
    for name in data.names():
        facts = call("data", "show", name, "--json").facts
        assert facts["licence"]
        assert facts["citation"]
    assert data.info("flower").licence.split()[0] in call("data", "show", "flower").out


def test_fetch_prints_the_terms_first(call, monkeypatch):
    assert "flower is here" in call("data", "fetch", "flower").out  # nothing to do
    monkeypatch.setattr("rankscape.data.fetch", lambda name, force, progress: progress("downloading") or Path("kept"))
    done = call("data", "fetch", "movielens-100k")
    assert done.err == "downloading\n"
    assert done.out.index("terms") < done.out.index("movielens-100k is here: kept")
    assert call("data", "fetch", "movielens-100k", "--json").facts["path"] == "kept"


def test_cite_and_version(call):
    from rankscape import __version__

    assert call("--version").out == f"{__version__}\n"
    out = call("cite").out
    assert all(key in out for key in ("@software{rankscape,", "chou2024", "wang2024", __version__))
    assert out.count("@") == 3
    assert call("cite", "golub1973", "roy2007").out.count("@") == 2
    assert call("cite", "--all").out.count("\n@") == len(bibliography()) - 1
    assert "did you mean 'golub1973'" in call("cite", "golub1937").err


@pytest.mark.parametrize("command", [[], ["data"], *([name] for name in COMMANDS), ["data", "fetch"]])
def test_help_is_there(call, command):
    done = call(*command, "--help")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"Usage: {' '.join(['rankscape', *command])}")


# --- progress, interruptions, defects -----------------------------------------------------------------------------


def test_progress_is_live_on_a_terminal_only(call, monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    done = call("complete", "X.npy", "--json")
    assert done.facts["rank"] == 2  # stdout stays clean
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", done.err)
    assert re.search(r"\d:\d\d:\d\d (climbing in rank|candidates compete|writing|drawing)", text)
    assert "%" not in text  # how much is left nobody knows
    run = call(*SMALL, "--json")
    assert "effective rank" in run.err
    assert "100%" in run.err
    assert run.facts["steps"] == 200


def test_ctrl_c_is_one_word(call, here, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    before = listing(here)
    monkeypatch.setattr("rankscape.complete", interrupt, raising=False)
    assert call("complete", "X.npy") == (130, "", "interrupted\n")
    assert listing(here) == before


def test_ctrl_c_before_the_application_is_there(monkeypatch, capsys):
    def interrupt(_):
        raise KeyboardInterrupt

    monkeypatch.setattr("rankscape.cli.app.start", interrupt)
    with pytest.raises(SystemExit) as end:
        main(["cite"])
    assert end.value.code == 130
    assert capsys.readouterr() == ("", "interrupted\n")


def test_a_defect_is_two_lines_and_a_traceback_only_on_request(call, monkeypatch):
    def defect(*_, **__):
        raise ZeroDivisionError("by accident")

    monkeypatch.setattr("rankscape.complete", defect, raising=False)
    done = call("complete", "X.npy")
    assert (done.code, done.out) == (1, "")
    assert done.err.splitlines()[0] == "error: unexpected ZeroDivisionError: by accident"
    assert "Traceback" not in done.err
    monkeypatch.setenv("RANKSCAPE_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        call("complete", "X.npy")


@pytest.mark.parametrize(("error", "code", "words"), [(MemoryError(), 2, "memory"), (BrokenPipeError(), 0, "")])
def test_other_ends(call, monkeypatch, error, code, words):
    def end(*_, **__):
        raise error

    monkeypatch.setattr("rankscape.complete", end, raising=False)
    done = call("complete", "X.npy")
    assert (done.code, done.out) == (code, "")
    assert words in done.err


# --- as a process -----------------------------------------------------------------------------------------------

COMMAND = [sys.executable, "-m", "rankscape"]

SLOWLY = """
import sys, time
from rankscape.run import checkpoint
from rankscape.run import simulation
from rankscape.cli import main
checkpoint.INTERVAL, simulation.CHUNK_SECONDS, wait = 0.0, 1e-9, float(sys.argv.pop(1))
save, saved = checkpoint.save, []
def slow(*arguments):
    save(*arguments)
    saved.append(1)
    if wait and len(saved) == 3:
        print("saved", file=sys.stderr, flush=True)
        time.sleep(wait)
checkpoint.save = slow
main()
"""
"""A run with a checkpoint each 8 steps, that waits after the third."""

LONG = ["simulate", "--eigenvalues", "5,3", "--learning-rate", "0.01", "--steps", "100", "--checkpoint", "c.npz"]


def process(*arguments: str, **options) -> subprocess.CompletedProcess:
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=120, check=False, **options)


def waiting(seconds: float = 60.0) -> subprocess.Popen:
    """A simulation that has just saved its third checkpoint."""
    command = [sys.executable, "-c", SLOWLY, str(seconds), *LONG]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert child.stderr is not None
    assert child.stderr.readline() == "saved\n"
    return child


def test_the_entry_point_is_installed():
    script = Path(sys.executable).with_name("rankscape")
    if not script.exists():
        pytest.skip("not installed as a script")
    done = subprocess.run([script, "--version"], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == process("--version").stdout


def test_help_is_quick():
    resource = pytest.importorskip("resource")
    seconds = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert process("--help").returncode == 0
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(seconds) < 0.4


@pytest.mark.skipif(os.name == "nt", reason="needs kill -9")
def test_a_killed_run_continues_and_ends_bit_identical(call, short_chunks):
    child = waiting()
    child.kill()
    child.communicate()
    assert child.returncode == -signal.SIGKILL
    assert Path("c.npz").exists()
    again = [sys.executable, "-c", SLOWLY, "0", *LONG]
    subprocess.run([*again, "-o", "resumed.zarr"], check=True, capture_output=True, timeout=120)
    assert call(*LONG[:-2], "-o", "whole.zarr").code == 0
    resumed, whole = Trajectory.load("resumed.zarr"), Trajectory.load("whole.zarr")
    assert resumed.dataset.drop_attrs().identical(whole.dataset.drop_attrs())
    assert all(np.array_equal(a, b) for a, b in zip(resumed.factors, whole.factors, strict=True))


@pytest.mark.skipif(os.name == "nt", reason="needs signals")
def test_ctrl_c_of_a_process(here):
    before = set(listing(here))
    child = waiting()
    child.send_signal(signal.SIGINT)
    began = time.monotonic()
    out, err = child.communicate(timeout=30)
    assert (child.returncode, out, err) == (130, "", "interrupted\n")
    assert time.monotonic() - began < 10
    assert set(listing(here)) == before | {"c.npz"}  # whole, and nothing beside it
    with np.load("c.npz") as stored:
        assert "header" in stored


@pytest.mark.parametrize("arguments", [["data", "list"], ["data", "list", "--json"], ["cite"], ["--help"]])
def test_a_reader_that_goes_away_is_no_error(arguments):
    child = subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stderr is not None
    child.stdout.close()
    assert child.stderr.read() == ""
    assert child.wait(timeout=60) == 0
    child.stderr.close()


@pytest.mark.skipif(os.name == "nt", reason="needs a shell")
@pytest.mark.parametrize(("redirection", "code"), [("<&-", 0), (">&-", 0), ("2>&-", 0)])
def test_closed_streams_are_no_error(here, redirection, code):
    line = f'"{sys.executable}" -m rankscape data list {redirection}'
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (code, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_output_to_a_full_disk_is_one_error():
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*COMMAND, "cite"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False
        )
    assert done.returncode == 2
    assert re.fullmatch(r"error: [^\n]*[Nn]o space left[^\n]*\n", done.stderr)


def test_a_terminal_without_umlauts(here):
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    done = process("complete", "größe.npy", env=environment)
    assert done.returncode == 2
    assert done.stderr.startswith(r"error: there is no file gr\xf6\xdfe.npy")
    Path("X.npy").rename("größe.npy")
    done = process("complete", "größe.npy", env=environment)
    assert (done.returncode, done.stderr) == (0, "")
