"""Completing a matrix without choosing a rank."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np

from rankscape.entries.given import Given
from rankscape.estimators.completion.at_work import Executor, at_work, opened
from rankscape.estimators.completion.completed.result import CompletedMatrix
from rankscape.estimators.completion.fitting import ProgressCall, fit_entries
from rankscape.estimators.completion.inputs import MatrixData, taken
from rankscape.estimators.completion.progress import shown_on
from rankscape.estimators.completion.ready.bounds import Bounds, Clip
from rankscape.estimators.completion.ready.names import Names
from rankscape.estimators.completion.settings import (
    Depth,
    OffsetChoice,
    OrderedAxis,
    PathKind,
    ScaleChoice,
    Settings,
    ValuesChoice,
    settings_of,
)
from rankscape.estimators.losses import LossChoice
from rankscape.ground.progress import told
from rankscape.ground.range import check_scale


def complete(
    data: MatrixData,
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
    n_jobs: int | None = -1,
    seed: int = 0,
    progress: ProgressCall | bool | None = None,
    executor: Executor = None,
    checkpoint: str | Path | None = None,
) -> CompletedMatrix:
    r"""Complete a matrix with holes; the ridge path of a deep factorization and held-out entries choose the rank.

    Minimises over ``W = W_L ... W_1``, with ``m`` observed entries scaled to rms 1 after an offset is removed,

    .. math:: \frac{1}{2m}\sum_{ij\ \mathrm{observed}} (W_{ij}-y_{ij})^2 + \lambda \sum_l \|W_l\|_F^2

    which at depth 3 has minima of many ranks. The ridge :math:`\lambda` falls from one that leaves few directions
    alive; least squares removes its bias; directions are added as long as the residual holds one that chance does not
    explain. Data with many small directions, or mostly noise, are averaged over the uncertainty of the factors
    instead. Held-out entries decide, and the choice is fitted again to all entries. The same as
    `DeepMatrixCompletion`, without scikit-learn.

    Parameters
    ----------
    data : Completion, frame, array_like, DataArray, scipy sparse array, Triplets, path or Dask DataFrame
        Missing are NaN, NA, None and masked values; what a sparse array stores is observed. Columns of text of a
        frame are kept aside, with a warning, and given back unchanged in `CompletedMatrix.frame`. A `Completion` that
        is already split keeps its split. Of more than the memory holds: a folder or a pattern of Parquet files, a Dask
        DataFrame of three columns, or what `rankscape.files.triplets` makes of them.
    depth : int or "auto"
        Number of factors ``L``, at least 2. From 3 on the rank is found exactly; depth 2 is the nuclear norm. "auto"
        climbs at depth 3; where the spectrum has no edge, held-out entries choose among 2, 3 and 4.
    max_rank : int, optional
        Largest rank to be found; the default is the smaller side, at most 60.
    validation_fraction : float
        Share of the entries held out to choose by, between 0 and 1; of very many at most two million.
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
        What the entries are: any numbers; whole numbers that count something; one of two values; one of few levels that
        have an order. A kind that is named is modelled as such (low rank in the logarithm of a rate, in log odds, or
        behind cuts), unless the low rank itself clearly predicts better, and predictions are expected values in its
        range: from zero on, or between the smallest and the largest value. "auto" lets the kinds that the entries may
        be of compete on held-out entries.
    detection_limit : float, optional
        Says that entries are missing because they are small: all missing cells, and entries that equal the limit, lie
        below it. They are predicted given that. No observed entry may be smaller.
    clip : (low, high) or "observed", optional
        Bounds of everything predicted: two numbers, two arrays of one number a column, or the smallest and largest
        entry observed. Entries that lie outside are refused.
    n_jobs : int or None
        Threads, as in scikit-learn: -1 for all cores that may be used, None for one or what `joblib.parallel_config`
        says. Only entries that are many and sparse need them; their number changes no digit.
    seed : int
        Of the held-out split and of all draws.
    progress : bool or callable, optional
        True tells the stage in words, on a terminal, in a notebook or as lines; a function receives a
        `CompletionProgress` at the begin of each stage and after each record.
    executor : Client or str, optional
        Whose workers sweep over very many entries of a sparse matrix: a Dask client, "dask" (`n_jobs` processes on this
        machine), the address of a scheduler, or a batch system ("slurm", "pbs", "lsf", "sge"). They read the entries in
        the folder for temporary files, which all machines have to see (TMPDIR), and change no digit.
    checkpoint : str or Path, optional
        A file in which the sweeps over very many entries are written down: the same call goes on there after it was
        killed. It stays when the fit is done.

    Returns
    -------
    CompletedMatrix
        With the rank, held-out error, baselines, path and reason.

    Raises
    ------
    InputError
        The data or an option cannot be used.

    Warns
    -----
    FallbackWarning
        Columns of text are kept aside; rows or columns have no entry.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.outer(np.arange(1.0, 9.0), [1.0, -1.0, 2.0, 0.5, 3.0, 1.0])
    >>> X[np.arange(8), np.arange(8) % 6] = np.nan
    >>> complete(X).rank
    1

    References
    ----------
    .. [wang2024] Wang, Jacot, "Implicit bias of SGD in L2-regularized linear DNNs: One-way jumps from high to low
       rank", ICLR 2024.
    .. [chou2024] Chou, Gieshoff, Maly, Rauhut, "Gradient descent for deep matrix factorization: Dynamics and implicit
       bias towards low rank", Applied and Computational Harmonic Analysis 68 (2024).
    """
    how = depth, max_rank, validation_fraction, offset, path, scale, loss, ordered, values, detection_limit
    settings = settings_of(*how, seed, n_jobs=n_jobs)
    with told(progress, shown_on) as tell, opened(executor, settings.threads) as work:
        given, held = taken(data, aside=True, each=work.each)
        given, settings = at_work(given, settings, work, checkpoint)
        return replace(fit_given(given, held, settings, clip, tell), like=given.like)


def fit_given(
    given: Given,
    held: np.ndarray | None,
    settings: Settings,
    clip: Clip,
    progress: ProgressCall | None = None,
    before: CompletedMatrix | None = None,
) -> CompletedMatrix:
    """Complete what was given, within bounds and with its names; `held` and `before` as in `fit_entries`."""
    # Room for the singular values, and for what is added up on the way to them.
    check_scale(np.array(given.entries.extremes), np.finfo(float).max / 8 / math.sqrt(math.prod(given.shape)))
    Bounds.of(clip, given.entries)  # what breaks them is refused before the work
    done = fit_entries(given.entries, held, settings, progress, before)
    # Of what is observed only what was used: a range may not be as wide as its outliers.
    bounds, names = Bounds.of(clip, done.used), Names(given.row_labels, given.column_labels)
    return replace(done, bounds=bounds, names=names)
