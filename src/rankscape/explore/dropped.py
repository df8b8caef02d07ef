"""Files that were dropped on the page, and what was made of them: in a folder of this server, gone when it ends.

After a kill it goes when the next server is given a file.
"""

import contextlib
import re
import secrets
import shutil
import threading
from pathlib import Path

from rankscape.errors import InputError
from rankscape.ground.beside import scratch
from rankscape.ground.final import final

# Files and results that are kept; the oldest leave first.
KEPT = 16

# What a result may be called on its way back.
RESULTS = ("table", "errors", "report", "model")


@final
class Dropped:
    """Folders by numbers that nobody can guess, so that two people do not see each other's files."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._place = contextlib.ExitStack()
        self._home: Path | None = None
        self._folders: dict[str, Path] = {}
        self._names: dict[str, str] = {}

    def folder(self) -> tuple[str, Path]:
        """A new one, and its number."""
        with self._lock:
            if self._home is None:
                self._home = self._place.enter_context(scratch())
            while len(self._folders) >= KEPT:
                oldest = next(iter(self._folders))
                self._names.pop(oldest, None)
                shutil.rmtree(self._folders.pop(oldest), ignore_errors=True)
            number = secrets.token_hex(12)
            self._folders[number] = self._home / number
            self._folders[number].mkdir()
            return number, self._folders[number]

    def keep(self, name: str, content: bytes) -> str:
        """Write what was dropped; the number by which it is asked for."""
        # What a name ends in says how it is read; nothing else of it reaches the disk.
        name = re.sub(r"[\x00-\x1f\x7f]", "_", Path(name.replace("\\", "/")).name[-200:])
        safe = re.sub(r"[^A-Za-z0-9._-]", "_", name)[-80:].lstrip(".") or "table.csv"
        number, folder = self.folder()
        self._names[number] = name or safe
        (folder / safe).write_bytes(content)
        return number

    def file(self, number: str) -> Path:
        """The file of a number.

        Raises
        ------
        InputError
            There is none: the server was started anew, or other files came since.
        """
        folder = self._folders.get(number)
        found = [] if folder is None or not folder.exists() else sorted(p for p in folder.iterdir() if p.is_file())
        if not found:
            raise InputError("The file of this link is gone: drop it on the page again.")
        return found[0]

    def name(self, number: str) -> str:
        """What the file of a number was called where it came from."""
        return self._names.get(number, "")

    def result(self, number: str, kind: str) -> Path | None:
        """What was made, by the number of its folder; None where there is nothing of this kind."""
        folder = self._folders.get(number)
        if folder is None or kind not in RESULTS or not folder.exists():
            return None
        return next((path for path in folder.iterdir() if path.name.partition(".")[0] == kind), None)

    def close(self) -> None:
        """Remove everything."""
        with self._lock:
            self._place.close()
            self._home, self._folders, self._names = None, {}, {}
