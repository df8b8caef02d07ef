"""What is asked of a completed matrix cell by cell: values, errors, intervals, and the whole of them."""

from abc import ABC
from functools import cached_property
from typing import Any, get_args

import numpy as np

from rankscape.entries import Entries
from rankscape.entries.given.given import Giver
from rankscape.entries.given.returning import AsNamed
from rankscape.errors import InputError
from rankscape.estimators.completion.completed.best import Best, best_unseen
from rankscape.estimators.completion.models.determined import Determined
from rankscape.estimators.completion.models.intervals import Calibration, IntervalKind, normal_width
from rankscape.estimators.completion.models.low_rank import LowRank
from rankscape.estimators.completion.models.scaled import Scaled
from rankscape.estimators.completion.models.uncertainty import errors_of
from rankscape.estimators.completion.ready.bounds import Bounds
from rankscape.estimators.completion.ready.names import By, Names, Places
from rankscape.estimators.completion.ready.scaling import Scaling
from rankscape.ground.arrays import root_mean_square
from rankscape.ground.checks import one_of, share, whole
from rankscape.ground.jit import begin_in_numpy
from rankscape.ground.memory import check_room

# What to do with a matrix that is too large to be formed.
TOO_LARGE = "`predict` gives chosen cells, `top` the best columns of each row, and `save` keeps the model."


class AbstractCells(ABC):
    """The cells of a completed matrix."""

    model: Scaled
    low_rank: LowRank
    observed: Entries
    used: Entries
    calibration: Calibration | None
    bounds: Bounds
    names: Names
    like: Giver | None

    @property
    def shape(self) -> tuple[int, int]:
        """``(n_out, n_in)``."""
        return self.observed.shape

    @property
    def scaling(self) -> Scaling:
        """The size of rows and columns, by which entries were divided before they were fitted."""
        return self.model.scaling

    @cached_property
    @begin_in_numpy()
    def fitted(self) -> np.ndarray:
        """The model's value of every entry, the observed ones included (denoised)."""
        check_room(self.shape, 2, TOO_LARGE)
        return self.bounds.clip(self.model.dense())

    @cached_property
    def matrix(self) -> np.ndarray:
        """The completed matrix: observed entries, `outliers` too, keep their values; the others are the model's."""
        matrix = self.fitted.copy()
        matrix[self.observed.rows, self.observed.columns] = self.observed.values
        return matrix

    @cached_property
    def frame(self) -> Any:
        """The completed matrix as what was given: a pandas, polars or pyarrow frame, a `DataArray`, an array.

        Names, order, given values and columns of text are as they were; columns without a missing value keep their
        type, the others become floating. A problem with names gives a pandas frame.
        """
        like = self.like or AsNamed(self.names.rows, self.names.columns)
        return like(self.matrix)

    @cached_property
    def determined(self) -> np.ndarray:
        """Which cells the entries determine, shape ``(n_out, n_in)``; the others are filled with the offset.

        A cell is locally determined when no change of the factors that leaves the observed entries as they are moves
        it. Where a ridge and not the entries holds the directions of a fit, only cells between rows and columns that
        no entries connect are undetermined. Of a quantity whose entries are all equal every cell is known.
        """
        inner = self.model.model
        mask = ~inner.open.dense() if isinstance(inner, Determined) else np.ones(self.shape, dtype=bool)
        rows, columns = self.model.known
        mask |= rows[:, None] | columns
        mask[self.observed.rows, self.observed.columns] = True
        return mask

    @begin_in_numpy()
    def predict(self, rows: Places, columns: Places, by: By = "auto") -> np.ndarray:
        """The model's values at these cells, without forming the matrix.

        Parameters
        ----------
        rows, columns : array_like, shape (k,)
            Names, where what was given has names, or positions, counted from zero.
        by : {"auto", "names", "positions"}
            Which of the two is meant; it must be said only where names are whole numbers themselves.

        Raises
        ------
        InputError
            A name is not there or not unique, a position is out of range, or it could be either.
        """
        i, j = self._positions(rows, columns, by)
        return self.bounds.clip(self.model.at(i, j), j)

    def rmse(self, entries: Entries) -> float:
        """Root mean square error of the model at these entries, in `units`."""
        errors = self.predict(entries.rows, entries.columns, by="positions") - entries.values
        # In units of the largest entry first: squares of 1e200 do not exist.
        return self.scaling.unit * root_mean_square(errors / self.scaling.at(entries.rows, entries.columns))

    def top(self, count: int, rows: Places | None = None, by: By = "auto") -> Best:
        """Of each row the unseen columns with the largest values, the largest first, without forming the matrix.

        Parameters
        ----------
        count : int
            How many columns of each row, fewer where fewer are unseen.
        rows : array_like, optional
            Names or positions, as in `predict`; every row without it.
        by : {"auto", "names", "positions"}
            As in `predict`.

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
        where = np.arange(self.shape[0]) if rows is None else self.names.row_positions(rows, self.shape[0], by)
        best = best_unseen(self.model.lines, self.observed, whole("count", count, least=1), where)
        return best._replace(values=self.bounds.clip(best.values, best.columns))

    def observed_at(self, rows: Places, columns: Places, by: By = "auto") -> np.ndarray:
        """The observed entries at these cells, NaN where none was observed; shape (k,)."""
        i, j = self._positions(rows, columns, by)
        at = self.observed.find(i, j)
        return np.where(at >= 0, self.observed.values[at], np.nan)

    def standard_errors(self, rows: Places, columns: Places, by: By = "auto") -> np.ndarray:
        """Standard errors of the values at these cells, if what the low-rank fit leaves is noise; shape (k,).

        Of the cell itself, without the noise that an observation of it would carry.
        """
        i, j = self._positions(rows, columns, by)
        return self._errors(i, j) * self.scaling.at(i, j)

    def _errors(self, i: np.ndarray, j: np.ndarray) -> np.ndarray:
        return self.model.model.errors(i, j, errors_of(self.low_rank, self.used, i, j))

    @begin_in_numpy()
    def interval(
        self,
        rows: Places,
        columns: Places,
        level: float = 0.95,
        of: IntervalKind = "observation",
        by: By = "auto",
    ) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper bounds of single cells, each of shape (k,).

        Parameters
        ----------
        rows, columns : array_like, shape (k,)
            Names or positions, as in `predict`.
        level : float
            Share of the intervals that hold what they are for, between 0 and 1.
        of : {"observation", "entry"}
            For a new observation of the cell, noise included: calibrated on held-out entries, in the pattern of the
            gaps where these have one, so that it holds whatever the model. Or for the cell itself: this one covers
            where what the low-rank fit leaves is noise, and cannot know where it is signal.
        by : {"auto", "names", "positions"}
            As in `predict`.

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
        i, j = self._positions(rows, columns, by)
        level = share("level", level)
        one_of("of", of, get_args(IntervalKind))
        if self.calibration is None:
            raise InputError("No entries could be held out, so no interval can be given.")
        values, errors = self.model.model.at(i, j), self._errors(i, j)
        if of == "entry":
            half = normal_width(level) * np.hypot(errors, self.calibration.cut)
        else:
            half = self.calibration.half_width(values, np.hypot(errors, self.low_rank.noise), level)
        size, high = self.scaling.at(i, j), self.model.model.capped(i, j, values + half)
        low, high = (self.model.within(bound * size) for bound in (values - half, high))
        return self.bounds.clip(low, j), self.bounds.clip(high, j)

    def _positions(self, rows: Places, columns: Places, by: By) -> tuple[np.ndarray, np.ndarray]:
        return self.names.positions(rows, columns, self.shape, by)

    @begin_in_numpy()
    def folded(self, entries: Entries) -> np.ndarray:
        """The model's value of every entry of other rows, from what is observed of them; shape ``(n, n_in)``."""
        return self.bounds.clip(self.model.folded(entries))
