"""The schedule of a sweep, played task by task, and its closed form: two counts of the same work."""

import math

import numpy as np
import pytest

from rankscape.errors import InputError
from rankscape.estimators import completion_cost, completion_schedule
from rankscape.estimators.completion.cost import ENTRIES, ENTRY, LINE, TASK

SIZES = [(1e8, 7e5, 1e5), (1e9, 1e7, 1e5), (1e9, 1e6, 1e6), (1e10, 1e7, 1e5)]


@pytest.mark.parametrize("workers", [2, 3, 7, 16, 50, 64, 256, 500])
@pytest.mark.parametrize("size", SIZES)
def test_closed_form_and_schedule_agree_as_long_as_there_are_tasks(size, workers):
    closed, played = completion_cost(*size, workers=workers), completion_schedule(*size, workers=workers)
    idle = [said for said in closed.breaks if "have nothing to do" in said]
    assert bool(idle) == (workers > size[0] / ENTRIES)
    if not idle:
        # Whole tasks: some workers have one more than the mean.
        assert 0.99 < played.seconds / closed.sweep < 1.06 * (1 + workers * ENTRIES / size[0])
        assert played.bytes == pytest.approx(workers * closed.traffic, rel=0.01)
    assert played.arithmetic + played.network + played.idle == pytest.approx(1)
    assert min(played[1:4]) >= 0


@pytest.mark.parametrize("size", SIZES)
def test_one_worker_without_a_network_is_the_serial_sweep(size):
    played = completion_schedule(*size, workers=1, bandwidth=1e30, latency=0)
    client, first = LINE * 81 * size[2], 2 * TASK
    assert played.seconds == pytest.approx(completion_cost(*size).sweep + client + first, rel=1e-9)
    assert played.network < 1e-12


def test_three_tasks_on_two_workers_by_hand():
    entries, rows, columns, latency, bandwidth = 3 * ENTRIES, 3_000, 300, 0.01, 1e8
    size = 4 * 5 // 2 + 2 * 4 + 2  # numbers of a record at rank 4
    clock, work = 0.0, 0.0
    for own, other in ((rows, columns), (columns, rows)):
        task = ENTRY * size / 2 * ENTRIES + LINE * 25 * own / 3
        moving = (8 * ENTRIES + 4 * size * own / 3) / bandwidth + 2 * latency
        fetch = 4 * size * other / bandwidth + latency
        # Tasks 0 and 1 go to the first worker, 2 to the other.
        first, second = TASK + latency + fetch + 2 * (moving + task), 3 * TASK + latency + fetch + moving + task
        clock, work = clock + max(first, second) + latency, work + 3 * task
    clock += 2 * (4 * size * columns / bandwidth + latency) + LINE * 25 * columns
    given = {"rank": 4, "workers": 2, "bandwidth": bandwidth, "latency": latency}
    played = completion_schedule(entries, rows, columns, **given)
    assert played.seconds == pytest.approx(clock, rel=1e-12)
    assert played.arithmetic == pytest.approx(work / (2 * clock), rel=1e-12)


def test_a_server_gives_no_more_than_it_has():
    for server in (1e9, 1e10, 1e11):
        played = completion_schedule(1e9, 1e7, 1e5, workers=64, server=server)
        assert played.seconds > played.bytes / server
    times = [completion_schedule(1e9, 1e7, 1e5, workers=64, bandwidth=b).seconds for b in np.geomspace(1e7, 1e11, 9)]
    assert times == sorted(times, reverse=True)


def test_what_is_no_size_or_time_is_refused():
    for wrong in ({"latency": -1.0}, {"bandwidth": 0.0}, {"server": math.nan}, {"workers": 0}, {"rank": 1.5}):
        with pytest.raises(InputError, match=next(iter(wrong))):
            completion_schedule(1e6, 1e4, 1e3, **wrong)
    with pytest.raises(InputError, match="`entries` are 1e\\+20: up to 4e\\+11 are played"):
        completion_schedule(1e20, 1e4, 1e3)
