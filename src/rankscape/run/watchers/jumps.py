r"""WHAT a run is watched for: modes that die and modes that come alive on the way.

With a ridge and depth 3 or more, the singular values of ``W`` are either alive, held up by data, or dead, and decay to
zero. A counter with two thresholds sees which: a mode that was alive is dead below `off`, a mode that was dead is
alive above `on`, and what moves between the two changes nothing. The step of a change is found afterwards, by running
again from the look before: runs repeat bit for bit, so this costs nothing until something happens.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from rankscape.dynamics import SGD
from rankscape.engine import AbstractEngine, Setting, State
from rankscape.errors import InputError
from rankscape.factorization import product
from rankscape.ground.checks import positive, whole
from rankscape.observe import spectrum_of_factors
from rankscape.problem import Completion
from rankscape.solvers.relaxation import relax

# Part of the run that looks may take by default, by the estimates of the engines.
SHARE = 0.04

# Cost of a look relative to a record: the spectrum without the rest, and one more call of the engine.
LOOK = 0.6

# Steps between two looks, at the least, where the user does not ask for fewer: a call of the engine has its price.
FINEST = 256


class Jump(NamedTuple):
    """The step at which the number of live modes changed, and the numbers before and after."""

    step: int
    before: int
    after: int


@dataclass(frozen=True)
class RankMonitor:
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
    off, on : float
        A mode dies below `off` and comes alive above `on`. They are sizes of singular values of ``W``, not shares of
        the largest: what kills a mode is a barrier that does not know the others (`rankscape.theory.landscape`). The
        defaults suit entries of about unit size. At the start what is above `on` is alive, so modes that grow from a
        small start count as jumps up.
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
    [[216, 0, 1], [433, 1, 2], [878, 2, 3]]

    References
    ----------
    .. [wang2024] Wang, Jacot, "Implicit bias of SGD in L2-regularized linear DNNs: One-way jumps from high to low
       rank", ICLR 2024.
    """

    off: float = 1e-3
    on: float = 0.3
    every: int | None = None
    relax: Any = None
    sets: Sequence[Any] = ()
    stop: str | None = None

    def __post_init__(self):
        relax_at = self.relax
        if relax_at is not None and not isinstance(relax_at, bool):
            relax_at = tuple(whole("relax", step, least=0) for step in relax_at)
        checked = dict(off=positive("off", self.off), on=positive("on", self.on), relax=relax_at, sets=tuple(self.sets))
        if self.every is not None:
            checked["every"] = whole("every", self.every, least=1)
        for name, value in checked.items():
            object.__setattr__(self, name, value)
        if self.off >= self.on:
            raise InputError(f"`off` must be below `on`, got {self.off:g} and {self.on:g}.")
        if self.stop not in (None, "down", "up"):
            raise InputError(f"`stop` must be 'down', 'up' or None, got {self.stop!r}.")
        if not all(hasattr(s, "margins") for s in self.sets):
            raise InputError("`sets` must hold objects with margins(factors), such as theory.absorbing.RankSet.")

    def describe(self) -> dict[str, Any]:
        """The numbers, as JSON."""
        numbers = {name: getattr(self, name) for name in ("off", "on", "every", "stop")}
        relax_at = list(self.relax) if isinstance(self.relax, tuple) else self.relax
        return numbers | {"relax": relax_at, "sets": [repr(s) for s in self.sets]}

    def looks(self, steps: int, step_cost: float, record_cost: float) -> np.ndarray:
        """The steps at which the monitor looks, besides the records."""
        if self.every is not None:
            return np.arange(self.every, steps + 1, self.every)
        needed = max(FINEST, LOOK * record_cost / (SHARE * step_cost))
        every = 1 << int(np.ceil(np.log2(needed)))  # a power of two: looks and chunks fall together
        return np.arange(every, steps + 1, every)

    def asked(self, steps: int) -> np.ndarray:
        """The steps that are to be recorded because they are to be relaxed."""
        given = self.relax if isinstance(self.relax, tuple) else ()
        if any(step > steps for step in given):
            raise InputError(f"`relax` must lie within 0..{steps}, got {max(given)}.")
        return np.array(given, dtype=np.int64)

    def count(self, sigma: np.ndarray, before: int | None) -> int:
        """The number of live modes among descending singular values, given the number at the look before."""
        if before is None:
            return int(np.sum(sigma > self.on))
        alive = before
        while alive > 0 and (alive > len(sigma) or sigma[alive - 1] < self.off):
            alive -= 1
        while alive < len(sigma) and sigma[alive] > self.on:
            alive += 1
        return alive

    def look(self, engine: AbstractEngine, state: State, before: int | None) -> int:
        """The number of live modes of a state."""
        return self.count(spectrum_of_factors(engine.factors(state)), before)

    def jumps(self, engine: AbstractEngine, low: State, high: State, alive: int) -> list[Jump]:
        """All changes between two states of one run, each at the step where it shows first; `alive` at the lower."""
        found: list[Jump] = []
        while (end := self.look(engine, high, alive)) != alive:
            upper = high
            while upper.step - low.step > 1:
                middle = engine.advance([low], (low.step + upper.step) // 2)[0]
                count = self.look(engine, middle, alive)
                if count == alive:
                    low = middle
                else:
                    upper, end = middle, count
            found.append(Jump(upper.step, alive, end))
            low, alive = upper, end
        return found

    def reason(self, jumps: Sequence[Jump]) -> str | None:
        """Why these jumps end the run; None when they do not."""
        for jump in jumps:
            if self.stop is not None and (jump.after < jump.before) == (self.stop == "down"):
                verb = "died" if self.stop == "down" else "came alive"
                return f"a mode {verb} at step {jump.step}: {jump.before} -> {jump.after}"
        return None

    def record(
        self, engine: AbstractEngine, state: State, setting: Setting, alive: int, relaxes: bool = True
    ) -> dict[str, Any]:
        """What the monitor adds to a record."""
        out: dict[str, Any] = {"alive_modes": np.int64(alive)}
        factors = engine.factors(state)
        rates = vars(setting.dynamics.at(state.step))
        if isinstance(setting.dynamics, SGD) and isinstance(setting.problem, Completion):
            out["stability"] = np.float64(rates["learning_rate"] * largest_curvature(setting.problem, factors))
        if self.relax:
            asked = relaxes and (self.relax is True or state.step in self.relax)
            out["relaxed_rank"] = np.int64(relax(setting.problem, factors, rates["ridge"]).rank) if asked else np.nan
        if self.sets:
            with np.errstate(over="ignore", invalid="ignore"):  # a run may be about to overflow
                margins = [s.margins(factors) for s in self.sets]
            out["margins"] = np.array([[m.balance, m.rank, m.norm] for m in margins], dtype=float)
        return out


def largest_curvature(problem: Completion, factors: Sequence[np.ndarray]) -> float:
    r"""The largest :math:`\|u_l\|^2 \|v_l\|^2` over layers l and observed entries (i, j).

    Here :math:`u_l^T` is row i of :math:`W_N \cdots W_{l+1}` and :math:`v_l` column j of :math:`W_{l-1} \cdots W_1`:
    the step of SGD at that entry moves ``W_l`` by the residual times :math:`\eta u_l v_l^T`. Beyond a learning rate of
    2 over this number, one layer alone overshoots the entry.

    Examples
    --------
    >>> import numpy as np, rankscape as rs
    >>> largest_curvature(rs.Completion([0], [0], [5.0], shape=(1, 1)), [np.array([[3.0]]), np.array([[4.0]])])
    16.0
    """
    with np.errstate(over="ignore"):
        return _largest_curvature(problem, factors)


def _largest_curvature(problem: Completion, factors: Sequence[np.ndarray]) -> float:
    rows, columns = np.unique(problem.rows), np.unique(problem.columns)
    left = [np.ones((1, len(rows)))]  # ||u_l||^2 by row, from the last layer down; u_N = e_i
    for l in range(len(factors) - 1, 0, -1):
        left.append(np.sum(product(factors[l:])[rows] ** 2, axis=1)[None])
    right = [np.ones((1, len(columns)))]
    for l in range(1, len(factors)):
        right.append(np.sum(product(factors[:l])[:, columns] ** 2, axis=0)[None])
    i, j = np.searchsorted(rows, problem.rows), np.searchsorted(columns, problem.columns)
    return max(float(np.max(u[0, i] * v[0, j])) for u, v in zip(left[::-1], right, strict=True))
