"""The scoreboard: what it hides, what it compares with, and how it counts; nothing is installed for it."""

import importlib
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
MODULES = sorted(path.stem for path in (BENCHMARKS / "scoreboard").glob("*.py") if path.stem != "__init__")


@pytest.fixture
def load(monkeypatch):
    """Import parts of the scoreboard as its command does, with their folder on the path."""
    monkeypatch.syspath_prepend(BENCHMARKS / "scoreboard")
    for name in MODULES:
        monkeypatch.delitem(sys.modules, name, raising=False)
    yield importlib.import_module
    for name in MODULES:
        sys.modules.pop(name, None)


def random(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def test_the_command_explains_itself():
    command = [sys.executable, str(BENCHMARKS / "scoreboard.py"), "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert all(option in done.stdout for option in ("--folder", "--only", "--seeds", "--quick", "--json", "--ours"))


# -- what is hidden ----------------------------------------------------------------------------------------------------


def test_every_pattern_hides_its_share(load):
    masks = load("real").MASKS
    generator = np.random.default_rng(0)
    shares = {kind: np.mean([mask(generator, (60, 30), 0.3) for _ in range(200)]) for kind, mask in masks.items()}
    expected = {"random": 0.3, "panel": 0.1, "ends": 0.3 - 0.5 / 30, "runs": 0.3, "rows-part": 0.225}
    assert shares == pytest.approx(expected, abs=0.01)


def test_gaps_with_a_pattern_have_it(load):
    masks = load("real").MASKS
    generator = np.random.default_rng(1)
    panel = masks["panel"](generator, (20, 9), 0.3)
    assert set(panel.sum(1)) == {0, 3}
    assert not panel[:, :6].any()
    ends = masks["ends"](generator, (50, 9), 0.4)
    assert (np.diff(ends.astype(int)) >= 0).all()
    runs = masks["runs"](generator, (50, 10), 0.4)
    assert (np.abs(np.diff(np.pad(runs, ((0, 0), (1, 1))).astype(int))).sum(1) == 2).all()


def test_every_column_keeps_an_entry_and_only_what_is_known_is_judged(load):
    matrix = random(5, 4)
    matrix[0, 1] = np.nan
    case = load("cases").hide(matrix, np.ones((5, 4), bool))
    assert np.isfinite(case.given).any(0).all()
    assert not case.judged[0, 1]
    assert case.judged.sum() == 19 - 4
    assert case.unit == pytest.approx(np.nanstd(matrix))


def test_every_class_is_drawn_alike_for_a_seed_and_otherwise_for_another(load):
    synthetic = load("synthetic")
    for name in synthetic.CLASSES:
        first, again, other = (synthetic.case(name, seed) for seed in (0, 0, 1))
        assert first.digest == again.digest != other.digest, name
        assert np.isfinite(first.truth).all()
        assert np.isfinite(first.observed).all()
        assert not (np.isfinite(first.given) & first.judged).any()


def test_the_core_is_what_peeling_leaves(load):
    seen = np.random.default_rng(3).random((12, 9)) < 0.35
    rows, columns = set(range(12)), set(range(9))
    while True:  # one at a time, with sets
        thin = [i for i in rows if sum(seen[i, j] for j in columns) <= 2]
        slim = [j for j in columns if sum(seen[i, j] for i in rows) <= 2]
        if not thin and not slim:
            break
        rows, columns = (rows - {thin[0]}, columns) if thin else (rows, columns - {slim[0]})
    expected = np.zeros((12, 9), bool)
    expected[np.ix_(sorted(rows), sorted(columns))] = True
    np.testing.assert_array_equal(load("special").core(seen, 2), expected)


def test_the_plan_has_as_many_fits_as_it_says(load):
    plan = load("plan")
    fits = list(plan.planned(None, plan.Seeds()))
    assert len({fit.key for fit in fits}) == len(fits)
    assert sum(fit.section == "real" for fit in fits) == 51
    assert sum(fit.section == "synthetic" for fit in fits) == 49
    fresh = {fit.key for fit in plan.planned(None, plan.Seeds(first=1000))}
    assert not fresh & {fit.key for fit in fits}


def test_an_absent_data_set_is_named(load):
    real = load("real")
    with pytest.raises(real.Missing, match=r"chicago.*chicago\.npz"):
        real.case("chicago", "random", 0.3, 0, None)


# -- what it is compared with ------------------------------------------------------------------------------------------


def test_bias_is_the_least_squares_fit_of_rows_and_columns(load):
    X = random(7, 5)
    X[[0, 2, 3, 6], [1, 1, 4, 0]] = np.nan
    i, j = np.nonzero(np.isfinite(X))
    design = np.concatenate([np.eye(7)[i], np.eye(5)[j]], axis=1)
    fitted = np.linalg.lstsq(design, X[i, j], rcond=None)[0]
    expected = fitted[:7, None] + fitted[7:]
    np.testing.assert_allclose(load("peers").bias(X, rounds=500), expected, atol=1e-10)


def test_interpolation_goes_along_the_axis(load):
    peers = load("peers")
    X = np.array([[1.0, np.nan, 3.0, np.nan], [0.0, np.nan, np.nan, 6.0]])
    np.testing.assert_allclose(peers.interpolated(X), [[1, 2, 3, 3], [0, 2, 4, 6]])
    np.testing.assert_allclose(peers.across(peers.interpolated)(X.T), [[1, 0], [2, 2], [3, 4], [3, 6]])


def test_column_means_are_those_of_what_is_known(load):
    X = np.array([[1.0, np.nan, np.nan], [3.0, 5.0, np.nan]])
    np.testing.assert_allclose(load("peers").column_mean(X), [[2, 5, 3], [2, 5, 3]])


def test_the_soft_threshold_completes_a_low_rank(load):
    truth = random(40, 2) @ random(2, 30, seed=1)
    X = np.where(np.random.default_rng(2).random(truth.shape) < 0.6, truth, np.nan)
    found = load("peers").soft_impute(X)
    hidden = np.isnan(X)
    assert np.std((found - truth)[hidden]) < 0.15 * truth.std()


def test_the_soft_threshold_of_a_full_matrix_is_its_singular_values_less_the_penalty(load):
    X = random(9, 6)
    U, s, Vt = np.linalg.svd(X, full_matrices=False)
    (found,) = load("peers")._softened(X, np.array([0.5]))
    np.testing.assert_allclose(found, (U * np.maximum(s - 0.5 * s[0], 0)) @ Vt, atol=1e-12)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_every_installed_peer_fills_everything(load):
    peers = load("peers")
    X = random(14, 2) @ random(2, 32, seed=1)  # too wide for the trees, which take seconds
    X[np.random.default_rng(5).random(X.shape) < 0.2] = np.nan
    for peer in peers.able(X.shape, "both"):
        if peer.installed:
            assert np.isfinite(peer.complete(X)).all(), peer.name


def test_optimal_shrinkage_is_near_the_best_weights(load):
    denoising = load("denoising")
    case = dict(denoising.gaussian(0))["rank 3, 200 x 150"]()
    noisy = case.error(case.noisy)
    shrunk, best = (case.error(call()) for call in case.candidates().values())
    assert best <= shrunk <= 1.02 * best < 0.3 * noisy
    assert case.error(case.truth) == 0


def test_ratings_are_judged_inside_their_range(load):
    module = load("ratings")
    case = module.RatingsCase(
        np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]), np.array([1.0, 5.0, 5.0, 4.0]), np.array([0, 0, 0, 1], bool)
    )
    assert case.error(np.array([9.0])) == 1.0
    assert case.candidates()["damped bias"]().shape == (1,)


# -- how it counts -----------------------------------------------------------------------------------------------------


def record(error, peers, floor=0.0, **ours):
    named = {name: {"error": e, "seconds": s} for name, (e, s) in peers.items()}
    return {"floor": floor, "peers": named, "ours": {"error": error, "seconds": 1.0} | ours}


def test_the_best_peer_is_picked_and_ties_are_counted(load):
    standing = load("standing")
    stand = lambda *given, **more: standing.Standing(record(*given, **more))
    peers = {"a": (1.0, 0.1), "b": (2.0, 0.1)}
    fits = [stand(error, peers) for error in (0.9, 1.02, 1.05, 1.2)]
    assert [fit.best for fit in fits] == ["a"] * 4
    assert standing.count(fits) == {"fits": 4, "wins": 1, "ties": 1, "losses": 2, "losses by > 10 %": 1}
    assert stand(1e-15, {"a": (1e-13, 0.1)}, floor=1e-9).ratio == 1
    failed = standing.Standing({"floor": 0.0, "peers": fits[0].record["peers"], "ours": {"failed": "over 1 CPU s"}})
    assert standing.count([failed])["losses by > 10 %"] == 1


def test_time_counts_against_the_fastest_that_is_as_accurate(load):
    standing = load("standing")
    stand = lambda seconds, peers: standing.Standing(record(1.0, peers, seconds=seconds))
    assert stand(3.0, {"a": (1.0, 0.1), "b": (1.5, 0.001)}).overtime == pytest.approx(1.0)  # 2 s are granted
    assert stand(9.0, {"a": (1.0, 1.5)}).overtime == pytest.approx(1.5)
    assert stand(99.0, {"a": (1.5, 0.1)}).overtime == 0  # nobody is as accurate


def test_silence_needs_trust_and_a_larger_error_than_stated(load):
    standing = load("standing")
    stand = lambda **ours: standing.Standing(record(1.0, {}, **ours)).silent
    assert stand(trusted=True, over_stated=2.1)
    assert not stand(trusted=True, over_stated=1.9)
    assert not stand(trusted=False, over_stated=99.0)
    assert not stand(trusted=True, over_stated=None)


def test_stored_peers_count_only_for_the_same_case(load, tmp_path):
    store = load("store")
    kept = store.Store(tmp_path / "results.json")
    kept.record("key", "digest", seed=0)["peers"]["a"] = {"error": np.float64(1.0), "seconds": 0.1}
    kept.save()
    assert store.Store(tmp_path / "results.json").record("key", "digest")["peers"] == {
        "a": {"error": 1.0, "seconds": 0.1}
    }
    assert store.Store(tmp_path / "results.json").record("key", "another")["peers"] == {}


def test_a_call_is_stopped_and_a_failure_is_a_result(load):
    measured = load("measure").measured

    def endless():
        while True:
            pass

    assert measured(endless, 0.05).failure == "over 0.05 CPU s"
    assert "ZeroDivisionError" in measured(lambda: 1 / 0, 1.0).failure
    assert measured(lambda: 7, 1.0)[::2] == (7, None)


@pytest.fixture
def told(load, monkeypatch):
    """A result whose every word is known, of a 3 x 4 case with two hidden cells; and the case."""
    truth = np.arange(12.0).reshape(3, 4)
    hidden = np.zeros((3, 4), bool)
    hidden[0, 1] = hidden[2, 3] = True
    wild = np.zeros((3, 4), bool)
    wild[1, 1] = wild[1, 2] = True
    more = {"told": {"wild": wild, "core": np.ones((3, 4), bool)}}
    case = load("cases").MatrixCase(np.where(hidden, np.nan, truth), truth, hidden, 2.0, **more)
    matrix = truth.copy()
    matrix[0, 1] += 6.0
    certificate = SimpleNamespace(trusted=True, warnings=(), exact=False)
    done = SimpleNamespace(rank=1, method="climbed", heldout_rmse=1.0, certificate=certificate, matrix=matrix)
    monkeypatch.setattr("rankscape.complete", lambda given: done)
    return case, done


def test_ours_is_read_off_the_public_result(told):
    case, _ = told
    said = case.ours(1.0)
    assert said["error"] == pytest.approx(np.sqrt(9 / 2))  # 6 and 0, in units of 2
    assert said["over_stated"] == pytest.approx(np.sqrt(36 / 2))  # in the units of what was stated
    assert (said["rank"], said["method"], said["trusted"], said["expected"]) == (1, "climbed", True, None)
    assert "determined_error" not in said


def test_newer_fields_are_read_where_they_are(told):
    case, done = told
    done.expected_error = 3.0
    done.determined = np.ones((3, 4), bool)
    done.determined[0, 1] = False
    done.outliers = np.array([1, 0]), np.array([1, 0])
    said = case.ours(1.0)
    assert said["over_stated"] == pytest.approx(np.sqrt(36 / 2) / 3)
    assert (said["determined_share"], said["determined_error"], said["determined_wrong"]) == (0.5, 0.0, 0)
    assert (said["listed"], said["listed_right"], said["planted"]) == (2, 1, 2)
    assert not said["exact"]
    assert not said["certified"]


def test_what_was_stated_in_standard_units_is_compared_in_them(told):
    case, done = told
    done.scaling = SimpleNamespace(uniform=False, row=np.ones(3), column=np.array([1.0, 3.0, 1.0, 1.0]))
    assert case.ours(1.0)["over_stated"] == pytest.approx(np.sqrt(4 / 2))
    done.scaling.uniform = True
    assert case.ours(1.0)["over_stated"] == pytest.approx(np.sqrt(36 / 2))


def test_the_fields_are_those_of_the_library():
    from rankscape.estimators.completion.completed.result import CompletedMatrix
    from rankscape.estimators.completion.trust.certificate import Certificate

    for name in ("rank", "method", "heldout_rmse", "certificate", "matrix"):
        assert name in CompletedMatrix.__annotations__ or hasattr(CompletedMatrix, name)
    assert {"warnings", "exact"} <= set(Certificate.__annotations__)
    assert hasattr(Certificate, "trusted")


def test_bars_without_fits_are_not_measured(load):
    text = load("bars").text({}, {})
    assert text.count("not measured") + text.count("needs --against") == len(load("bars").BARS)
    assert "met" not in text.lower().replace("not measured", "").split()


def test_peers_are_measured_once_and_printed(load, tmp_path, monkeypatch, capsys):
    run, peers, path = load("run"), load("peers"), tmp_path / "results.json"
    rules = [peer for peer in peers.PEERS if peer.package == "numpy"]
    for module in (run, peers):
        monkeypatch.setattr(module, "PEERS", rules)
    command = ["scoreboard.py", "--only", "near-exact", "--quick", "--peers", "--json", str(path)]
    monkeypatch.setattr(sys, "argv", command)
    run.main()
    first = json.loads(path.read_text())
    run.main()
    assert json.loads(path.read_text()) == first  # to the digit: nothing was measured again
    assert "Near-exact 40 x 8" in capsys.readouterr().out
