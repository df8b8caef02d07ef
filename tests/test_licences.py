"""The licences of a bill of materials: each is named, and none binds who uses the library."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / ".ci" / "licences.py"


def listed(tmp_path, *licences) -> subprocess.CompletedProcess:
    bill = tmp_path / "bill.json"
    component = {"name": "that", "version": "1.2", "licenses": list(licences)}
    bill.write_text(json.dumps({"components": [component]}))
    return subprocess.run([sys.executable, SCRIPT, bill], capture_output=True, text=True, check=False)


def text(content: str) -> dict:
    return {"license": {"name": "declared license of 'that'", "text": {"content": content}}}


FILE = {"license": {"name": "declared license file: LICENSE", "text": {"content": "QWxs", "encoding": "base64"}}}


@pytest.mark.parametrize(
    ("licence", "words"),
    [
        ({"license": {"id": "MIT"}}, "MIT"), ({"expression": "BSD-3-Clause AND MIT"}, "BSD-3-Clause AND MIT"),
        ({"license": {"name": "License :: OSI Approved :: BSD License"}}, "BSD License"),
        (text("BSD\nand more"), "BSD"),
        ({"license": {"id": "LGPL-2.1-only"}}, "LGPL-2.1-only"),
        (FILE, "license file: LICENSE"),
    ],
)  # fmt: skip
def test_each_has_its_name(tmp_path, licence, words):
    done = listed(tmp_path, licence, FILE)
    assert (done.returncode, done.stdout) == (0, f"that 1.2: {words}\n")


@pytest.mark.parametrize(
    "licences", [(), ({"license": {"id": "GPL-3.0-only"}},), (text("AGPLv3 (GNU Affero General Public License)"),)]
)
def test_one_without_a_licence_and_one_that_binds_are_named(tmp_path, licences):
    done = listed(tmp_path, *licences)
    assert done.returncode == 1
    assert "that" in done.stderr
