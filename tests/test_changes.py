"""Changes since the last release are written down one a file, in words for users."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FRAGMENTS = sorted((ROOT / "changes").glob("*.md"))


@pytest.mark.parametrize("path", FRAGMENTS, ids=lambda path: path.stem)
def test_a_change_is_short_and_has_a_kind(path):
    assert re.fullmatch(r"\+[a-z0-9-]+\.(added|changed|fixed|removed)\.md", path.name)
    text = path.read_text(encoding="utf-8")
    assert text.endswith(".\n")
    assert len(text.split()) <= 60
    assert len(text.splitlines()) == 1


def test_a_release_collects_all_of_them():
    command = [sys.executable, "-m", "towncrier", "build", "--draft", "--version", "9.9.9", "--date", "2030-01-01"]
    draft = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "## [9.9.9] - 2030-01-01" in draft
    for path in FRAGMENTS:
        assert path.read_text(encoding="utf-8").split()[0] in draft
