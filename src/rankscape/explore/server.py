"""The server: its port, its guard and its end."""

import asyncio
import importlib
import socket
import warnings
import webbrowser
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode

import uvicorn

from rankscape.errors import InputError
from rankscape.explore.connection import LONGEST
from rankscape.explore.guard import Guard
from rankscape.explore.opened import Opened
from rankscape.explore.site import Site

LOOPBACK = ("127.0.0.1", "localhost", "::1")

# Every address of a machine: under which one it is called nobody knows.
EVERYWHERE = ("0.0.0.0", "::")

# Answers that are made at the same time.
THREADS = 64


def guarded(opened: Opened, host: str, port: int, token: str = "") -> Guard:
    """The page behind its guard."""
    names = {host, *LOOPBACK} if host in LOOPBACK else set() if host in EVERYWHERE else {host}
    hosts = frozenset(f"[{name}]:{port}" if ":" in name else f"{name}:{port}" for name in names)
    return Guard(Site(opened).application(), hosts, token)


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
    app = guarded(opened, host, port, token)
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
    address = shown + (f"?{urlencode({'token': token})}" if token else "")
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
