"""The commands that denoise and sense as Python does, and the one that says what is installed."""

import json
from pathlib import Path

import numpy as np
import pytest
from command_line import caller, check_refused

from rankscape.estimators import DeepMatrixDenoiser, DeepMatrixSensing


@pytest.fixture
def call(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    return caller(capsys)


@pytest.fixture
def noisy(call, rng) -> np.ndarray:
    X = np.outer(rng.normal(size=40), rng.normal(size=30)) + 0.3 * rng.normal(size=(40, 30))
    np.save("noisy.npy", X)
    return X


def test_denoising_is_that_of_python(call, noisy):
    facts = json.loads(call("denoise", "noisy.npy", "--figure", "d.png", "--noise", "0.3", "--json").out)
    model = DeepMatrixDenoiser(noise=0.3)
    np.testing.assert_array_equal(np.load("noisy-denoised.npy"), model.fit_transform(noisy))
    assert (facts["rank"], facts["noise"], facts["noise_given"]) == (model.rank_, 0.3, True)
    assert facts["expected_error"] == model.certificate_.expected_error
    assert Path("d.png").read_bytes().startswith(b"\x89PNG")


def test_a_denoised_table_keeps_its_layout_and_no_given_number(call, noisy):
    lines = ["g;" + ";".join(f"s{j}" for j in range(30))]
    lines += [f"r{i};" + ";".join(f"{v:.4f}".replace(".", ",") for v in row) for i, row in enumerate(noisy)]
    Path("noisy.csv").write_text("\n".join(lines) + "\n")
    assert call("denoise", "noisy.csv").code == 0
    written = Path("noisy-denoised.csv").read_text().splitlines()
    assert written[0] == lines[0]
    numbers = np.array([[float(cell.replace(",", ".")) for cell in line.split(";")[1:]] for line in written[1:]])
    np.testing.assert_allclose(numbers, DeepMatrixDenoiser().fit_transform(noisy.round(4)), rtol=1e-12)


def test_sensing_is_that_of_python(call, rng):
    W, operators = np.outer(rng.normal(size=8), rng.normal(size=7)), rng.normal(size=(60, 8, 7))
    left, right = rng.normal(size=(60, 8)), rng.normal(size=(60, 7))
    np.savez("dense.npz", operators=operators, measurements=np.tensordot(operators, W))
    np.savez("ones.npz", left=left, right=right, y=np.einsum("ki,ij,kj->k", left, W, right))
    for extra in (["dense.npz", "--figure", "s.png"], ["ones.npz", "--measurements", "y"]):
        facts = json.loads(call("sense", *extra, "--json").out)
        assert facts["rank"] == 1
        np.testing.assert_allclose(np.load(facts["output"]), W, atol=1e-6)
    model = DeepMatrixSensing().fit(operators, np.tensordot(operators, W))
    np.testing.assert_array_equal(np.load("dense-sensed.npy"), model.matrix_)
    assert Path("s.png").exists()


@pytest.mark.parametrize("command", ["denoise", "sense"])
def test_people_read_it_at_80_columns(call, noisy, rng, command):
    A = rng.normal(size=(30, 4, 3))
    np.savez("m.npz", operators=A, measurements=np.tensordot(A, np.outer([1, 2, 3, 4.0], [1, 1, 2.0])))
    done = call(command, {"denoise": "noisy.npy", "sense": "m.npz"}[command])
    assert (done.code, done.err) == (0, "")
    assert all(len(line) <= 80 and line == line.rstrip() for line in done.out.splitlines())
    assert "trust" in done.out


MISTAKES = {
    "holes": (["denoise", "holes.npy"], "1 of 12 cells"),
    "no level": (["denoise", "noisy.npy", "--noise", "-1"], "--noise"),
    "onto itself": (["denoise", "noisy.npy", "-o", "./noisy.npy"], "source itself"),
    "no operators": (["sense", "bare.npz"], "'operators'"),
    "no measurements": (["sense", "bare.npz", "--measurements", "z"], "'z'"),
    "no archive": (["sense", "noisy.npy"], "not an NPZ"),
    "a pickle": (["sense", "pickle.npz"], "plain arrays"),
    "no file": (["sense", "nowhere.npz"], "nowhere.npz"),
    "other shapes": (["sense", "odd.npz"], "measurements"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_mistakes_are_one_clear_error(call, noisy, case):
    holes = np.ones((4, 3))
    holes[1, 2] = np.nan
    np.save("holes.npy", holes)
    np.savez("bare.npz", measurements=np.ones(3))
    np.savez("odd.npz", operators=np.ones((4, 2, 2)), measurements=np.ones(3))
    np.savez("pickle.npz", operators=np.array([None]), measurements=np.ones(1))
    check_refused(call, *MISTAKES[case])


def test_info_is_what_a_bug_report_needs(call, monkeypatch):
    monkeypatch.setenv("RANKSCAPE_CACHE", "kept here")
    facts = json.loads(call("info", "--json").out)
    assert facts.keys() == {
        "schema", "rankscape", "python", "system", "processor", "cores", "memory", "blas", "executable", "cache",
        "project", "variables", "parts",
    }  # fmt: skip
    assert (facts["cache"], facts["variables"]) == ("kept here", {"RANKSCAPE_CACHE": "kept here"})
    assert facts["parts"]["numpy"] == np.__version__
    assert facts["cores"] >= 1
    assert "numpy " + np.__version__ in call("info").out
