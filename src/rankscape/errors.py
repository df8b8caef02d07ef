"""Everything rankscape raises or warns about.

.. code-block:: text

    RankscapeError
    ├── InputError (ValueError)         what was given cannot be used; the text says where and what to do
    │   ├── FinalClassError             a settings class was subclassed; the text says what to subclass instead
    │   ├── WrongKindError (TypeError)  X of an estimator is of a kind that it does not take
    │   ├── FileFormatError             a file: names the path, the line, the column and the value
    │   ├── MissingPart (ImportError)   a part that is installed on request; the text has the command
    │   └── CheckpointMismatch          a checkpoint of another configuration or version
    ├── StorageError (OSError)          a file could not be written; what was there before is intact
    └── RunFailed (RuntimeError)        a run ended badly and ``throw=True`` was given

    RankscapeWarning (UserWarning)
    ├── FallbackWarning                 a stated fallback was used (empty rows, thresholds in float32, ...)
    └── DivergenceWarning               a run diverged: names the step and the remedy
"""

from collections.abc import Iterable
from difflib import get_close_matches


class RankscapeError(Exception):
    """Base of every error that rankscape raises on purpose."""


class InputError(RankscapeError, ValueError):
    """The input cannot be used: the message says what is wrong, where, and what to do."""


class FinalClassError(InputError, TypeError):
    """A final class was subclassed: the message says what to do instead."""


class WrongKindError(InputError, TypeError):
    """What an estimator was given is of another kind; scikit-learn promises a TypeError."""


class FileFormatError(InputError):
    """A file cannot be read as a matrix: the message names the path, the line, the column and the value."""


class CheckpointMismatch(InputError):
    """A checkpoint belongs to another configuration or to another version of rankscape."""


class MissingPart(InputError, ImportError):
    """A part that is installed on request is needed; the message has the command that brings it."""


class StorageError(RankscapeError, OSError):
    """A file could not be written; whatever stood there before is intact."""


class RunFailed(RankscapeError, RuntimeError):
    """A run did not end well, and the caller asked for an exception."""


class RankscapeWarning(UserWarning):
    """Base of every warning that rankscape issues."""


class FallbackWarning(RankscapeWarning):
    """A stated fallback was used instead of the exact request."""


class DivergenceWarning(RankscapeWarning):
    """A run diverged; the message names the step and the remedy."""


def did_you_mean(word: str, words: Iterable[str]) -> str:
    """A question to append to an error, or nothing when no word comes close.

    Examples
    --------
    >>> did_you_mean("moive", ["user", "movie", "score"])
    " - did you mean 'movie'?"
    """
    folded = {candidate.casefold(): candidate for candidate in words}
    close = get_close_matches(word.casefold(), folded, n=1)
    return f" - did you mean {folded[close[0]]!r}?" if close else ""
