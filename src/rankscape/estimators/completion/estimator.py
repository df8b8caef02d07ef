"""The scikit-learn face of completion."""

from pathlib import Path
from typing import Any, Self, TypeAlias, cast

import numpy as np
from scipy.sparse import csr_array, issparse
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from rankscape.entries import Entries
from rankscape.errors import InputError
from rankscape.estimators.completion import inputs
from rankscape.estimators.completion.fitting import fit_entries
from rankscape.estimators.completion.inputs import Bounds, MatrixData
from rankscape.estimators.completion.intervals import IntervalKind
from rankscape.estimators.completion.settings import (
    Depth,
    LossChoice,
    OffsetChoice,
    OrderedAxis,
    PathKind,
    ScaleChoice,
    settings_of,
)
from rankscape.ground.types import ArrayLike, SparseMatrix
from rankscape.problem import Completion

RandomState: TypeAlias = int | np.random.RandomState | None
Weights: TypeAlias = ArrayLike | SparseMatrix | None


class DeepMatrixCompletion(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    r"""Complete a matrix with holes; a deep factorization finds the rank.

    Minimises over ``W = W_L ... W_1``, with ``m`` observed entries scaled to rms 1 after an offset is removed,

    .. math:: \frac{1}{2m}\sum_{ij\ \mathrm{observed}} (W_{ij}-y_{ij})^2 + \lambda \sum_l \|W_l\|_F^2

    along a falling ridge :math:`\lambda`, whose minima have low rank; least squares removes the bias of the ridge,
    and directions are added as long as the residual holds one that chance does not explain. Data with many small
    directions, or mostly noise, are averaged over the uncertainty of the factors instead; held-out entries decide.

    Parameters
    ----------
    depth : int or "auto"
        Number of factors ``L``, at least 2. From 3 on the rank is found exactly; depth 2 is the nuclear norm. "auto"
        climbs at depth 3; where the spectrum has no edge, held-out entries choose among 2, 3 and 4.
    max_rank : int, optional
        Largest rank to be found; the default is the smaller side, at most 60.
    validation_fraction : float
        Share of the entries held out to judge by, between 0 and 1.
    offset : {"auto", "none", "mean", "row", "column", "row+column"}
        What to remove first: biases of rows or columns come with the mean, and are damped where entries are few.
        "auto" lets the held-out entries decide, and takes the simpler one on a tie.
    path : {"minima", "sgd"}
        How each ridge is followed: to the minimum below, or first by SGD on single entries, which jumps out of minima
        of too high a rank and never comes back. That takes longer, and seldom ends elsewhere.
    scale : {"auto", "none", "column", "row", "both"}
        What to divide by first: the standard deviation of each column, row, or both. "auto" scales where they are of
        very different size, as columns in different units are.
    loss : {"auto", "squares", "robust"}
        How residuals count. "auto" tries a robust fit where they have heavy tails, and held-out entries decide: it
        leaves out single entries that look wrong (`CompletedMatrix.outliers`), and weighs the others by how far off
        they are.
    ordered : {"auto", "rows", "columns", "both"} or None
        Along which axes neighbours are alike (time, place, wavelength); "auto" finds out, None uses no order.
    clip : (float, float) or "observed", optional
        Bounds of everything predicted: two numbers, or the smallest and largest entry observed.
    warm_start : bool
        Whether `fit` begins with the method and the modes of the fit before.
    random_state : int, RandomState or None
        Decides which entries are held out, and the random draws.

    Attributes
    ----------
    rank_ : int
        The number of live directions; the offset does not count.
    singular_values_ : ndarray, shape (rank_,)
        Of the model without the offset, descending.
    components_ : ndarray, shape (rank_, n_features)
        Its right singular vectors.
    path_ : Labelled
        Everything that was tried; see `CompletedMatrix.path`.
    n_iter_ : int
        Solver iterations of the path that was chosen.
    outcome_ : Outcome
        How the last fit ended.
    certificate_ : Certificate
        Whether to trust the completion, in numbers and words.
    completed_ : CompletedMatrix
        All of this, with the completed matrix.
    n_features_in_, feature_names_in_
        As everywhere in scikit-learn.

    Examples
    --------
    >>> import numpy as np
    >>> from rankscape.estimators import DeepMatrixCompletion
    >>> X = np.outer(np.arange(1.0, 9.0), [1.0, -1.0, 2.0, 0.5, 3.0, 1.0])
    >>> X[np.arange(8), np.arange(8) % 6] = np.nan
    >>> model = DeepMatrixCompletion().fit(X)
    >>> model.rank_, model.predict([2], [2]).round(6)
    (1, array([6.]))

    References
    ----------
    .. [wang2024] Wang, Jacot, "Implicit bias of SGD in L2-regularized linear DNNs: One-way jumps from high to low
       rank", ICLR 2024.
    .. [chou2024] Chou, Gieshoff, Maly, Rauhut, "Gradient descent for deep matrix factorization: Dynamics and implicit
       bias towards low rank", Applied and Computational Harmonic Analysis 68 (2024).
    """

    def __init__(
        self,
        *,
        depth: Depth = "auto",
        max_rank: int | None = None,
        validation_fraction: float = 0.1,
        offset: OffsetChoice = "auto",
        path: PathKind = "minima",
        scale: ScaleChoice = "auto",
        loss: LossChoice = "auto",
        ordered: OrderedAxis = "auto",
        clip: Bounds = None,
        warm_start: bool = False,
        random_state: RandomState = 0,
    ):
        self.depth: Depth = depth
        self.max_rank = max_rank
        self.validation_fraction = validation_fraction
        self.offset: OffsetChoice = offset
        self.path: PathKind = path
        self.scale: ScaleChoice = scale
        self.loss: LossChoice = loss
        self.ordered: OrderedAxis = ordered
        self.clip = clip
        self.warm_start = warm_start
        self.random_state = random_state

    # -- fitting -------------------------------------------------------------------------------------------

    def fit(self, X: MatrixData, y: None = None, weights: Weights = None) -> Self:
        """Fit the observed entries.

        Parameters
        ----------
        X : array_like, scipy sparse array or Completion, shape (n_samples, n_features)
            NaN where nothing is known; what a sparse array stores is observed, and it is never made dense. A
            `Completion` is made of triplets, and keeps its split into training and held-out entries.
        y : None
            Ignored.
        weights : array_like or scipy sparse array of the shape of X, optional
            Positive weight of each observed entry: twice the weight, half the variance of its noise.

        Raises
        ------
        InputError
            An entry is infinite, nothing is observed, or a parameter cannot be used.

        Warns
        -----
        FallbackWarning
            Some row or column has no entry: it is filled with the offset.
        """
        X = self._checked(X, reset=True)
        held = inputs.entries_and_split(X)[1] if isinstance(X, Completion) else None
        return self._fit(inputs.entries_of(X, weights), held, inputs.precision_of(X))

    def partial_fit(self, X: MatrixData, y: None = None, weights: Weights = None) -> Self:
        """Add the observed entries of X, which replace earlier ones, and fit again from where the last fit ended.

        Rows keep their positions; X may have more of them than before.
        """
        if not hasattr(self, "completed_"):
            return self.fit(X, y, weights)
        X = self._checked(X, reset=False)
        merged = self.completed_.observed.merge(inputs.entries_of(X, weights))
        return self._fit(merged, None, inputs.precision_of(X), warm=True)

    def _fit(self, entries: Entries, held: np.ndarray | None, dtype: Any, warm: bool = False) -> Self:
        # A RandomState gives another seed at every fit, as scikit-learn promises.
        seed = self.random_state
        if not isinstance(seed, (int, np.integer)):
            seed = check_random_state(seed).randint(2**31)
        given = self.depth, self.max_rank, self.validation_fraction, self.offset, self.path, self.scale
        given = *given, self.loss, self.ordered
        settings = settings_of(*given, int(seed), np.finfo(dtype).eps)
        inputs.clip_range(self.clip, entries.values)
        inputs.warn_of_empty(entries)
        before = getattr(self, "completed_", None) if warm or self.warm_start else None
        self.completed_ = fit_entries(entries, held, settings, before=before)
        return self._publish(dtype)

    def _publish(self, dtype: Any) -> Self:
        done = self.completed_
        self.rank_, self.singular_values_, self.components_ = done.rank, done.singular_values, done.modes.V.T
        self.path_, self.outcome_, self.certificate_ = done.path, done.outcome, done.certificate
        self.n_iter_ = max(1, int(done.path.attrs["chosen"]))
        self._dtype = np.dtype(dtype)
        return self

    # -- what was found ------------------------------------------------------------------------------------

    def transform(self, X: MatrixData) -> np.ndarray:
        """Fill the missing entries of X, whose rows may be new: each is folded in against the learned columns.

        The matrix that was fitted is filled with the fit itself. Observed entries keep their values. A row without
        entries is filled with what is known of the columns, with one warning.
        """
        check_is_fitted(self)
        X = self._checked(X, reset=False)
        entries = inputs.entries_of(X, allow_empty=True)
        done = self.completed_
        same = entries.shape == done.shape and all(
            np.array_equal(getattr(entries, name), getattr(done.observed, name))
            for name in ("rows", "columns", "values")
        )
        if not same:
            inputs.warn_of_empty(entries, columns=False)
        # The same matrix gets its own fit back: folding would fit each row again, without its neighbours.
        filled = self._clipped(done.fitted if same else done.folded(entries))
        filled[entries.rows, entries.columns] = entries.values
        return filled.astype(inputs.precision_of(X), copy=False)

    def fit_transform(self, X: MatrixData, y: None = None, **fit_params: Weights) -> np.ndarray:
        """Fit, with `weights` if given, and return the completed matrix."""
        return self.fit(X, y, **fit_params).transform(X)

    def predict(self, rows: MatrixData, columns: ArrayLike | None = None, return_std: bool = False) -> Any:
        """The model's values at pairs of positions; of a matrix in place of `rows`, at all of its entries.

        Parameters
        ----------
        rows, columns : array_like of int, shape (k,)
            Positions, counted from zero. Without columns, `rows` is a matrix like that of `transform`.
        return_std : bool
            Whether to return the standard errors as well: of the missing entry itself, without the noise that an
            observation of it would carry.

        Returns
        -------
        values : ndarray, shape (k,)
            In the precision of the data.
        errors : ndarray, shape (k,)
            Only with `return_std`.
        """
        check_is_fitted(self)
        if columns is None:
            if return_std:
                raise InputError("`return_std` needs pairs of `rows` and `columns`.")
            if issparse(rows):
                raise InputError("All values of a sparse matrix would form it densely: give pairs of rows and columns.")
            X = self._checked(rows, reset=False)
            values = self.completed_.folded(inputs.entries_of(X, allow_empty=True))
            return self._clipped(values).astype(inputs.precision_of(X), copy=False)
        i = cast(ArrayLike, rows)
        values = self._clipped(self.completed_.predict(i, columns)).astype(self._dtype, copy=False)
        return (values, self.completed_.standard_errors(i, columns)) if return_std else values

    def predict_interval(
        self, rows: ArrayLike, columns: ArrayLike, level: float = 0.95, of: IntervalKind = "observation"
    ) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper bounds at pairs of positions, within `clip`; see `CompletedMatrix.interval`.

        Parameters
        ----------
        rows, columns : array_like of int, shape (k,)
            Positions, counted from zero.
        level : float
            Share of the intervals that hold what they are for, between 0 and 1.
        of : {"observation", "entry"}
            For a new observation of the cell, noise included, or for the cell itself.

        Returns
        -------
        low, high : ndarray, shape (k,)
        """
        check_is_fitted(self)
        low, high = self.completed_.interval(rows, columns, level, of)
        return self._clipped(low), self._clipped(high)

    def _clipped(self, values: np.ndarray) -> np.ndarray:
        return np.clip(values, *inputs.clip_range(self.clip, self.completed_.used.values))

    def _checked(self, X: Any, reset: bool) -> Any:
        """Check X with scikit-learn; what is not finite is judged later, with its position."""
        if isinstance(X, Completion):
            # Triplets are never made dense, not even to be checked.
            empty = csr_array(X.shape)  # for the number of columns, and that they are as before
            self._checked(empty, reset)
            return X
        return validate_data(
            self, X, reset=reset, accept_sparse=["csr"], dtype=[np.float64, np.float32], ensure_all_finite=False
        )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    # -- kept ----------------------------------------------------------------------------------------------

    def save(self, path: str | Path) -> None:
        """Write the fitted estimator to an NPZ file that holds plain arrays and JSON, no pickle."""
        from rankscape.estimators.completion.storing import save_estimator

        check_is_fitted(self)
        save_estimator(self, Path(path))

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read an estimator that `save` wrote; nothing in the file is executed."""
        from rankscape.estimators.completion.storing import load_estimator

        return load_estimator(cls, Path(path))
