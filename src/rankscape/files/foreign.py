"""Libraries that read files: whatever they stumble over becomes one error of ours."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rankscape.errors import FileFormatError, RankscapeError


@contextmanager
def reading(path: Path | str, what: str) -> Iterator[None]:
    """Read a file with somebody else's code; what it raises says that `path` is broken or no `what`.

    A damaged file makes a library raise whatever its authors did not think of (`TokenError`, `UnboundLocalError`, a
    panic of Rust that is no `Exception`), so no list of kinds would be whole. Only calls into a library stand in such a
    block: a mistake of our own must not look like a broken file.

    Examples
    --------
    >>> with reading("a.npy", "NPY file"):
    ...     raise KeyError("descr")
    Traceback (most recent call last):
    ...
    rankscape.errors.FileFormatError: a.npy is broken, cut short or no NPY file (KeyError: 'descr')
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # they speak to programmers, of dtypes and old versions
            yield
    except (RankscapeError, KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as error:
        said = str(error).splitlines()[0][:200] if str(error) else ""
        reason = f"{type(error).__name__}: {said}".rstrip(": ")
        raise FileFormatError(f"{path} is broken, cut short or no {what} ({reason})") from error
