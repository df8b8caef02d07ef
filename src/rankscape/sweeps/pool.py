"""An executor that is waited for with open eyes: who waits in vain is told why, and not for ever."""

import time
import warnings
from collections.abc import Callable, Collection
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass, field
from typing import NamedTuple

from rankscape.errors import RunFailed, WaitingWarning

# Seconds after which it is seen whether anybody works.
LOOK = 1.0

# Seconds of waiting for nobody after which the user is told, and after which the sweep ends.
QUIET, PATIENCE = 60.0, 300.0

# Seconds after which a worker counts as one: others start and die, and each of them would begin the wait anew.
STEADY = 20.0


class Seen(NamedTuple):
    """What can be seen of the workers from here.

    Attributes
    ----------
    workers : collection of str, optional
        Those that are there, by a name that a worker does not share with the one before it; None if nobody can tell.
    answers : bool
        Whether who distributes the batches answers.
    gone : bool
        Whether he is gone for good.
    """

    workers: Collection[str] | None = None
    answers: bool = True
    gone: bool = False


@dataclass
class Pool:
    """An executor, how many batches it is given at a time, and what is known of its workers.

    Attributes
    ----------
    executor : Executor
        Takes batches.
    width : int
        How many at a time.
    renew : callable, optional
        Starts it again when its workers died.
    look : callable
        What can be seen of them.
    remedy : str
        What to look at where there is none.
    patience : float
        Seconds after which a sweep without a worker ends; five minutes if left out.
    work : str
        What is begun again where it ends.
    """

    executor: Executor
    width: int
    renew: Callable[[], Executor] | None = None
    look: Callable[[], Seen] = Seen
    remedy: str = ""
    patience: float | None = None
    work: str = "sweep"
    _since: float = field(default_factory=lambda: time.monotonic())
    _told: bool = False
    _first: dict[str, float] = field(default_factory=dict)  # when each worker was seen first
    _died: int = 0

    def wait(self, futures: Collection[Future]) -> set[Future]:
        """Those that are done, at once when there are some, and after a moment in any case.

        Raises
        ------
        RunFailed
            There has been nobody to do them for too long.
        """
        # With a time limit: a scheduler that vanished leaves futures that never end.
        done = wait(futures, LOOK, FIRST_COMPLETED).done
        if done:
            self._moved()
            self._first, self._died = {}, 0
        if not done or any(future.cancelled() for future in done):
            self._see(self.look())
        return done

    def watch(self, done: Callable[[float], bool]) -> None:
        """Wait until something is done, which is asked for with a time limit, with an eye on the workers.

        Raises
        ------
        RunFailed
            There has been nobody to do it for too long.
        """
        while not done(LOOK):
            self._see(self.look())
        self._moved()

    def _moved(self) -> None:
        self._since, self._told = time.monotonic(), False

    def _see(self, seen: Seen) -> None:
        if seen.gone:
            raise RunFailed(f"The scheduler is gone; what is done stays done. Start the same {self.work} again.")
        now = time.monotonic()
        if seen.workers is None and seen.answers:
            return self._moved()
        if seen.answers and seen.workers is not None:
            self._died += len(self._first.keys() - {*seen.workers})
            self._first = {name: self._first.get(name, now) for name in seen.workers}
            if any(now - first >= STEADY for first in self._first.values()):
                return self._moved()
        waited, patience = now - self._since, PATIENCE if self.patience is None else self.patience
        if waited > patience:
            raise RunFailed(f"{self._why(seen, waited)} What is done stays done: start the same {self.work} again.")
        if waited > QUIET and not self._told:
            self._told = True
            left = _span(patience - waited)
            warnings.warn(f"{self._why(seen, waited)} The sweep ends in {left} if that stays so.", WaitingWarning, 4)

    def _why(self, seen: Seen, waited: float) -> str:
        if not seen.answers:
            what = f"The scheduler has not answered for {_span(waited)}: is its machine stopped, or busy?"
        elif self._died:
            what = f"Workers start and die: {self._died} since the last result, {_span(waited)} ago."
        else:
            what = f"There has been no worker for {_span(waited)}."
        return f"{what} {self.remedy}".strip()


def _span(seconds: float) -> str:
    """Seconds for people.

    >>> _span(61), _span(300), _span(86400)
    ('61 s', '5 min', '24 h')
    """
    if seconds >= 7200:
        return f"{seconds / 3600:.0f} h"
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
