"""The scikit-learn face of completion: its settings, and fitting."""

from dataclasses import replace
from pathlib import Path
from typing import Self, TypeAlias

import numpy as np

from rankscape.entries.given import Given
from rankscape.errors import InputError
from rankscape.estimators.checked import seed_of
from rankscape.estimators.completion import inputs
from rankscape.estimators.completion.at_work import HERE, Executor, Work, at_work, opened
from rankscape.estimators.completion.complete import fit_given
from rankscape.estimators.completion.fitted import AbstractFitted
from rankscape.estimators.completion.inputs import MatrixData, Weights
from rankscape.estimators.completion.ready.bounds import Clip
from rankscape.estimators.completion.settings import (
    Depth,
    OffsetChoice,
    OrderedAxis,
    PathKind,
    ScaleChoice,
    ValuesChoice,
    settings_of,
)
from rankscape.estimators.losses import LossChoice
from rankscape.ground.checks import switch
from rankscape.ground.threads import threads_of
from rankscape.ground.types import ArrayLike
from rankscape.problem import Completion

RandomState: TypeAlias = int | np.random.RandomState | None


class DeepMatrixCompletion(AbstractFitted):
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
        Share of the entries held out to judge by, between 0 and 1; of very many at most two million.
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
    values : {"auto", "real", "count", "binary", "ordinal"}
        What the entries are: any numbers; whole numbers that count something; one of two values; one of few levels
        that have an order. A kind that is named is modelled as such, and predictions are expected values in its range.
        "auto" lets the kinds that the entries may be of compete on held-out entries. See `complete`.
    detection_limit : float, optional
        Says that entries are missing because they are small: all missing cells lie below it. See `complete`.
    clip : (low, high) or "observed", optional
        Bounds of everything predicted: two numbers, two arrays of one number a column, or the smallest and largest
        entry observed. Entries that lie outside are refused.
    warm_start : bool
        Whether `fit` begins with the method and the modes of the fit before.
    n_jobs : int or None
        Threads, as in scikit-learn: -1 for all cores that may be used, None for one or what `joblib.parallel_config`
        says. Their number changes no digit. See `complete`.
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
        values: ValuesChoice = "auto",
        detection_limit: float | None = None,
        clip: Clip = None,
        warm_start: bool = False,
        n_jobs: int | None = -1,
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
        self.values: ValuesChoice = values
        self.detection_limit = detection_limit
        self.clip: Clip = clip
        self.warm_start = warm_start
        self.n_jobs = n_jobs
        self.random_state = random_state

    def fit(
        self,
        X: MatrixData,
        y: None = None,
        sample_weight: ArrayLike | None = None,
        weights: Weights = None,
        executor: Executor = None,
        checkpoint: str | Path | None = None,
    ) -> Self:
        """Fit the observed entries.

        Parameters
        ----------
        X : frame, array_like, DataArray, scipy sparse array or Completion, shape (n_samples, n_features)
            Missing are NaN, NA, None and masked values; what a sparse array stores is observed, and it is never made
            dense. A `Completion` is made of triplets, and keeps its split into training and held-out entries. A path, a
            Dask DataFrame and `rankscape.files.triplets` may hold more than the memory does.
        y : None
            Ignored.
        sample_weight : array_like, shape (n_samples,), optional
            Weight of each row: twice the weight, half the variance of its noise; a row of weight zero is not learned
            from.
        weights : array_like or scipy sparse array of the shape of X, optional
            The same for each observed entry; positive.
        executor : Client or str, optional
            Whose workers sweep over very many entries: see `complete`.
        checkpoint : str or Path, optional
            A file in which these sweeps are written down: see `complete`.

        Raises
        ------
        InputError
            An entry is infinite or no number, nothing is observed, or a parameter cannot be used.

        Warns
        -----
        FallbackWarning
            Some row or column has no entry: it is filled with the offset.
        """
        with opened(executor, threads_of(self.n_jobs)) as work:
            given = self._given(X, reset=True, each=work.each)
            held = inputs.entries_and_split(X)[1] if isinstance(X, Completion) else None
            entries = inputs.weighted(given.entries, weights, sample_weight)
            if entries.count < given.entries.count and held is not None:
                raise InputError("Rows of weight zero in a problem that is split: leave them out of it.")
            return self._fit(replace(given, entries=entries), held, work=work, checkpoint=checkpoint)

    def partial_fit(
        self, X: MatrixData, y: None = None, sample_weight: ArrayLike | None = None, weights: Weights = None
    ) -> Self:
        """Add the observed entries of X, which replace earlier ones, and fit again from where the last fit ended.

        Rows keep their positions; X may have more of them than before.
        """
        if not hasattr(self, "completed_"):
            return self.fit(X, y, sample_weight, weights)
        given = self._given(X, reset=False)
        entries = inputs.weighted(given.entries, weights, sample_weight)
        merged = self.completed_.observed.merge(entries)  # whose rows may have had other names
        return self._fit(replace(given, entries=merged, row_labels=None), None, warm=True)

    def _fit(
        self,
        given: Given,
        held: np.ndarray | None,
        warm: bool = False,
        work: Work = HERE,
        checkpoint: str | Path | None = None,
    ) -> Self:
        if not given.entries.count:
            raise InputError(f"No entry of X of shape {given.shape} is observed: there is nothing to learn from.")
        # A RandomState gives another seed at every fit, as scikit-learn promises.
        seed = seed_of(self.random_state)
        asked = self.depth, self.max_rank, self.validation_fraction, self.offset, self.path, self.scale
        asked = *asked, self.loss, self.ordered, self.values, self.detection_limit
        settings = settings_of(*asked, seed, np.finfo(given.dtype).eps, self.n_jobs)
        if settings.limit is None:  # below a limit no column is without a value
            inputs.warn_of_empty(given.entries)
        before = getattr(self, "completed_", None) if warm or switch("warm_start", self.warm_start) else None
        given, settings = at_work(given, settings, work, checkpoint)
        self.completed_ = fit_given(given, held, settings, self.clip, before=before)
        return self._publish(given.dtype)
