"""Ranks fall: SGD with a ridge, live, and never back."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

import rankscape as rs
from rankscape import data, theory
from rankscape.explore.calls import Call, Frame, Room, State, number
from rankscape.explore.falling import expected, ladder, landscape, modes_of, start_of
from rankscape.explore.opened import Opened
from rankscape.explore.workers import frames_of
from rankscape.ground.checks import one_of, positive, whole
from rankscape.ground.final import final

if TYPE_CHECKING:
    from rankscape.data import KnownMatrix
    from rankscape.run.trajectory import Trajectory

# Singular values that are drawn, pictures a second, records a picture, and states that one can go back to.
SHOWN, PICTURES, RECORDS, KEPT = 10, 8, 8, 200

# Rows and columns of a matrix, and steps of a picture where the pace is given.
LARGEST, FASTEST = 200, 10_000_000

# Steps of the first picture at the most, and seconds that any may take, whatever the pace says: what is altered
# meanwhile waits no longer than that.
FIRST, PATIENCE = 1000, 1.0


@final
@dataclass(frozen=True)
class FallState(State):
    """Of a run on the entries of a known matrix.

    Attributes
    ----------
    problem : {"planted", "random"}
        A matrix of rank 2 with a minimum of rank 3 in which gradient descent sticks; or a Gaussian low rank.
    start : {"minimum", "gaussian"}
        At the minimum that is near, or at random.
    n, rank, oversampling
        Of the random matrix.
    depth, width, ridge, learning_rate, seed
        As in `simulate`.
    pace : int
        Steps of a picture; 0 for as many as the machine takes.
    mode : int
        Whose landscape is drawn, 1 for the largest.
    do : {"", "landscape", "expect"}
        Whether the landscape alone is asked for, or how long a jump takes.
    """

    problem: str = "planted"
    start: str = "minimum"
    n: int = 30
    rank: int = 3
    oversampling: float = 3.0
    depth: int = 3
    width: int = 8
    ridge: float = 1.3e-3
    learning_rate: float = 0.17
    seed: int = 0
    pace: int = 1000
    mode: int = 1
    do: str = ""

    def __post_init__(self) -> None:
        one_of("problem", self.problem, ("planted", "random"))
        one_of("start", self.start, ("minimum", "gaussian"))
        spans = {"n": (2, LARGEST), "rank": (1, self.n), "depth": (2, 6), "width": (1, LARGEST)}
        spans |= {"seed": (0, FASTEST), "pace": (0, FASTEST), "mode": (1, LARGEST)}
        for name, span in spans.items():
            whole(name, getattr(self, name), *span)
        for name in ("ridge", "learning_rate", "oversampling"):
            positive(name, getattr(self, name))

    def lab(self) -> "KnownMatrix":
        """The matrix whose entries are seen."""
        if self.problem == "planted":
            return data.planted(seed=self.seed)
        return data.gaussian(self.n, self.rank, self.oversampling, self.seed)


@final
class Fall(Room):
    """What is near first, then the run as long as one looks."""

    name = "fall"
    title = "Fall"
    sentence = "SGD with a ridge jumps from minima of high rank to lower ones, and never back. Watch it."
    state = FallState

    def frames(self, state: FallState, call: Call, opened: Opened) -> Iterator[Frame]:
        """The landscape, then pictures of the run until it is stopped; or how long a jump takes."""
        lab = state.lab()
        if state.do == "expect":
            yield from frames_of(expected, (state,), call)
            return
        modes = modes_of(lab)
        yield landscape(state, lab, modes)
        yield Frame("ladder", ladder(state, lab, modes))
        if state.do == "landscape":
            return
        yield Frame("begin", lines(state))
        start, caution = start_of(state, lab, lambda: call.stopped)
        if call.stopped:
            return
        if caution:
            yield Frame("caution", {"words": caution})
        yield from _Live(state, lab, call).frames(start)


@final
class _Live:
    """A run under way: it can be paused, changed, gone back in and forked."""

    def __init__(self, state: FallState, lab: "KnownMatrix", call: Call):
        self._state, self._lab, self._call = state, lab, call
        self._ridge, self._rate, self._seed, self._pace = state.ridge, state.learning_rate, state.seed, state.pace
        self._paused = False
        self._kept: list[tuple[int, Trajectory]] = []
        self._step, self._chunk, self._most = 0, FIRST, FIRST

    def frames(self, start: Any) -> Iterator[Frame]:
        run = self._advance(start, 1)
        yield self._frame(run, 0.0)
        while not self._call.stopped:
            back = self._listen()
            if back is not None:
                self._step, run = back
                yield Frame("back", {"step": self._step})
                yield self._frame(run, 0.0)
            if self._paused:
                self._call.wait(0.05)
                continue
            began, steps = time.perf_counter(), min(self._pace or self._chunk, self._most)
            run = self._advance(run, steps)
            taken = time.perf_counter() - began
            yield self._frame(run, steps / max(taken, 1e-9))
            if not run.outcome.good:
                yield Frame("error", {"words": run.message})
                return
            self._keep(run)
            self._settle(taken)

    def _settle(self, taken: float) -> None:
        """Wait for the next picture, or take as many steps as fit between two."""
        self._most = int(np.clip(self._most * PATIENCE / taken, self._most / 2, 2 * self._most)) + 1
        if self._pace:
            self._call.wait(max(0.0, 1 / PICTURES - taken))
        else:
            self._chunk = int(np.clip(self._chunk / (taken * PICTURES), self._chunk / 2, 2 * self._chunk)) + 1

    def _advance(self, start: Any, steps: int) -> "Trajectory":
        random = isinstance(start, rs.Gaussian)
        self._step += steps
        return rs.simulate(
            self._lab.problem,
            self._state.depth if random else None,
            self._state.width if random else None,
            initialization=start,
            dynamics=rs.SGD(self._rate, self._ridge),
            steps=steps,
            record=rs.Every(max(1, steps // RECORDS)),
            seed=self._seed,
            monitor=rs.RankMonitor(),
        )

    def _keep(self, run: "Trajectory") -> None:
        """States to go back to: of old ones every second is forgotten when there are many."""
        self._kept.append((self._step, run))
        if len(self._kept) > KEPT:
            self._kept = self._kept[: KEPT // 2 : 2] + self._kept[KEPT // 2 :]

    def _listen(self) -> "tuple[int, Trajectory] | None":
        """Do what the page says; a state to go back to, where it says so."""
        back = None
        for said in self._call.said():
            if "paused" in said:
                self._paused = bool(said["paused"])
            if "pace" in said:
                self._pace = whole("pace", number("pace", said["pace"]), 0, FASTEST)
            if "ridge" in said:
                self._ridge = positive("ridge", number("ridge", said["ridge"]))
            if "learning_rate" in said:
                self._rate = positive("learning_rate", number("learning_rate", said["learning_rate"]))
            if "back" in said and self._kept:
                wanted = number("back", said["back"])
                back = min(self._kept, key=lambda kept: abs(kept[0] - wanted))
                self._kept = [kept for kept in self._kept if kept[0] <= back[0]]
            if "fork" in said:
                self._seed = whole("seed", number("fork", said["fork"]), 0, 2**31)
        if back is not None and self._seed != back[1].configuration["seed"]:
            # Another seed is another run: it begins where this one was, and a step is made so that it is one.
            back = back[0], self._advance(rs.Factors(back[1].factors), 1)
        return back

    def _frame(self, run: "Trajectory", speed: float) -> Frame:
        seen = run.dataset
        steps = self._step - int(seen.step.values[-1]) + seen.step.values  # each stretch counts from zero
        values = seen.singular_values.values[:, :SHOWN]
        alive = seen.alive_modes.values
        test = self._lab.relative_error(run.product)
        jumps = [[int(steps[-1] - seen.step.values[-1] + at), *counts] for at, *counts in seen.jumps.values.tolist()]
        facts: dict[str, Any] = {
            "step": self._step, "alive": int(alive[-1]), "train": float(2 * seen.loss.values[-1]) ** 0.5, "test": test,
            "jumps": jumps, "speed": speed, "ridge": self._ridge, "learning_rate": self._rate, "seed": self._seed,
            "margins": self._margins(run),
        }  # fmt: skip
        return Frame("run", facts, {"steps": steps, "values": values.T, "alive": alive, "now": values[-1]})

    def _margins(self, run: "Trajectory") -> dict[str, float] | None:
        """Of the set around the live rank that no step of SGD leaves, while errors and norms stay as they are."""
        if self._state.depth < 3:
            return None
        factors, rank = run.factors, int(run.dataset.alive_modes.values[-1])
        error = float(np.abs(self._lab.problem.entries.at(run.product) - self._lab.problem.values).max())
        norm = max(float(np.sum(W**2)) for W in factors)
        found = theory.absorbing.a_posteriori(rank, len(factors), self._ridge, error, norm)
        margins = found.rank_set.margins(factors)
        return {"balance": float(margins.balance), "rank": float(margins.rank), "norm": float(margins.norm)}


def lines(state: FallState) -> dict[str, str]:
    """The first hundred thousand steps in Python."""
    if state.problem == "planted":
        lab = f"rs.data.planted(seed={state.seed})"
    else:
        lab = f"rs.data.gaussian({state.n}, {state.rank}, {state.oversampling!r}, seed={state.seed})"
    python = ["import rankscape as rs", "", f"lab = {lab}"]
    sgd = f"rs.SGD({min(state.learning_rate, 0.05)!r}, {state.ridge!r})"
    near = f"lab.start({state.depth}, {state.width})" if state.problem == "planted" else "begin.factors"
    if state.start == "gaussian":
        python.append("start = rs.Gaussian(0.5)")
    else:
        if state.problem == "random":
            python.append(
                f"begin = rs.simulate(lab.problem, {state.depth}, {state.width}, initialization=rs.Gaussian(0.5),"
            )
            python.append(f"                    steps=1, seed={state.seed}, dynamics={sgd})")
        python.append(f"start = rs.Factors(rs.relax(lab.problem, {near}, {state.ridge!r}).factors)")
    sizes = f"{state.depth}, {state.width}, " if state.start == "gaussian" else ""
    python += [
        f"run = rs.simulate(lab.problem, {sizes}initialization=start, steps=100_000, seed={state.seed},",
        f"                  dynamics=rs.SGD({state.learning_rate!r}, {state.ridge!r}), monitor=rs.RankMonitor())",
        "print(run.jumps.values, lab.relative_error(run.product))",
    ]
    return {"python": "\n".join(python) + "\n"}
