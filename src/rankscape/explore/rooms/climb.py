"""Ranks climb: eigenvalues are learned one after another, at times that can be predicted."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from rankscape import theory
from rankscape.errors import InputError, RankscapeError
from rankscape.explore.calls import MOST, Call, Frame, Room, State
from rankscape.explore.opened import Opened
from rankscape.ground.checks import one_of, positive, whole
from rankscape.ground.final import final
from rankscape.theory.climbing.stopping import effective_rank_of

# Steps that are taken, and points of a curve.
STEPS, POINTS = 10_000_000, 240

# Curves from which on they have fewer points: what is drawn has to follow a drag.
FEW, COARSE = 20, 140

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
    do : {"", "design"}
        Whether a start and a rate are asked for that keep `rank` for `hold` of `steps` steps.
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
        """The spectrum of a full table."""
        if not opened.spectrum:
            return {}
        return {"eigenvalues": ", ".join(f"{value:.6g}" for value in opened.spectrum[:MOST])}

    def frames(self, state: ClimbState, call: Call, opened: Opened) -> Iterator[Frame]:
        """A design where one is asked for; else curves, plateaus, the stopping step, and sentences."""
        if state.do == "design":
            yield _design(state)
            return
        try:
            yield _curves(state)
        except RankscapeError as error:
            yield Frame("error", {"words": str(error)})
        # What takes longer than curves waits until a drag of many eigenvalues rests.
        call.wait(PAUSE_A_MODE * len(state.eigenvalues))
        if not call.stopped:
            yield _plateaus(state)
        call.wait(PAUSE)
        if not call.stopped:
            yield _words(state)


def _curves(state: ClimbState) -> Frame:
    points = POINTS if len(state.eigenvalues) <= FEW else COARSE
    steps = recorded(state.steps, state.axis, points)
    paths = theory.eigenvalue_path(*state.setting, steps=steps, beta=state.beta)
    facts = {"eigenvalues": state.eigenvalues, "axis": state.axis} | lines(state)
    return Frame("curves", facts, {"steps": steps, "paths": paths.T, "rank": effective_rank_of(paths)})


def recorded(last: int, axis: str, points: int = POINTS) -> np.ndarray:
    """Steps that are drawn, increasing, the last one among them.

    >>> recorded(4, "linear").tolist()
    [0, 1, 2, 3, 4]
    """
    if axis == "log":
        return np.unique(np.round(np.geomspace(1, last, points)).astype(np.int64))
    return np.unique(np.linspace(0, last, points + 1).astype(np.int64))


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


def lines(state: ClimbState) -> dict[str, str]:
    """The same in Python and on the command line."""
    beta = "" if state.beta is None else f", beta={state.beta!r}"
    setting = f"{list(state.eigenvalues)!r}, {state.depth}, {state.alpha!r}, {state.learning_rate!r}"
    python = ["import rankscape as rs", "", f"steps = range(0, {state.steps + 1}, {max(1, state.steps // POINTS)})"]
    python += [
        f"paths = rs.theory.eigenvalue_path({setting}, steps=steps{beta})",
        f"plateaus = rs.theory.plateaus({setting}{beta}, tolerance={state.tolerance!r})",
    ]
    if state.rank is not None:
        python.append(
            f"stop = rs.theory.stopping_rule({setting}, rank={state.rank}{beta}, tolerance={state.tolerance!r})"
        )
    shell = [
        f"rankscape plateaus --eigenvalues={','.join(map(repr, state.eigenvalues))} --depth {state.depth}",
        f"--alpha {state.alpha!r} --learning-rate {state.learning_rate!r} --tolerance {state.tolerance!r}",
    ]
    shell += [] if state.beta is None else [f"--beta {state.beta!r}"]
    return {"python": "\n".join(python) + "\n", "shell": " ".join(shell)}
