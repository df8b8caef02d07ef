"""One socket a page: the newest question of each slot is answered, and what was asked before is dropped."""

import asyncio
import contextlib
import json
from collections.abc import Iterator
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from rankscape.errors import InputError, RankscapeError
from rankscape.explore.calls import Call, Frame
from rankscape.explore.opened import Opened
from rankscape.explore.rooms import ROOMS
from rankscape.ground.final import final

# Characters of a message, and slots of a page: a page of ours needs few.
LONGEST, SLOTS = 2**20, 8

# What a socket raises whose page is closed.
GONE = RuntimeError, WebSocketDisconnect


@final
class Connection:
    """A page that is open.

    Messages of the page are JSON: ``{"ask": 7, "slot": "main", "room": "climb", "state": {...}}`` asks,
    ``{"tell": "main", ...}`` says something to what is under way there, ``{"stop": "main"}`` ends it. Answers are
    frames (`Frame.packed`) that repeat the number of the question.
    """

    def __init__(self, socket: WebSocket, opened: Opened):
        self._socket, self._opened = socket, opened
        self._slots: dict[str, _Slot] = {}

    async def serve(self) -> None:
        """Until the page is closed; then everything that it asked for ends too."""
        await self._socket.accept()
        try:
            while (text := await self._received()) is not None:
                self._hear(json.loads(text) if len(text) <= LONGEST else {})
        except (ValueError, KeyError, RecursionError):  # no page of ours
            with contextlib.suppress(*GONE):
                await self._socket.close(1003)
        finally:
            for slot in self._slots.values():
                slot.end()

    async def _received(self) -> str | None:
        """The next message; None once the page is closed, as it says or as an answer found out before."""
        try:
            return await self._socket.receive_text()
        except GONE:
            return None

    def _hear(self, message: Any) -> None:
        if not isinstance(message, dict):
            raise ValueError(message)
        if "ask" in message:
            name = str(message.get("slot", "main"))
            if name not in self._slots:
                if len(self._slots) >= SLOTS:
                    raise ValueError(name)
                self._slots[name] = _Slot(name, self._socket, self._opened)
            self._slots[name].ask(message)
        elif (slot := self._slots.get(str(message.get("tell", message.get("stop"))))) is not None:
            slot.tell(message) if "tell" in message else slot.stop()


@final
class _Slot:
    """A place of the page that shows one answer."""

    def __init__(self, name: str, socket: WebSocket, opened: Opened):
        self._name, self._socket, self._opened = name, socket, opened
        self._next: dict[str, Any] | None = None
        self._call = Call()
        self._asked = asyncio.Event()
        self._task = asyncio.create_task(self._run())

    def ask(self, message: dict[str, Any]) -> None:
        self._call.stop()
        self._next = message
        self._asked.set()

    def tell(self, message: dict[str, Any]) -> None:
        self._call.tell(message)

    def stop(self) -> None:
        self._call.stop()

    def end(self) -> None:
        self._call.stop()
        self._task.cancel()

    async def _run(self) -> None:
        while True:
            await self._asked.wait()
            self._asked.clear()
            message, self._next = self._next, None
            if message is not None:
                self._call = Call()
                await self._answer(message, self._call)

    async def _answer(self, message: dict[str, Any], call: Call) -> None:
        frames = _answers(message, call, self._opened)
        ask = message["ask"] if isinstance(message["ask"], int) else 0
        try:
            # What is ready is sent, also when a newer question has come: while one drags there always is one.
            while (frame := await asyncio.to_thread(next, frames, None)) is not None:
                await self._socket.send_bytes(frame.packed(ask, self._name))
        except GONE:
            call.stop()


def _answers(message: dict[str, Any], call: Call, opened: Opened) -> Iterator[Frame]:
    """The frames of a room; an error in the page's words ends them."""
    try:
        room = ROOMS.get(str(message.get("room")))
        state = message.get("state")
        if room is None or not isinstance(state, dict):
            raise InputError("There is no such room.")
        for frame in room.frames(room.state.of(state), call, opened):
            yield frame
            if call.stopped:
                break
    except RankscapeError as error:
        yield Frame("error", {"words": str(error)})
    except Exception as error:
        yield Frame("error", {"words": f"A defect of rankscape: {type(error).__name__}. Please report it."})
    if not call.stopped:
        yield Frame("end")
