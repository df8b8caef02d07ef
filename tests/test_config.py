"""A simulation as a flat configuration: the same names in TOML, on the command line and in Python."""

import re
import warnings

import numpy as np
import pytest
from pydantic import ValidationError

import rankscape as rs
from rankscape.config import SimulationConfig, make_config, read_toml
from rankscape.data.source import open_source
from rankscape.errors import FallbackWarning, InputError


@pytest.fixture
def toml(tmp_path):
    def write(text: str | bytes):
        path = tmp_path / "run.toml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def test_the_configuration_is_the_run(tmp_path):
    config = SimulationConfig(eigenvalues=[2.0, 1.0], alpha=0.2, learning_rate=0.01, steps=50, record=[0, 50], seed=3)
    run = config.run()
    same = rs.simulate(
        rs.Estimation(eigenvalues=[2.0, 1.0]), depth=3, initialization=rs.Identical(alpha=0.2),
        dynamics=rs.GradientDescent(learning_rate=0.01), steps=50, record=[0, 50], seed=3,
    )  # fmt: skip
    assert run.dataset.drop_attrs().identical(same.dataset.drop_attrs())
    assert run.configuration == same.configuration


@pytest.mark.parametrize(
    ("settings", "start"),
    [
        ({}, rs.Identical(0.1)),
        ({"initialization": "perturbed-identical", "alpha": 0.2, "beta": 0.01}, rs.PerturbedIdentical(0.2, 0.01)),
        ({"initialization": "gaussian", "scale": 0.3}, rs.Gaussian(0.3)),
        ({"initialization": "orthogonal", "scale": 0.3}, rs.Orthogonal(0.3)),
    ],
)
def test_every_start_has_its_name(settings, start):
    run = SimulationConfig(eigenvalues=[2.0, 1.0], steps=3, **settings).run()
    assert run.configuration["initialization"] == [start.describe()]


def test_sgd_over_the_entries_of_a_file(tmp_path, rng):
    X = np.where(rng.random((8, 6)) < 0.7, rng.normal(size=(8, 6)), np.nan)
    np.save(tmp_path / "X.npy", X)
    config = SimulationConfig(
        entries=str(tmp_path / "X.npy"), heldout=0.2, dynamics="sgd", initialization="gaussian", batch_size=2,
        replacement=False, ridge=1e-3, learning_rate=0.01, steps=20, width=3,
    )  # fmt: skip
    problem = config.problem()
    assert isinstance(problem, rs.Completion)
    assert problem.heldout is not None
    assert len(problem.values) + len(problem.heldout.values) == (~np.isnan(X)).sum()
    run = config.run()
    assert "heldout_loss" in run.dataset
    assert run.factors[0].shape == (3, 6)


def test_exactly_one_problem():
    for settings in ({}, {"eigenvalues": [1.0], "entries": "X.npy"}):
        with pytest.raises(InputError, match="exactly one of --eigenvalues, --target and --entries"):
            SimulationConfig(**settings).problem()


def test_a_target_with_holes_is_for_entries(tmp_path):
    np.save(tmp_path / "X.npy", np.array([[1.0, np.nan], [0.0, 1.0]]))
    with pytest.raises(InputError, match="--entries"):
        SimulationConfig(target=tmp_path / "X.npy").problem()
    assert SimulationConfig(entries=str(tmp_path / "X.npy")).problem().shape == (2, 2)


def test_settings_without_effect_are_named_once():
    with pytest.warns(FallbackWarning, match=re.escape("--heldout, --replacement, --beta: without effect")):
        SimulationConfig(eigenvalues=[1.0], heldout=0.1, replacement=True, beta=0.1).problem()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        SimulationConfig(eigenvalues=[1.0], alpha=0.1, ridge=0.1).problem()


def test_lists_are_typed_as_people_do():
    assert SimulationConfig.model_validate({"eigenvalues": "5, 3,1.5"}).eigenvalues == [5, 3, 1.5]
    assert SimulationConfig.model_validate({"eigenvalues": ["5,-3", 1]}).eigenvalues == [5, -3, 1]
    assert SimulationConfig.model_validate({"record": ["0,10", "100"]}).record == [0, 10, 100]


LIMITS = {
    "depth": 0, "width": 0, "heldout": 1.0, "alpha": 0.0, "beta": -1.0, "scale": 0.0, "learning_rate": 0.0,
    "ridge": -1.0, "batch_size": 0, "steps": -1, "seed": -1, "initialization": "zero", "dynamics": "adam",
    "dtype": "float16", "engine": "gpu", "eigenvalues": [float("nan")], "record": [1.5],
}  # fmt: skip


@pytest.mark.parametrize("name", LIMITS)
def test_values_out_of_bounds_are_named(name):
    with pytest.raises(InputError, match=rf"^run.toml: {name} = .+\.$"):
        make_config({name: LIMITS[name]}, "run.toml")
    if isinstance(LIMITS[name], float):
        with pytest.raises(InputError, match="finite number"):
            make_config({name: float("inf") if name != "heldout" else float("nan")}, "run.toml")


def test_a_configuration_cannot_be_changed():
    with pytest.raises(ValidationError):
        SimulationConfig(eigenvalues=[1.0]).depth = 4  # pyright: ignore[reportAttributeAccessIssue]


def test_every_field_is_described():
    for name, field in SimulationConfig.model_fields.items():
        assert field.description, name
        assert field.description.endswith("."), name


# --- TOML -------------------------------------------------------------------------------------------------------


def test_toml_takes_hyphens_and_every_field(toml):
    values = SimulationConfig(eigenvalues=[5, -3.5], record=[0, 7], width=4, batch_size=2).model_dump(exclude_none=True)
    written = [
        f"{name.replace('_', '-')} = {str(v).lower() if isinstance(v, bool) else repr(v)}" for name, v in values.items()
    ]
    assert make_config(read_toml(toml("\n".join(written))), "run.toml").model_dump(exclude_none=True) == values


BAD = {
    "a wrong key": ("step = 3", r"unknown key 'step' - did you mean 'steps'\?"),
    "a wrong key with a hyphen": ("learning-rat = 3", r"did you mean 'learning_rate'\?"),
    "a key like no other": ("zzz = 3", r"unknown key 'zzz'\."),
    "a table": ("[simulation]\nsteps = 3", "unknown key 'simulation'"),
    "both spellings": ("learning-rate = 1\nlearning_rate = 2", "learning_rate is given twice"),
    "the same key twice": ("steps = 1\nsteps = 2", "not valid TOML: Cannot overwrite"),
    "no TOML": ("steps = = 3", "not valid TOML: .*line 1"),
    "no text": (b"\xff\xfe", "not valid TOML"),
    "a truth for a number": ("steps = true", "steps = true: true and false are for switches"),
    "a number for a truth": ("compress_width = 1", "compress_width = 1: true and false are for switches"),
    "text for a number": ("steps = 'many'", "steps = 'many': Input should be a valid integer"),
    "text in a list": ("eigenvalues = [5, 'x']", "eigenvalues = 'x': Input should be a valid number"),
    "infinity": ("learning_rate = inf", "learning_rate = inf: Input should be a finite number"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_toml_is_one_clear_error(toml, case):
    text, words = BAD[case]
    path = toml(text)
    with pytest.raises(InputError, match=words) as error:
        make_config(read_toml(path), str(path))
    assert str(error.value).startswith(f"{path}: ")
    assert "\n" not in str(error.value)


def test_a_toml_that_cannot_be_read(tmp_path):
    for path, words in ((tmp_path, "is a directory"), (tmp_path / "nowhere.toml", "nowhere.toml")):
        with pytest.raises(InputError, match=words):
            read_toml(path)


def test_an_empty_toml_leaves_everything_to_the_options(toml):
    assert read_toml(toml("")) == {}
    assert make_config({"eigenvalues": [1.0]} | read_toml(toml("")), "run.toml").steps == 10_000


# --- sources ----------------------------------------------------------------------------------------------------


def test_a_source_is_a_name_or_a_file(tmp_path):
    path = tmp_path / "a.b.csv"
    path.write_text("u,v,r\na,b,1\nb,a,2\n")
    opened = open_source(str(path))
    assert (opened.stem, opened.extension, opened.info) == ("a.b", ".csv", None)
    named = open_source("breast-cancer-correlation")
    assert (named.stem, named.extension) == ("breast-cancer-correlation", ".npy")
    assert named.info is not None
    np.testing.assert_array_equal(named.table.dense(), rs.data.load("breast-cancer-correlation").dense())


@pytest.mark.parametrize("source", ["", " ", "nowhere", "flowr"])
def test_a_source_that_is_neither_lists_the_names(source):
    with pytest.raises(InputError, match=r"neither a file nor a named data set .*flower"):
        open_source(source)
