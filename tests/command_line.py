"""The command line, as tests call it: in this process, with what it printed."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from rankscape.cli.app import start


class Done(NamedTuple):
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def facts(self) -> dict:
        return json.loads(self.out)


def caller(capsys) -> Callable[..., Done]:
    """What runs a command in the present folder."""

    def run(*arguments: object) -> Done:
        capsys.readouterr()
        code = start([str(argument) for argument in arguments])
        return Done(code, *capsys.readouterr())

    return run


def check_refused(call: Callable[..., Done], arguments: list, words: str) -> None:
    """The command is bad input: one line that says so in these words, and nothing written."""
    before = sorted(Path().iterdir())
    done = call(*arguments)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error: ")
    assert done.err.count("\n") == 1
    assert words in done.err
    assert sorted(Path().iterdir()) == before
