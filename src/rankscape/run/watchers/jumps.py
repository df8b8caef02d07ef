r"""WHAT a run is watched for: modes that die and modes that come alive on the way.

With a ridge and depth 3 or more, the singular values of ``W`` are either alive, held up by data, or dead, and decay to
zero. A counter with two thresholds sees which: a mode that was alive is dead below `off`, a mode that was dead is
alive above `on`, and what moves between the two changes nothing. The step of a change is found afterwards, by running
again from the look before: runs repeat bit for bit, so this costs nothing until something happens.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, Protocol

import numpy as np

from rankscape.dynamics import SGD
from rankscape.engine import AbstractEngine
from rankscape.errors import InputError
from rankscape.ground.checks import one_of, positive, several, whole
from rankscape.ground.final import final
from rankscape.observe import spectrum_of_factors
from rankscape.problem import AbstractProblem, Completion
from rankscape.run.outcome import End, Outcome
from rankscape.run.watchers.base import AbstractWatcher, Look, Memory, Record
from rankscape.run.watchers.curvature import largest_curvature
from rankscape.solvers.descent.relaxation import relax

if TYPE_CHECKING:
    import xarray as xr

# Part of the run that looks may take by default, by the estimates of the engines.
SHARE = 0.04

# Cost of a look relative to a record: the spectrum without the rest, and one more call of the engine.
LOOK = 0.6

# Steps between two looks, at the least, where the user does not ask for fewer: a call of the engine has its price.
FINEST = 256

# Where a mode comes alive by default, over the size of an entry, and how far below that it dies.
ON, OFF = 0.3, 1 / 300

# What stands in a row of ``jumps``.
JUMP_FIELDS = ["step", "from", "to"]


class Jump(NamedTuple):
    """The step, counted as in the records, at which the number of live modes changed, and the numbers around it."""

    step: int
    before: int
    after: int


class HasMargins(Protocol):
    """A set of factors that says how far inside of it a point lies."""

    def margins(self, factors: list[np.ndarray], /) -> Any:
        """Balance, rank and norm, as fields of these names; all nonnegative inside."""


@final
@dataclass(frozen=True)
class RankMonitor(AbstractWatcher):
    r"""Counts the live modes of a run, stamps every change with its step, and measures what rank theory asks for.

    Given to `simulate`, it adds to the data set:

    ==============================  ================================================================================
    ``jumps(jump, jump_field)``     a row a change: step, from, to; in a batch padded with -1
    ``up_jumps``, ``down_jumps``    how many modes came alive, and died, in all
    ``alive_modes(step)``           how many are alive
    ``stability(step)``             SGD on entries: :math:`\eta \max_{l,(i,j)} \|u_l\|^2 \|v_l\|^2`; above 2 the step
                                    of the worst entry overshoots
    ``relaxed_rank(step)``          where `relax` asks for it: the rank of the minimum to which gradient descent with
                                    the same ridge descends from here
    ``margins(step, set, margin)``  of each of the `sets`: balance, rank and norm; all nonnegative inside
    ==============================  ================================================================================

    Parameters
    ----------
    off, on : float, optional
        A mode dies below `off` and comes alive above `on`. They are sizes of singular values of ``W``, not shares of
        the largest: what kills a mode is a barrier that does not know the others (`rankscape.theory.landscape`). By
        default `on` is 0.3 times the size of an entry, :math:`\|W\| / \sqrt{n_{out} n_{in}}` with the spectral norm
        that a fitting W needs, so that units do not matter, and `off` a three-hundredth of `on`. At the start what is
        above `on` is alive, so modes that grow from a small start count as jumps up.
    every : int, optional
        Steps between two looks; the default spends a few percent of the run. Looks fall on all records as well. A mode
        that dies and comes back between two looks is not seen. A step that is reported is exact: the step before had
        the old count. Where a mode crosses `off` to and fro, it is one of the crossings.
    relax : bool or sequence of int, optional
        True relaxes at every record, a list at these steps. A relaxation may take seconds.
    sets : sequence of RankSet, optional
        Objects with ``margins(factors)``, as `rankscape.theory.absorbing.RankSet`.
    stop : {"down", "up"}, optional
        End the run at the first look after such a jump.

    Examples
    --------
    The three modes of a small target come alive one after the other:

    >>> import rankscape as rs
    >>> run = rs.simulate(rs.Estimation(eigenvalues=[4.0, 2.0, 1.0]), depth=3, initialization=rs.Identical(alpha=0.1),
    ...                   dynamics=rs.GradientDescent(0.01), steps=2000, monitor=rs.RankMonitor())
    >>> run.jumps.values.tolist()
    [[220, 0, 1], [442, 1, 2], [899, 2, 3]]

    References
    ----------
    .. [wang2024] Wang, Jacot, "Implicit bias of SGD in L2-regularized linear DNNs: One-way jumps from high to low
       rank", ICLR 2024.
    """

    name: ClassVar[str] = "monitor"

    off: float | None = None
    on: float | None = None
    every: int | None = None
    relax: bool | Sequence[int] | None = None
    sets: Sequence[HasMargins] = ()
    stop: Literal["down", "up"] | None = None

    def __post_init__(self):
        relax_at = self.relax
        if relax_at is not None and not isinstance(relax_at, bool):
            relax_at = tuple(whole("relax", step, least=0) for step in several("relax", relax_at))
        checked: dict[str, Any] = dict(relax=relax_at, sets=tuple(several("sets", self.sets)))
        checked |= {name: positive(name, level) for name in ("off", "on") if (level := getattr(self, name)) is not None}
        if self.every is not None:
            checked["every"] = whole("every", self.every, least=1)
        for name, value in checked.items():
            object.__setattr__(self, name, value)
        if self.off is not None and self.on is not None:
            _check_order(self.off, self.on)
        one_of("stop", self.stop, ("down", "up", None))
        if not all(hasattr(s, "margins") for s in self.sets):
            raise InputError("`sets` must hold objects with margins(factors), such as theory.absorbing.RankSet.")

    def describe(self) -> dict[str, Any]:
        """The numbers, as JSON."""
        numbers = {name: getattr(self, name) for name in ("off", "on", "every", "stop")}
        relax_at = list(self.relax) if isinstance(self.relax, tuple) else self.relax
        return numbers | {"relax": relax_at, "sets": [repr(s) for s in self.sets]}

    def looks(self, steps: int, engine: AbstractEngine) -> np.ndarray:
        """Each so many steps; by default so many that looks take a small part of the run."""
        if self.every is not None:
            return np.arange(self.every, steps + 1, self.every)
        needed = max(FINEST, LOOK * engine.record_cost() / (SHARE * engine.step_cost()))
        every = 1 << int(np.ceil(np.log2(needed)))  # a power of two: looks and chunks fall together
        return np.arange(every, steps + 1, every)

    def asked(self, steps: int) -> np.ndarray:
        """The steps that are to be recorded because they are to be relaxed."""
        given = self.relax if isinstance(self.relax, tuple) else ()
        if any(step > steps for step in given):
            raise InputError(f"`relax` must lie within 0..{steps}, got {max(given)}.")
        return np.array(given, dtype=np.int64)

    def levels(self, problem: AbstractProblem) -> tuple[float, float]:
        """`off` and `on` for a problem: as given, or relative to the size of its entries."""
        on = self.on if self.on is not None else ON * _entry_size(problem)
        off = self.off if self.off is not None else OFF * on
        _check_order(off, on)
        return off, on

    def look(self, now: Look, before: int | None) -> int:
        """The number of live modes of a state."""
        return live_modes(spectrum_of_factors(now.factors), before, *self.levels(now.setting.problem))

    def begin(self, now: Look, kept: Memory | None) -> Memory:
        """The modes that are alive; in a run that is continued, those between the thresholds stay what they were."""
        return {"alive": self.look(now, None if kept is None else kept["alive"]), "jumps": []}

    def see(self, before: Look, now: Look, memory: Memory) -> str | None:
        """Note the jumps on the way; the reason to stop where one of them is what was waited for."""
        found = self._between(before, now, memory["alive"])
        if found:
            memory["jumps"] += [list(jump) for jump in found]
            memory["alive"] = found[-1].after
        return self._reason(found)

    def _between(self, low: Look, high: Look, alive: int) -> list[Jump]:
        """All changes between two states of one run, each at the step where it shows first; `alive` at the lower."""
        found: list[Jump] = []
        while (end := self.look(high, alive)) != alive:
            upper = high
            while upper.step - low.step > 1:
                middle = low.ahead((upper.step - low.step) // 2)
                count = self.look(middle, alive)
                if count == alive:
                    low = middle
                else:
                    upper, end = middle, count
            found.append(Jump(upper.step, alive, end))
            low, alive = upper, end
        return found

    def _reason(self, jumps: Sequence[Jump]) -> str | None:
        for jump in jumps:
            if self.stop is not None and (jump.after < jump.before) == (self.stop == "down"):
                verb = "died" if self.stop == "down" else "came alive"
                return f"a mode {verb} at step {jump.step}: {jump.before} -> {jump.after}"
        return None

    def record(self, now: Look, memory: Memory, end: End | None) -> Record:
        """What it measures on a state."""
        setting, factors = now.setting, now.factors
        out: dict[str, Any] = {"alive_modes": np.int64(memory["alive"])}
        rates = vars(setting.dynamics.at(now.state.step))
        if isinstance(setting.dynamics, SGD) and isinstance(setting.problem, Completion):
            out["stability"] = np.float64(rates["learning_rate"] * largest_curvature(setting.problem, factors))
        if self.relax:
            # A run that overflows is at no place from which to relax.
            asked = (end is None or end.outcome != Outcome.DIVERGED) and (self.relax is True or now.step in self.relax)
            out["relaxed_rank"] = np.int64(relax(setting.problem, factors, rates["ridge"]).rank) if asked else np.nan
        if self.sets:
            with np.errstate(over="ignore", invalid="ignore"):  # a run may be about to overflow
                margins = [s.margins(factors) for s in self.sets]
            out["margins"] = np.array([[m.balance, m.rank, m.norm] for m in margins], dtype=float)
        return out

    def label(self, dataset: "xr.Dataset", memories: Sequence[Memory]) -> "xr.Dataset":
        """The jumps of all runs."""
        return dataset.assign(jump_variables([memory.get("jumps", []) for memory in memories], "run" in dataset.dims))


def live_modes(sigma: np.ndarray, before: int | None, off: float, on: float) -> int:
    """The number of live modes among descending singular values, given the number at the look before."""
    if before is None:
        return int(np.sum(sigma > on))
    # Both loops go one mode at a time, so none jumps over a neighbour: the count says which are alive.
    alive = before
    while alive > 0 and (alive > len(sigma) or sigma[alive - 1] < off):
        alive -= 1
    while alive < len(sigma) and sigma[alive] > on:
        alive += 1
    return alive


def _check_order(off: float, on: float) -> None:
    if off >= on:
        raise InputError(f"`off` must be below `on`, got {off:g} and {on:g}; give both, or neither.")


@lru_cache(maxsize=64)  # problems do not change, and are told apart by identity
def _entry_size(problem: AbstractProblem) -> float:
    """The size of an entry of a fitting W; 1 where the problem asks for nothing at zero."""
    return problem.scale() / float(np.sqrt(np.prod(problem.shape))) or 1.0


def jump_variables(jumps: Sequence[Sequence[Sequence[int]]], batched: bool) -> dict[str, "xr.DataArray"]:
    """The jumps of each run, (step, from, to), padded with -1 to the longest run, and how many go up and down."""
    import xarray as xr

    table = np.full((len(jumps), max(map(len, jumps)), 3), -1, dtype=np.int64)
    for row, lane in zip(table, jumps, strict=True):
        row[: len(lane)] = np.reshape(lane, (-1, 3))
    up, down = (table[..., 2] > table[..., 1]).sum(1), (table[..., 2] < table[..., 1]).sum(1)
    named = {"jumps": table, "up_jumps": up, "down_jumps": down}
    dims = {"jumps": ("run", "jump", "jump_field"), "up_jumps": ("run",), "down_jumps": ("run",)}
    arrays = {name: xr.DataArray(array, dims=dims[name]) for name, array in named.items()}
    arrays["jumps"] = arrays["jumps"].assign_coords(jump_field=JUMP_FIELDS)
    return arrays if batched else {name: array.isel(run=0) for name, array in arrays.items()}
