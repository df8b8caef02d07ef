"""The one loop: advance to the next stop, let the watchers look, record, go on.

States count the steps of the whole run; everything else counts from where this call of `simulate` began.
"""

from collections.abc import Sequence

import numpy as np

from rankscape.engine import State
from rankscape.run.batch import Batch
from rankscape.run.continuing import Continuation
from rankscape.run.ending import no_gradient
from rankscape.run.outcome import End, Outcome
from rankscape.run.watchers.base import AbstractWatcher, Record, RunState


class Loop:
    """Takes a batch over a fixed grid of chunks and records."""

    def __init__(self, batch: Batch, steps: int, schedule: np.ndarray, chunk: int, watchers: Sequence[AbstractWatcher]):
        self.batch, self.steps, self.chunk, self.watchers = batch, steps, chunk, watchers
        self.schedule = set(schedule.tolist())
        looks = [watcher.looks(steps, batch.engine) for watcher in watchers]
        self.stops = np.unique(np.concatenate([schedule, np.arange(chunk, steps, chunk), [steps], *looks]))

    def run(self, before: Sequence[Continuation | None]) -> RunState:
        """To the end, from the start or from where a watcher kept an earlier process; `before` are runs continued."""
        restored = (watcher.restore() for watcher in self.watchers)
        now = next((kept for kept in restored if kept is not None), None) or self._begin(before)
        try:
            self._go(now)
        except (KeyboardInterrupt, SystemExit):
            for watcher in self.watchers:
                watcher.interrupted()
            raise
        return now

    def _go(self, now: RunState) -> None:
        # Runs that ended early stand behind; those that are alive stand together, at the last stop.
        step = max(state.step - first for state, first in zip(now.states, self.batch.first, strict=True))
        for stop in self.stops[np.searchsorted(self.stops, step, side="right") :].tolist():
            if None not in now.ends:
                break
            self._advance(now, stop)
            step = stop
            if stop % self.chunk == 0 and stop != self.steps:
                self._pause(now, stop, last=False)
        self._pause(now, step, last=True)

    def _begin(self, before: Sequence[Continuation | None]) -> RunState:
        starts = self.batch.starts
        now = RunState(list(starts), [[] for _ in starts], [None for _ in starts], [{} for _ in starts])
        for k, (state, run) in enumerate(zip(starts, before, strict=True)):
            if not state.within(self.batch.limit):
                now.ends[k] = End(Outcome.DIVERGED, 0)
                continue
            look, kept = self.batch.look(k, state), {} if run is None else run.memories
            begun = {watcher.name: watcher.begin(look, kept.get(watcher.name)) for watcher in self.watchers}
            now.memories[k].update({name: memory for name, memory in begun.items() if memory})
        if 0 in self.schedule:
            finite = {k: now.states[k] for k, end in enumerate(now.ends) if end is None}
            for k, record in self.batch.records(finite).items():
                self._record(now, k, record)
        return now

    def _pause(self, now: RunState, step: int, last: bool) -> None:
        for watcher in self.watchers:
            watcher.pause(now, self.batch.engine, step, last)

    def _advance(self, now: RunState, stop: int) -> None:
        """Move all runs that have not ended to `stop`; find the step of those that diverge on the way."""
        for runs in self.batch.together(now.ends):
            engine, goal = self.batch.of(runs), self.batch.first[runs[0]] + stop
            moved = engine.advance([now.states[k] for k in runs], goal)
            finite = engine.within(moved, self.batch.limit)
            reached = {k: state for k, state, fine in zip(runs, moved, finite, strict=True) if fine}
            records = self.batch.records(reached) if stop in self.schedule else {}
            for k in runs:
                if k in reached:
                    before, now.states[k] = now.states[k], reached[k]
                    # Seen first, recorded then: a record holds what was found on the way to it.
                    self._see(now, k, before)
                    if k in records or now.ends[k] is not None:
                        self._record(now, k, records.get(k))
                else:
                    self._diverge(now, k, goal)

    def _see(self, now: RunState, k: int, before: State) -> None:
        """Let the watchers look at the way from the state `before`."""
        if not self.watchers:  # looks cost more than the steps of short runs
            return
        then, here = self.batch.look(k, before), self.batch.look(k, now.states[k])
        for watcher in self.watchers:
            self._stop(now, k, watcher.see(then, here, now.memories[k].get(watcher.name, {})))

    def _stop(self, now: RunState, k: int, reason: str | None) -> None:
        """The first watcher that has a reason ends the run."""
        if reason is not None and now.ends[k] is None:
            now.ends[k] = End(Outcome.STOPPED, now.states[k].step - self.batch.first[k], reason)

    def _diverge(self, now: RunState, k: int, stop: int) -> None:
        """Go back to the last finite state, and record it where the run had not been recorded since: how it went up."""
        first = self.batch.first[k]
        state, overflow = self.batch.last_finite(k, now.states[k], stop)
        reason = no_gradient(self.batch.engine.settings[k].problem, self.batch.of([k]).factors(state))
        now.states[k], now.ends[k] = state, End(Outcome.DIVERGED, overflow - first, reason)
        if not now.records[k] or now.records[k][-1][0] < state.step - first:
            self._record(now, k)

    def _record(self, now: RunState, k: int, record: Record | None = None) -> None:
        """Keep what the engine measures, and the watchers; one may end the run for what it finds there."""
        state = now.states[k]
        if record is None:
            record = self.batch.of([k]).record(state, self.batch.engine.settings[k])
        if self.watchers:
            look = self.batch.look(k, state)
            for watcher in self.watchers:
                added = watcher.record(look, now.memories[k].get(watcher.name, {}), now.ends[k])
                # Rows of a shared table stay rows where nothing is added: thousands of dictionaries would cost more.
                record = {**record, **added} if added else record
        now.records[k].append((state.step - self.batch.first[k], record))
        if now.ends[k] is None:
            for watcher in self.watchers:
                self._stop(now, k, watcher.judge(now.records[k], self.batch.first[k]))
