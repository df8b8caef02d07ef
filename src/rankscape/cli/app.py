"""The application: its commands, and the one place where errors become text and exit codes.

Exit codes: 0 done, 1 a run failed, 2 bad input, 130 interrupted, 143 terminated.
"""

import contextlib
import importlib.metadata
import os
import shlex
import sys
import warnings
from collections.abc import Callable, Sequence

from cyclopts import App, CycloptsError, Parameter, UnusedCliTokensError
from cyclopts.config import Env

from rankscape.cli.project import ProjectFile
from rankscape.errors import RankscapeError, RankscapeWarning, RunFailed
from rankscape.ground import termination
from rankscape.ground.parts import missing_part

DONE, FAILED, BAD_INPUT, INTERRUPTED, TERMINATED = 0, 1, 2, 130, termination.CODE

COMMANDS = {
    "complete": "Fill the holes of a matrix; the trajectory chooses the rank.",
    "fill": "Fill new rows with a model that `complete --model` saved; nothing is fitted again.",
    "denoise": "Remove the noise of a matrix without holes.",
    "sense": "Find a matrix from linear measurements of it; no rank is asked.",
    "simulate": "Train a deep matrix factorization and record its rank.",
    "plateaus": "Predict the steps between which each rank holds.",
    "sweep": "Run a grid of simulations into one store, and continue it whatever happened.",
    "reproduce": "Make the figures of a paper and check their claims.",
    "phases": "Sweep a phase diagram, draw it with what theory predicts, and check its claims.",
    "explore": "Open a page on this machine: see ranks climb and fall, complete a table, walk through a sweep.",
    "data": "List, describe and fetch the named data sets.",
    "check": "Say whether a sweep, a run, a model or a checkpoint is what was written.",
    "info": "Print what a bug report needs: versions, machine, folders, variables, and what is installed.",
    "cite": "Print BibTeX for rankscape and the papers it builds on.",
}

# Where a project keeps what its commands have in common.
PROJECT = ProjectFile("rankscape.toml"), ProjectFile("pyproject.toml", ("tool", "rankscape"))

app = App(
    name="rankscape",
    help="Deep matrix factorization: simulate, predict and use the rank of a product of matrices while it is trained.",
    version=lambda: importlib.metadata.version("rankscape"),  # looked up when asked for
    help_on_error=False,
    help_format="plaintext",  # rendering markdown would double the time of --help
    default_parameter=Parameter(negative_iterable=()),
    suppress_keyboard_interrupt=False,  # `run` says so, and knows the exit code
    # What is typed wins over a variable, a variable over the project file.
    config=(Env("RANKSCAPE_", show=False), PROJECT[0].layer, PROJECT[1].layer),
)
app.register_install_completion_command(help="Install completion for this shell: bash, zsh or fish.")
for _name, _help in COMMANDS.items():
    # By path and not by function: a module is imported when its command is called.
    app.command(f"rankscape.cli.{_name}:{'app' if _name in ('data', 'sweep') else _name}", name=_name, help=_help)


def start(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; give the exit code."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by whoever called us
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        elif hasattr(getattr(sys, name), "reconfigure"):
            getattr(sys, name).reconfigure(errors="backslashreplace")  # a terminal that lacks a letter
    return run(lambda: app(arguments, exit_on_error=False, print_error=False, result_action="return_value"))


def run(command: Callable[[], object]) -> int:
    """Call a command; turn warnings and errors into lines on stderr, and the end into an exit code."""
    with warnings.catch_warnings(), termination.orderly():
        warnings.simplefilter("ignore")
        # Our warnings speak to the user; those of libraries speak to programmers.
        warnings.simplefilter("always", RankscapeWarning)
        warnings.showwarning = lambda message, *_, **__: say(f"warning: {message}")
        return _guarded(command)


def _guarded(command: Callable[[], object]) -> int:
    try:
        code = command()
        sys.stdout.flush()
        return code if isinstance(code, int) else DONE
    except CycloptsError as error:
        say(f"error: {_explain(error)}")
        return BAD_INPUT
    # Before its base class below: a run that failed is not bad input.
    except RunFailed as error:
        say(f"error: {error}")
        return FAILED
    except RankscapeError as error:
        say(f"error: {error}")
        return BAD_INPUT
    except KeyboardInterrupt:
        say("interrupted")
        return INTERRUPTED
    except termination.Terminated:
        say("terminated")
        return TERMINATED
    except (BrokenPipeError, SystemExit):  # the reader of our output went away; rich makes it an exit
        _drop_output()
        return DONE
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        say(f"error: {where}{error.strerror or error}")
        _drop_output()
        return BAD_INPUT
    except MemoryError:
        say("error: not enough memory for a problem of this size; a smaller --width or --max-rank needs less.")
        return BAD_INPUT
    except Exception as error:
        if isinstance(error, ValueError) and "null byte" in str(error):
            say("error: the name of a file holds a null character.")
            return BAD_INPUT
        missing = missing_part(error.__cause__ or error, "This command")  # cyclopts wraps it
        if missing is not None:
            say(f"error: {missing}")
            return BAD_INPUT
        if os.environ.get("RANKSCAPE_DEBUG"):
            raise
        say(f"error: unexpected {type(error).__name__}: {error}")
        say("This is a defect of rankscape. With RANKSCAPE_DEBUG=1 the same command shows where it happened.")
        return FAILED


def _explain(error: CycloptsError) -> str:
    """The message; of a model that refuses a value, in the words of the option."""
    cause = error.__cause__ or error.__context__
    if hasattr(cause, "errors"):
        first = cause.errors()[0]  # pyright: ignore[reportAttributeAccessIssue, reportOptionalMemberAccess]
        # Python names the field, people typed an option.
        option = "--" + str(first["loc"][0]).replace("_", "-")
        return f"{option} {shlex.quote(str(first['input']))}: {first['msg'].removeprefix('Value error, ')}."
    if isinstance(error, UnusedCliTokensError):
        return f"unexpected argument {' '.join(map(shlex.quote, error.unused_tokens or []))}."
    return str(error)


def _drop_output() -> None:
    """What is still in the buffer cannot be written: spare the interpreter another try."""
    with contextlib.suppress(OSError, ValueError):  # a stdout without descriptor
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def say(text: str) -> None:
    """One line on stderr, wrapped by the terminal."""
    print(text, file=sys.stderr)
