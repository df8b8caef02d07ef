"""One virtual environment a peer, so that no peer decides the versions of another."""

import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path


class NotInstalled(Exception):
    """A peer could not be installed; the message is the installer's reason."""


def environment(name: str, requirements: Sequence[str], folder: Path) -> Path:
    """Return the interpreter of a peer's environment; makes the environment unless one with the same pins is there."""
    place = folder / "environments" / name
    python = place / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    stamp, wanted = place / "installed.txt", "\n".join(requirements)
    if stamp.exists() and stamp.read_text() == wanted:
        return python
    print(f"installing {' '.join(requirements)}", file=sys.stderr, flush=True)
    venv.create(place, with_pip=True, clear=True)
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *requirements]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise NotInstalled(_reason(done.stderr))
    stamp.write_text(wanted)
    return python


def _reason(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith("error")] or lines
    return errors[0].removeprefix("ERROR: ") if errors else "the installer gave no reason"
