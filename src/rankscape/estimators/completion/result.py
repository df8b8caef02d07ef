"""What comes back from a completion."""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, get_args

import numpy as np

from rankscape.entries import Entries
from rankscape.entries.checking import check_indices
from rankscape.errors import InputError
from rankscape.estimators.completion import inputs
from rankscape.estimators.completion.best import Best, best_unseen
from rankscape.estimators.completion.certificate import Certificate
from rankscape.estimators.completion.inputs import MatrixData
from rankscape.estimators.completion.intervals import Calibration, IntervalKind, normal_width
from rankscape.estimators.completion.methods import named
from rankscape.estimators.completion.models.determined import Determined
from rankscape.estimators.completion.models.low_rank import LowRank
from rankscape.estimators.completion.models.scaled import Scaled
from rankscape.estimators.completion.new_rows import NewRows
from rankscape.estimators.completion.offsets import Offset
from rankscape.estimators.completion.outliers import Outliers
from rankscape.estimators.completion.ridge_path import Record
from rankscape.estimators.completion.scaling import Scaling
from rankscape.estimators.completion.uncertainty import errors_of
from rankscape.ground.arrays import root_mean_square
from rankscape.ground.checks import share, whole
from rankscape.ground.labelled import Labelled
from rankscape.ground.memory import check_room
from rankscape.ground.modes import Modes, balanced_factors
from rankscape.ground.types import ArrayLike
from rankscape.run.outcome import Outcome
from rankscape.solvers.noise_variances import Variances

# What to do with a matrix that is too large to be formed.
TOO_LARGE = "`predict` gives chosen cells, `top` the best columns of each row, and `save` keeps the model."


@dataclass(frozen=True, eq=False, repr=False)
class CompletedMatrix:
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

    def __repr__(self) -> str:
        held = "none held out"
        if self.heldout_rmse is not None:
            held = f"held-out RMSE {self.heldout_rmse:.4g}{self.scaling.suffix}"
        return f"CompletedMatrix(shape={self.observed.shape}, rank={self.rank}, {held}, outcome={self.outcome.value!r})"

    @property
    def expected_error(self) -> float | None:
        """Root mean square error to expect of the filled cells, as observations; None when none could be held out.

        It is larger than `heldout_rmse` where gaps have a pattern (`certificate` has its standard error).
        """
        return self.certificate.expected_error

    @property
    def shape(self) -> tuple[int, int]:
        """``(n_out, n_in)``."""
        return self.observed.shape

    @property
    def scaling(self) -> Scaling:
        """The size of rows and columns, by which entries were divided before they were fitted."""
        return self.model.scaling

    @property
    def units(self) -> str:
        """In which errors are: "the units of the data" or, where these are scaled, "standard deviations of their
        column" (row, row and column).
        """
        return self.scaling.words

    def rmse(self, entries: Entries) -> float:
        """Root mean square error of the model at these entries, in `units`."""
        errors = self.predict(entries.rows, entries.columns) - entries.values
        # In units of the largest entry first: squares of 1e200 do not exist.
        return self.scaling.unit * root_mean_square(errors / self.scaling.at(entries.rows, entries.columns))

    @property
    def rank(self) -> int:
        """The number of live directions."""
        return len(self.low_rank.modes.s)

    @cached_property
    def modes(self) -> Modes:
        """Of the low-rank fit without its offset."""
        return self._standard.modes

    @property
    def singular_values(self) -> np.ndarray:
        """Of the low-rank fit, descending."""
        return self.modes.s

    @property
    def removed(self) -> Offset:
        """The offset of the low-rank fit."""
        return self._standard.offset

    @property
    def noise(self) -> float:
        """What the low-rank fit leaves unexplained."""
        return self._standard.noise

    @property
    def variances(self) -> Variances | None:
        """Of rows and columns."""
        return self.low_rank.variances

    @cached_property
    def _standard(self) -> LowRank:
        return self.low_rank.scaled(self.scaling.unit)

    @property
    def offset(self) -> str:
        """What was removed before factorizing, in words."""
        return self.removed.words

    @property
    def how(self) -> str:
        """How the method comes to its rank, in a sentence or two."""
        return named(self.method).how

    @property
    def sharp(self) -> bool:
        """Whether the rank is a number of directions that are there or not, and not a matter of degree."""
        return named(self.method).sharp

    @property
    def wary(self) -> bool:
        """Whether few entries for each parameter would be a reason for doubt."""
        return named(self.method).wary

    @property
    def references(self) -> tuple[str, ...]:
        """Keys of the bibliography for the method (`rankscape cite KEY`)."""
        return named(self.method).references

    @cached_property
    def trajectory(self) -> Labelled:
        """The `path` as one walks it: without minima that were only compared, and its steps counted anew.

        Of the starts "all at once" it keeps the one that was chosen, if one was.
        """
        path = self.path
        compared = path.phase == "all at once"
        mine = compared & named(path.attrs["method"]).walked(path, self.memory)
        begins = np.flatnonzero(np.diff(mine, prepend=False) & mine)  # of each start at this ridge; the last one counts
        mine[: begins[-1] if len(begins) else 0] = False
        compared &= ~mine
        # Steps are counted anew without those that were only compared, as one would walk to the choice.
        walked = np.diff(path.step, prepend=0)
        walked[1:][compared[:-1]] = 1
        steps = np.cumsum(walked[~compared])
        kept = path.take("step", ~compared)
        chosen = {"chosen": int(steps[-1]) if len(steps) else 0}
        return replace(kept, coordinates={**kept.coordinates, "step": steps}, attrs={**kept.attrs, **chosen})

    @cached_property
    def factors(self) -> list[np.ndarray]:
        """Balanced factors ``[W_1, ..., W_L]`` of the low-rank fit; their product plus its offset is `fitted` where
        nothing else predicts.
        """
        return balanced_factors(self.modes, [self.rank] * (self.depth - 1))

    @cached_property
    def fitted(self) -> np.ndarray:
        """The model's value of every entry, the observed ones included (denoised)."""
        check_room(self.shape, 2, TOO_LARGE)
        return self.model.dense()

    @cached_property
    def matrix(self) -> np.ndarray:
        """The completed matrix: observed entries, `outliers` too, keep their values; the others are the model's."""
        matrix = self.fitted.copy()
        matrix[self.observed.rows, self.observed.columns] = self.observed.values
        return matrix

    @cached_property
    def determined(self) -> np.ndarray:
        """Which cells the entries determine, shape ``(n_out, n_in)``; the others are filled with the offset.

        A cell is locally determined when no change of the factors that leaves the observed entries as they are moves
        it. Where a ridge and not the entries holds the directions of a fit, only cells between rows and columns that
        no entries connect are undetermined.
        """
        inner = self.model.model
        mask = ~inner.open.dense() if isinstance(inner, Determined) else np.ones(self.shape, dtype=bool)
        mask[self.observed.rows, self.observed.columns] = True
        return mask

    def predict(self, rows: ArrayLike, columns: ArrayLike) -> np.ndarray:
        """The model's values at these positions, without forming the matrix.

        Parameters
        ----------
        rows, columns : array_like of int, shape (k,)
            Positions, counted from zero.

        Raises
        ------
        InputError
            An index is out of range or not an integer.
        """
        return self.model.at(*self._positions(rows, columns))

    def observed_at(self, rows: ArrayLike, columns: ArrayLike) -> np.ndarray:
        """The observed entries at these positions, NaN where none was observed; shape (k,)."""
        i, j = self._positions(rows, columns)
        place = lambda i, j: i.astype(np.int64) * self.shape[1] + j
        seen, asked = place(self.observed.rows, self.observed.columns), place(i, j)
        at = np.minimum(np.searchsorted(seen, asked), len(seen) - 1)  # entries are in row order
        return np.where(seen[at] == asked, self.observed.values[at], np.nan)

    def standard_errors(self, rows: ArrayLike, columns: ArrayLike) -> np.ndarray:
        """Standard errors of the values at these positions, if what the low-rank fit leaves is noise; shape (k,).

        Of the cell itself, without the noise that an observation of it would carry.
        """
        i, j = self._positions(rows, columns)
        return self._errors(i, j) * self.scaling.at(i, j)

    def _errors(self, i: np.ndarray, j: np.ndarray) -> np.ndarray:
        errors, inner = errors_of(self.low_rank, self.used, i, j), self.model.model
        return np.where(inner.open.at(i, j), inner.error, errors) if isinstance(inner, Determined) else errors

    def interval(
        self, rows: ArrayLike, columns: ArrayLike, level: float = 0.95, of: IntervalKind = "observation"
    ) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper bounds of single cells, each of shape (k,).

        Parameters
        ----------
        rows, columns : array_like of int, shape (k,)
            Positions, counted from zero.
        level : float
            Share of the intervals that hold what they are for, between 0 and 1.
        of : {"observation", "entry"}
            For a new observation of the cell, noise included: calibrated on held-out entries, in the pattern of the
            gaps where these have one, so that it holds whatever the model. Or for the cell itself: this one covers
            where what the low-rank fit leaves is noise, and cannot know where it is signal.

        Raises
        ------
        InputError
            A position is out of range, the level is no share, or no entries could be held out.

        Examples
        --------
        >>> import numpy as np, rankscape as rs
        >>> rng = np.random.default_rng(0)
        >>> W = np.outer(rng.normal(size=40), rng.normal(size=30))
        >>> X = np.where(rng.random(W.shape) < 0.7, W + 0.1 * rng.normal(size=W.shape), np.nan)
        >>> low, high = rs.complete(X).interval(*np.nonzero(np.isnan(X)), of="entry")
        >>> bool(np.mean((low <= W[np.isnan(X)]) & (W[np.isnan(X)] <= high)) > 0.9)
        True
        """
        i, j = self._positions(rows, columns)
        level = share("level", level)
        if of not in get_args(IntervalKind):
            raise InputError(f"`of` must be 'observation' or 'entry', got {of!r}.")
        if self.calibration is None:
            raise InputError("No entries could be held out, so no interval can be given.")
        values, errors = self.model.model.at(i, j), self._errors(i, j)
        if of == "entry":
            half = normal_width(level) * np.hypot(errors, self.calibration.cut)
        else:
            half = self.calibration.half_width(values, np.hypot(errors, self.low_rank.noise), level)
        size = self.scaling.at(i, j)
        return (values - half) * size, (values + half) * size

    def _positions(self, rows: ArrayLike, columns: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        rows = np.atleast_1d(np.asarray(rows))
        i = check_indices(rows, "rows", len(rows), self.shape[0])
        return i, check_indices(np.atleast_1d(columns), "columns", len(rows), self.shape[1])

    def top(self, count: int, rows: ArrayLike | None = None) -> Best:
        """Of each row the unseen columns with the largest values, the largest first, without forming the matrix.

        Parameters
        ----------
        count : int
            How many columns of each row, fewer where fewer are unseen.
        rows : array_like of int, optional
            Positions, counted from zero; every row without it.

        Returns
        -------
        Best
            ``rows``, ``columns`` and ``values``, a named tuple.

        Raises
        ------
        InputError
            A row is out of range, or the count is no whole number of at least 1.

        Warns
        -----
        FallbackWarning
            All values are equal, so that their order means nothing.

        Examples
        --------
        >>> import numpy as np, rankscape as rs
        >>> X = np.outer([1.0, 2.0, 3.0, 4.0, 5.0], [1.0, -1.0, 2.0, 0.5, 1.0, 3.0])
        >>> X[2, [3, 5]] = np.nan
        >>> rs.complete(X).top(1, rows=[2]).columns
        array([5])
        """
        where = np.arange(self.shape[0]) if rows is None else np.atleast_1d(np.asarray(rows))
        where = check_indices(where, "rows", len(where), self.shape[0])
        return best_unseen(self.model.lines, self.observed, whole("count", count, least=1), where)

    def folded(self, entries: Entries) -> np.ndarray:
        """The model's value of every entry of other rows, from what is observed of them; shape ``(n, n_in)``."""
        return self.model.folded(entries)

    def new_rows(self, data: MatrixData | Entries) -> NewRows:
        """Further rows of this matrix, filled in by what is observed of them; nothing is fitted again.

        Parameters
        ----------
        data : array_like, scipy sparse array, Completion or Entries, shape (n, n_in)
            NaN where nothing is known; what a sparse array stores is observed. A row without entries gets what is known
            of the columns.

        Raises
        ------
        InputError
            The columns are not as many as the matrix has, or an entry is infinite.

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
        entries = inputs.rows_of(data)
        if entries.shape[1] != self.shape[1]:
            raise InputError(f"New rows need the {self.shape[1]} columns of the matrix, got {entries.shape[1]}.")
        inputs.warn_of_empty(entries, columns=False)
        return NewRows(self.model, entries)

    def save(self, path: str | Path) -> None:
        """Write the model, the entries and what is known of both to an NPZ file of plain arrays and JSON, no pickle.

        The matrix itself is not in it: the file is as small as the entries and factors are.
        """
        from rankscape.estimators.completion.storing import save

        save(self, Path(path))

    @classmethod
    def load(cls, path: str | Path) -> "CompletedMatrix":
        """Read what `save`, ``DeepMatrixCompletion.save`` or ``rankscape complete --model`` wrote.

        Nothing in the file is executed.
        """
        from rankscape.estimators.completion.storing import load

        return load(Path(path))[0]


def labelled_path(records: list[Record], scale: float, attributes: dict[str, Any]) -> Labelled:
    """The records of one path; `scale` turns them into the units of the data.

    A step that was recorded twice (the end of one stage is the start of the next) keeps its last record.
    """
    unique = list({record.step: record for record in records}.values())
    width = max((len(r.singular_values) for r in unique), default=0)
    spectra = np.zeros((len(unique), width))
    for k, record in enumerate(unique):
        spectra[k, : len(record.singular_values)] = record.singular_values
    first = spectra[:, 0] if width else np.zeros(len(unique))
    effective = np.divide(spectra.sum(1), first, out=np.zeros(len(unique)), where=first > 0)
    column = lambda name: np.array([getattr(r, name) for r in unique], dtype=float)
    variables: dict[str, Any] = {
        "ridge": column("ridge"),
        "depth": np.array([r.depth for r in unique], dtype=np.int64),
        "rank": np.array([r.rank for r in unique], dtype=np.int64),
        "effective_rank": effective,
        "train_rmse": column("train_rmse") * scale,
        "heldout_rmse": column("heldout_rmse") * scale,
    }
    variables = {name: (("step",), values) for name, values in variables.items()}
    variables["phase"] = (("step",), np.array([r.phase for r in unique], dtype=np.str_))
    variables["singular_values"] = (("step", "index"), spectra * scale)
    steps = np.array([r.step for r in unique], dtype=np.int64)
    return Labelled(variables, {"step": steps, "index": np.arange(width)}, attributes)
