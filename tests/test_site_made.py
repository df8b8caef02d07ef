"""What the site keeps between builds, and what it takes from what was measured."""

import doctest
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parent.parent / "docs"
sys.path.insert(0, str(DOCS))

from _site import gallery, made, peers  # noqa: E402


def test_a_quick_build_draws_what_is_not_there_and_says_what_is_older_than_the_sources(tmp_path, monkeypatch):
    calls = []

    def run(arguments):
        calls.append(arguments)
        folder = Path(arguments[arguments.index("-o") + 1])
        assert arguments[0] == "reproduce" or Path(arguments[arguments.index("--store") + 1]).parent.is_dir()
        folder.mkdir(parents=True, exist_ok=True)
        for name in [a.removeprefix("--figure=") for a in arguments if a.startswith("--figure=")] or [arguments[1]]:
            (folder / f"{name}.json").write_text("{}")

    monkeypatch.setattr(gallery, "_run", run)
    monkeypatch.setattr(gallery, "FOLDER", tmp_path / "gallery")
    monkeypatch.setattr(gallery, "CELLS", tmp_path / "cells")
    monkeypatch.setattr(made, "STAMPS", tmp_path / "stamps")
    gallery.make()
    figures = {f"{paper}-{name}" for paper in gallery.PAPERS for name in gallery.figure_names(paper)}
    everything = figures | {f"phases-{name}" for name in gallery.DIAGRAMS}
    assert {path.name for path in made.STAMPS.iterdir()} == everything
    assert made.older() == []

    monkeypatch.setattr(made, "sources", lambda: "others")
    calls.clear()
    gallery.make()
    assert calls == []
    assert set(made.older()) == everything

    (tmp_path / "gallery" / "phases" / "sensing.json").unlink()
    gallery.make()
    assert [call[:2] for call in calls] == [["phases", "sensing"]]
    assert set(made.older()) == everything - {"phases-sensing"}
    assert "docs/build --quick" not in (DOCS.parent / ".ci" / "run").read_text(encoding="utf-8")


def test_peers_are_shown_as_they_were_measured():
    assert doctest.testmod(peers).failed == 0
    text = (DOCS / "peers.md").read_text(encoding="utf-8")
    asked = peers.ASKED.findall((DOCS / "data" / "coming-from.md").read_text(encoding="utf-8"))
    assert len(asked) >= 5
    for package in asked:
        _, _, *rows = peers.table(text, package)
        assert len(rows) >= 3, package
        for row in rows:
            assert all(cell == "-" or f"| {cell} |" in text for cell in row.strip("| ").split(" | ")[1:])
    with pytest.raises(ValueError, match="nobody"):
        list(peers.table(text, "nobody"))
