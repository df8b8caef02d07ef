"""The command line: each command parses, calls one library function, and prints a table or JSON.

Commands are named by their import path, so ``rankscape --help`` imports nothing that computes.
"""

import gc
import os
import sys
from collections.abc import Sequence

__all__ = ["collect_as_usual", "main"]

USUAL = gc.get_threshold()


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line, and exit."""
    # What is imported stays: to look through it for garbage again and again takes a third of a short command, the last
    # time when the interpreter ends.
    gc.set_threshold(50_000)
    try:
        from rankscape.cli.app import start

        code = start(arguments)
        gc.freeze()
        sys.exit(code)
    except KeyboardInterrupt:  # before the application could take care of it
        print("interrupted", file=sys.stderr or open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        sys.exit(130)


def collect_as_usual() -> None:
    """For commands that live long: garbage is looked for again, and not among what was imported."""
    gc.freeze()
    gc.set_threshold(*USUAL)
