"""A run of the room `fall` under way: it can be paused, changed, gone back in and forked, and made again."""

import time
from collections.abc import Generator, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

import rankscape as rs
from rankscape import theory
from rankscape.errors import RankscapeError
from rankscape.explore.calls import Call, Frame, number
from rankscape.explore.pace import FIRST, PICTURES, Pace
from rankscape.explore.retold import lines
from rankscape.explore.stretches import MOST, SEEDS, Stretch, up_to
from rankscape.ground.checks import positive, whole
from rankscape.ground.final import final

if TYPE_CHECKING:
    from rankscape.data import KnownMatrix
    from rankscape.explore.rooms.fall import FallState
    from rankscape.run.trajectory import Trajectory

# Singular values that are drawn, records a picture, and states that one can go back to.
SHOWN, RECORDS, KEPT = 10, 8, 200

# Steps of a picture where the pace is given.
FASTEST = 10_000_000

# Pictures of a run that is made again, at the least where it is long: its curves are as fine as before.
AGAIN = 60

# Of a run that was altered so often that its link would be too long.
LONG = f"It was altered more than {MOST} times, which no link holds: the lines of Python do."


@final
class Live:
    """From a start on; `past` is made again first, and then it waits to be told to go on."""

    def __init__(self, state: "FallState", lab: "KnownMatrix", call: Call, past: list[Stretch]):
        self._state, self._lab, self._call, self._again = state, lab, call, past
        self._now = Stretch(0, state.ridge, state.learning_rate, state.seed)
        self._pace, self._paused, self._made = Pace(state.pace), False, False
        self._past: list[Stretch] = []
        self._kept: list[tuple[int, Trajectory]] = []

    def frames(self, start: Any) -> Iterator[Frame]:
        """Pictures, until nobody looks or the run ends."""
        self._alter(self._again[0] if self._again else self._now)
        run = self._advance(start, 1)
        yield self._frame(run, 0.0)
        for stretch in self._again:
            self._alter(stretch)
            while run is not None and self._now.end < stretch.end and not self._call.stopped:
                finest = max(FIRST, self._again[-1].end // AGAIN)
                run = yield from self._ahead(run, min(self._pace.fitting, finest, stretch.end - self._now.end))
        if self._again:
            self._alter(replace(self._now, ridge=self._state.ridge, learning_rate=self._state.learning_rate))
            self._paused = self._made = True
        while not self._call.stopped and (run is not None or self._kept):
            back, wrong = self._listen()
            if wrong is not None:
                yield Frame("caution", {"words": wrong})
            if back is not None:
                self._past, self._now = up_to(self._past, back[0]), replace(self._now, end=back[0])
                run = back[1]
                yield Frame("back", {"step": self._now.end})
                yield self._frame(run, 0.0)
            if self._paused or run is None:
                self._call.wait(0.05)
                continue
            run = yield from self._ahead(run, self._pace.steps)
            if self._pace.asked:
                self._call.wait(max(0.0, 1 / PICTURES - self._taken))
            # Of a run that has ended there are states to go back to.
            self._paused = self._paused or run is None

    def _ahead(self, run: "Trajectory", steps: int) -> "Generator[Frame, None, Trajectory | None]":
        """A picture further; nothing where the run has ended."""
        began = time.perf_counter()
        run = self._advance(run, steps)
        self._taken = time.perf_counter() - began
        self._pace.took(steps, self._taken)
        yield self._frame(run, steps / max(self._taken, 1e-9))
        if not run.outcome.good:
            yield Frame("error", {"words": run.message})
            return None
        self._keep(run)
        return run

    def _alter(self, stretch: Stretch) -> None:
        self._now = replace(stretch, end=self._now.end)

    def _advance(self, start: Any, steps: int) -> "Trajectory":
        random, given = isinstance(start, rs.Gaussian), isinstance(start, rs.Factors)
        if not random and not given and start.configuration["seed"] != [self._now.seed]:
            start = rs.Factors(start.factors)  # another seed is another run, from here
        self._now = replace(self._now, end=self._now.end + steps)
        goes_on = bool(self._past) and self._past[-1].same(self._now)
        self._past = [*(self._past[:-1] if goes_on else self._past), self._now]
        return rs.simulate(
            self._lab.problem,
            self._state.depth if random else None,
            self._state.width if random else None,
            initialization=start,
            dynamics=rs.SGD(self._now.learning_rate, self._now.ridge),
            steps=steps,
            record=rs.Every(max(1, steps // RECORDS)),
            seed=self._now.seed,
            monitor=rs.RankMonitor(),
        )

    def _keep(self, run: "Trajectory") -> None:
        """States to go back to: of old ones every second is forgotten when there are many."""
        self._kept.append((self._now.end, run))
        if len(self._kept) > KEPT:
            self._kept = self._kept[: KEPT // 2 : 2] + self._kept[KEPT // 2 :]

    def _listen(self) -> "tuple[tuple[int, Trajectory] | None, str | None]":
        """Do what the page says: a state to go back to, where it says so, and what is wrong with its last words.

        Who types 0.002 says 0 first: what cannot be done is said, and the run goes on as before.
        """
        back, wrong = None, None
        for said in self._call.said():
            try:
                back, wrong = self._hear(said) or back, ""
            except RankscapeError as error:
                wrong = str(error)
        return back, wrong

    def _hear(self, said: dict[str, Any]) -> "tuple[int, Trajectory] | None":
        if "paused" in said:
            self._paused = bool(said["paused"])
        if "pace" in said:
            self._pace.asked = whole("pace", number("pace", said["pace"]), 0, FASTEST)
        for name in {"ridge", "learning_rate"} & set(said):
            self._now = replace(self._now, **{name: positive(name, number(name, said[name]))})
        back = None
        if "back" in said and self._kept:
            wanted = number("back", said["back"])
            back = min(self._kept, key=lambda kept: abs(kept[0] - wanted))
            self._kept = [kept for kept in self._kept if kept[0] <= back[0]]
            # The same again, unless it is told to be another.
            self._now = replace(self._now, seed=back[1].configuration["seed"][0])
        if "fork" in said:
            self._now = replace(self._now, seed=whole("seed", number("fork", said["fork"]), 0, SEEDS))
        return back

    def _frame(self, run: "Trajectory", speed: float) -> Frame:
        seen, now = run.dataset, self._now
        steps = now.end - int(seen.step.values[-1]) + seen.step.values  # each stretch counts from zero
        values = seen.singular_values.values[:, :SHOWN]
        alive = seen.alive_modes.values
        test = self._lab.relative_error(run.product)
        jumps = [[int(steps[-1] - seen.step.values[-1] + at), *counts] for at, *counts in seen.jumps.values.tolist()]
        facts: dict[str, Any] = {
            "step": now.end, "alive": int(alive[-1]), "train": float(2 * seen.loss.values[-1]) ** 0.5, "test": test,
            "jumps": jumps, "speed": speed, "ridge": now.ridge, "learning_rate": now.learning_rate, "seed": now.seed,
            "margins": self._margins(run),
            "past": ",".join(stretch.address for stretch in self._past[:MOST]),
            "again": bool(self._again) and not self._made,
            "note": LONG if len(self._past) > MOST else "",
        }  # fmt: skip
        facts |= lines(self._state, self._past)
        return Frame("run", facts, {"steps": steps, "values": values.T, "alive": alive, "now": values[-1]})

    def _margins(self, run: "Trajectory") -> dict[str, float] | None:
        """Of the set around the live rank that no step of SGD leaves, while errors and norms stay as they are."""
        if self._state.depth < 3:
            return None
        factors, rank = run.factors, int(run.dataset.alive_modes.values[-1])
        error = float(np.abs(self._lab.problem.entries.at(run.product) - self._lab.problem.values).max())
        norm = max(float(np.sum(W**2)) for W in factors)
        try:
            found = theory.absorbing.a_posteriori(rank, len(factors), self._now.ridge, error, norm)
        except RankscapeError:  # of a run that overflows its last finite state is too large for that
            return None
        margins = found.rank_set.margins(factors)
        return {"balance": float(margins.balance), "rank": float(margins.rank), "norm": float(margins.norm)}
