"""The monitor: a counter that waits, jumps at their exact step, and what rank theory asks for."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pytest
import xarray as xr
from catalogue import ONE_OF_EACH, identical
from hypothesis import given
from hypothesis import strategies as st

import rankscape as rs
from rankscape.errors import DivergenceWarning, InputError
from rankscape.run.watchers.jumps import largest_curvature, live_modes
from rankscape.solvers.descent.relaxation import relax
from rankscape.theory.absorbing import RankSet

LAB = rs.data.planted(seed=0)
M = len(LAB.problem.values)
LEAVING = rs.SGD(0.17, 0.45 / M)
SIGMAS = st.lists(st.sampled_from([1e-5, 0.01, 0.1, 0.2, 1.0, 3.0]), min_size=3, max_size=3)


def _leave(steps=60_000, seed=0, **changes):
    setting = dict(initialization=rs.Factors(LAB.start()), dynamics=LEAVING, monitor=rs.RankMonitor(off=1e-3, on=0.3))
    return rs.simulate(LAB.problem, steps=steps, seed=seed, **(setting | dict(record=[0, steps]) | changes))


def _singular_values_at(step, seed=0):
    run = rs.simulate(
        LAB.problem, initialization=rs.Factors(LAB.start()), dynamics=LEAVING, steps=step, seed=seed, record=[step]
    )
    return run.singular_values.values[-1]


# -- the counter -----------------------------------------------------------------------------------------


@given(st.lists(SIGMAS, min_size=1, max_size=12))
def test_the_counter_is_a_switch_with_two_thresholds_for_every_place(spectra):
    count = None
    switches = [False, False, False]
    for k, sigma in enumerate(np.sort(spectra)[:, ::-1]):
        count = live_modes(sigma, count, off=0.05, on=0.5)
        for i, value in enumerate(sigma):
            switches[i] = value > 0.5 or (switches[i] and k > 0 and value >= 0.05)
        assert count == sum(switches)


def test_between_the_thresholds_nothing_happens():
    middle = np.array([2.0, 0.2, 0.1])
    assert [live_modes(middle, before, off=0.05, on=0.5) for before in (None, 1, 2, 3)] == [1, 1, 2, 3]


# -- jumps -----------------------------------------------------------------------------------------------


GROWING = {
    "spectral": dict(initialization=rs.Identical(0.1), engine="spectral"),
    "matrix": dict(initialization=rs.Identical(0.1), engine="matrix"),
}


@pytest.mark.parametrize("setting", GROWING.values(), ids=GROWING.keys())
def test_a_jump_is_stamped_with_the_step_at_which_every_look_would_see_it(setting):
    problem, setting = rs.Estimation(np.diag([4.0, 2.0, 1.5])), setting | dict(dynamics=rs.GradientDescent(0.01))
    every_step = rs.simulate(problem, steps=1500, record=rs.Every(1), **setting)
    crossed = [int(np.argmax(sigma > 0.3)) for sigma in every_step.singular_values.values.T]
    for every in (7, 300, 1500):
        monitor = rs.RankMonitor(every=every, off=1e-3, on=0.3)
        run = rs.simulate(problem, steps=1500, monitor=monitor, record=[0], **setting)
        assert run.jumps.values.tolist() == [[step, k, k + 1] for k, step in enumerate(crossed)]
        assert (int(run.up_jumps), int(run.down_jumps)) == (3, 0)


def test_modes_that_come_alive_in_one_step_are_one_jump():
    run = rs.simulate(
        rs.Estimation(np.diag([2.0, 2.0])), initialization=rs.Identical(0.1), dynamics=rs.GradientDescent(0.01),
        steps=1000, monitor=rs.RankMonitor(every=1000),
    )  # fmt: skip
    assert run.jumps.values[:, 1:].tolist() == [[0, 2]]


def test_sgd_leaves_the_trap_and_the_stamps_are_exact():
    run = _leave()
    jumps = run.jumps.values.tolist()
    assert [jump[1:] for jump in jumps] == [[4, 3], [3, 2]]
    for step, before, after in jumps:
        assert _singular_values_at(step - 1)[before - 1] >= 1e-3
        assert _singular_values_at(step)[after] < 1e-3
    assert run.alive_modes.values.tolist() == [4, 2]
    assert (int(run.up_jumps), int(run.down_jumps)) == (0, 2)


def test_watching_changes_nothing():
    assert identical(_leave().factors, _leave(monitor=None).factors)


def test_the_dataset_has_labels():
    jumps = _leave().jumps
    assert jumps.dims == ("jump", "jump_field")
    assert jumps.jump_field.values.tolist() == ["step", "from", "to"]
    assert np.issubdtype(jumps.dtype, np.integer)
    assert jumps.sel(jump_field="to").values.tolist() == [3, 2]


def test_lanes_of_a_batch_equal_single_runs_and_are_padded():
    batch = _leave(seed=[0, 1, 2], steps=30_000)
    singles = [_leave(seed=seed, steps=30_000) for seed in range(3)]
    counts = [len(single.jumps) for single in singles]
    assert batch.jumps.dims == ("run", "jump", "jump_field")
    assert batch.jumps.shape == (3, max(counts), 3)
    for k, single in enumerate(singles):
        lane = batch.select(k)
        np.testing.assert_array_equal(lane.jumps, single.jumps)
        assert (batch.jumps.values[k, counts[k] :] == -1).all()
        assert identical(lane.factors, single.factors)
    assert batch.down_jumps.values.tolist() == counts


def test_a_run_without_jumps_has_an_empty_table(tmp_path):
    run = _leave(steps=100)
    assert run.jumps.shape == (0, 3)
    run.save(tmp_path / "run.zarr")
    xr.testing.assert_identical(rs.Trajectory.load(tmp_path / "run.zarr").dataset, run.dataset)


@pytest.mark.parametrize("seed", [0, [0, 1]], ids=["single", "batch"])
def test_what_is_stored_is_read_as_it_was_written(seed, tmp_path):
    sets = [RankSet(r, alpha=0.01, eps1=1.0, eps2=0.75, C=50.0) for r in (2, 3)]
    run = _leave(steps=20_000, seed=seed, monitor=rs.RankMonitor(sets=sets, relax=[0]))
    run.save(tmp_path / "run.zarr")
    xr.testing.assert_identical(rs.Trajectory.load(tmp_path / "run.zarr").dataset, run.dataset)


@pytest.mark.parametrize(("seed", "stop"), [(0, 3000), ([0, 1], 25_000)], ids=["single", "batch"])
def test_an_interrupted_run_ends_like_an_undisturbed_one(seed, stop, tmp_path, monkeypatch):
    def interrupt(step, steps, record):
        if step >= stop:
            raise KeyboardInterrupt

    monkeypatch.setattr("rankscape.run.simulation.CHUNK_SECONDS", 1e-4)
    monkeypatch.setattr("rankscape.run.checkpoint.INTERVAL", 0.0)
    monitor = rs.RankMonitor(every=700, relax=[0, 30_000])
    setting = dict(seed=seed, steps=30_000, monitor=monitor, record=rs.Every(10_000))
    with pytest.raises(KeyboardInterrupt):
        _leave(**setting, checkpoint=tmp_path / "run.npz", progress=interrupt)
    resumed = _leave(**setting, checkpoint=tmp_path / "run.npz")
    undisturbed = _leave(**setting)
    assert undisturbed.jumps.size
    xr.testing.assert_identical(resumed.dataset, undisturbed.dataset)
    assert all(map(identical, resumed.all_factors, undisturbed.all_factors))


def test_a_checkpoint_of_another_monitor_is_refused(tmp_path):
    _leave(steps=100, checkpoint=tmp_path / "run.npz")
    with pytest.raises(InputError, match=r"monitor\.off was 0\.001, now 0\.01"):
        _leave(steps=100, checkpoint=tmp_path / "run.npz", monitor=rs.RankMonitor(off=0.01))


def test_jumps_survive_the_compression_of_widths(monkeypatch):
    monkeypatch.setattr("rankscape.run.simulation.CHUNK_SECONDS", 1e-4)
    plain, narrow = _leave(steps=150_000), _leave(steps=150_000, compress_width=True)
    assert len(narrow.dataset.attrs["events"]) > 1
    assert len(narrow.factors[0]) == 2
    assert [j[1:] for j in narrow.jumps.values.tolist()] == [j[1:] for j in plain.jumps.values.tolist()]
    assert np.abs(narrow.jumps.values[:, 0] - plain.jumps.values[:, 0]).max() <= 1


def test_a_run_may_stop_at_its_first_jump():
    run, whole = _leave(monitor=rs.RankMonitor(stop="down", every=500)), _leave(monitor=rs.RankMonitor(every=500))
    assert run.outcome == rs.Outcome.STOPPED
    assert run.jumps.values[0].tolist() == whole.jumps.values[0].tolist()
    assert f"a mode died at step {int(run.jumps[0, 0])}: 4 -> 3" in run.message
    assert 0 <= int(run.dataset.step[-1]) - int(run.jumps[0, 0]) < 500  # the end is recorded
    assert rs.simulate(
        rs.Estimation(np.eye(2)), initialization=rs.Identical(0.1), dynamics=rs.GradientDescent(0.01), steps=5000,
        monitor=rs.RankMonitor(stop="down"),
    ).outcome == rs.Outcome.FINISHED  # fmt: skip


@pytest.mark.parametrize("case", ONE_OF_EACH.values(), ids=ONE_OF_EACH.keys())
def test_every_engine_can_be_watched(case):
    run = case.simulate(60, monitor=rs.RankMonitor(every=20, off=1e-9, on=1e-8), record=[0, 60])
    assert run.alive_modes.values.tolist() == [np.sum(sigma > 1e-8) for sigma in run.singular_values.values]


# -- the relaxed rank ------------------------------------------------------------------------------------


def test_the_relaxed_rank_is_that_of_the_minimum_below():
    run = _leave(monitor=rs.RankMonitor(relax=True), record=[0, 60_000])
    assert run.relaxed_rank.values.tolist() == [3, 2]  # at this ridge the fourth mode of the decoy is lost at once
    assert _leave(steps=10, monitor=rs.RankMonitor(relax=[10])).relaxed_rank.isnull().values.tolist() == [True, False]


@pytest.mark.parametrize(
    ("settings", "ridge", "rank", "train", "test", "sigma"),
    [
        (dict(z=10.0, eps=0.3, beta=0.7), 0.3, 4, 2.897726e-3, 6.69897, [12.0275, 10.7307, 2.2075, 1.2265]),
        (dict(), 0.1, 4, None, None, None),
        (dict(), 0.4, 3, 7.166284e-3, 2.69516, [9.5792, 7.4194, 1.6997]),
    ],
    ids=["P2", "P1 small ridge", "P1"],
)
def test_known_minima_of_the_planted_problem(settings, ridge, rank, train, test, sigma):
    lab = rs.data.planted(**settings)
    factors = lab.start()
    for stage in (0.1, 0.2, 0.4) if ridge == 0.4 else (ridge,):
        end = relax(lab.problem, factors, stage / M)
        factors = end.factors
    W = rs.product(factors)
    assert end.converged
    assert end.gradient <= 1e-8
    assert end.rank == rank == np.sum(rs.singular_values(W) > 1e-3)
    if train is not None:
        assert 2 * lab.problem.loss(W) == pytest.approx(train, rel=1e-3)
        assert lab.test_error(W) == pytest.approx(test, rel=1e-3)
        np.testing.assert_allclose(rs.singular_values(W)[:rank], sigma, rtol=1e-3)


@pytest.mark.parametrize("seed", [0, 3])
def test_a_relaxation_ends_where_gradient_descent_ends(seed):
    """From random starts of a small problem, where many minima compete."""
    lab = rs.data.gaussian(12, 2, 1.8, seed)
    ridge = 0.05 / len(lab.problem.values)
    setting = dict(initialization=rs.Gaussian(0.6), dynamics=rs.GradientDescent(0.3, ridge), seed=seed, record=[0])
    start = rs.simulate(lab.problem, 3, 6, steps=0, **setting)
    plain = rs.simulate(lab.problem, 3, 6, steps=300_000, **setting)
    end = relax(lab.problem, start.factors, ridge)
    assert end.rank == np.sum(rs.singular_values(plain.product) > 1e-3)
    np.testing.assert_allclose(rs.product(end.factors), plain.product, atol=1e-4)


def test_a_relaxation_leaves_its_start_alone_and_needs_a_ridge():
    start = LAB.start()
    before = [W.copy() for W in start]
    relax(LAB.problem, start, 0.4 / M)
    assert identical(before, start)
    with pytest.raises(InputError, match="`ridge` must be positive"):
        relax(LAB.problem, start, 0.0)


# -- margins and stability -------------------------------------------------------------------------------


class Room(NamedTuple):
    balance: float
    rank: float
    norm: float


@dataclass(frozen=True)
class Sizes:
    """Stands for a rank set: its margins are the norms of the factors."""

    def margins(self, factors):
        return Room(*(float(np.linalg.norm(W)) for W in factors))


def test_margins_are_recorded_for_every_set():
    run = _leave(steps=1000, monitor=rs.RankMonitor(sets=[Sizes(), Sizes()]), record=[0, 1000])
    assert run.margins.dims == ("step", "set", "margin")
    assert run.margins.margin.values.tolist() == ["balance", "rank", "norm"]
    for k in range(2):
        np.testing.assert_allclose(run.margins[:, k], run.layer_norm, rtol=1e-13)


def test_margins_of_rank_sets_are_nested_over_a_run():
    sets = [RankSet(r, alpha=0.01, eps1=1.0, eps2=0.75, C=50.0) for r in (2, 3, 4)]
    run = _leave(monitor=rs.RankMonitor(sets=sets), record=rs.Every(5000))
    ranks = run.margins.sel(margin="rank").values
    np.testing.assert_allclose(np.diff(ranks, axis=1), 1.0)
    assert ranks[0, 0] < 0 < ranks[-1, 0]


def _curvature_by_hand(problem, factors):
    """The squared norms of the gradients of W_ij by every layer, by central differences in one direction at a time."""
    worst = 0.0
    for i, j in zip(problem.rows, problem.columns, strict=True):
        for l, W in enumerate(factors):
            slope = np.empty_like(W)
            for place in np.ndindex(W.shape):
                ends = []
                for sign in (1.0, -1.0):
                    moved = [F.copy() for F in factors]
                    moved[l][place] += sign
                    ends.append(rs.product(moved)[i, j])
                slope[place] = (ends[0] - ends[1]) / 2  # exact: W_ij is linear in each layer
            worst = max(worst, float(np.sum(slope**2)))
    return worst


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_the_stability_is_the_squared_gradient_of_the_worst_entry(depth, rng):
    problem = rs.Completion([0, 1, 2, 1], [1, 0, 2, 2], [1.0, 2.0, 3.0, 4.0], shape=(3, 3))
    sizes = [3, *[2, 4, 3][: depth - 1], 3]
    factors = [rng.normal(size=(sizes[l + 1], sizes[l])) for l in range(depth)]
    assert largest_curvature(problem, factors) == pytest.approx(_curvature_by_hand(problem, factors), rel=1e-12)


def test_the_stability_is_recorded_with_the_rate_in_force():
    rate = rs.rates.piecewise({0: 0.1, 500: 0.05})
    run = _leave(steps=1000, dynamics=rs.SGD(rate, 0.45 / M), record=[0, 1000])
    curvatures = largest_curvature(LAB.problem, LAB.start()), largest_curvature(LAB.problem, run.factors)
    np.testing.assert_allclose(run.stability, [0.1 * curvatures[0], 0.05 * curvatures[1]], rtol=1e-13)


def test_a_divergence_of_sgd_names_the_limit_of_single_entries():
    with pytest.warns(
        DivergenceWarning, match=r"At the start single entries allowed a learning rate of at most 0\.\d+\."
    ):
        run = _leave(steps=100_000, dynamics=rs.SGD(1.5, 0.4 / M), monitor=rs.RankMonitor(relax=True))
    assert run.relaxed_rank.isnull().values.tolist() == [False, True]  # what overflows is not relaxed
    limit = 2 / largest_curvature(LAB.problem, LAB.start())
    assert f"at most {limit:.2g}. Lower the learning rate: 1.5 was used" in run.message


# -- bad input -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: rs.RankMonitor(off=0.3, on=0.3), "`off` must be below `on`"),
        (lambda: rs.RankMonitor(off=0.0), "`off` must be positive"),
        (lambda: rs.RankMonitor(every=0), "`every` must be a whole number"),
        (lambda: rs.RankMonitor(stop="sideways"), "`stop` must be"),
        (lambda: rs.RankMonitor(sets=[3]), "margins"),
        (lambda: rs.RankMonitor(relax=[2.5]), "`relax` must be a whole number"),
        (lambda: _leave(steps=10, monitor=rs.RankMonitor(relax=[11])), r"`relax` must lie within 0\.\.10"),
        (lambda: _leave(steps=10, monitor=True), "`monitor` must be a RankMonitor"),
        (lambda: _leave(steps=10, observe={"jumps": len}), "the name is taken"),
    ],
)
def test_monitors_that_make_no_sense_are_refused(make, text):
    with pytest.raises(InputError, match=text):
        make()


# -- units -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("unit", [1e-6, 1e-3, 1.0, 1e4])
def test_the_thresholds_follow_the_units_of_the_data(unit):
    """The same run in other units: W grows by the unit, each of three factors by its cube root."""
    target = unit * np.diag([4.0, 2.0, 1.0])
    rate = 0.01 / unit ** (4 / 3)
    run = rs.simulate(
        rs.Estimation(target), depth=3, initialization=rs.Identical(0.1 * unit ** (1 / 3)), steps=1200,
        dynamics=rs.GradientDescent(rate), monitor=rs.RankMonitor(),
    )  # fmt: skip
    assert run.jumps.values.tolist() == [[220, 0, 1], [442, 1, 2], [899, 2, 3]]


def test_the_thresholds_of_a_planted_problem_are_shares_of_its_entries():
    off, on = rs.RankMonitor().levels(LAB.problem)
    dense = np.zeros(LAB.problem.shape)
    dense[LAB.problem.rows, LAB.problem.columns] = LAB.problem.values
    size = np.linalg.norm(dense, 2) * dense.size / len(LAB.problem.values) / 24  # holes count as the rest
    assert (off, on) == (pytest.approx(1e-3 * size), pytest.approx(0.3 * size))
    with pytest.raises(InputError, match="`off` must be below `on`"):
        rs.RankMonitor(off=1.0).levels(LAB.problem)
