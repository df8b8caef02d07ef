"""What predicts: low rank, scaled, combined; packed and unpacked; and what it takes to add a candidate."""

from dataclasses import dataclass

import numpy as np
import pytest

import rankscape as rs
from rankscape.entries import Entries
from rankscape.errors import InputError
from rankscape.estimators.completion import candidates
from rankscape.estimators.completion.candidates.base import Candidate, Trained
from rankscape.estimators.completion.competition.combine import Combination
from rankscape.estimators.completion.competition.contest import Contest
from rankscape.estimators.completion.competition.rounds import Round
from rankscape.estimators.completion.models import packing
from rankscape.estimators.completion.models.base import Model
from rankscape.estimators.completion.models.combined import Combined
from rankscape.estimators.completion.models.low_rank import LowRank
from rankscape.estimators.completion.models.scaled import Scaled
from rankscape.estimators.completion.ready.offsets import Offset
from rankscape.estimators.completion.ready.scaling import Scaling
from rankscape.ground.modes import modes_of

pytestmark = pytest.mark.usefixtures("hasty_file")


def low_rank(seed: int = 0, shape: tuple[int, int] = (6, 5), rank: int = 2) -> LowRank:
    rng = np.random.default_rng(seed)
    modes = modes_of(rng.normal(size=(shape[0], rank)), rng.normal(size=(shape[1], rank)))
    return LowRank(modes, Offset("row+column", 0.5, rng.normal(size=shape[0]), rng.normal(size=shape[1])), 0.1)


def scaled(seed: int = 0) -> Scaled:
    rng = np.random.default_rng(seed + 50)
    return Scaled(low_rank(seed), Scaling("both", 3.0, rng.uniform(1, 2, 6), rng.uniform(1, 9, 5)))


MODELS = {
    "low rank": low_rank(),
    "scaled": scaled(),
    "combined": Combined((low_rank(1), scaled(2)), (0.25, 0.75), -1.0, 1.0),
}


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_a_value_is_the_same_alone_and_in_the_whole_matrix(model: Model):
    rows, columns = np.indices(model.shape).reshape(2, -1)
    np.testing.assert_allclose(model.at(rows, columns), model.dense().ravel(), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_what_is_packed_is_unpacked_to_the_bit(model: Model):
    arrays: dict[str, np.ndarray] = {}
    again = packing.unpack(packing.pack(model, arrays), arrays)
    assert type(again) is type(model)
    np.testing.assert_array_equal(again.dense(), model.dense())


def test_a_row_like_one_that_was_fitted_folds_to_it():
    model = low_rank(3, shape=(40, 12))
    exact = LowRank(model.modes, model.offset, 1e-9)
    row = Entries.from_array(exact.dense()[7:8])
    np.testing.assert_allclose(exact.folded(row)[0], exact.dense()[7], rtol=1e-5)


@pytest.mark.parametrize("known", [0, 1, 2, 5])
def test_a_new_row_is_expected_to_be_one_like_those_that_were_fitted(known: int):
    model, noise = low_rank(4, shape=(40, 12)), 0.1
    # By the law of a normal row: the mean and covariance of the model's rows, seen with noise.
    rows = model.dense()
    mean, covariance = rows.mean(0), np.cov(rows.T, bias=True)
    seen, values = np.arange(known), np.random.default_rng(0).normal(size=known)
    gain = covariance[:, seen] @ np.linalg.inv(covariance[np.ix_(seen, seen)] + noise**2 * np.eye(known))
    folded = model.folded(Entries(np.zeros(known, int), seen, values, (1, 12)))
    np.testing.assert_allclose(folded[0], mean + gain @ (values - mean[seen]), rtol=1e-6)


def test_scaled_values_are_the_models_times_their_size():
    model = scaled()
    size = model.scaling.unit * np.outer(model.scaling.row, model.scaling.column)
    np.testing.assert_allclose(model.dense(), model.model.dense() * size, rtol=1e-14)


def test_a_kind_that_is_not_known_is_refused():
    with pytest.raises(InputError, match="'Strange'"):
        packing.unpack({"kind": "Strange", "parts": {}}, {})


# -- a candidate of one's own ----------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Parity(Model):
    """Every cell is one of two numbers, by the parity of its place: no sum of a few directions says that better."""

    even: float
    odd: float
    size: tuple[int, int]

    @property
    def shape(self):
        return self.size

    def at(self, rows, columns):
        return np.where((rows + 1) * (columns + 1) % 53 % 2 == 0, self.even, self.odd)

    def dense(self):
        return self.at(*np.indices(self.size))

    def folded(self, entries):
        return self.at(*np.indices(entries.shape))


class Parities(Candidate):
    name, how = "parity", "By the parity of the place."

    def wanted(self, training, settings):
        return True

    def fit(self, training, heldout, settings, search):
        def again(entries):
            even = (entries.rows + 1) * (entries.columns + 1) % 53 % 2 == 0
            means = float(entries.values[even].mean()), float(entries.values[~even].mean())
            return Parity(*means, entries.shape)

        return Trained(self.name, again(training), again, "the parity of the place")


@pytest.fixture
def toy():
    candidates.register(Parities())
    packing.register(Parity)
    yield
    candidates.CANDIDATES.pop()
    packing.KINDS.pop("Parity")


def test_a_candidate_of_ones_own_competes_and_is_saved(toy, tmp_path):
    rng = np.random.default_rng(0)
    truth = Parity(1.0, 4.0, (30, 25)).dense()
    X = np.where(rng.random(truth.shape) < 0.6, truth + 0.5 * rng.normal(size=truth.shape), np.nan)
    model = rs.estimators.DeepMatrixCompletion().fit(X)
    done = model.completed_
    assert "the parity of the place" in done.reason
    assert np.abs(done.fitted - truth).max() < 0.5
    model.save(tmp_path / "model.npz")
    again = rs.estimators.DeepMatrixCompletion.load(tmp_path / "model.npz")
    np.testing.assert_array_equal(again.completed_.fitted, done.fitted)
    with pytest.raises(InputError, match="registered already"):
        candidates.register(Parities())


def test_an_exact_fit_has_no_rivals(toy):
    rng = np.random.default_rng(1)
    truth = rng.normal(size=(30, 2)) @ rng.normal(size=(2, 20))
    done = rs.complete(np.where(rng.random(truth.shape) < 0.6, truth, np.nan))
    assert "parity" not in done.reason
    assert np.abs(done.matrix - truth).max() < 1e-9


def test_a_candidate_that_wins_alone_is_not_the_low_rank_fit():
    one = Parity(1.0, 2.0, (2, 3))
    trained = tuple(Trained(name, one, lambda entries: one, name) for name in ("low rank", "parity"))
    heldout = Entries([0], [1], [1.0], (2, 3))
    nowhere = np.zeros(0, dtype=int)
    contest = Contest((Round(heldout, trained, np.ones((2, 1)), np.ones(1), np.ones(1)),), (), 1.0, (nowhere, nowhere))
    assert Combination(contest, {"low rank": 1.0}).alone
    assert not Combination(contest, {"parity": 1.0}).alone
    assert Combination(contest, {"parity": 1.0}).model(heldout) is one
