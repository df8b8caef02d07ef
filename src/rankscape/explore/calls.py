"""What a room is asked and answers."""

import json
import queue
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import Field, dataclass, field, fields
from types import UnionType
from typing import Any, ClassVar, Self, get_args

import numpy as np

from rankscape.errors import InputError
from rankscape.explore.opened import Opened
from rankscape.ground.as_json import plain
from rankscape.ground.checks import whole
from rankscape.ground.final import final


@final
@dataclass(frozen=True, eq=False)
class Frame:
    """One picture or one set of sentences, on its way to the page.

    Attributes
    ----------
    kind : str
        What the page does with it.
    facts : dict
        What JSON can hold.
    arrays : dict
        Numbers to draw; as float32, for no screen shows more.
    """

    kind: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    arrays: Mapping[str, np.ndarray] = field(default_factory=dict)

    def packed(self, ask: int, slot: str) -> bytes:
        """Length of the head, the head as JSON, the arrays one behind the other.

        >>> Frame("curves", {"rank": 2}, {"x": np.ones(3)}).packed(7, "main")[4:28]
        b'{"ask": 7, "slot": "main'
        """
        arrays = {name: np.ascontiguousarray(values, dtype="<f4") for name, values in self.arrays.items()}
        shapes = {name: values.shape for name, values in arrays.items()}
        head = {"ask": ask, "slot": slot, "kind": self.kind, "facts": plain(self.facts), "arrays": shapes}
        text = json.dumps(head, allow_nan=False).encode()
        text += b" " * (-len(text) % 4)  # arrays begin at a multiple of four, as browsers ask for
        return len(text).to_bytes(4, "little") + text + b"".join(values.tobytes() for values in arrays.values())


@final
class Call:
    """One question under way: whether it is still wanted, and what the page says meanwhile."""

    def __init__(self) -> None:
        self._stopped = threading.Event()
        self._said: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()

    @property
    def stopped(self) -> bool:
        """Whether nobody waits for an answer any more."""
        return self._stopped.is_set()

    def stop(self) -> None:
        """Nobody does."""
        self._stopped.set()

    def wait(self, seconds: float) -> None:
        """Sleep, and no longer than the answer is wanted."""
        self._stopped.wait(seconds)

    def tell(self, message: dict[str, Any]) -> None:
        """Hand over what the page says."""
        self._said.put(message)

    def said(self) -> Iterator[dict[str, Any]]:
        """What the page has said since the last time."""
        while not self._said.empty():
            yield self._said.get()


@dataclass(frozen=True)
class State:
    """What an address holds: flat, and every field has a default."""

    @classmethod
    def of(cls, query: Mapping[str, Any]) -> Self:
        """The state of an address; a field that it does not name keeps its default, unknown ones are left alone."""
        return cls(**{item.name: read(item, query[item.name]) for item in fields(cls) if item.name in query})

    @property
    def address(self) -> dict[str, str]:
        """What differs from the defaults, as text."""
        start = type(self)()
        items = {item.name: (getattr(self, item.name), getattr(start, item.name)) for item in fields(self)}
        return {name: self.write(value) for name, (value, usual) in items.items() if value != usual}

    @staticmethod
    def write(value: Any) -> str:
        """A value as an address has it."""
        if isinstance(value, tuple):
            return ",".join(map(State.write, value))
        return repr(value) if isinstance(value, float) else str(value)


class Room(ABC):
    """One view of the page.

    Attributes
    ----------
    name, title, sentence : str
        In the address, in the heading, and below it.
    state : type
        What its address holds.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    sentence: ClassVar[str]
    state: ClassVar[type[State]]

    @abstractmethod
    def frames(self, state: Any, call: Call, opened: Opened) -> Iterator[Frame]:
        """The answer, in parts: what is quick first; what is no longer wanted (``call.stopped``) is not computed."""

    def prepare(self) -> None:  # noqa: B027
        """Load what its answers are made with, while its page is on the way to the browser."""

    def start(self, opened: Opened) -> dict[str, str]:
        """The fields of an address with which the page opens what was named at the start."""
        return {}


# What an address says where a field has no value.
NOTHING = (None, "", "none", "None")

# Numbers that one field may hold.
MOST = 200


def read(field: Field[Any], value: Any) -> Any:
    """The value of a field, of its type, from what people typed.

    >>> from dataclasses import make_dataclass
    >>> [read(item, "3") for item in fields(make_dataclass("A", [("n", int), ("x", float | None), ("word", str)]))]
    [3, 3.0, '3']
    """
    kinds = get_args(field.type) if isinstance(field.type, UnionType) else (field.type,)
    if type(None) in kinds and value in NOTHING:
        return None
    if str in kinds:
        return str(value)
    if int in kinds:
        return whole(field.name, number(field.name, value), 0)
    return number(field.name, value) if float in kinds else numbers(field.name, value, MOST)


def number(name: str, value: Any) -> float:
    """A number as people type it in an address or a field."""
    try:
        return float(value)
    except (TypeError, ValueError):
        raise InputError(f"`{name}` must be a number, got {str(value)[:40]!r}.") from None


def numbers(name: str, value: Any, most: int) -> tuple[float, ...]:
    """Numbers between commas or blanks, or a list of them.

    >>> numbers("eigenvalues", "5, 3 1.5", 10)
    (5.0, 3.0, 1.5)
    """
    pieces = value if isinstance(value, list | tuple) else str(value).replace(",", " ").split()
    if len(pieces) > most:
        raise InputError(f"`{name}` holds {len(pieces):,} numbers; at most {most:,} are drawn.")
    return tuple(number(name, piece) for piece in pieces)
