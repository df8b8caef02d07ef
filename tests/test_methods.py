"""The catalogue of completion methods: what every method promises, and what it takes to add one."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pytest

import rankscape as rs
from rankscape.errors import FinalClassError, InputError
from rankscape.estimators import DeepMatrixCompletion
from rankscape.estimators.completion import methods
from rankscape.estimators.completion.methods.base import Method
from rankscape.ground.modes import Modes
from rankscape.reports import explain, report


def low_rank(
    seed: int, shape: tuple[int, int], rank: int, noise: float | np.ndarray = 0.0, share: float = 0.6
) -> np.ndarray:
    """A Gaussian matrix of this rank with noise, NaN where nothing is seen."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=(shape[0], rank)) @ rng.normal(size=(rank, shape[1]))
    X = truth + noise * rng.normal(size=shape)
    return np.where(rng.random(shape) < share, X, np.nan)


def smooth(seed: int, n: int = 40) -> np.ndarray:
    """A matrix whose spectrum decays without an edge, half of it seen, with a little noise."""
    rng = np.random.default_rng(seed)
    x, y = np.sort(rng.random(n)), np.sort(rng.random(n))
    X = np.exp(-4 * np.abs(x[:, None] - y)) + 0.02 * rng.normal(size=(n, n))
    return np.where(rng.random((n, n)) < 0.5, X, np.nan)


# Data that each method wins on.
WINS = {
    "offset": np.where(np.eye(24) > 0, np.nan, np.random.default_rng(3).normal(size=(24, 24))),
    "climbed": low_rank(0, (40, 30), 2),
    "sampled": low_rank(0, (120, 80), 3, noise=0.5 * np.exp(0.8 * np.random.default_rng(4).normal(size=80))),
}


# -- a method of one's own -------------------------------------------------------------------------------


class Rows(NamedTuple):
    """What the toy remembers."""

    weight: float


class RowMeans(Method):
    """The toy: one direction that is constant over the columns, as row means are."""

    name, richness, phase, memory = "row means", 0, "row means", Rows
    how = "Every row is its own mean."

    def wanted(self, trial):
        return True

    def fit(self, trial):
        trial.offer(self._fitted(trial, 1.0))

    def again(self, trial, fit):
        return self._fitted(trial, *fit.memory)

    def why(self, fit):
        return "rows differ, and nothing else does"

    def _fitted(self, trial, weight):
        seen = trial.entries
        n_out, n_in = seen.shape
        counts = np.bincount(seen.rows, minlength=n_out)
        means = weight * np.bincount(seen.rows, weights=seen.values, minlength=n_out) / np.maximum(counts, 1)
        size = float(np.linalg.norm(means)) or 1.0
        modes = Modes(means[:, None] / size, np.array([size * n_in**0.5]), np.full((n_in, 1), n_in**-0.5))
        return trial.fit(self, modes, trial.scale * 0.1, memory=Rows(weight))


@pytest.fixture
def toy():
    """The one registration, taken back after the test."""
    method = RowMeans()
    methods.register(method)
    yield method
    methods.METHODS.remove(method)


@pytest.fixture
def rows_that_differ():
    rng = np.random.default_rng(5)
    X = np.repeat(rng.normal(size=(30, 1)), 20, axis=1) + 0.3 * rng.normal(size=(30, 20))
    return np.where(rng.random(X.shape) < 0.7, X, np.nan)


def test_a_method_that_is_registered_takes_part_in_selection(toy, rows_that_differ):
    done = rs.complete(rows_that_differ, offset="mean")
    assert done.method == "row means"
    assert done.memory == Rows(1.0)
    assert "rows differ, and nothing else does" in done.reason
    seen = ~np.isnan(rows_that_differ)
    mean = np.nanmean(rows_that_differ)
    means = np.array([row[known].mean() - mean for row, known in zip(rows_that_differ, seen, strict=True)])
    np.testing.assert_allclose(done.fitted, np.repeat(mean + means[:, None], 20, axis=1), atol=1e-12)


def test_without_the_registration_another_method_is_chosen(rows_that_differ):
    assert rs.complete(rows_that_differ, offset="mean").method != "row means"


def test_the_certificate_asks_the_method_what_the_entries_must_determine(toy, rows_that_differ):
    m = int((~np.isnan(rows_that_differ)).sum())
    done = rs.complete(rows_that_differ, offset="mean")
    assert done.certificate.oversampling == m / (30 + 20 - 1)
    toy.needed = lambda fit: 2.0 * fit.rank
    done = rs.complete(rows_that_differ, offset="mean")
    assert done.certificate.needed == 2.0
    assert done.certificate.oversampling == m / (2 * (30 + 20 - 2))


@pytest.mark.usefixtures("hasty")
def test_the_report_prints_what_the_method_says_of_itself(toy, rows_that_differ, tmp_path):
    done = rs.complete(rows_that_differ, offset="mean")
    page = tmp_path / "page.html"
    report(done, page)
    text = page.read_text(encoding="utf-8")
    assert "Every row is its own mean." in text
    assert "rows differ, and nothing else does" in text
    assert "about 1 direction" in explain(done)[0]  # the toy does not claim to be sharp


@pytest.mark.usefixtures("hasty")
def test_a_saved_model_remembers_what_its_method_remembers(toy, rows_that_differ, tmp_path):
    model = DeepMatrixCompletion(offset="mean").fit(rows_that_differ)
    model.save(tmp_path / "model.npz")
    loaded = DeepMatrixCompletion.load(tmp_path / "model.npz")
    assert loaded.completed_.method == "row means"
    assert loaded.completed_.memory == Rows(1.0)
    np.testing.assert_array_equal(loaded.completed_.fitted, model.completed_.fitted)


@pytest.mark.usefixtures("hasty")
def test_a_saved_model_of_an_unknown_method_says_so(toy, rows_that_differ, tmp_path):
    DeepMatrixCompletion(offset="mean").fit(rows_that_differ).save(tmp_path / "model.npz")
    methods.METHODS.remove(toy)
    try:
        with pytest.raises(InputError, match=r"no completion method 'row means'.*register it"):
            DeepMatrixCompletion.load(tmp_path / "model.npz")
    finally:
        methods.register(toy)


def test_two_methods_of_one_name_are_refused(toy):
    with pytest.raises(InputError, match="'row means' is registered already"):
        methods.register(RowMeans())


# -- what every method promises --------------------------------------------------------------------------

every_method = pytest.mark.parametrize("method", methods.METHODS, ids=lambda method: method.name)


@every_method
def test_a_method_says_what_it_is_and_where_it_comes_from(method):
    assert method.how.endswith(".")
    assert method.references
    assert type(method).__doc__
    assert "References" in type(method).__doc__


def test_the_catalogue_is_in_the_order_of_richness():
    richness = [method.richness for method in methods.METHODS]
    assert richness == sorted(richness)
    assert len({method.name for method in methods.METHODS}) == len(richness)


@every_method
def test_a_method_is_final(method):
    with pytest.raises(FinalClassError, match="Subclass Method instead"):
        type("Other", (type(method),), {})


@pytest.fixture(scope="module")
def completions() -> dict[str, rs.CompletedMatrix]:
    """What each method wins on, completed once."""
    return {name: rs.complete(X) for name, X in WINS.items()}


@pytest.mark.parametrize("name", WINS)
def test_each_method_is_chosen_where_it_belongs(name, completions):
    done = completions[name]
    assert done.method == name
    assert done.reason.startswith(f"Rank {done.rank}")
    assert isinstance(done.memory, methods.named(name).memory)


def test_spectra_without_an_edge_are_not_told_as_sharp():
    done = rs.complete(smooth(2))
    assert done.method in {"averaged", "penalised", "sampled"}
    assert not done.sharp
    assert "about" in explain(done)[0]


@pytest.mark.parametrize("name", WINS)
def test_units_scale_out_of_every_method(name, completions):
    one, other = completions[name], rs.complete(WINS[name] * 1024)
    assert (other.method, other.rank) == (one.method, one.rank)
    np.testing.assert_array_equal(other.matrix, one.matrix * 1024)  # a power of two: exact


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("name", ["climbed", "sampled"])
def test_saving_restores_what_a_method_needs_to_go_on(name, tmp_path):
    model = DeepMatrixCompletion(warm_start=True).fit(WINS[name])
    model.save(tmp_path / "model.npz")
    loaded = DeepMatrixCompletion.load(tmp_path / "model.npz")
    np.testing.assert_array_equal(loaded.fit(WINS[name]).completed_.fitted, model.fit(WINS[name]).completed_.fitted)
    assert loaded.completed_.memory == model.completed_.memory


def test_a_fit_is_turned_into_other_units_by_its_scale():
    from rankscape.estimators.completion.fits.fit import Fit
    from rankscape.estimators.completion.ready.offsets import Offset

    modes = Modes(np.eye(2), np.array([4.0, 2.0]), np.eye(2))
    fit = Fit(methods.OFFSET, modes, Offset("none", 0.0, np.zeros(2), np.zeros(2)), 3.0, 0.0)
    assert fit.modes_in(6.0).s.tolist() == [2.0, 1.0]
    assert replace(fit, scale=6.0).modes_in(6.0).s.tolist() == [4.0, 2.0]
