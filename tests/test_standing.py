"""What stands where something will be written: an earlier answer is replaced, anything else only with --force."""

import numpy as np
import pandas as pd
import pytest

from rankscape.cli import main

pytestmark = pytest.mark.usefixtures("hasty_file")


def table(seed, labels=True):
    rng = np.random.default_rng(seed)
    X = np.outer(rng.normal(size=14), rng.normal(size=7))
    X[rng.random(X.shape) < 0.2] = np.nan
    return pd.DataFrame(X, columns=list("abcdefg"), index=[f"r{k}" for k in range(14)])


def write(frame, path):
    if path.suffix == ".npy":
        np.save(path, frame.to_numpy())
    elif path.suffix == ".parquet":
        frame.to_parquet(path)
    elif path.suffix == ".xlsx":
        frame.to_excel(path)
    else:
        frame.to_csv(path)


def run(capsys, *words):
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    said = capsys.readouterr()
    return ended.value.code, said.err


@pytest.fixture(params=[".csv", ".npy", ".parquet", ".xlsx", ".csv.gz"])
def weeks(request, tmp_path):
    one, two = (tmp_path / f"week{k}{request.param}" for k in (1, 2))
    write(table(1), one)
    write(table(2), two)
    return one, two


def test_the_table_of_another_week_stays(weeks, tmp_path, capsys):
    one, two = weeks
    before = two.read_bytes()
    code, said = run(capsys, "complete", one, "-o", two, "--no-figure")
    assert (code, two.read_bytes()) == (2, before)
    assert "holds something else" in said
    assert "--force" in said
    out = tmp_path / f"out{''.join(one.suffixes)}"
    for options in ([], ["--hide", "0.5"], []):  # the same question, once more
        assert run(capsys, "complete", one, "-o", out, "--no-figure", "--quiet", *options) == (0, "")
    answer = out.read_bytes()
    code, _ = run(capsys, "complete", two, "-o", out, "--no-figure")
    assert (code, out.read_bytes()) == (2, answer)
    assert run(capsys, "complete", two, "-o", out, "--no-figure", "--quiet", "--force") == (0, "")
    assert out.read_bytes() != answer


def test_long_tables_are_compared_by_their_names(tmp_path, capsys):
    long = [table(k).stack().rename("value").rename_axis(["row", "column"]).reset_index() for k in (1, 2)]
    one, two, out = tmp_path / "one.csv", tmp_path / "two.csv", tmp_path / "out.csv"
    long[0].sample(frac=1, random_state=0).to_csv(one, index=False)
    long[1].to_csv(two, index=False)
    for _ in range(2):
        assert run(capsys, "complete", one, "-o", out, "--no-figure", "--quiet") == (0, "")
    before = out.read_bytes()
    code, said = run(capsys, "complete", two, "-o", out, "--no-figure")
    assert (code, out.read_bytes()) == (2, before)
    assert "its cells" in said


def test_answers_that_agree_by_chance_are_others(tmp_path, capsys):
    rng = np.random.default_rng(0)
    for k in (1, 2):
        X = (rng.random((30, 12)) < 0.7).astype(float)
        X[rng.random(X.shape) < 0.1] = np.nan
        np.save(tmp_path / f"{k}.npy", X)
    before = (tmp_path / "2.npy").read_bytes()
    code, _ = run(capsys, "complete", tmp_path / "1.npy", "-o", tmp_path / "2.npy", "--no-figure")
    assert (code, (tmp_path / "2.npy").read_bytes()) == (2, before)


@pytest.mark.parametrize("ending", [".png", ".svg", ".pdf"])
def test_a_picture_of_others_stays(ending, tmp_path, capsys):
    from matplotlib.figure import Figure

    source, photo = tmp_path / "one.csv", tmp_path / f"photo{ending}"
    write(table(1), source)
    Figure().savefig(photo)
    before = photo.read_bytes()
    code, said = run(capsys, "complete", source, "-o", tmp_path / "out.csv", "--figure", photo)
    assert (code, photo.read_bytes(), (tmp_path / "out.csv").exists()) == (2, before, False)
    assert "not made by rankscape" in said
    for force in (["--force"], []):  # then it is ours
        options = ["-o", tmp_path / "out.csv", "--figure", photo, "--quiet", *force]
        assert run(capsys, "complete", source, *options) == (0, "")
    assert photo.read_bytes() != before


def test_what_is_denoised_or_sensed_replaces_nothing_that_was_named(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    one, two = (rng.normal(size=(20, 2)) @ rng.normal(size=(2, 9)) + 0.1 * rng.normal(size=(20, 9)) for _ in range(2))
    np.save("one.npy", one)
    np.save("two.npy", two)
    operators = rng.normal(size=(90, 4, 4))
    np.savez("measured.npz", operators=operators, measurements=operators.sum((1, 2)))
    for words in (["denoise", "one.npy"], ["sense", "measured.npz", "--max-steps", "20"]):
        before = (tmp_path / "two.npy").read_bytes()
        code, said = run(capsys, *words, "-o", "two.npy")
        assert (code, (tmp_path / "two.npy").read_bytes()) == (2, before)
        assert "--force" in said
        assert [run(capsys, *words, "--quiet")[0] for _ in range(2)] == [0, 0]  # under its own name, again
        assert run(capsys, *words, "-o", "two.npy", "--quiet", "--force")[0] == 0
        np.save("two.npy", two)


def test_new_rows_replace_only_their_own_answer(tmp_path, capsys):
    one, two, model, out = (tmp_path / name for name in ("one.csv", "two.csv", "model.npz", "out.csv"))
    write(table(1), one)
    write(table(2), two)
    assert run(capsys, "complete", one, "-o", out, "--model", model, "--no-figure", "--quiet") == (0, "")
    before = out.read_bytes()
    code, _ = run(capsys, "fill", model, two, "-o", out)
    assert (code, out.read_bytes()) == (2, before)
    for force in (["--force"], []):
        assert run(capsys, "fill", model, two, "-o", out, "--quiet", *force) == (0, "")
    assert out.read_bytes() != before


def test_standard_errors_replace_standard_errors(tmp_path, capsys):
    one, out, errors = tmp_path / "one.csv", tmp_path / "out.csv", tmp_path / "errors.csv"
    write(table(1), one)
    for _ in range(2):
        options = ["-o", out, "--standard-errors", errors, "--no-figure", "--quiet"]
        assert run(capsys, "complete", one, *options) == (0, "")
