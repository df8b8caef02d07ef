"""What fuzzing once found, tried again; and that the fuzzer itself notices what it is for."""

from pathlib import Path

import numpy as np
import pytest
from fuzz import doors, hunt
from fuzz.case import Case, kept

from rankscape.errors import InputError

# Doors whose first case takes seconds, because an engine is loaded for it.
SLOW = ("commands", "sweeps", "stores", "functions")
EVERY = [pytest.param(door, marks=[pytest.mark.slow] * (door in SLOW)) for door in doors.DOORS]


@pytest.mark.parametrize("door", EVERY)
def test_what_was_found_is_answered_or_refused(door):
    done = hunt.hunt(door, 600.0, seed=None)
    assert done.found == {}
    assert done.tried == len(kept(door))


@pytest.mark.parametrize("door", EVERY)
def test_a_few_new_cases(door):
    most = 10 if door in SLOW else 150
    done = hunt.hunt(door, 600.0, seed=1, most=most)
    assert done.found == {}
    assert done.tried == most
    assert done.refused > 0 or door == "commands"  # whose refusals are exit codes


class Rotten:
    """A door that does what its case says."""

    MOST = 100 << 20

    def hand_in(self, case: Case, folder: Path) -> None:
        match case.text:
            case "bare":
                raise KeyError("bare")
            case "silent":
                raise InputError("")
            case "warned":
                np.log(np.array([0.0]))
            case "memory":
                bytearray(300 << 20)
            case "refused":
                raise InputError("`x` must be y, got z.")


@pytest.mark.parametrize("kind", ["bare", "silent", "warned", "memory", "refused", "answered"])
def test_a_finding_is_noticed(kind, tmp_path):
    if kind == "memory" and not Path("/proc/self/clear_refs").exists():
        pytest.skip("no system that tells the peak of a process")
    assert hunt.watched(Rotten(), Case.of(kind), tmp_path).kind == kind


@pytest.mark.slow
def test_crashes_and_hangs_are_noticed(monkeypatch):
    monkeypatch.setattr(hunt, "PATIENCE", 1.0)
    monkeypatch.setattr(hunt, "FIRST", 10.0)  # nothing is loaded behind this door
    done = hunt.hunt("rotten", 120.0, seed=35, most=4)  # an answer, a crash, an answer, a hang
    assert done.tried == 4
    assert {kind for kind, _, _ in done.found} == {"crash", "hang"}
    (crash,) = (each.came.words for each in done.found.values() if each.came.kind == "crash")
    assert "Fatal Python error: Aborted" in crash
    assert 'rotten.py", line' in crash  # where it was
    assert done.answered == 2


def test_a_door_that_does_not_open_is_told():
    with pytest.raises(RuntimeError, match=r"(?s)The door nowhere does not open.*ModuleNotFoundError"):
        hunt.hunt("nowhere", 120.0, seed=0, most=1)
