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
    ├── WaitingWarning                  a sweep waits for workers: what to look at, and when it ends
    ├── FallbackWarning                 a stated fallback was used (empty rows, thresholds in float32, ...)
    └── DivergenceWarning               a run diverged: names the step and the remedy
"""

from collections.abc import Iterable
from difflib import get_close_matches


class RankscapeError(Exception):
    """Base of every error that rankscape raises on purpose.

    Examples
    --------
    >>> import rankscape as rs
    >>> try:
    ...     rs.GradientDescent(learning_rate=-0.1)
    ... except RankscapeError as error:
    ...     print(error)
    `learning_rate` must be positive and finite, got -0.1.
    """


class InputError(RankscapeError, ValueError):
    """The input cannot be used: the message says what is wrong, where, and what to do.

    Examples
    --------
    >>> import rankscape as rs
    >>> try:
    ...     rs.data.load("flowr")
    ... except ValueError as error:  # an InputError is one
    ...     print(type(error).__name__, str(error)[:53])
    InputError there is no data set 'flowr' - did you mean 'flower'?
    """


class FinalClassError(InputError, TypeError):
    """A final class was subclassed: the message says what to do instead.

    Examples
    --------
    >>> import rankscape as rs
    >>> try:
    ...     class Mine(rs.GradientDescent): ...
    ... except FinalClassError as error:
    ...     print(str(error)[:24])
    GradientDescent is final
    """


class WrongKindError(InputError, TypeError):
    """What an estimator was given is of another kind; scikit-learn promises a TypeError.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.sparse import csr_array
    >>> from rankscape.estimators import DeepMatrixDenoiser
    >>> try:
    ...     DeepMatrixDenoiser().fit(csr_array(np.eye(3)))
    ... except TypeError as error:
    ...     print(isinstance(error, WrongKindError))
    True
    """


class FileFormatError(InputError):
    """A file cannot be read as a matrix: the message names the path, the line, the column and the value.

    Examples
    --------
    >>> import pathlib, tempfile, rankscape as rs
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = pathlib.Path(folder, "a.npy").write_bytes(b"no array")
    ...     try:
    ...         rs.files.read(f"{folder}/a.npy")
    ...     except FileFormatError as error:
    ...         print("a.npy" in str(error))
    True
    """


class CheckpointMismatch(InputError):
    """A checkpoint belongs to another configuration or to another version of rankscape.

    Examples
    --------
    >>> import tempfile, rankscape as rs
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for alpha in (0.1, 0.2):
    ...         try:
    ...             _ = rs.sweep(dict(eigenvalues=[2.0], steps=10), {"alpha": [alpha]}, store=f"{folder}/grid.zarr")
    ...         except CheckpointMismatch as error:
    ...             print("over.alpha was [0.1], now [0.2]" in str(error))
    True
    """


class MissingPart(InputError, ImportError):
    """A part that is installed on request is needed; the message has the command that brings it.

    Examples
    --------
    >>> issubclass(MissingPart, ImportError) and issubclass(MissingPart, InputError)
    True
    """


class StorageError(RankscapeError, OSError):
    """A file could not be written; whatever stood there before is intact.

    Examples
    --------
    >>> issubclass(StorageError, OSError) and not issubclass(StorageError, InputError)
    True
    """


class RunFailed(RankscapeError, RuntimeError):
    """A run did not end well, and the caller asked for an exception.

    Examples
    --------
    >>> import warnings, rankscape as rs
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")  # it warns of the rate first
    ...     try:
    ...         _ = rs.simulate(rs.Estimation(eigenvalues=[3.0]), depth=3, initialization=rs.Identical(alpha=0.1),
    ...                         dynamics=rs.GradientDescent(0.9), steps=500, throw=True)
    ...     except RunFailed as error:
    ...         print(str(error)[:16])
    diverged at step
    """


class RankscapeWarning(UserWarning):
    """Base of every warning that rankscape issues.

    Examples
    --------
    >>> issubclass(FallbackWarning, RankscapeWarning) and issubclass(DivergenceWarning, RankscapeWarning)
    True
    """


class WaitingWarning(RankscapeWarning):
    """A sweep waits for workers; the message says what to look at, and when the sweep ends.

    Examples
    --------
    >>> issubclass(WaitingWarning, RankscapeWarning)
    True
    """


class FallbackWarning(RankscapeWarning):
    """A stated fallback was used instead of the exact request.

    Examples
    --------
    >>> import warnings, numpy as np, rankscape as rs
    >>> X = np.outer(np.arange(1.0, 9.0), [1.0, -1.0, 2.0, 0.5, 3.0, 1.0])
    >>> X[0] = np.nan
    >>> with warnings.catch_warnings(record=True) as said:
    ...     warnings.simplefilter("always")
    ...     _ = rs.complete(X)
    >>> said[0].category.__name__, "1 row(s)" in str(said[0].message)
    ('FallbackWarning', True)
    """


class DivergenceWarning(RankscapeWarning):
    """A run diverged; the message names the step and the remedy.

    Examples
    --------
    >>> import warnings, rankscape as rs
    >>> with warnings.catch_warnings(record=True) as said:
    ...     warnings.simplefilter("always")
    ...     _ = rs.simulate(rs.Estimation(eigenvalues=[3.0]), depth=3, initialization=rs.Identical(alpha=0.1),
    ...                     dynamics=rs.GradientDescent(0.9), steps=500)
    >>> said[-1].category.__name__
    'DivergenceWarning'
    """


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
