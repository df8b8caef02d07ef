"""Columns in different units: what is scaled, in which units errors are, and that no unit changes a result."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

import rankscape as rs
from rankscape.cli import main
from rankscape.entries import Entries
from rankscape.estimators import DeepMatrixCompletion
from rankscape.estimators.completion.progress import Meter
from rankscape.estimators.completion.ready.scaling import Scaling, fit_scaling
from rankscape.estimators.completion.ready.sizes import ENOUGH, RARE, sizes_of
from rankscape.estimators.completion.ready.split import split
from rankscape.estimators.completion.search.units import select_units, units_of
from rankscape.estimators.completion.settings import Settings
from rankscape.problem import Completion
from rankscape.reports import explain, report

UNITS = np.array([1.0, 15.0, 3e4, 0.01, 1.0, 250.0, 1e6, 3.0])
LEVELS = np.array([0.0, 40.0, 5e4, 0.5, 170.0, 1200.0, 2e6, -5.0])


def table(seed: int, rows: int = 80, noise: float = 0.3) -> tuple[np.ndarray, np.ndarray]:
    """Two common factors and noise of the size of each column, in eight units: with holes, and whole."""
    rng = np.random.default_rng(seed)
    factors = rng.normal(size=(rows, 2)) @ (A := rng.normal(size=(2, 8))) / np.linalg.norm(A, axis=0)
    whole = (factors + noise * rng.normal(size=(rows, 8))) * UNITS + LEVELS
    return np.where(rng.random(whole.shape) < 0.2, np.nan, whole), whole


def held(X: np.ndarray) -> Completion:
    """With held-out entries of its own: one split, which is quick."""
    return Completion.from_array(X).split(0.1, seed=3)


@pytest.fixture(scope="module")
def fitted() -> DeepMatrixCompletion:
    return DeepMatrixCompletion().fit(held(table(0)[0]))


# -- sizes -------------------------------------------------------------------------------------------------


def sizes(X: np.ndarray) -> np.ndarray:
    entries = Entries.from_array(X)
    return sizes_of(entries.columns, entries.values, X.shape[1]).size


def test_the_size_of_a_column_is_its_standard_deviation():
    X = table(1)[0]
    np.testing.assert_allclose(sizes(X), np.nanstd(X, axis=0, ddof=1), rtol=1e-12)


@given(st.integers(0, 99), st.integers(-40, 40), st.integers(0, 7))
@settings(max_examples=20, deadline=None)
def test_a_column_in_another_unit_has_the_same_standard_values(seed, power, column):
    X = table(seed, rows=40)[0]
    before = Entries.from_array(X)
    standard = fit_scaling("column", before).divide(before).values
    for base, tolerance in ((2.0, 0.0), (10.0, 1e-13)):
        Y = X.copy()
        Y[:, column] *= base**power
        after = Entries.from_array(Y)
        np.testing.assert_allclose(fit_scaling("column", after).divide(after).values, standard, rtol=tolerance)


@given(st.integers(0, 99))
@settings(max_examples=20, deadline=None)
def test_sizes_follow_rows_and_columns_and_not_levels(seed):
    X, rng = table(seed, rows=40)[0], np.random.default_rng(seed)
    i, j = rng.permutation(40), rng.permutation(8)
    np.testing.assert_allclose(sizes(X[i][:, j]), sizes(X)[j], rtol=1e-12)
    np.testing.assert_allclose(sizes(X + 100 * UNITS), sizes(X), rtol=1e-9)
    transposed = fit_scaling("row", Entries.from_array(X.T))
    np.testing.assert_array_equal(transposed.row, fit_scaling("column", Entries.from_array(X)).column)


@pytest.mark.parametrize("unit", [1e-300, 1e-12, 1e8, 1e300])
def test_no_unit_is_too_large_or_too_small(unit):
    X = np.random.default_rng(0).normal(size=(30, 3)) * [1.0, unit, 1.0]
    np.testing.assert_allclose(sizes(X)[1] / unit, np.std(X[:, 1] / unit, ddof=1), rtol=1e-12)


def test_a_constant_column_is_as_large_as_the_levels_of_the_others():
    rng = np.random.default_rng(2)
    X = rng.normal(10.0, 1.0, size=(60, 4))
    X[:, 1], X[:, 2] = 7e6, 0.0
    found = sizes(X)
    assert 6e6 / 10 < found[1] < 8e6 / 9  # in standard units about 10, as the others
    assert found[2] == pytest.approx(np.sqrt(found[0] * found[3]))


def test_a_column_that_hardly_varies_is_not_blown_up():
    X = np.random.default_rng(3).normal(size=(1000, 3))
    X[:, 1] = np.arange(1000) == 500
    standard = X[:, 1] / sizes(X)[1]
    assert standard.max() == pytest.approx(RARE**-0.5, rel=0.01)


def test_few_entries_are_drawn_towards_the_middle_unless_sizes_differ_wildly():
    rng = np.random.default_rng(4)
    X = rng.normal(size=(200, 30))
    X[4:, 0] = np.nan
    X[:4, 0] = [0.001, 0.0, -0.001, 0.0005]
    assert (np.isfinite(X[:, 0]).sum()) < ENOUGH
    assert 0.1 < sizes(X)[0] < 2
    wild = X * np.logspace(-9, 9, 30)
    assert sizes(wild)[0] < 0.01 * 1e-9


def test_both_sides_are_scaled_by_sizes_whose_product_is_that_of_the_entries():
    rng = np.random.default_rng(5)
    a, b = np.exp(rng.normal(size=80)), np.exp(3 * rng.normal(size=40))
    found = fit_scaling("both", Entries.from_array(rng.normal(size=(80, 40)) * np.outer(a, b) + 3 * b))
    np.testing.assert_allclose(np.log(found.row / a).std(), 0.0, atol=0.25)
    np.testing.assert_allclose(np.log(found.column / b).std(), 0.0, atol=0.25)


def test_weights_count_in_sizes():
    rows = np.repeat(np.arange(40), 2)
    values, weights = np.random.default_rng(6).normal(size=80), np.where(rows < 20, 1.0, 1e-9)
    entries = Entries(rows, np.tile([0, 1], 40), values, (40, 2), weights)
    half = np.array([np.std(values[k:40:2]) for k in (0, 1)]) * np.sqrt(40 / 39)
    np.testing.assert_allclose(fit_scaling("column", entries).column, half, rtol=1e-6)


# -- when ----------------------------------------------------------------------------------------------------


def test_columns_in_different_units_are_scaled_and_rows_of_the_transposed():
    X = table(7)[0]
    assert units_of("auto", Entries.from_array(X)).kind == "column"
    assert units_of("auto", Entries.from_array(X.T)).kind == "row"


def test_rows_and_columns_in_different_units_are_both_scaled():
    rng = np.random.default_rng(8)
    X = rng.normal(size=(100, 60)) * np.outer(np.exp(3 * rng.normal(size=100)), np.exp(3 * rng.normal(size=60)))
    assert units_of("auto", Entries.from_array(X)).kind == "both"


def test_a_photograph_and_ratings_are_not_scaled():
    rng = np.random.default_rng(9)
    photograph = rng.normal(size=(60, 80)) * np.exp(2 * np.sin(np.arange(80) / 20))
    assert units_of("auto", Entries.from_array(photograph)) == units_of("none", Entries.from_array(photograph))
    # The same columns in any order may be quantities of their own.
    assert units_of("auto", Entries.from_array(photograph[:, rng.permutation(80)])).rival == "column"
    places = rng.permutation(300 * 200)[:1500]
    stars = Entries(places // 200, places % 200, rng.integers(1, 6, 1500).astype(float), (300, 200))
    assert units_of("auto", stars) == units_of("none", stars)


@pytest.mark.parametrize(("seed", "rows", "columns"), [(10, 240, 25), (11, 100, 8), (12, 60, 10)])
def test_quiet_columns_with_equal_noise_are_not_scaled_and_those_with_noise_of_their_own_are(seed, rows, columns):
    rng = np.random.default_rng(seed)
    size = rng.permutation(np.logspace(0, 1.4, columns))
    factors = rng.normal(size=(rows, 2)) @ rng.normal(size=(2, columns))
    hidden = rng.random(factors.shape) < 0.3
    noise = rng.normal(size=factors.shape)
    for X, kind in ((factors * size + noise, "none"), ((factors + noise) * size, "column")):
        parts = split(Entries.from_array(np.where(hidden, np.nan, X)), None, Settings())
        assert units_of("auto", parts.observed).rival == "column"
        assert select_units(parts, "column", Settings(), Meter(None, 1.0))[0].scaling.kind == kind


def quantities(seed: int, most: int = 4, rows: int = 60, columns: int = 8) -> tuple[np.ndarray, np.ndarray]:
    """Columns whose sizes (1e-3 to below 10^most) and levels are powers of ten, a fifth of it hidden; and all of it."""
    rng = np.random.default_rng(seed)
    whole = rng.normal(size=(rows, 2)) @ rng.normal(size=(2, columns)) + 0.1 * rng.normal(size=(rows, columns))
    whole = whole * 10.0 ** rng.integers(-3, most, columns) + 10.0 ** rng.integers(-1, 4, columns)
    return np.where(rng.random(whole.shape) < 0.2, np.nan, whole), whole


def mixed(seed: int) -> np.ndarray:
    """Columns as registers have them: numbers, money, shares, counts, answers, years, the numbers of the rows."""
    rng = np.random.default_rng(seed)
    n, m = int(rng.integers(20, 300)), int(rng.integers(4, 16))
    x = rng.normal(size=(n, 2)) @ rng.normal(size=(2, m)) + rng.normal(size=(n, m))
    kinds = (
        lambda v: 100 * rng.normal() + 10 ** rng.uniform(-3, 3) * v,
        lambda v: np.exp(rng.uniform(0.5, 1.5) * v + rng.uniform(-2, 5)),
        lambda v: 100 / (1 + np.exp(-v)),
        lambda v: rng.poisson(np.exp(0.8 * v + 1)),
        lambda v: np.clip(np.round(3 + 1.2 * v), 1, 5),
        lambda v: (v > 0).astype(float),
        lambda v: np.round(1990 + 8 * v),
        lambda v: 1000.0 + np.arange(len(v)),
    )
    X = np.stack([kinds[rng.integers(len(kinds))](v) for v in x.T], 1)
    return np.where(rng.random(X.shape) < rng.choice([0.05, 0.2, 0.4]), np.nan, X)


@given(st.integers(0, 10**6))
@settings(max_examples=80, deadline=None)
def test_of_columns_of_any_level_and_tail_never_rows_are_divided(seed):
    for X in (quantities(seed)[0], mixed(seed)):
        kind, turned = (units_of("auto", Entries.from_array(Y)).kind for Y in (X, X.T))
        assert (kind, turned) in {("column", "row"), ("none", "none")}


@pytest.mark.parametrize(("seed", "most"), [(3, 4), (4, 4), (5, 4), (3, -2), (11, -2)])
def test_levels_far_above_the_rest_cost_nothing(seed, most):
    """Rows were divided, for the levels they lack, and cells missed by hundreds of standard deviations."""
    X, whole = quantities(seed, most)
    X[:, 0] = whole[:, 0] = 7.0
    done = rs.complete(X, seed=0)
    assert done.scaling.kind == ("column" if most == 4 else "none")
    assert column_shares(X[:, 1:], whole[:, 1:], done.matrix[:, 1:]).max() < 1.0


@given(st.integers(0, 10**6))
@settings(max_examples=40, deadline=None)
def test_of_columns_of_one_size_and_any_level_never_rows_are_asked(seed):
    X, _ = quantities(seed, -2)
    units, turned = (units_of("auto", Entries.from_array(Y)) for Y in (X, X.T))
    assert {units.kind, units.rival} <= {"none", "column", None}
    assert {turned.kind, turned.rival} <= {"none", "row", None}


def test_held_out_entries_are_asked_on_a_part_of_a_large_table():
    rng = np.random.default_rng(11)
    entries = Entries.from_array(rng.normal(size=(5000, 6)) * [1, 2, 3, 4, 5, 60])
    parts = split(entries, None, Settings())
    part = parts.part(0, 6000)
    assert 5000 < part.observed.count < 7000
    assert part.observed.shape[1] == 6
    assert part.heldout.count == pytest.approx(part.observed.count / 10, rel=0.2)
    assert set(part.observed.values) < set(entries.values)
    assert parts.part(0, 30_000) is parts


# -- how well ----------------------------------------------------------------------------------------------------


def column_shares(X: np.ndarray, whole: np.ndarray, filled: np.ndarray) -> np.ndarray:
    squares = np.where(np.isnan(X), (filled - whole) ** 2, np.nan)
    return np.sqrt(np.nanmean(squares, axis=0)) / whole.std(axis=0)


def test_every_column_is_predicted_far_better_than_by_its_mean(fitted):
    X, whole = table(0)
    assert column_shares(X, whole, fitted.completed_.matrix).max() < 0.6


@pytest.mark.parametrize("base", [2.0, 10.0])
def test_a_unit_changes_nothing_but_the_unit(base):
    X = table(12, rows=40)[0]
    factors = base ** np.array([0, 5, -7, 20, 1, -30, 3, 0])
    first, second = (rs.complete(held(Y), scale="column") for Y in (X, X * factors))
    np.testing.assert_allclose(second.matrix, first.matrix * factors, rtol=0.0 if base == 2 else 1e-7)
    assert second.heldout_rmse == pytest.approx(first.heldout_rmse, rel=1e-6)


def test_exact_ranks_stay_exact_in_any_units_and_order():
    rng = np.random.default_rng(13)
    whole = rng.normal(size=(40, 2)) @ rng.normal(size=(2, 25)) * np.logspace(-6, 6, 25)
    X = np.where(rng.random(whole.shape) < 0.3, np.nan, whole)
    i, j = rng.permutation(40), rng.permutation(25)
    for given_, true in ((X, whole), (X[i][:, j], whole[i][:, j])):
        done = rs.complete(given_)
        assert done.certificate.exact
        assert done.rank == 2
        assert (np.abs(done.matrix - true) / np.abs(true).max(axis=0)).max() < 1e-9


# -- in which units it is said --------------------------------------------------------------------------------


def test_everything_says_in_which_units_errors_are(fitted, tmp_path):
    done, said = fitted.completed_, "standard deviations of their column"
    assert done.units == done.certificate.units == said
    for words in (repr(done), done.reason, str(done.certificate), " ".join(explain(done))):
        assert said in words
    report(done, tmp_path / "page.html", column_labels=list("abcdefgh"))
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert said in page
    assert "RMSE in its units" in page
    assert 0.2 < done.heldout_rmse < 0.6
    assert done.baselines["column_mean"] == pytest.approx(1, abs=0.15)


def test_the_command_line_says_it_too(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("table.npy", table(0, rows=30)[0])
    with pytest.raises(SystemExit, match="0"):
        main(["complete", "table.npy", "--json", "--hide", "0.1"])
    facts = json.loads(capsys.readouterr().out)
    assert facts["units"] == "standard deviations of their column"
    assert facts["scale"] == "column"
    assert len(facts["column_errors"]) == 8
    assert 0.1 < facts["hidden"]["rmse"] < 1


def test_errors_of_columns_are_the_held_out_error_in_their_units(fitted):
    problem, done = held(table(0)[0]), fitted.completed_
    counts = np.bincount(problem.heldout.columns, minlength=8)
    standard = done.column_errors / done.scaling.column
    assert np.sqrt(counts @ standard**2 / counts.sum()) == pytest.approx(done.heldout_rmse, rel=1e-12)


def test_the_error_at_entries_is_in_these_units(fitted):
    X, whole = table(0)
    rows, columns = np.nonzero(np.isnan(X))
    hidden = Entries(rows, columns, whole[rows, columns], X.shape)
    errors = (fitted.predict(rows, columns) - hidden.values) / np.nanstd(X, axis=0, ddof=1)[columns]
    assert fitted.completed_.rmse(hidden) == pytest.approx(np.sqrt(np.mean(errors**2)), rel=1e-9)


def test_columns_that_their_mean_predicts_better_are_named():
    from rankscape.estimators.completion.trust.columns import _worse

    rng = np.random.default_rng(14)
    columns = np.repeat(np.arange(5), 40)
    baseline = rng.normal(size=200) * 10.0**columns
    errors = np.where(columns == 3, 2.0, 0.9) * baseline + np.where(columns == 1, 0.1, 0) * rng.normal(size=200)
    varied = np.array([True, True, True, True, True])
    assert _worse(columns, errors, baseline, varied) == (3,)
    assert _worse(columns, errors, baseline, columns[:5] > 0) == ()


def test_equal_entries_are_no_answer():
    done = rs.complete(csr_array((np.ones(50), (np.arange(50) % 20, np.arange(50) % 13)), shape=(20, 13)))
    assert "not zero" in done.certificate.warnings[-1]


# -- the estimator's other ways ------------------------------------------------------------------------------------


def test_one_value_is_that_of_the_matrix_and_a_file_holds_all(fitted, tmp_path):
    done = fitted.completed_
    rows, columns = np.indices(done.shape).reshape(2, -1)
    values, errors = fitted.predict(rows, columns, return_std=True)
    np.testing.assert_allclose(values.reshape(done.shape) / UNITS, done.fitted / UNITS, rtol=1e-12)
    typical = np.median(errors.reshape(done.shape) / UNITS, axis=0)
    assert np.all((typical > 0.03) & (typical < 0.6))
    fitted.save(tmp_path / "model.npz")
    again = DeepMatrixCompletion.load(tmp_path / "model.npz").completed_
    np.testing.assert_array_equal(again.fitted, done.fitted)
    np.testing.assert_array_equal(again.column_errors, done.column_errors)
    assert (again.certificate, again.units) == (done.certificate, done.units)


def test_new_rows_are_folded_in_their_units(fitted):
    whole = table(0)[1]
    rng = np.random.default_rng(15)
    basis = np.linalg.svd((whole - LEVELS) / UNITS, full_matrices=False)[2][:2]
    new = (rng.normal(size=(30, 2)) * 2 @ basis) * UNITS + LEVELS
    asked = np.where(rng.random(new.shape) < 0.25, np.nan, new)
    assert column_shares(asked, new, fitted.transform(asked)).max() < 1.0


def test_new_rows_of_a_transposed_table_are_quantities_of_their_own():
    X, whole = table(0)
    model = DeepMatrixCompletion().fit(held(X.T[:6]))
    assert model.completed_.scaling.kind == "row"
    new = whole.T[6:] * [[1e-9], [1e9]]
    asked = np.where(np.isnan(X.T[6:]), np.nan, new)
    assert column_shares(asked.T, new.T, model.transform(asked).T).max() < 1.0


def test_sparse_and_single_precision_tables_are_the_same_table():
    X = table(0, rows=40)[0]
    stored = csr_array((X[~np.isnan(X)], np.nonzero(~np.isnan(X))), shape=X.shape)
    whole, sparse, single = (DeepMatrixCompletion(scale="column").fit(Y) for Y in (X, stored, X.astype(np.float32)))
    np.testing.assert_array_equal(sparse.completed_.fitted, whole.completed_.fitted)
    assert single.transform(X.astype(np.float32)).dtype == np.float32
    assert np.abs((single.completed_.fitted - whole.completed_.fitted) / UNITS).max() < 0.1


def test_a_fit_goes_on_in_the_units_it_began_with():
    X, whole = table(0)
    model = DeepMatrixCompletion(warm_start=True).fit(X[:40])
    model.partial_fit(X)
    assert (model.completed_.scaling.kind, model.completed_.shape) == ("column", (80, 8))
    assert column_shares(X, whole, model.completed_.matrix).max() < 0.8


def test_a_scaling_is_of_rows_or_columns_or_none():
    entries = Entries.from_array(table(0)[0])
    assert Scaling.none(entries.shape).words == "the units of the data"
    assert {fit_scaling(kind, entries).kind for kind in ("none", "row", "column", "both")} == {
        "none", "row", "column", "both"
    }  # fmt: skip


@pytest.mark.parametrize("columns", [4, 8, 30, 100])
@pytest.mark.parametrize("factor", [1e-4, 1e3, 1e5])
@pytest.mark.parametrize("missing", [0.0, 0.1, 0.3, 0.6])
def test_a_single_column_in_another_unit_is_seen_and_not_taken_for_the_rows_that_have_it(columns, factor, missing):
    for seed in range(4):
        random = np.random.default_rng(seed)
        X = random.normal(size=(60, 2)) @ random.normal(size=(2, columns)) + random.normal(size=columns)
        X[:, 1] *= factor
        X[random.random(X.shape) < missing] = np.nan
        assert units_of("auto", Entries.from_array(X)).kind == "column"
        assert units_of("auto", Entries.from_array(X.T)).kind == "row"


def test_neither_a_slip_nor_tails_nor_sizes_that_follow_a_power_are_other_units():
    for seed in range(10):
        random = np.random.default_rng(seed)
        X = random.normal(size=(60, 20))
        slip = X.copy()
        slip[3, 4] *= 1e6
        tails = random.standard_t(2, size=X.shape)
        sizes = X * np.arange(1, 61)[:, None]
        for one in (X, slip, tails, sizes):
            assert units_of("auto", Entries.from_array(one)).kind == "none"


def test_a_table_with_one_column_in_another_unit_is_completed_as_well_as_without():
    for seed in range(3):
        random = np.random.default_rng(seed)
        truth = random.normal(size=(60, 2)) @ random.normal(size=(2, 8))
        noisy = truth + 0.1 * random.normal(size=truth.shape)
        hidden = random.random(truth.shape) < 0.3
        factor = np.where(np.arange(8) == 4, 1e5, 1.0)
        error = lambda W, hidden=hidden, truth=truth: np.sqrt(np.mean((W - truth)[hidden] ** 2))
        plain = rs.complete(np.where(hidden, np.nan, noisy)).matrix
        mixed = rs.complete(np.where(hidden, np.nan, noisy * factor)).matrix / factor
        assert error(mixed) < 1.3 * error(plain) + 0.05
