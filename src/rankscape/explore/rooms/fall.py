"""Ranks fall: SGD with a ridge, live, and never back."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rankscape import data
from rankscape.explore.calls import Call, Frame, Room, State
from rankscape.explore.falling import expected, first_run, ladder, landscape, modes_of, start_of
from rankscape.explore.live import FASTEST, Live
from rankscape.explore.opened import Opened
from rankscape.explore.retold import lines
from rankscape.explore.stretches import stretches
from rankscape.explore.workers import frames_of
from rankscape.ground.checks import one_of, positive, whole
from rankscape.ground.final import final

if TYPE_CHECKING:
    from rankscape.data import KnownMatrix

# Rows and columns of a matrix.
LARGEST = 200


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
    past : str
        What the run has been through, as `stretches` reads it: made again first.
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
    past: str = ""

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

    def prepare(self) -> None:
        """The first run of a server loads for seconds, on a busy machine for many: a small one is made ahead."""
        first_run()

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
        past = stretches(state.past)
        first = replace(state, ridge=past[0].ridge, learning_rate=past[0].learning_rate) if past else state
        yield Frame("begin", lines(first, past))
        start, caution = start_of(first, lab, lambda: call.stopped)
        if call.stopped:
            return
        if caution:
            yield Frame("caution", {"words": caution})
        yield from Live(state, lab, call, past).frames(start)
