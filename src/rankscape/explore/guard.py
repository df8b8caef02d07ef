"""Who may ask, and what the page may load.

The page listens on this machine, where other pages in the same browser can reach it by its address: they are told by
their Host and Origin, which they cannot choose.
"""

import asyncio
import contextlib
import hashlib
import hmac
import re
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qsl, urlencode

from rankscape.ground.final import final

# Everything from here, nothing from elsewhere, no script in the page itself.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
# A report is a page of its own, with its styles inside and no script.
REPORT = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'"
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}

# Where the browser keeps the token once it was in an address.
COOKIE = "rankscape-token"

# Bytes of an upload.
LARGEST = 64 * 2**20
TOO_LARGE = f"A file may have {LARGEST >> 20} MB here: use the command line for larger ones."

# Seconds for which what is refused is still listened to.
PATIENCE = 3.0

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


@final
@dataclass(frozen=True)
class Guard:
    """Stands before the application.

    Attributes
    ----------
    application : callable
        An ASGI application.
    hosts : frozenset of str
        Names with their port by which it may be called; any where there are none, and then the token alone decides.
    token : str
        What an address or a cookie must hold; empty where none is asked.
    """

    application: Any
    hosts: frozenset[str]
    token: str = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or let in."""
        if scope["type"] not in ("http", "websocket"):
            await self.application(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        code, words, more = self._refused(scope, headers)
        if code == 0:
            await self.application(scope, receive, _with_headers(send))
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": words})
        else:
            await drain(receive)
            await _answer(_with_headers(send), code, words, more)

    def _refused(self, scope: Scope, headers: dict[str, str]) -> tuple[int, str, list[tuple[bytes, bytes]]]:
        """The code of a refusal, its words, and headers; zero where there is none."""
        host = headers.get("host", "")
        if self.hosts and host not in self.hosts:
            return 400, "This page answers under the address that rankscape printed, and no other.", []
        origin = headers.get("origin")
        needed = scope["type"] == "websocket" or scope.get("method") not in ("GET", "HEAD")
        own = {f"{scheme}://{name}" for scheme in ("http", "https") for name in self.hosts or {host}}
        if (origin is None and needed) or (origin is not None and origin not in own):
            return 403, "Another page asked.", []
        if not headers.get("content-length", "0").isdigit() or int(headers.get("content-length", "0")) > LARGEST:
            return 413, TOO_LARGE, []
        return self._without_token(scope, headers) if self.token else (0, "", [])

    def _without_token(self, scope: Scope, headers: dict[str, str]) -> tuple[int, str, list[tuple[bytes, bytes]]]:
        query = parse_qsl(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
        given = dict(query).get("token")
        if given is not None and self._is_token(given):
            # The token leaves the address, so that no copied link holds it.
            rest = urlencode([pair for pair in query if pair[0] != "token"])
            place = scope["path"] + (f"?{rest}" if rest else "")
            cookie = f"{_cookie(headers)}={_seal(self.token)}; Path=/; HttpOnly; SameSite=Strict"
            return 303, "", [(b"location", place.encode()), (b"set-cookie", cookie.encode())]
        kept = SimpleCookie(headers.get("cookie", "")).get(_cookie(headers))
        if kept is not None and hmac.compare_digest(kept.value.encode(), _seal(self.token).encode()):
            return 0, "", []
        return 401, "Open the address that rankscape printed: it holds the token.", []

    def _is_token(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self.token.encode())


def _cookie(headers: dict[str, str]) -> str:
    """Its name: cookies do not know ports, and another server of this machine has a token of its own."""
    return f"{COOKIE}-{re.sub('[^0-9]', '', headers.get('host', '').rpartition(':')[2])}"


def _seal(token: str) -> str:
    """What stands for it in a cookie, which holds few characters."""
    return hashlib.sha256(token.encode()).hexdigest()


async def drain(receive: Receive) -> None:
    """Let somebody finish: a browser that is still sending when the line is cut never reads why."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE):
            while (await receive()).get("more_body", False):
                pass


def _with_headers(send: Send) -> Send:
    async def sending(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            own = {name for name, _ in message.get("headers", [])}
            added = [(k.encode(), v.encode()) for k, v in HEADERS.items() if k.encode() not in own]
            message = {**message, "headers": [*message.get("headers", []), *added]}
        await send(message)

    return sending


async def _answer(send: Send, code: int, words: str, headers: list[tuple[bytes, bytes]]) -> None:
    plain = [(b"content-type", b"text/plain; charset=utf-8"), *headers]
    await send({"type": "http.response.start", "status": code, "headers": plain})
    await send({"type": "http.response.body", "body": words.encode()})
