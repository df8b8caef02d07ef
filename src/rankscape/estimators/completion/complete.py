"""Completing a matrix without choosing a rank."""

from collections.abc import Callable
from typing import Any, Literal

from rankscape.errors import InputError
from rankscape.estimators.completion.baselines import OFFSETS
from rankscape.estimators.completion.fitting import WIDTH, Settings, fit_entries
from rankscape.estimators.completion.inputs import entries_of_problem
from rankscape.estimators.completion.progress import Progress
from rankscape.estimators.completion.result import CompletedMatrix
from rankscape.ground.checks import share, whole
from rankscape.problem import Completion


def complete(
    data: Any,
    *,
    depth: int | Literal["auto"] = "auto",
    width: int | None = None,
    heldout: float = 0.1,
    offset: Literal["auto", "none", "mean", "row", "column", "row+column"] = "auto",
    path: Literal["minima", "sgd"] = "minima",
    seed: int = 0,
    progress: Callable[[Progress], None] | None = None,
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
    data : Completion, array_like or scipy sparse array
        A dense array or data frame has NaN where nothing is known; what a sparse array stores is observed. A
        `Completion` that is already split keeps its split.
    depth : int or "auto"
        Number of factors ``L``, at least 2. From 3 on the rank is found exactly; depth 2 is the nuclear norm. "auto"
        climbs at depth 3; where the spectrum has no edge, held-out entries choose among 2, 3 and 4.
    width : int, optional
        Most directions to start with; the default is the smaller side, at most 60.
    heldout : float
        Share of the entries held out to choose by, between 0 and 1.
    offset : {"auto", "none", "mean", "row", "column", "row+column"}
        What to remove first: biases of rows or columns come with the mean, and are damped where entries are few.
        "auto" lets the held-out entries decide, and takes the simpler one on a tie.
    path : {"minima", "sgd"}
        How each ridge is followed: to the minimum below, or first by SGD on single entries, which jumps out of minima
        of too high a rank and never comes back. That takes longer, and seldom ends elsewhere.
    seed : int
        Of the held-out split and of all draws.
    progress : callable, optional
        Receives a `Progress` after each record and every 0.2 s or so.

    Returns
    -------
    CompletedMatrix
        With the rank, held-out error, baselines, path and reason.

    Raises
    ------
    InputError
        The data or an option cannot be used.

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
    problem = _as_problem(data)
    settings = settings_of(depth, width, heldout, offset, path, seed)
    return fit_entries(*entries_of_problem(problem), settings, progress)


def _as_problem(data: Any) -> Completion:
    if isinstance(data, Completion):
        return data
    from scipy.sparse import issparse

    return Completion.from_sparse(data) if issparse(data) else Completion.from_array(data)


def settings_of(
    depth: Any, width: Any, heldout: Any, offset: Any, path: Any, seed: int, resolution: float = 2.2e-16
) -> Settings:
    """The settings of a fit, checked; `resolution` is the relative precision of the data."""
    if offset not in ("auto", *OFFSETS):
        raise InputError(f"`offset` must be 'auto', {', '.join(map(repr, OFFSETS))}, got {offset!r}.")
    if path not in ("minima", "sgd"):
        raise InputError(f"`path` must be 'minima' or 'sgd', got {path!r}.")
    if isinstance(depth, str) and depth != "auto":
        raise InputError(f"`depth` must be a whole number or 'auto', got {depth!r}.")
    depth = depth if isinstance(depth, str) else whole("depth", depth, least=2)
    width = WIDTH if width is None else whole("width", width, least=1)
    return Settings(depth, width, share("heldout", heldout), offset, path, seed, float(resolution))
