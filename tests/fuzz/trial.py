"""One case is handed in: it answers, it is refused in words, or it is a finding."""

import traceback
import warnings
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np

from rankscape.errors import RankscapeError, RankscapeWarning

from .case import Case

# Where the package lies, to name the place of an error.
SOURCE = Path(__import__("rankscape").__file__).parent


class Door(Protocol):
    """A module in `doors`."""

    def make(self, rng: np.random.Generator) -> Case:
        """A case."""
        ...

    def hand_in(self, case: Case, folder: Path) -> None:
        """Try it; returning is an answer, and what is raised is judged by `trial`."""
        ...


class Wrong(Exception):
    """It answered, and the answer is wrong."""


class Came(NamedTuple):
    """What came of a case: "answered", "refused", or the kind of finding; its words and its place in the code."""

    kind: str
    words: str = ""
    place: str = ""

    @property
    def is_finding(self) -> bool:
        """Whether the house did not hold."""
        return self.kind not in ("answered", "refused")


def trial(door: Door, case: Case, folder: Path) -> Came:
    """Hand in one case."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.simplefilter("ignore", RankscapeWarning)
            warnings.simplefilter("ignore", ResourceWarning)
            door.hand_in(case, folder)
    except RankscapeError as error:
        text = str(error)
        return Came("refused", text) if text.strip() else Came("silent", type(error).__name__, _place(error))
    except Wrong as error:
        return Came("wrong", str(error)[:300], _place(error.__cause__ or error))
    except Warning as error:
        return Came("warned", f"{type(error).__name__}: {error}"[:300], _place(error))
    except BaseException as error:  # a panic of a library in Rust is no Exception
        if isinstance(error, KeyboardInterrupt):
            raise
        return Came("bare", f"{type(error).__name__}: {error}"[:300], _place(error))
    return Came("answered")


def _place(error: BaseException) -> str:
    """The last line of rankscape's own that an error went through; of a finding of ours, the line in the door."""
    ours = [frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename).is_relative_to(SOURCE)]
    if not ours:
        return ""
    return f"{Path(ours[-1].filename).relative_to(SOURCE)}:{ours[-1].lineno} {ours[-1].name}"
