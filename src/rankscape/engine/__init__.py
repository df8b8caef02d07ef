"""WHO computes it: one contract, one room for each engine; `choose` picks one and says why."""

from rankscape.engine.base import AbstractEngine, Setting, State
from rankscape.engine.choose import choose

__all__ = ["AbstractEngine", "Setting", "State", "choose"]
