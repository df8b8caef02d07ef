"""What is told while one waits: the stage in words, facts, and the time left where it is known.

The command line and ``progress=True`` share it. On a terminal one line moves; in a notebook one cell's output changes,
with no widgets to install; anywhere else each stage is a line with its time.
"""

import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias, TypeVar

from rankscape.errors import InputError
from rankscape.ground.final import final

# Seconds between two looks of a notebook, and until the time left is worth telling.
EVERY, EARLY = 0.2, 2.0

_T = TypeVar("_T")

# What a function takes as `progress`: True for this, or a function of one's own.
Wish: TypeAlias = bool | Callable[..., None] | None


class AbstractMeter(ABC):
    """Shows how far something is."""

    def __init__(self):
        self.began = self.since = time.monotonic()
        self.stage = ""
        self.first: tuple[float, float] | None = None

    def came_before(self, stage: str, began: float) -> None:
        """Something was done before this was made: it has begun then, by the monotonic clock."""
        self.stage, self.began, self.since = stage, began, began

    def update(self, stage: str, share: float | None = None, **facts: Any) -> None:
        """Say what is being done, how much of everything is done where that is known, and each fact by its name."""
        now = time.monotonic()
        if stage != self.stage:
            self.turn(self.stage, now - self.since)
            self.stage, self.since = stage, now
        self.show(stage, share, "  ".join(f"{name} {_text(value)}" for name, value in facts.items()))

    def left(self, share: float | None) -> str:
        """Time left, by the pace since the first share that was told; nothing where that says little."""
        now = time.monotonic()
        if share is None:
            return ""
        if self.first is None:  # what is continued begins anywhere
            self.first = now, share
        gone, done = now - self.first[0], share - self.first[1]
        return f"about {_clock(gone * (1 - share) / done)} left" if gone > EARLY and done > 0 and share < 1 else ""

    def turn(self, stage: str, seconds: float) -> None:  # noqa: B027  # most have nothing to do
        """A stage is over; the first one that is over has no name."""

    def close(self) -> None:  # noqa: B027
        """Nothing more will be shown."""

    @abstractmethod
    def show(self, stage: str, share: float | None, facts: str) -> None:
        """Show it."""


@final
class Silent(AbstractMeter):
    """Nothing: nobody is watching."""

    def show(self, stage: str, share: float | None, facts: str) -> None:
        """Nothing."""


@final
class Lines(AbstractMeter):
    """A line on stderr for each stage, with its time, when it is over."""

    facts = ""

    def show(self, stage: str, share: float | None, facts: str) -> None:
        """Keep what the line will say."""
        self.facts = facts

    def turn(self, stage: str, seconds: float) -> None:
        """The line."""
        if stage:
            print(f"{seconds:8.1f} s  {stage}" + (f"  ({self.facts})" if self.facts else ""), file=sys.stderr)

    def close(self) -> None:
        """The last stage, and how long all took."""
        if not self.stage:
            return
        self.turn(self.stage, time.monotonic() - self.since)
        print(f"{time.monotonic() - self.began:8.1f} s  in all", file=sys.stderr)


@final
class Terminal(AbstractMeter):
    """One line that moves: a spinner, the stage and its time; a bar only where the share is known."""

    def __init__(self):
        super().__init__()
        from rich.console import Console
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
        from rich.table import Column

        console = Console(stderr=True)
        fixed = lambda width: Column(no_wrap=True, min_width=width, max_width=width)  # a long stage takes none of it
        spinner, elapsed = SpinnerColumn("line", table_column=fixed(1)), TimeElapsedColumn(fixed(7))  # both move
        bar = BarColumn(bar_width=None, table_column=Column(min_width=6, max_width=24, ratio=1))
        stage, clock, facts = (
            TextColumn(f"{{task.fields[{name}]}}", markup=False, table_column=Column(no_wrap=True, overflow="ellipsis"))
            for name in ("stage", "clock", "facts")
        )
        self.plain = Progress(spinner, elapsed, stage, facts, console=console, transient=True)
        self.known = Progress(spinner, elapsed, stage, bar, clock, facts, console=console, transient=True)
        self.shown: Any = None

    def show(self, stage: str, share: float | None, facts: str) -> None:
        """Move the line."""
        wanted = self.plain if share is None else self.known
        if self.shown is not wanted:
            self.close()
            self.shown = wanted
            self.task = wanted.add_task("", total=1.0, stage="", clock="", facts="")
            wanted.start()
        clock = "" if share is None else f"{share:4.0%} {self.left(share)}".rstrip()
        self.shown.update(self.task, completed=share or 0.0, stage=stage, clock=clock, facts=facts)

    def close(self) -> None:
        """Take the line away."""
        if self.shown is not None:
            self.shown.stop()


@final
class Notebook(AbstractMeter):
    """The output of a cell, which changes; plain text in a bare element, readable in light and dark."""

    def __init__(self, display: Callable[..., Any]):
        super().__init__()
        self.handle = display({"text/plain": ""}, raw=True, display_id=True)
        self.seen = 0.0

    def show(self, stage: str, share: float | None, facts: str) -> None:
        """Change the output, a few times a second."""
        if time.monotonic() - self.seen < EVERY and stage != "done":
            return
        self.seen = time.monotonic()
        known = [] if share is None else [f"{share:.0%}", self.left(share)]
        words = [stage, *known, _clock(time.monotonic() - self.began), facts]
        self._put(" · ".join(word for word in words if word))

    def close(self) -> None:
        """How long all took."""
        self._put(f"done in {_clock(time.monotonic() - self.began)}")

    def _put(self, text: str) -> None:
        from html import escape

        self.handle.update({"text/plain": text, "text/html": f"<small>{escape(text)}</small>"}, raw=True)


@contextmanager
def meter(quiet: bool = False, verbose: bool = False, always: bool = False) -> Iterator[AbstractMeter]:
    """Where progress is shown: on a terminal; a line a stage if `verbose`, or if `always` and there is no terminal."""
    shown = _made(quiet, verbose, always)
    try:
        yield shown
    finally:
        shown.close()


@contextmanager
def told(progress: Wish, adapt: Callable[[AbstractMeter], _T]) -> Iterator[_T | Callable[..., None] | None]:
    """What to call while something works: what the caller gave, or a meter adapted to the call if that was True.

    Raises
    ------
    InputError
        `progress` is neither a truth nor a function.
    """
    if progress is None or progress is False:
        yield None
    elif progress is True:
        with meter(always=True) as shown:
            yield adapt(shown)
    elif callable(progress):
        yield progress
    else:
        raise InputError(f"`progress` must be True or a function, got {progress!r}.")


def _made(quiet: bool, verbose: bool, always: bool) -> AbstractMeter:
    if quiet:
        return Silent()
    if verbose:
        return Lines()
    display = _display() if always else None
    if display is not None:
        return Notebook(display)
    if sys.stderr.isatty():
        return Terminal()
    return Lines() if always else Silent()


def _display() -> Callable[..., Any] | None:
    """What shows something in the notebook that runs this, if one does."""
    shell = sys.modules.get("IPython")
    current = None if shell is None else shell.get_ipython()
    if current is None or not hasattr(current, "kernel"):
        return None
    from IPython.display import display  # pyright: ignore[reportMissingImports]

    return display


def _text(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _clock(seconds: float) -> str:
    """
    >>> _clock(9.4), _clock(75), _clock(4000)
    ('9 s', '1:15', '1:06:40')
    """
    whole = round(seconds)
    hours, rest = divmod(whole, 3600)
    if hours:
        return f"{hours}:{rest // 60:02}:{rest % 60:02}"
    return f"{rest // 60}:{rest % 60:02}" if rest >= 60 else f"{rest} s"
