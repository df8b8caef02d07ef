"""The contract of watchers: one written here takes part in a run, its checkpoint, its batch and its continuation."""

from itertools import pairwise
from typing import ClassVar

import numpy as np
import pytest
from catalogue import CASES, ONE_OF_EACH, identical

import rankscape as rs
from rankscape.errors import DivergenceWarning
from rankscape.run.watchers.base import AbstractWatcher
from rankscape.run.watchers.stopping import AbstractRule

CASE = ONE_OF_EACH["matrix"]


class Path(AbstractWatcher):
    """The length of the way that the product takes, by looks at every third step; the run ends at a length."""

    name: ClassVar[str] = "path"

    def __init__(self, longest=np.inf):
        self.longest = longest

    def asked(self, steps):
        return np.array([steps // 2])

    def looks(self, steps, engine):
        return np.arange(3, steps + 1, 3)

    def begin(self, now, kept):
        return {"length": 0.0, "before": 0.0 if kept is None else kept["before"] + kept["length"]}

    def see(self, before, now, memory):
        memory["length"] += float(np.linalg.norm(rs.product(now.factors) - rs.product(before.factors)))
        return "far enough" if memory["length"] > self.longest else None

    def record(self, now, memory, end):
        return {"length": np.float64(memory["length"])}

    def label(self, dataset, memories):
        return dataset.assign_attrs(lengths=[memory["before"] + memory["length"] for memory in memories])

    def describe(self):
        return {"longest": self.longest}


def _length(case, steps, **changes):
    """The same sum from a run that records every step."""
    products = []
    run = case.simulate(
        steps, record=rs.Every(1), observe={"W": lambda factors: products.append(rs.product(factors)) or 0.0}, **changes
    )
    assert len(run.step) == len(products) == steps + 1
    stops = [*range(0, steps, 3), steps]
    return sum(np.linalg.norm(products[b] - products[a]) for a, b in pairwise(stops))


@pytest.mark.parametrize("case", ONE_OF_EACH.values(), ids=ONE_OF_EACH.keys())
def test_a_watcher_looks_between_records_and_changes_nothing(case):
    run = case.simulate(60, record=[0, 60], monitor=Path())
    assert run.step.values.tolist() == [0, 30, 60]
    assert float(run.length[-1]) == pytest.approx(_length(case, 60), rel=1e-12)
    assert run.configuration["path"] == {"longest": np.inf}
    assert identical(run.factors, case.simulate(60).factors)


def test_a_watcher_ends_each_run_of_a_batch_at_its_own_time():
    longest = 0.5 * _length(CASE, 60, seed=3)
    batch = CASE.simulate(60, record=[0, 60], monitor=Path(longest), seed=[3, 5])
    for k, seed in enumerate([3, 5]):
        alone = CASE.simulate(60, record=[0, 60], monitor=Path(longest), seed=seed)
        assert batch.select(k).message == alone.message
        assert alone.message.startswith("stopped at step ")
        assert alone.message.endswith(": far enough")
        assert float(alone.length[-1]) > longest


class Interrupted(Exception):
    """Stands for whatever ends a process."""


@pytest.mark.usefixtures("short_chunks")
def test_what_a_watcher_remembers_lies_in_checkpoints_and_goes_on_with_the_run(tmp_path):
    def interrupt(step, steps, record):
        if step >= 32:
            raise Interrupted

    setting = dict(record=[60], monitor=Path(), checkpoint=tmp_path / "run.npz")
    with pytest.raises(Interrupted):
        CASE.simulate(60, **setting, progress=interrupt)
    resumed = CASE.simulate(60, **setting)
    assert float(resumed.length[-1]) == float(CASE.simulate(60, record=[60], monitor=Path()).length[-1])
    resumed.save(tmp_path / "run.zarr")
    rest = rs.simulate(
        CASE.fit.problem, initialization=rs.Trajectory.load(tmp_path / "run.zarr"), dynamics=CASE.dynamics, steps=30,
        monitor=Path(),
    )  # fmt: skip
    (whole,) = rest.dataset.attrs["lengths"]
    assert whole == float(resumed.length[-1]) + float(rest.length[-1]) > float(rest.length[-1])


@pytest.mark.usefixtures("short_chunks")
def test_a_meter_may_come_when_a_run_is_resumed(tmp_path):
    seen, path = [], tmp_path / "run.npz"

    def interrupt(factors):
        seen.append(1)
        if len(seen) > 5:
            raise Interrupted
        return 0.0

    with pytest.raises(Interrupted):
        CASE.simulate(80, record=rs.Every(8), checkpoint=path, observe={"calls": interrupt})
    steps = []
    CASE.simulate(
        80, record=rs.Every(8), checkpoint=path, observe={"calls": lambda factors: 0.0},
        progress=lambda step, of, record: steps.append((step, of)),
    )  # fmt: skip
    assert steps[-1] == (80, 80)
    assert steps[0][0] > 8


class Third(AbstractRule):
    """Stops at the third record."""

    def reason(self, records):
        return "three are enough" if len(records) == 3 else None

    def describe(self):
        return {"kind": "Third"}


def test_a_rule_of_ones_own_stops_a_run():
    run = CASE.simulate(60, record=rs.Every(10), stop=Third())
    assert run.message == "stopped at step 20: three are enough"


def test_a_start_that_overflows_is_not_looked_at():
    case = CASES["matrix-rectangular-3-equal"]
    with pytest.warns(DivergenceWarning, match="at step 0"):
        run = case.simulate(9, initialization=rs.Gaussian(1e200), monitor=rs.RankMonitor())
    assert run.jumps.shape == (0, 3)
    with pytest.warns(DivergenceWarning):
        batch = case.simulate(9, initialization=[rs.Gaussian(1e200), rs.Gaussian(0.5)], monitor=rs.RankMonitor())
    assert [str(outcome) for outcome in batch.outcome] == ["diverged", "finished"]
