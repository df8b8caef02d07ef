"""Whatever comes to the explorer's port: an answer or a refusal, never a crash. ``FUZZED=1000`` asks more often."""

import contextlib
import json
import os
import random
import re
import socket
from collections.abc import Iterator
from urllib.parse import quote
from urllib.request import Request, urlopen

import browsing
import numpy as np
import pytest
from fuzz.doors import files as harmed

from rankscape.explore.rooms import ROOMS

sync = pytest.importorskip("websockets.sync.client")
closed = pytest.importorskip("websockets.exceptions").ConnectionClosed

COUNT = int(os.environ.get("FUZZED", "150"))

# Seconds until an answer, and megabytes by which the server may grow.
WAIT, GROWTH = 30, 150

ODD = [
    "", " ", "0", "-1", "1e400", "nan", "inf", "-inf", "1e-320", "99999999999999999999", "0x10", "1,2,3", ",", "None",
    "null", "true", "[]", "{}", "5, 3, 1.5", "1e9", "0.1", "2", "3", "\x00", "\ud7ff", "∞", "<script>", "%00", "%", "'",
    "../../etc/passwd", "a" * 5000, "linear", "planted", "random", "minimum", "gaussian", "design", "expect", "alpha",
]  # fmt: skip
PATHS = [
    "", *ROOMS, "assets/app.js", "assets/../server.py", "assets/%2e%2e/%2e%2e", "drop", "kept/a/table", "kept/../x",
    "socket",
]  # fmt: skip
HEADERS = [
    "Host", "Origin", "Content-Length", "Transfer-Encoding", "Cookie", "Range", "Upgrade", "Sec-WebSocket-Key",
]  # fmt: skip


@pytest.fixture(scope="module")
def place():
    with browsing.served() as (address, process):
        yield address.removeprefix("http://").rstrip("/"), process.pid


def value(rng: random.Random) -> str:
    """What nobody would type, or somebody might."""
    if rng.random() < 0.8:
        return rng.choice(ODD)
    return "".join(chr(rng.randrange(1, 0x2FFF)) for _ in range(rng.randrange(20)))


def query(rng: random.Random) -> str:
    """Fields of an address."""
    names = [name for room in ROOMS.values() for name in room.state.__annotations__]
    name = lambda: rng.choice([*names, "token", "name", "look", value(rng)])
    return "&".join(f"{name()}={quote(value(rng))}" for _ in range(rng.randrange(5)))


def request(rng: random.Random, host: str) -> bytes:
    """Bytes that are nearly a request, or not at all."""
    if rng.random() < 0.1:
        return rng.randbytes(rng.randrange(1, 3000))
    method = rng.choice(["GET", "GET", "GET", "POST", "HEAD", "PUT", "OPTIONS", "DELETE", "TRACE", "FOO", "get", ""])
    path = rng.choice(PATHS) if rng.random() < 0.8 else quote(value(rng), safe=rng.choice(["", "/.%<>"]))
    headers = {"Host": host, "Origin": f"http://{host}", "Connection": "close"}
    for _ in range(rng.randrange(3)):
        odd = [value(rng), "chunked", "websocket", "bytes=0-1,5-", "rankscape-token=é"]
        headers[rng.choice(HEADERS)] = rng.choice(odd)
    body = rng.randbytes(rng.randrange(200)) if rng.random() < 0.5 else b""
    if body and rng.random() < 0.7:
        headers["Content-Length"] = str(len(body))
    lines = [f"{method} /{path}?{query(rng)} HTTP/1.{rng.choice('0119')}", *(f"{k}: {v}" for k, v in headers.items())]
    return "\r\n".join(lines).encode("utf-8", "replace") + b"\r\n\r\n" + body


def answered(host: str, sent: bytes) -> bytes:
    """Everything that comes back, until the server has nothing more to say or waits for more."""
    name, _, port = host.partition(":")
    got = b""
    with socket.create_connection((name, int(port)), timeout=WAIT) as line:
        try:
            line.sendall(sent)
            line.shutdown(socket.SHUT_WR)
            while part := line.recv(1 << 16):
                got += part
        except (ConnectionResetError, BrokenPipeError):
            pass
    return got


def is_well(host: str) -> bool:
    """Whether it still answers what it should."""
    request = f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    return answered(host, request.encode()).startswith(b"HTTP/1.1 200")


def test_any_request_is_answered_or_refused(place):
    host, process = place
    rng, codes = random.Random(0), set()
    all_rooms_are_imported(host)
    before = browsing.resident(process)
    for _ in range(COUNT):
        sent = request(rng, host)
        got = answered(host, sent)
        assert b"Traceback" not in got, sent
        found = re.match(rb"HTTP/1.1 (\d+)", got)
        codes.add(found and int(found[1]))
        assert found is None or int(found[1]) < 500 or int(found[1]) == 501, (sent, got[:300])
    assert is_well(host)
    assert {200, 400, 403, 404} <= codes
    assert browsing.resident(process) - before < GROWTH


def question(rng: random.Random) -> str:
    """What a page would ask, or nearly."""
    room = rng.choice([*ROOMS, value(rng)])
    fields = list(ROOMS[room].state.__annotations__) if room in ROOMS else ["x"]
    plain = [None, True, 1, -3.5, [1, 2], {}, "2"]
    state = {
        rng.choice([*fields, value(rng)]): rng.choice([value(rng), rng.choice(plain)]) for _ in range(rng.randrange(4))
    }
    said = {"ask": rng.choice([1, 1, 1, value(rng), None]), "slot": rng.choice(["main", "main", value(rng)])}
    return json.dumps(said | {"room": room, "state": state if rng.random() < 0.95 else value(rng)})


def remark(rng: random.Random) -> str:
    """What a page would say to a run under way, or what none says."""
    said = {
        rng.choice(["tell", "stop", value(rng)]): "main",
        rng.choice(["pace", "back", "ridge", "fork", "rows"]): value(rng),
    }
    return json.dumps(said) if rng.random() < 0.8 else value(rng)


def connected(host: str):
    """A socket as the page has it."""
    return sync.connect(f"ws://{host}/socket", origin=f"http://{host}", max_size=None, open_timeout=WAIT)


def heads(host: str, room: str, state: dict, wait: float = WAIT) -> Iterator[dict]:
    """What the frames that answer a plain question say of themselves, as long as somebody listens."""
    with connected(host) as line:
        line.send(json.dumps({"ask": 1, "slot": "main", "room": room, "state": state}))
        while True:
            yield browsing.head_of(line.recv(timeout=wait))


def heard(host: str, rng: random.Random) -> list[str]:
    """The kinds of frames that come first for a question; `closed` where the socket is."""
    kinds, asked = [], question(rng)
    with connected(host) as line:
        with contextlib.suppress(closed):
            line.send(asked)
            while len(kinds) < 3 and kinds[-1:] != ["end"]:
                head = browsing.head_of(line.recv(timeout=WAIT))
                kinds.append(head["kind"])
                assert "defect" not in head["facts"].get("words", ""), asked
            line.send(remark(rng))
            line.send("no page of ours")  # closes it
            while True:
                line.recv(timeout=WAIT)
        return [*kinds, "closed"]


def all_rooms_are_imported(host: str) -> None:
    """A run under way and curves with their words: whatever the rooms compute with has been loaded."""
    for room, state, last in (("climb", {}, "end"), ("fall", {"start": "gaussian", "problem": "random"}, "run")):
        assert any(head["kind"] == last for head in heads(host, room, state, 4 * WAIT))


def test_any_question_is_answered_or_its_socket_closed(place):
    host, process = place
    rng, kinds = random.Random(1), set()
    all_rooms_are_imported(host)
    for _ in range(COUNT // 2):
        kinds.update(heard(host, rng))
    before = browsing.resident(process)
    for _ in range(COUNT // 2, COUNT):
        kinds.update(heard(host, rng))
    assert is_well(host)
    assert {"error", "curves", "closed"} <= kinds
    assert browsing.resident(process) - before < GROWTH


def dropped(host: str, rng: np.random.Generator) -> str:
    """What the page says first of a harmed file: what it read, or why it did not."""
    case = harmed.make(rng)
    asked = Request(f"http://{host}/drop?name={quote(case.name)}", case.content, {"Origin": f"http://{host}"})
    with urlopen(asked, timeout=WAIT) as answer:
        number = json.load(answer)["table"]
    head = next(head for head in heads(host, "complete", {"table": number}) if head["kind"] != "begin")
    words = head["facts"].get("words", "")
    assert "defect" not in words, (case.name, words)
    assert "Traceback" not in words, (case.name, words)
    return head["kind"]


def test_any_file_is_read_or_refused_in_words(place):
    """Each is read in a process of its own, which ends with its page."""
    host, process = place
    rng, before = np.random.default_rng(2), browsing.resident(process)
    kinds = [dropped(host, rng) for _ in range(max(6, COUNT // 10))]
    assert is_well(host)
    assert set(kinds) == {"error", "read"}, set(kinds)
    assert browsing.resident(process) - before < GROWTH
