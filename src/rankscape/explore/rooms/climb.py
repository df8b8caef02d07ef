"""Ranks climb: eigenvalues are learned one after another, at times that can be predicted."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rankscape import theory
from rankscape.errors import InputError, RankscapeError
from rankscape.explore.calls import Call, Frame, Room, State
from rankscape.explore.climbed import lines, points_of, recorded
from rankscape.explore.opened import Opened
from rankscape.explore.spectra import spectrum
from rankscape.explore.workers import frames_of
from rankscape.ground.checks import one_of, positive, whole
from rankscape.ground.final import final
from rankscape.theory.climbing.stopping import effective_rank_of

# Steps that are taken.
STEPS = 10_000_000

# How far a run that overflows is followed, in units of its largest eigenvalue; and the end of what is drawn.
FAR, BEYOND = 10.0, 1e37

# Eigenvalues whose times are told.
LISTED = 30

# Seconds without a new setting before sentences are made; and before plateaus are, for each eigenvalue.
PAUSE, PAUSE_A_MODE = 0.2, 0.001


@final
@dataclass(frozen=True)
class ClimbState(State):
    """Of a run from a (perturbed) identical start.

    Attributes
    ----------
    eigenvalues : tuple of float
        Of the target.
    depth, alpha, beta, learning_rate, steps
        As in `theory.plateaus`; `beta` None for the identical start.
    tolerance : float
        How near to their target modes count as learned.
    rank : int, optional
        Where to stop.
    axis : {"linear", "log"}
        Of the steps.
    do : {"", "design", "spectrum"}
        Whether a start and a rate are asked for that keep `rank` for `hold` of `steps` steps, or a spectrum.
    matrix : str
        Whose spectrum: "opened" for what was named at the start, the name of a data set, or the number of a
        dropped file.
    """

    eigenvalues: tuple[float, ...] = (5.0, 3.0, 1.5)
    depth: int = 3
    alpha: float = 0.1
    beta: float | None = None
    learning_rate: float = 1e-3
    steps: int = 8000
    tolerance: float = 0.05
    rank: int | None = None
    axis: str = "linear"
    do: str = ""
    hold: int = 500
    matrix: str = ""

    def __post_init__(self) -> None:
        if not self.eigenvalues:
            raise InputError("`eigenvalues` is empty: give the eigenvalues of the target, as 5, 3, 1.5.")
        one_of("axis", self.axis, ("linear", "log"))
        for name in ("depth", "hold"):
            whole(name, getattr(self, name), 1)
        if self.rank is not None:
            whole("rank", self.rank, 1)
        positive("alpha", self.alpha)
        positive("learning_rate", self.learning_rate)
        whole("steps", self.steps, 2, STEPS)

    @property
    def setting(self) -> tuple[Any, ...]:
        """Eigenvalues, depth, alpha, learning rate: how the functions of `theory` take them."""
        return self.eigenvalues, self.depth, self.alpha, self.learning_rate


@final
class Climb(Room):
    """Curves first, then what is guaranteed, then what is easily got wrong."""

    name = "climb"
    title = "Climb"
    sentence = "Gradient descent learns one eigenvalue after another: when does each rank hold, and where to stop?"
    state = ClimbState

    def start(self, opened: Opened) -> dict[str, str]:
        """The spectrum of what was named is asked for by the page: it may take a while."""
        return {"matrix": "opened"} if opened.kind in ("table", "model") else {}

    def frames(self, state: ClimbState, call: Call, opened: Opened) -> Iterator[Frame]:
        """A design where one is asked for; else curves, plateaus, the stopping step, and sentences."""
        if state.do == "design":
            yield _design(state)
            return
        if state.do == "spectrum":
            yield from frames_of(spectrum, opened.source(state.matrix), call)
            return
        try:
            yield _curves(state)
        except RankscapeError as error:
            last = _last_finite(state)
            if last >= 2:  # what happens until then is seen
                yield _curves(replace(state, steps=last), FAR)
            yield Frame("error", {"words": str(error)})
        # What takes longer than curves waits until a drag of many eigenvalues rests.
        call.wait(PAUSE_A_MODE * len(state.eigenvalues))
        if not call.stopped:
            yield _plateaus(state)
        call.wait(PAUSE)
        if not call.stopped:
            yield _times(state, call)
        if not call.stopped:
            yield _words(state)


def _curves(state: ClimbState, far: float | None = None) -> Frame:
    """Of a run that leaves the range of floats, as long as it is no further than `far` times its target from zero."""
    steps = recorded(state.steps, state.axis, points_of(state))
    paths = theory.eigenvalue_path(*state.setting, steps=steps, beta=state.beta)
    if far is not None:
        beyond = np.abs(paths).max(axis=1) > far * max(map(abs, [*state.eigenvalues, state.alpha**state.depth]))
        near = max(2, int(beyond.argmax())) if beyond.any() else len(steps)
        steps, paths = steps[:near], np.clip(paths[:near], -BEYOND, BEYOND)
    facts = {"eigenvalues": state.eigenvalues, "axis": state.axis} | lines(state)
    return Frame("curves", facts, {"steps": steps, "paths": paths.T, "rank": effective_rank_of(paths)})


def _last_finite(state: ClimbState) -> int:
    """The last step before a path leaves the range of floats; none where there is no first step either."""
    low, high = 0, state.steps
    while high - low > 1:
        middle = (low + high) // 2
        try:
            theory.eigenvalue_path(*state.setting, steps=[middle], beta=state.beta)
            low = middle
        except RankscapeError:
            high = middle
    return low


def _plateaus(state: ClimbState) -> Frame:
    found = theory.plateaus(*state.setting, beta=state.beta, tolerance=state.tolerance)
    facts: dict[str, Any] = {
        "plateaus": [
            {"rank": p.rank, "start": p.start, "end": p.end, "guaranteed": p.guaranteed, "failed": p.failed}
            | {"effective_rank": p.effective_rank}
            for p in found
        ]
    }
    if state.rank is not None:
        rule = theory.stopping_rule(*state.setting, rank=state.rank, beta=state.beta, tolerance=state.tolerance)
        facts["stop"] = {"step": rule.step, "failed": rule.failed}
    return Frame("plateaus", facts)


def _times(state: ClimbState, call: Call) -> Frame:
    """Between which steps each eigenvalue comes within the tolerance of its target."""
    times = []
    for value in state.eigenvalues[:LISTED]:
        if call.stopped:
            break
        level = (1 - state.tolerance) * value
        time = theory.hitting_time(value, level, *state.setting[1:], beta=state.beta)
        times.append({"eigenvalue": value, "lower": time.lower, "upper": time.upper, "failed": time.failed})
    return Frame("times", {"times": times, "of": len(state.eigenvalues)})


def _words(state: ClimbState) -> Frame:
    found = theory.diagnose(*state.setting, beta=state.beta)
    return Frame("words", {"findings": [{"severity": f.severity, "words": f.message} for f in found]})


def _design(state: ClimbState) -> Frame:
    rank = whole("rank", state.rank or 0, 1)
    ratio = None if state.beta is None else state.beta / state.alpha
    found = theory.design(
        state.eigenvalues, rank, state.depth, state.hold, state.steps, tolerance=state.tolerance, beta_ratio=ratio
    )
    facts = {"alpha": found.alpha, "beta": found.beta, "learning_rate": found.learning_rate, "failed": found.failed}
    return Frame("design", facts | {"steps": found.steps})
