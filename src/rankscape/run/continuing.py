"""What a run that goes on takes along: 100 steps and 100 more are 200, bit for bit.

Everything that decides the next step lies in the `State` of an engine: what moves, what is remembered beside it, and
the step, which addresses the random numbers and the paths of rates. So a run is continued by handing its last state to
the same engine. Where settings changed in between, what means the same under the new ones is kept, and the rest is
said.
"""

import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rankscape.dynamics import SGD, AbstractDynamics
from rankscape.engine import AbstractEngine, Setting, State
from rankscape.engine.choose import load
from rankscape.errors import FallbackWarning
from rankscape.ground.fingerprint import of_arrays
from rankscape.initialization import AbstractInitialization, Factors
from rankscape.run.checkpoint import differences
from rankscape.run.watchers.base import Memory


@dataclass(frozen=True, eq=False)
class Continuation:
    """One run at its end, with all that a later call needs to go on from there."""

    state: State
    factors: list[np.ndarray]  # float64: where another engine begins
    start: AbstractInitialization  # a state of modes needs it: it says whose modes they are
    origin: Mapping[str, Any]  # how the first start describes itself, kept through all continuations
    seed: int
    drawn: int  # observations that SGD has drawn from its stream
    remembers: str  # what of the dynamics the memory of the state holds (`AbstractEngine.remembers`)
    settings: Mapping[str, Any]  # what is `compared` with the run that goes on
    memories: Mapping[str, Memory]  # of watchers

    def describe(self) -> dict[str, Any]:
        """The step, a digest of the state, and the first start, as JSON."""
        digest = of_arrays(*self.state.moving, *self.state.memory)
        told = {"step": self.state.step, "drawn": self.drawn, "state": digest, "start": dict(self.origin)}
        return {"kind": "Continued"} | told

    def setting(self, setting: Setting, asked: str, problem: Mapping[str, Any]) -> Setting:
        """The setting of the run that goes on; `asked` is the engine that the user asks for.

        Modes stay modes as long as the engine that knows them goes on; otherwise the run begins at its factors.
        """
        onwards = replace(setting, initialization=self.start)
        kind = self.engine_for(onwards, problem)
        # An engine that is not tied goes on from its factors as well, and they are right whatever the seed is now.
        if kind is not None and kind.tied and asked in ("auto", kind.name):
            return onwards
        return replace(setting, initialization=Factors(self.factors))

    def engine_for(self, setting: Setting, problem: Mapping[str, Any]) -> type[AbstractEngine] | None:
        """The engine of this run, if it can go on under the new setting with what moves."""
        kind = load(self.settings["engine"])
        fits = setting.dtype == self.settings["dtype"] and (problem == self.settings["problem"] or not kind.tied)
        return kind if fits and kind.obstacle(setting) is None else None

    def carried(self, engine: AbstractEngine, setting: Setting, problem: Mapping[str, Any]) -> tuple[State, str]:
        """The state from which the engine goes on, and a sentence that says what was kept."""
        step, new = self.state.step, compared(engine.name, setting, problem)
        changes = differences({**self.settings, "seed": self.seed}, {**new, "seed": setting.seed})
        said = "; ".join([f"continued from step {step}", *(changes or ["nothing changed"])])
        kept = False
        if self.engine_for(setting, problem) is not type(engine):
            state = engine.begin(setting, self.factors, step)
        elif engine.remembers(setting) != self.remembers:
            # From what moves, not from the factors: these are float64, and of modes they would be matrices.
            state = engine.begin(setting, self.state.moving, step)
        else:
            state, kept = self.state, True
        # All that the solver of a flow forgets is how long its last step was.
        if self.remembers and not kept and self.settings["dynamics"]["kind"] != "GradientFlow":
            said += f"; what {self.settings['dynamics']['kind']} remembered of the way is dropped"
            warnings.warn(f"{said}: only the same dynamics can use it.", FallbackWarning, stacklevel=5)
        return state, said


def compared(engine: str, setting: Setting, problem: Mapping[str, Any]) -> dict[str, Any]:
    """What is compared between a run and the one that continues it, as JSON; `problem` describes itself."""
    found = {"engine": engine, "dtype": setting.dtype, "problem": problem, "dynamics": setting.dynamics.describe()}
    return json.loads(json.dumps(found))  # stored runs know lists where others know tuples


def drawn(setting: Setting, step: int, before: Continuation | None) -> int:
    """Observations that a run at this step has drawn from its stream, with those of the runs before it."""
    if isinstance(setting.dynamics, SGD):
        return setting.dynamics.batch_size * step + setting.offset
    return 0 if before is None else before.drawn


def offset(dynamics: AbstractDynamics, before: Continuation) -> int:
    """What brings the stream of a new batch size to where the old one ended: no draw is made twice."""
    return before.drawn - dynamics.batch_size * before.state.step if isinstance(dynamics, SGD) else 0
