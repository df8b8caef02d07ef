"""What is found under which address."""

import asyncio
import contextlib
from dataclasses import dataclass
from importlib.resources import files

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from rankscape.errors import RankscapeError
from rankscape.explore import pages
from rankscape.explore.calls import Room
from rankscape.explore.connection import Connection
from rankscape.explore.guard import LARGEST, REPORT, TOO_LARGE, drain
from rankscape.explore.opened import Opened
from rankscape.explore.rooms import ROOMS
from rankscape.ground.final import final

TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


@final
@dataclass(frozen=True)
class Site:
    """The page of one server."""

    opened: Opened

    def application(self) -> Starlette:
        """Its routes."""
        return Starlette(
            routes=[
                Route("/", self.first),
                Route("/assets/{name:path}", self.asset),
                Route("/drop", self.drop, methods=["POST"]),
                Route("/kept/{number}/{kind}", self.kept),
                WebSocketRoute("/socket", self.connected),
                Route("/{room}", self.room),
            ]
        )

    async def first(self, _: Request) -> Response:
        """The door to all rooms."""
        return HTMLResponse(pages.first(self.opened))

    async def room(self, request: Request) -> Response:
        """One of them."""
        name = request.path_params["room"]
        if name not in ROOMS:
            return HTMLResponse(pages.missing(), status_code=404)
        asyncio.get_running_loop().run_in_executor(None, _prepared, ROOMS[name])
        return HTMLResponse(pages.room(ROOMS[name], self.opened))

    async def asset(self, request: Request) -> Response:
        """A script or a style."""
        content, kind = _ASSETS.get(request.path_params["name"], (None, ""))
        if content is None:
            return Response("There is no such file.", 404, media_type="text/plain")
        return Response(content, media_type=kind)

    async def drop(self, request: Request) -> Response:
        """Keep a file that was dropped; its number."""
        content = bytearray()
        async for part in request.stream():
            content += part
            if len(content) > LARGEST:
                await drain(request.receive)
                return Response(TOO_LARGE, 413, media_type="text/plain")
        name = request.query_params.get("name", "table.csv")
        return JSONResponse({"table": await asyncio.to_thread(self.opened.dropped.keep, name, bytes(content))})

    async def kept(self, request: Request) -> Response:
        """What was made of a table; a report can be looked at, with the styles that are inside."""
        kind, number = request.path_params["kind"], request.path_params["number"]
        path = self.opened.dropped.result(number, kind)
        if path is None:
            return Response("This is gone: complete the table again.", 404, media_type="text/plain")
        name = request.query_params.get("name", path.name)
        shown = {"content-security-policy": REPORT} if kind == "report" and "look" in request.query_params else {}
        return FileResponse(path, filename=None if shown else name, headers=shown)

    async def connected(self, connection: WebSocket) -> None:
        """The socket of a page."""
        await Connection(connection, self.opened).serve()


def _prepared(room: Room) -> None:
    with contextlib.suppress(RankscapeError):  # a part that is missing is said where it is asked for
        room.prepare()


def _assets() -> dict[str, tuple[bytes, str]]:
    """What the page loads, read once: no path from outside ever opens a file."""
    found, left = {}, [("", files("rankscape.explore") / "assets")]
    while left:
        where, folder = left.pop()
        for item in folder.iterdir():
            if item.is_dir():
                left.append((f"{where}{item.name}/", item))
            elif (kind := TYPES.get(f".{item.name.rpartition('.')[2]}")) is not None:
                found[where + item.name] = item.read_bytes(), kind
    return found


_ASSETS = _assets()
