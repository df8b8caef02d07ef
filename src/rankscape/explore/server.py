"""The application, its port and its end."""

import asyncio
import importlib
import socket
import warnings
import webbrowser
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from rankscape.errors import InputError
from rankscape.explore import pages
from rankscape.explore.connection import LONGEST, Connection
from rankscape.explore.guard import LARGEST, REPORT, Guard
from rankscape.explore.opened import Opened
from rankscape.explore.rooms import ROOMS

LOOPBACK = ("127.0.0.1", "localhost", "::1")

# Answers that are made at the same time.
THREADS = 64

TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


def application(opened: Opened, host: str, port: int, token: str = "") -> Guard:
    """The page as an ASGI application."""

    async def first(_: Request) -> Response:
        return HTMLResponse(pages.first(opened))

    async def room(request: Request) -> Response:
        name = request.path_params["room"]
        if name not in ROOMS:
            return HTMLResponse(pages.missing(), status_code=404)
        return HTMLResponse(pages.room(ROOMS[name], opened))

    async def asset(request: Request) -> Response:
        name = request.path_params["name"]
        content, kind = _ASSETS.get(name, (None, ""))
        if content is None:
            return Response("There is no such file.", 404, media_type="text/plain")
        return Response(content, media_type=kind)

    async def drop(request: Request) -> Response:
        content = bytearray()
        async for part in request.stream():
            content += part
            if len(content) > LARGEST:
                return Response(f"A file may have {LARGEST >> 20} MB here.", 413, media_type="text/plain")
        name = request.query_params.get("name", "table.csv")
        return JSONResponse({"table": await asyncio.to_thread(opened.dropped.keep, name, bytes(content))})

    async def kept(request: Request) -> Response:
        kind, number = request.path_params["kind"], request.path_params["number"]
        path = opened.dropped.result(number, kind)
        if path is None:
            return Response("This is gone: complete the table again.", 404, media_type="text/plain")
        name = request.query_params.get("name", path.name)
        # A report has its styles inside; it is looked at, everything else is saved.
        shown = {"content-security-policy": REPORT} if kind == "report" and "look" in request.query_params else {}
        return FileResponse(path, filename=None if shown else name, headers=shown)

    async def connected(connection: WebSocket) -> None:
        await Connection(connection, opened).serve()

    routes = [
        Route("/", first),
        Route("/assets/{name:path}", asset),
        Route("/drop", drop, methods=["POST"]),
        Route("/kept/{number}/{kind}", kept),
        WebSocketRoute("/socket", connected),
        Route("/{room}", room),
    ]
    names = {host, *LOOPBACK} if host in LOOPBACK else {host}
    hosts = frozenset(f"[{name}]:{port}" if ":" in name else f"{name}:{port}" for name in names)
    return Guard(Starlette(routes=routes), hosts, token)


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


def serve(
    opened: Opened,
    host: str = LOOPBACK[0],
    port: int = 0,
    token: str = "",
    browser: bool = True,
    ready: Callable[[str], None] = print,
) -> None:
    """Serve the page until it is interrupted.

    Parameters
    ----------
    opened : Opened
        What the page may see.
    host : str
        The address to listen on; another than this machine's own needs a token.
    port : int
        0 for any that is free.
    token : str
        What the address must hold; empty for none.
    browser : bool
        Whether to open it.
    ready : callable
        Told the address, once it answers.

    Raises
    ------
    InputError
        Another host without a token, or a port that cannot be had.
    """
    if host not in LOOPBACK and not token:
        raise InputError(f"--host {host} lets other machines in: give a --token that they have to know.")
    try:
        listening = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except (OSError, OverflowError) as error:
        raise InputError(f"Port {port} of {host} cannot be had: {error}.") from None
    port = listening.getsockname()[1]
    shown = f"http://{f'[{host}]' if ':' in host else host}:{port}/"
    app = application(opened, host, port, token)
    settings = uvicorn.Config(
        app, log_level="error", lifespan="off", ws="websockets-sansio", ws_max_size=LONGEST, server_header=False,
        timeout_graceful_shutdown=1, access_log=False,
    )  # fmt: skip
    server = _Server(settings)
    server.told = lambda: _told(shown + opened.room, token, browser, ready)
    try:
        with listening, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what they say, the page says in its own place
            server.run(sockets=[listening])  # raises again what has interrupted it
    finally:
        opened.dropped.close()


def _told(shown: str, token: str, browser: bool, ready: Callable[[str], None]) -> None:
    address = shown + (f"?token={token}" if token else "")
    ready(address)
    if browser:
        webbrowser.open(address)


class _Server(uvicorn.Server):
    """One that says when it answers."""

    told: Callable[[], None]

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        # A live run holds a thread while it waits for its next picture.
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS))
        await super().startup(sockets)
        await asyncio.to_thread(self.told)
        # What makes curves follow a drag is loaded while the page is.
        self._loading = asyncio.get_running_loop().run_in_executor(None, importlib.import_module, "numba")
