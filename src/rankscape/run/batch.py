"""The runs of one call, together and each alone; a single run is a batch of one."""

from collections.abc import Iterator, Mapping, Sequence

from rankscape.engine import AbstractEngine, State
from rankscape.run.outcome import End
from rankscape.run.watchers.base import Look, Record

# A run has diverged when a product of N numbers of its state could pass this: the square still fits.
OVERFLOW = {"float64": 1e150, "float32": 1e18}


class Batch:
    """An engine and the states from which its runs go; `first` says for each how many steps came before."""

    def __init__(self, engine: AbstractEngine, starts: Sequence[State]):
        self.engine, self.starts = engine, starts
        self.first = [state.step for state in starts]
        self._engines: dict[tuple[int, ...], AbstractEngine] = {}
        setting = engine.settings[0]
        self.limit = OVERFLOW[setting.dtype] ** (1 / setting.depth)

    def of(self, runs: Sequence[int]) -> AbstractEngine:
        """The engine of some of the runs, made once: an engine may hold its own copy of the data."""
        if len(runs) == len(self.starts):
            return self.engine
        chosen = tuple(runs)
        if chosen not in self._engines:
            self._engines[chosen] = type(self.engine)([self.engine.settings[k] for k in runs])
        return self._engines[chosen]

    def look(self, k: int, state: State) -> Look:
        """One of the runs at one of its states."""
        return Look(self.of([k]), state, self.first[k])

    def together(self, ends: Sequence[End | None]) -> Iterator[list[int]]:
        """The runs that have not ended, in groups that stand at the same step: an engine moves them in one call."""
        alive = [k for k, end in enumerate(ends) if end is None]
        for first in dict.fromkeys(self.first[k] for k in alive):
            yield [k for k in alive if self.first[k] == first]

    def records(self, states: Mapping[int, State]) -> dict[int, Record]:
        """What is measured on the states of several runs, in one call: that is what many short runs cost."""
        measured = self.of([*states]).records([*states.values()]) if states else []
        return dict(zip(states, measured, strict=True))

    def last_finite(self, k: int, state: State, stop: int) -> tuple[State, int]:
        """Bisect the steps between a finite state and an infinite one: runs repeat bit for bit."""
        engine = self.of([k])
        while stop - state.step > 1:
            middle = engine.advance([state], (state.step + stop) // 2)[0]
            if middle.within(self.limit):
                state = middle
            else:
                stop = middle.step
        return state, stop
