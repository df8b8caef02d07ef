"""Ranks fall: SGD with a ridge, live, and never back."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

import rankscape as rs
from rankscape import data, theory
from rankscape.explore.calls import Call, Frame, Room, State, number
from rankscape.explore.opened import Opened
from rankscape.ground.checks import one_of, positive, whole
from rankscape.ground.final import final

if TYPE_CHECKING:
    from rankscape.data import KnownMatrix
    from rankscape.run.trajectory import Trajectory

# Singular values that are drawn, pictures a second, records a picture, and states that one can go back to.
SHOWN, PICTURES, RECORDS, KEPT = 10, 8, 8, 200

# Rows and columns of a matrix, and steps of a picture where the pace is given.
LARGEST, FASTEST = 200, 10_000_000


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
    do : {"", "expect"}
        Whether replicas are asked how long a jump takes.
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
    do: str = ""

    def __post_init__(self) -> None:
        one_of("problem", self.problem, ("planted", "random"))
        one_of("start", self.start, ("minimum", "gaussian"))
        spans = {"n": (2, LARGEST), "rank": (1, self.n), "depth": (2, 6), "width": (1, LARGEST)}
        spans |= {"seed": (0, FASTEST), "pace": (0, FASTEST)}
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
            yield _expected(state, lab)
            return
        yield Frame("landscape", _ladder(state, lab) | lines(state), _landscape(state, lab))
        yield from _Live(state, lab, call).frames()


@final
class _Live:
    """A run under way: it can be paused, changed, gone back in and forked."""

    def __init__(self, state: FallState, lab: "KnownMatrix", call: Call):
        self._state, self._lab, self._call = state, lab, call
        self._ridge, self._rate, self._seed, self._pace = state.ridge, state.learning_rate, state.seed, state.pace
        self._paused = False
        self._kept: list[tuple[int, Trajectory]] = []
        self._step, self._chunk = 0, 1000

    def frames(self) -> Iterator[Frame]:
        run = self._advance(_start(self._state, self._lab), 1)
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
            began = time.perf_counter()
            run = self._advance(run, self._pace or self._chunk)
            taken = time.perf_counter() - began
            yield self._frame(run, (self._pace or self._chunk) / max(taken, 1e-9))
            if not run.outcome.good:
                yield Frame("error", {"words": run.message})
                return
            self._keep(run)
            self._settle(taken)

    def _settle(self, taken: float) -> None:
        """Wait for the next picture, or take as many steps as fit between two."""
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


def _start(state: FallState, lab: "KnownMatrix") -> Any:
    if state.start == "gaussian":
        return rs.Gaussian(0.5)
    if state.problem == "planted":
        return rs.Factors(rs.relax(lab.problem, lab.start(state.depth, state.width), state.ridge).factors)
    begin = rs.simulate(
        lab.problem, state.depth, state.width, initialization=rs.Gaussian(0.5), steps=1, seed=state.seed,
        dynamics=rs.SGD(min(state.learning_rate, 0.05), state.ridge),
    )  # fmt: skip
    return rs.Factors(rs.relax(lab.problem, begin.factors, state.ridge).factors)


def _weight(lab: "KnownMatrix") -> float:
    """Of a squared residual, were all entries seen."""
    return 1.0 / lab.matrix.size


def _ladder(state: FallState, lab: "KnownMatrix") -> dict[str, Any]:
    """Minima of the fully seen matrix, rank by rank, and what a mode needs to have one."""
    values = np.linalg.svd(lab.matrix, compute_uv=False)
    values = values[values > 1e-9 * values[0]]
    limits = theory.landscape.scalar_thresholds(state.depth, 2 * state.ridge / _weight(lab))
    rungs = theory.landscape.local_minima(values, state.depth, state.ridge, _weight(lab))
    return {
        "true": values.tolist(),
        "needed": limits.a_local,
        "rungs": [{"rank": rung.rank, "objective": float(rung.objective)} for rung in rungs],
        "entries": lab.problem.entries.count,
        "shape": list(lab.problem.shape),
    }


def _landscape(state: FallState, lab: "KnownMatrix") -> dict[str, np.ndarray]:
    r"""The objective of the largest mode alone, :math:`\frac{c}{2}(s - a)^2 + \lambda N s^{2/N}`."""
    a = float(np.linalg.norm(lab.matrix, 2))
    s = np.linspace(0, 1.25 * a, 300)
    return {"s": s, "objective": _weight(lab) / 2 * (s - a) ** 2 + state.ridge * state.depth * s ** (2 / state.depth)}


def _expected(state: FallState, lab: "KnownMatrix") -> Frame:
    start = _start(replace(state, start="minimum"), lab)  # a jump is one out of a minimum
    dynamics = rs.SGD(state.learning_rate, state.ridge)
    rate = rs.estimate_jump_rate(lab.problem, start, dynamics, steps=400_000, replicas=12, seed=1000)
    low, high = rate.interval
    return Frame("expected", {"mean": rate.mean, "low": low, "high": high, "jumps": rate.jumps, "replicas": 12})


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
