"""Pictures: what is drawn is data that can be checked; drawing never fails; files are whole or as they were."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import rankscape as rs
from rankscape.errors import InputError, StorageError
from rankscape.plot import Image, Line, Panel, check_figure, completion_images, draw, save, trajectory_panels


def dataset(steps, spectrum, **variables) -> xr.Dataset:
    """A trajectory of given singular values, and of other variables by step."""
    steps, spectrum = np.asarray(steps), np.asarray(spectrum, dtype=float).reshape(len(steps), -1)
    named = {"singular_values": (("step", "index"), spectrum)}
    named |= {name: ("step", np.asarray(values, dtype=float)) for name, values in variables.items()}
    return xr.Dataset(named, coords={"step": steps})


STEPS = np.array([0, 1, 10, 100])
CLIMB = dataset(
    STEPS, [[1e-3, 1e-3], [2, 1e-3], [5, 1], [5, 3]],
    effective_rank=[2, 1, 1.2, 1.6], numerical_rank=[2, 2, 2, 2], loss=[10, 9, 2, 0], objective=[10, 9, 2, 0],
)  # fmt: skip
NAN = float("nan")

ODD = {
    "climbing": CLIMB,
    "one record": CLIMB.isel(step=[1]),
    "no record": CLIMB.isel(step=[]),
    "no mode": CLIMB.isel(index=[]),
    "no variable": xr.Dataset(coords={"step": np.array([], dtype=int)}),
    "only steps": xr.Dataset(coords={"step": STEPS}),
    "all zero": xr.zeros_like(CLIMB),
    "all missing": CLIMB * NAN,
    "equal values": xr.ones_like(CLIMB),
    "diverged": dataset([0, 1, 2], [[1e-3], [1e40], [1e140]], loss=[1, 1e80, 1e280], numerical_rank=[1, 1, 1]),
    "infinite": dataset([0, 1], [[1, np.inf], [NAN, 0]], loss=[np.inf, 1], effective_rank=[1, NAN]),
    "dying": dataset([0, 1, 2], [[5.0], [1e-200], [0.0]], loss=[1, 1, 1]),
    "tiny": dataset([0, 1], [[1e-300], [1e-310]], loss=[1e-300, 1e-310]),
    "long": dataset([0, 1, 10**12], [[1.0], [2.0], [3.0]], loss=[3, 2, 1]),
    "wide": dataset([0, 1], np.geomspace(1, 1e-6, 500)[None].repeat(2, 0), rank=[500, 400], train_rmse=[1, 2]),
}


def panels(data, references=None) -> dict[str, Panel]:
    return {panel.ylabel: panel for panel in trajectory_panels(data, references)}


def test_the_spectrum_is_drawn_down_to_a_floor_that_follows_the_run():
    lines = panels(CLIMB)["singular value"].lines
    np.testing.assert_array_equal(lines[0].y, [1e-3, 2, 5, 5])
    np.testing.assert_array_equal(lines[1].y, [1e-3, 1e-3, 1, 3])
    assert [line.color for line in lines] == sorted(line.color for line in lines)
    falling = panels(dataset([0, 1], [[5, 1], [5, 1e-12]]))["singular value"]
    np.testing.assert_array_equal(falling.lines[1].y, [1, NAN])  # a dead direction leaves the picture
    up = panels(ODD["diverged"])["singular value"]
    assert np.isfinite(up.lines[0].y).all()  # the start of a run that diverges stays in it
    assert up.bounds is not None
    assert up.bounds[0] < 1e-3 < 1e140 < up.bounds[1]
    assert len(panels(ODD["wide"])["singular value"].lines) == 60


def test_ranks_are_steps_and_the_effective_rank_is_a_curve():
    panel = panels(CLIMB)["rank"]
    assert panel.whole
    assert {line.label.split()[0]: line.steps for line in panel.lines} == {"numerical": True, "effective": False}
    assert [line.label for line in panels(ODD["wide"])["rank"].lines] == ["rank"]


def test_losses_of_runs_and_errors_of_completions():
    loss = panels(CLIMB)["loss"]
    assert [line.label for line in loss.lines] == ["loss"]  # without a ridge the objective is the loss
    np.testing.assert_array_equal(loss.lines[0].y, [10, 9, 2, NAN])  # zero has no logarithm
    assert loss.log
    ridge = CLIMB.assign(objective=CLIMB.loss + 1, heldout_loss=CLIMB.loss + 2)
    assert [line.label for line in panels(ridge)["loss"].lines] == ["loss", "loss + ridge", "held-out loss"]
    path = dataset(STEPS, np.ones((4, 1)), rank=[1, 1, 1, 1], train_rmse=[1, 1, 1, 1], heldout_rmse=[2, 2, 2, 2])
    assert [line.label for line in panels(path)["error"].lines] == ["train RMSE", "held-out RMSE"]
    assert not panels(path)["error"].log  # a logarithm of 1 to 2 has no readable tick
    assert panels(path, {"column mean": 10.0})["error"].log
    assert panels(path, {"column mean": 2.5, "unknown": NAN})["error"].references == [(2.5, "column mean")]


def test_the_chosen_step_is_marked_and_late_records_make_a_logarithmic_axis():
    assert all(panel.mark is None for panel in trajectory_panels(CLIMB))
    chosen = trajectory_panels(CLIMB.assign_attrs(chosen=10))
    assert [panel.mark for panel in chosen] == [(10.0, "chosen")] * 3
    assert all(panel.log_x for panel in chosen)
    even = CLIMB.assign_coords(step=[0, 10, 20, 30])
    assert not any(panel.log_x for panel in trajectory_panels(even))


def test_a_batch_is_not_one_trajectory():
    run = rs.simulate(
        rs.Estimation(eigenvalues=[2.0, 1.0]), depth=3, initialization=rs.Identical(alpha=0.1),
        dynamics=rs.GradientDescent(learning_rate=0.01), steps=20, seed=[0, 1],
    )  # fmt: skip
    with pytest.raises(InputError, match="select"):
        trajectory_panels(run.dataset)
    assert len(trajectory_panels(run.select(1).dataset)) == 3


@pytest.mark.parametrize("references", [None, {"column mean": 0.945, "row + column bias": 0.963}])
@pytest.mark.parametrize("case", ODD)
def test_drawing_never_fails(case, references, tmp_path):
    data = (
        ODD[case].assign_attrs(chosen=int(ODD[case].step[-1])) if references and ODD[case].sizes["step"] else ODD[case]
    )
    figure = draw(trajectory_panels(data, references), title="$ a title % of \\ any kind")
    assert save(figure, tmp_path / "picture.svg").read_text().rstrip().endswith("</svg>")
    for axes in figure.axes:
        assert len(axes.get_xticks()) < 30
        assert len(axes.get_yticks()) < 30


def test_references_are_told_apart_in_the_legend_however_close():
    axes = draw(trajectory_panels(CLIMB, {"column mean": 0.945, "row + column bias": 0.946})).axes[2]
    legend = axes.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["loss", "column mean", "row + column bias"]
    assert len({line.get_linestyle() for line in axes.get_lines()}) == 3


def test_a_logarithmic_axis_shows_all_steps_and_none_below_zero():
    for axes in draw(trajectory_panels(CLIMB)).axes:
        low, high = axes.get_xlim()
        assert -1 < low <= 0
        assert high >= 100


def test_one_record_is_a_dot_at_a_whole_step():
    figure = draw(trajectory_panels(ODD["one record"]))
    for axes in figure.axes:
        assert {line.get_marker() for line in axes.get_lines()} == {"o"}
        low, high = axes.get_xlim()
        assert [tick for tick in axes.get_xticks() if low <= tick <= high] == [1]


def test_nothing_to_draw_says_so():
    for axes in draw(trajectory_panels(ODD["no variable"])).axes:
        assert [text.get_text() for text in axes.texts] == ["nothing recorded"]
    assert draw([]).axes


def test_pictures_share_their_grey_values():
    truth = np.linspace(0, 1, 12).reshape(3, 4)
    seen = np.where(np.eye(3, 4, dtype=bool), NAN, truth)
    images = completion_images(seen, truth * 1.5, truth)
    assert [image.title for image in images] == ["given", "completed", "truth"]
    assert {image.limits for image in images} == {(0.0, 1.0)}
    without = completion_images(seen, truth, None)
    assert [image.title for image in without] == ["given", "completed"]
    assert without[0].limits == (np.nanmin(seen), np.nanmax(seen))
    figure = draw([*trajectory_panels(CLIMB), *without])
    assert [axes.get_title(loc="left") for axes in figure.axes][3:5] == ["given", "completed"]
    assert figure.axes[3].images[0].get_clim() == without[0].limits


BEGINNINGS = {".png": b"\x89PNG\r\n\x1a\n", ".pdf": b"%PDF-", ".svg": b"<?xml", ".PNG": b"\x89PNG\r\n\x1a\n"}


@pytest.mark.parametrize("extension", BEGINNINGS)
def test_files_are_what_their_extension_says(tmp_path, extension):
    path = save(draw([Panel("title", "y", "x", [Line(np.arange(3), np.arange(3))])]), tmp_path / f"picture{extension}")
    assert path.read_bytes().startswith(BEGINNINGS[extension])
    assert list(tmp_path.iterdir()) == [path]


def test_a_failure_keeps_the_picture_that_was_there(tmp_path, monkeypatch):
    path = tmp_path / "picture.png"
    old = b"\x89PNG\r\n\x1a\nold"
    path.write_bytes(old)
    figure = draw([Image("grey", np.eye(3), (0.0, 1.0))])

    def fail(file, **_):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(figure, "savefig", fail)
    with pytest.raises(StorageError, match="No space left"):
        save(figure, path)
    assert path.read_bytes() == old
    assert list(tmp_path.iterdir()) == [path]


def test_a_path_that_cannot_be_written_is_refused_before_any_work(tmp_path):
    (tmp_path / "folder.png").mkdir()
    for name, words in (
        ("a.gif", ".png"),
        ("a", ".png"),
        ("nowhere/a.png", "nowhere"),
        ("folder.png", "is a directory"),
    ):
        with pytest.raises(InputError, match=words):
            check_figure(tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["folder.png"]
    if Path("/proc/self").exists():
        with pytest.raises(StorageError, match="/proc"):
            check_figure("/proc/picture.png")
