"""Sweeps that were made, so that whoever was killed goes on with the next one."""

import contextlib
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import is_zipfile

import numpy as np

from rankscape.errors import InputError
from rankscape.ground.final import final
from rankscape.ground.storage import check_writable, replacing
from rankscape.solvers.packed.records import State


class Place(NamedTuple):
    """Where a series of sweeps is: before its last sweep, which is made again, for only it knows the rows."""

    state: State
    sweep: int
    still: int


@final
class Journal:
    """The last place of each series of sweeps, in one file; series come in the same order each time.

    Parameters
    ----------
    path : Path
        The file.
    subject : str
        What is fitted, in words that no other fit has: a file of another one is refused.
    """

    def __init__(self, path: Path, subject: str):
        check_writable(path)
        self.path, self.subject, self._series, self._arrays = path, subject, -1, {}
        if path.exists() and path.stat().st_size:
            self._arrays = _read(path)
            found = str(self._arrays.get("subject"))
            if found != subject:
                raise InputError(f"{path} belongs to another fit ({found}): name another file, or remove it.")

    def begin(self) -> Place | None:
        """The next series; where it was, if it has begun before."""
        self._series += 1
        with contextlib.suppress(KeyError):
            named = {name: self._arrays[f"{self._series}.{name}"] for name in ("records", "rows", "columns", "numbers")}
            width, noise, sweep, still = named["numbers"].tolist()
            state = State(named["records"], int(width), (named["rows"], named["columns"]), noise)
            return Place(state, int(sweep), int(still))
        return None

    def keep(self, place: Place) -> None:
        """Write down where this series is."""
        state = place.state
        made = {"records": state.records, "rows": state.spreads[0], "columns": state.spreads[1]}
        made["numbers"] = np.array([state.width, state.noise, place.sweep, place.still])
        self._arrays |= {f"{self._series}.{name}": array for name, array in made.items()}
        self._arrays["subject"] = np.array(self.subject)
        with replacing(self.path) as file:
            np.savez(file, allow_pickle=False, **self._arrays)


def _read(path: Path) -> dict[str, Any]:
    try:
        if path.is_file() and not is_zipfile(path):  # NumPy would advise to unpickle it
            raise InputError(f"{path} is no checkpoint of a fit: name another file.")
        with np.load(path, allow_pickle=False) as archive:
            return dict(archive)
    except InputError:
        raise
    except Exception as error:  # a damaged archive raises whatever its reader stumbles over
        raise InputError(f"{path} is no checkpoint of a fit, or is damaged ({error}): name another file.") from error
