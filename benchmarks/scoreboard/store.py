"""One JSON file: what was measured, so that peers have to be measured once."""

import json
import os
from pathlib import Path
from typing import Any

Record = dict[str, Any]
"""``key``, ``section``, ``name``, ``seed``, ``digest``, ``shape``; ``ours``, and ``peers`` by name."""


class Store:
    """The records of a file, by key; without a file they live in memory."""

    def __init__(self, path: Path | None):
        self.path = path
        self.records: dict[str, Record] = {}
        if path is not None and path.exists():
            self.records = json.loads(path.read_text())["fits"]

    def record(self, key: str, digest: str, **facts: Any) -> Record:
        """The record of a case; an old one counts only if the case is the same to the bit."""
        old = self.records.get(key)
        kept = old if old is not None and old["digest"] == digest else {"peers": {}}
        self.records[key] = kept | {"key": key, "digest": digest} | facts
        return self.records[key]

    def save(self) -> None:
        """Write all of it; the file appears whole or not at all."""
        if self.path is None:
            return
        new = self.path.with_suffix(".new")
        new.write_text(json.dumps({"fits": self.records}, indent=1, default=float))
        os.replace(new, self.path)
