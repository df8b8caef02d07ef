"""What comes back from a completion."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rankscape.entries import Entries
from rankscape.entries.given.given import Giver
from rankscape.errors import InputError
from rankscape.estimators.completion import inputs
from rankscape.estimators.completion.completed.cells import AbstractCells
from rankscape.estimators.completion.completed.found import AbstractFound
from rankscape.estimators.completion.completed.new_rows import NewRows
from rankscape.estimators.completion.inputs import MatrixData
from rankscape.estimators.completion.models.intervals import Calibration
from rankscape.estimators.completion.models.low_rank import LowRank
from rankscape.estimators.completion.models.scaled import Scaled
from rankscape.estimators.completion.ready.bounds import Bounds
from rankscape.estimators.completion.ready.names import Names
from rankscape.estimators.completion.trust.certificate import Certificate
from rankscape.estimators.outliers import Outliers
from rankscape.ground import html
from rankscape.ground.labelled import Labelled
from rankscape.run.outcome import Outcome

if TYPE_CHECKING:
    from rankscape.estimators.completion.completed.spread import Spread


@dataclass(frozen=True, eq=False, repr=False)
class CompletedMatrix(AbstractFound, AbstractCells):
    """A completed matrix, and how it came about; everything is in the units of the data.

    Where rows or columns were scaled, what describes the low-rank fit (its modes, offset, noise and singular values) is
    in standard units: `scaling` says which.

    Attributes
    ----------
    model : Model
        What predicts every cell: the low-rank fit, or what it is combined with where held-out entries prefer that.
    low_rank : LowRank
        What the trajectory found; in units of the largest entry.
    rank : int
        The number of live directions of the low-rank fit; its offset does not count.
    singular_values : ndarray, shape (rank,)
        Of the low-rank fit without its offset, descending.
    heldout_rmse : float or None
        Root mean square error on the held-out entries of the model that did not see them, in `units`; None when the
        entries are too few to hold any out.
    baselines : dict
        The same for the predictions "column_mean" and "row_column_bias", which need no factor.
    outcome : Outcome
        ``CONVERGED`` or ``STEP_LIMIT``, of the last fit on all entries.
    modes : Modes
        Singular value decomposition ``U, s, V`` of the low-rank fit without its offset.
    depth : int
        Of the factorization that found it.
    noise : float
        Standard deviation of what the low-rank fit leaves unexplained, estimated.
    variances : Variances or None
        Relative variances of rows and of columns, whose product is that of an entry over ``noise**2``; None where all
        are taken for equal, because held-out entries are predicted better so.
    method : str
        "climbed" (one best pair of factors), "penalised" (the minimum at a ridge), "averaged" or "sampled" (means over
        many), or "offset"; or one that was registered (`methods.register`).
    memory : NamedTuple
        What that method remembers of the fit, a NamedTuple of its own.
    path : Labelled
        Arrays by name, ``path.dataset()`` for xarray.
        Dims ``step`` and ``index``: ``ridge``, ``depth``, ``rank``, ``singular_values``, ``effective_rank``,
        ``train_rmse``, ``heldout_rmse`` (NaN where nothing was held out) and ``phase`` of everything that was tried.
        Its attributes name the ``chosen`` step, the ``method`` and the ``offset``. The ridge acts on entries scaled to
        rms 1.
    reason : str
        Why this rank, in one sentence.
    certificate : Certificate
        Whether to trust it, in numbers and words.
    column_errors : ndarray, shape (n_in,)
        Root mean square error on the held-out entries of each column, in its own units; NaN where none was held out.
    used : Entries
        What the fit made of them: without those that a robust fit left out, and with the weights that they had in it;
        `observed` itself where all count as they were given.
    outliers : Outliers
        Observed entries that look wrong, the farthest from the model first. They keep their given values in `matrix`;
        `fitted` has the model's.
    observed : Entries
        What was given: ``rows``, ``columns``, ``values`` and ``shape``.
    calibration : Calibration, optional
        Held-out errors, from which `interval` is made; None when none could be held out.
    removed : Offset
        The offset of the low-rank fit, as numbers.
    scaling : Scaling
        The size of rows and columns, by which entries were divided first.
    bounds : Bounds
        Within which every prediction is.
    names : Names
        What rows and columns are called.
    like : callable, optional
        Makes of a full matrix what was given: a frame, an array; without it, `names` decide.

    Examples
    --------
    >>> import numpy as np, rankscape.estimators as re
    >>> X = np.outer([1.0, 2.0, 3.0, 4.0, 5.0], [1.0, -1.0, 2.0, 0.5, 1.0, 3.0])
    >>> X[2, 3] = np.nan
    >>> done = re.complete(X)
    >>> done.rank, round(float(done.matrix[2, 3]), 6)
    (1, 1.5)
    """

    low_rank: LowRank
    model: Scaled
    heldout_rmse: float | None
    baselines: dict[str, float]
    outcome: Outcome
    depth: int
    method: str
    memory: NamedTuple
    path: Labelled
    reason: str
    certificate: Certificate
    column_errors: np.ndarray
    observed: Entries
    used: Entries
    outliers: Outliers
    calibration: Calibration | None = None
    bounds: Bounds = field(default_factory=Bounds.none)
    names: Names = field(default_factory=Names)
    like: Giver | None = None

    def __repr__(self) -> str:
        held = "none held out"
        if self.heldout_rmse is not None:
            held = f"held-out RMSE {self.heldout_rmse:.4g}{self.scaling.suffix}"
        return f"CompletedMatrix(shape={self.observed.shape}, rank={self.rank}, {held}, outcome={self.outcome.value!r})"

    def _repr_html_(self) -> str:
        seen, cells = self.observed.count, self.shape[0] * self.shape[1]
        held = (
            "none could be held out" if self.heldout_rmse is None else f"{self.heldout_rmse:.4g}{self.scaling.suffix}"
        )
        rows = [
            ("matrix", f"{self.shape[0]:,} x {self.shape[1]:,}, {seen:,} entries observed ({seen / cells:.1%})"),
            ("rank", f"{self.rank}: {self.reason}"),
            ("held-out RMSE", held),
            *((name.replace("_", " "), f"{error:.4g}") for name, error in self.baselines.items()),
            ("trust", str(self.certificate)),
            ("outcome", str(self.outcome)),
        ]
        return html.facts("Completed matrix", rows)

    @property
    def expected_error(self) -> float | None:
        """Root mean square error to expect of the filled cells, as observations; None when none could be held out.

        It is larger than `heldout_rmse` where gaps have a pattern (`certificate` has its standard error).
        """
        return self.certificate.expected_error

    @property
    def units(self) -> str:
        """In which errors are: "the units of the data" or, where these are scaled, "standard deviations of their
        column" (row, row and column).
        """
        return self.scaling.words

    def new_rows(self, data: MatrixData | Entries) -> NewRows:
        """Further rows of this matrix, filled in by what is observed of them; nothing is fitted again.

        Parameters
        ----------
        data : frame, array_like, DataArray, scipy sparse array, Completion or Entries, shape (n, n_in)
            As in `complete`. A row without entries gets what is known of the columns.

        Raises
        ------
        InputError
            The columns are not those of the matrix, or an entry is infinite.

        Warns
        -----
        FallbackWarning
            A row has no entry.

        Examples
        --------
        >>> import numpy as np, rankscape as rs
        >>> X = np.outer([1.0, 2.0, 3.0, 4.0, 5.0], [1.0, -1.0, 2.0, 0.5, 1.0, 3.0])
        >>> X[2, 3] = np.nan
        >>> rs.complete(X).new_rows([[2.0, np.nan, 4.0, 1.0, np.nan, 6.0]]).matrix.round(3)
        array([[ 2., -2.,  4.,  1.,  2.,  6.]])
        """
        given = inputs.rows_of(data)
        if given.shape[1] != self.shape[1]:
            raise InputError(f"New rows need the {self.shape[1]} columns of the matrix, got {given.shape[1]}.")
        inputs.warn_of_empty(given.entries, columns=False)
        self.names.same_columns(given.column_labels)
        return NewRows(self.model, given.entries, self.bounds, given.like)

    def save(self, path: str | Path) -> None:
        """Write the model, the entries and what is known of both to an NPZ file of plain arrays and JSON, no pickle.

        The matrix itself is not in it: the file is as small as the entries and factors are.
        """
        from rankscape.estimators.completion.completed.storing import save

        save(self, Path(path))

    def spread(self, folder: str | Path) -> "Spread":
        """Write factors and seen columns into a folder of Parquet files, from which parts are predicted anywhere.

        Parameters
        ----------
        folder : str or Path
            A new folder, or one whose completion is replaced.

        Raises
        ------
        InputError
            What predicts is no product of thin factors with an offset.
        """
        from rankscape.estimators.completion.completed.spread import write

        return write(self, Path(folder))

    @classmethod
    def load(cls, path: str | Path) -> "CompletedMatrix":
        """Read what `save`, ``DeepMatrixCompletion.save`` or ``rankscape complete --model`` wrote.

        Nothing in the file is executed.
        """
        from rankscape.estimators.completion.completed.storing import load

        return load(Path(path))[0]
