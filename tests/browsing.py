"""A browser to which no outside name resolves, and what looks at a page as a reader without sight would."""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
# No name but that of this machine resolves, and the browser has nothing of its own to ask.
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
]  # fmt: skip


def resident(process: int) -> float:
    """Megabytes of memory that a process has; the test is skipped where nobody says so."""
    status = Path(f"/proc/{process}/status")
    if not status.exists():
        pytest.skip("no /proc here")
    return int(re.findall(r"VmRSS:\s+(\d+)", status.read_text())[0]) / 1024


@contextlib.contextmanager
def chromium() -> Iterator:
    """A Chromium that is on this machine; the test is skipped where there is none."""
    sync = pytest.importorskip("playwright.sync_api")
    if not CHROMIUM:
        pytest.skip("no chromium here")
    with sync.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


def axe_script(folder: Path) -> str:
    """The checker of accessibility, from npm, kept in a folder."""
    if not (folder / "axe.min.js").exists():
        if not shutil.which("npm"):
            pytest.skip("no npm here")
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as place:  # of this process: another one may be at it, too
            subprocess.run(["npm", "pack", "--silent", "axe-core@4"], cwd=place, check=True, stdout=subprocess.DEVNULL)
            with tarfile.open(next(Path(place).glob("*.tgz"))) as archive:
                archive.extract("package/axe.min.js", place, filter="data")
            os.replace(Path(place) / "package" / "axe.min.js", folder / "axe.min.js")
    return (folder / "axe.min.js").read_text(encoding="utf-8")


def unfit(page) -> list[str]:
    """Serious findings on the page as it is now; `axe` was put there before."""
    found = page.evaluate("axe.run({resultTypes: ['violations']})")
    return [
        f"{rule['id']} {rule['nodes'][0]['html'][:160]}"
        for rule in found["violations"]
        if rule["impact"] in ("serious", "critical")
    ]


def head_of(frame: bytes) -> dict[str, Any]:
    """What a frame from the socket says of itself, before its arrays."""
    return json.loads(frame[4 : 4 + int.from_bytes(frame[:4], "little")])


@contextlib.contextmanager
def served(*arguments: str, environment: dict[str, str] | None = None) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A page that `rankscape explore` serves: its address, its process, and its orderly end."""
    command = [sys.executable, "-m", "rankscape", "explore", "--no-browser", *arguments]
    env = os.environ | (environment or {})
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=env)
    assert process.stderr is not None
    said = process.stderr.readline()
    found = re.match(r"http://\S+", said)
    try:
        assert found is not None, said + process.stderr.read()
        yield found[0], process
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(20)
        said = process.stderr.read()
        process.stderr.close()
    assert process.returncode == 0
    assert "Traceback" not in said, said


@contextlib.contextmanager
def explorer(*arguments: str, environment: dict[str, str] | None = None) -> Iterator[str]:
    """The address of a page that `rankscape explore` serves."""
    with served(*arguments, environment=environment) as (address, _):
        yield address
