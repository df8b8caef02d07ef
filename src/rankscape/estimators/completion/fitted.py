"""What a fitted completion does in scikit-learn's words: transform, predict, score; and how it is kept."""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, Self, cast

import numpy as np
from scipy.sparse import csr_array, issparse
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from rankscape.entries.given import Given, given_of
from rankscape.errors import InputError
from rankscape.estimators.checked import checked_data, refuse_foreign
from rankscape.estimators.completion import inputs
from rankscape.estimators.completion.completed.result import CompletedMatrix
from rankscape.estimators.completion.inputs import MatrixData
from rankscape.estimators.completion.models.intervals import IntervalKind
from rankscape.estimators.completion.ready.names import By, Places
from rankscape.estimators.completion.scoring import column_units, hidden_errors, score_of
from rankscape.files.in_parts.base import Each, one_by_one
from rankscape.ground.types import ArrayLike
from rankscape.problem import Completion


class AbstractFitted(OneToOneFeatureMixin, TransformerMixin, BaseEstimator, ABC):
    """A completion that knows what it has learned, not how."""

    completed_: CompletedMatrix
    _dtype: np.dtype

    @abstractmethod
    def fit(self, X: MatrixData, y: None = None) -> Self:
        """Fit the observed entries."""

    def fit_transform(self, X: MatrixData, y: None = None, **fit_params: Any) -> np.ndarray:
        """Fit, with weights if given, and return the completed matrix."""
        return self.fit(X, y, **fit_params).transform(X)

    def _publish(self, dtype: Any) -> Self:
        done = self.completed_
        self.rank_, self.singular_values_, self.components_ = done.rank, done.singular_values, done.modes.V.T
        self.path_, self.outcome_, self.certificate_ = done.path, done.outcome, done.certificate
        self.n_iter_ = max(1, int(done.path.attrs["chosen"]))
        self._dtype = np.dtype(dtype)
        return self

    def transform(self, X: MatrixData) -> np.ndarray:
        """Fill the missing entries of X, whose rows may be new: each is folded in against the learned columns.

        The matrix that was fitted is filled with the fit itself. Observed entries keep their values. A row without
        entries is filled with what is known of the columns, with one warning.
        """
        check_is_fitted(self)
        given, done = self._given(X, reset=False), self.completed_
        entries = given.entries
        same = entries.shape == done.shape and all(
            np.array_equal(getattr(entries, name), getattr(done.observed, name))
            for name in ("rows", "columns", "values")
        )
        if not same:
            inputs.warn_of_empty(entries, columns=False)
        # The same matrix gets its own fit back: folding would fit each row again, without its neighbours.
        filled = done.fitted.copy() if same else done.folded(entries)
        filled[entries.rows, entries.columns] = entries.values
        return filled.astype(given.dtype, copy=False)

    def predict(
        self, rows: MatrixData | Places, columns: Places | None = None, return_std: bool = False, by: By = "auto"
    ) -> Any:
        """The model's values at single cells; of a matrix in place of `rows`, at all of its entries.

        Parameters
        ----------
        rows, columns : array_like, shape (k,)
            Names, where the frame has names, or positions, counted from zero. Without columns, `rows` is a matrix like
            that of `transform`.
        return_std : bool
            Whether to return the standard errors as well: of the missing entry itself, without the noise that an
            observation of it would carry.
        by : {"auto", "names", "positions"}
            Which of the two `rows` and `columns` are, where it is not plain.

        Returns
        -------
        values : ndarray, shape (k,)
            In the precision of the data.
        errors : ndarray, shape (k,)
            Only with `return_std`.
        """
        check_is_fitted(self)
        done = self.completed_
        if columns is None:
            if return_std:
                raise InputError("`return_std` needs pairs of `rows` and `columns`.")
            if issparse(rows):
                raise InputError("All values of a sparse matrix would form it densely: give pairs of rows and columns.")
            given = self._given(rows, reset=False)
            return done.folded(given.entries).astype(given.dtype, copy=False)
        i = cast(Places, rows)
        values = done.predict(i, columns, by).astype(self._dtype, copy=False)
        return (values, done.standard_errors(i, columns, by)) if return_std else values

    def predict_interval(
        self,
        rows: Places,
        columns: Places,
        level: float = 0.95,
        of: IntervalKind = "observation",
        by: By = "auto",
    ) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper bounds of single cells, within `clip`; see `CompletedMatrix.interval`.

        Parameters
        ----------
        rows, columns : array_like, shape (k,)
            Names or positions, as in `predict`.
        level : float
            Share of the intervals that hold what they are for, between 0 and 1.
        of : {"observation", "entry"}
            For a new observation of the cell, noise included, or for the cell itself.
        by : {"auto", "names", "positions"}
            As in `predict`.

        Returns
        -------
        low, high : ndarray, shape (k,)
        """
        check_is_fitted(self)
        return self.completed_.interval(rows, columns, level, of, by)

    def score(self, X: MatrixData, y: None = None, sample_weight: ArrayLike | None = None) -> float:
        """Minus the root mean square error of the entries of X, each predicted while it is hidden from its row.

        A fifth of the entries of every row is hidden in turn and filled from the rest. Where columns differ much in
        size, errors are in standard deviations of their column, as the fitted entries have them: the same units
        whatever the settings, so that settings can be compared. Of the matrix that was fitted the score is too good,
        because the columns have learned from it: cross-validate (`cross_val_score`, `entry_cross_validate`).

        Parameters
        ----------
        X : frame, array_like, DataArray, scipy sparse array or Completion
            Rows with the fitted columns.
        y : None
            Ignored.
        sample_weight : array_like, shape (n_samples,), optional
            Weight of each row.

        Returns
        -------
        float
            At most 0, larger is better.
        """
        check_is_fitted(self)
        given, done = self._given(X, reset=False), self.completed_
        if not given.entries.count:
            raise InputError(f"No entry of X of shape {given.shape} is observed: there is nothing to score.")
        entries = inputs.weighted(given.entries, None, sample_weight)
        missed = hidden_errors(done, entries.with_weights(None))  # rows of any weight are filled alike
        return score_of(missed, entries.columns, column_units(done.observed), entries.weights)

    def _given(self, X: Any, reset: bool, each: Each = one_by_one) -> Given:
        """The entries of X, whose columns scikit-learn checks: their number and their names."""
        check: Any = checked_data
        if isinstance(X, Completion):
            # Triplets are never made dense, not even to be checked.
            check(self, csr_array(X.shape), reset=reset, accept_sparse=True)
            return inputs.given_problem(X)[0]
        if (many := inputs.many_of(X)) is not None:
            given = inputs.given_triplets(many, each)
            check(self, csr_array(given.shape), reset=reset, accept_sparse=True)
            return given
        if isinstance(X, np.ma.MaskedArray) or not (isinstance(X, np.ndarray | list) or issparse(X)):
            given = given_of(X, "X")
            check(self, X, reset=reset, skip_check_array=True)
            return given
        refuse_foreign(X)
        # What is not finite is judged later, with its position.
        plain = check(
            self, X, reset=reset, accept_sparse=["csr"], dtype=[np.float64, np.float32], ensure_all_finite=False
        )
        return given_of(plain, "X")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    # -- kept ----------------------------------------------------------------------------------------------

    def save(self, path: str | Path) -> None:
        """Write the fitted estimator to an NPZ file that holds plain arrays and JSON, no pickle."""
        from rankscape.estimators.completion.completed.storing import save_estimator

        check_is_fitted(self)
        save_estimator(self, Path(path))

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read an estimator that `save` wrote; nothing in the file is executed."""
        from rankscape.estimators.completion.completed.storing import load_estimator

        return load_estimator(cls, Path(path))
