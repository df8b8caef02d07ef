"""A case: what is handed in at a door."""

import hashlib
from pathlib import Path
from typing import NamedTuple

CORPUS = Path(__file__).parent / "corpus"


class Case(NamedTuple):
    """The name of a file, whose extension may tell its kind, and its bytes; a call or a command is text."""

    name: str
    content: bytes

    @classmethod
    def of(cls, text: str, name: str = "call.txt") -> "Case":
        """A case that is text."""
        return cls(name, text.encode("utf-8", "surrogateescape"))

    @property
    def text(self) -> str:
        """The bytes as text."""
        return self.content.decode("utf-8", "surrogateescape")

    def keep(self, door: str) -> Path:
        """Write it into the corpus."""
        short = hashlib.blake2b(self.content, digest_size=4).hexdigest()
        path = CORPUS / door / f"{short}-{self.name}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self.content)
        return path


def kept(door: str) -> list[Case]:
    """The cases of a door that are in the corpus."""
    paths = sorted(path for path in (CORPUS / door).glob("*-*") if path.is_file())
    return [Case(path.name.split("-", 1)[1], path.read_bytes()) for path in paths]
