r"""Where classification goes: the plane of the largest margin, and how slowly a direction comes to it.

On classes that a plane through the origin separates, losses with an exponential tail have no minimizer: ``W`` grows
like :math:`\log t`, and its direction goes to that of the largest margin, its distance falling like :math:`1/\log t`
(Soudry et al. 2018); the layers of a deep linear network align on the way (Ji, Telgarsky 2019).
"""

from dataclasses import dataclass, field

import numpy as np

from rankscape.errors import InputError
from rankscape.ground.arrays import as_array
from rankscape.ground.checks import shown
from rankscape.ground.types import ArrayLike
from rankscape.theory.inputs import matrix_of, numbers_of

__all__ = ["DirectionRate", "MaxMargin", "direction_rate", "max_margin"]


@dataclass(frozen=True, eq=False)
class MaxMargin:
    """The plane through the origin that keeps all samples as far away as it can.

    Attributes
    ----------
    margin : float
        The distance of the nearest sample.
    direction : array of shape (n_in,)
        The normal, of length 1.
    support : array of int
        The samples at that distance.
    dual : array of shape (P,)
        What certifies it: nonnegative weights, zero off the support, with ``direction / margin = sum dual_k t_k x_k``.
    """

    margin: float
    direction: np.ndarray
    support: np.ndarray
    dual: np.ndarray = field(repr=False)


def max_margin(inputs: ArrayLike, labels: ArrayLike) -> MaxMargin:
    r"""The direction of the largest margin, :math:`\max_{\|w\| = 1} \min_k t_k\, w \cdot x_k`.

    The point of smallest norm with :math:`t_k w \cdot x_k \ge 1`, by nonnegative least squares, which ends after
    finitely many steps.

    Parameters
    ----------
    inputs : array_like of shape (P, n_in)
        One sample a row.
    labels : array_like of shape (P,)
        Two different values; the larger one is the positive class.

    Returns
    -------
    MaxMargin

    Raises
    ------
    InputError
        Other labels, or no plane through the origin separates the classes: then a loss has a finite minimizer, and
        nothing here applies.

    Examples
    --------
    >>> best = max_margin([[1.0, 0.0], [0.0, 1.0], [-1.0, -1.0]], [1, 1, 0])
    >>> round(best.margin, 6), best.direction.round(6).tolist(), best.support.tolist()
    (0.707107, [0.707107, 0.707107], [0, 1])

    References
    ----------
    .. [soudry2018] Soudry, Hoffer, Nacson, Gunasekar, Srebro, "The implicit bias of gradient descent on separable
       data", Journal of Machine Learning Research 19 (2018).
    """
    from scipy.optimize import nnls

    X, given = matrix_of("inputs", inputs), as_array(labels, "labels")
    if given.dtype.kind not in "biufUS":
        raise InputError(f"`labels` must be numbers or words of one kind, got {shown(labels)}.")
    classes = np.unique(given)
    if given.shape != (len(X),) or len(classes) != 2:
        raise InputError(
            f"`labels` must be two values, one for each of the {len(X)} samples; got {len(classes)} values in shape "
            f"{given.shape}."
        )
    A = np.where(given == classes[1], 1.0, -1.0)[:, None] * X
    size = float(np.linalg.norm(A, axis=1).max())
    if size == 0:
        raise InputError("The classes are not separable: all inputs are zero.")
    # Least distance programming: of E u = f with E = [A^T; 1^T] the residual is zero where no plane separates.
    E = np.vstack([A.T / size, np.ones(len(A))])
    f = np.zeros(E.shape[0])
    f[-1] = 1.0
    u, left = nnls(E, f)
    residual = f - E @ u
    if left < 1e-9 or residual[-1] <= 0:
        raise InputError(
            "The classes are not separable by a plane through the origin: the loss has a finite minimizer, and largest "
            "margins and rates in 1 / log t do not exist. Add a constant input for an offset, or watch the loss."
        )
    w = -residual[:-1] / residual[-1] / size
    length = float(np.linalg.norm(w))
    margins = A @ w
    support = np.flatnonzero(margins <= 1 + 1e-7)
    return MaxMargin(1 / length, w / length, support, u / residual[-1] / size**2)


@dataclass(frozen=True)
class DirectionRate:
    r"""How a direction comes to its limit: :math:`\mathrm{distance} \approx c / (\log t - b)`, fitted to a path.

    Attributes
    ----------
    scale, offset : float
        c and b.
    linearity : float
        The share of the variance of 1/distance that a line in :math:`\log t` explains: near 1 where the law holds.
    distances : tuple of float
        What was fitted.
    """

    scale: float
    offset: float
    linearity: float
    distances: tuple[float, ...]


def direction_rate(times: ArrayLike, directions: ArrayLike, limit: ArrayLike) -> DirectionRate:
    r"""How :math:`\|w(t)/\|w(t)\| - \hat w\|` falls: like :math:`1/\log t` on separable classes, as a line shows.

    Parameters
    ----------
    times : array_like of shape (times,)
        Steps or times, above 1.
    directions : array_like of shape (times, n_in)
        As `Classification.quantities` records them; of any length above 0.
    limit : array_like of shape (n_in,)
        The direction of `max_margin`.

    Raises
    ------
    InputError
        Fewer than three times above 1, a direction of length 0, or shapes that do not fit.

    Examples
    --------
    >>> t = np.array([1e2, 1e3, 1e4, 1e5])
    >>> rate = direction_rate(t, np.stack([np.log(t), np.ones(4)], axis=1), [1.0, 0.0])      # log t along the limit
    >>> round(rate.scale, 2), round(rate.linearity, 4)
    (1.01, 1.0)
    """
    t, w, goal = (numbers_of(name, given) for name, given in zip(("times", "directions", "limit"),
                                                                 (times, directions, limit), strict=True))  # fmt: skip
    if w.ndim != 2 or t.shape != (len(w),) or goal.shape != (w.shape[1],) or len(t) < 3 or np.any(t <= 1):
        raise InputError(
            f"Three or more times above 1 are needed, with a direction of the length of `limit` at each; got shapes "
            f"{t.shape}, {w.shape} and {goal.shape}."
        )
    lengths = np.linalg.norm(w, axis=1, keepdims=True)
    if np.any(lengths == 0) or not np.any(goal):
        raise InputError("A direction of length 0 has no distance: leave out the times before the first step.")
    distances = np.linalg.norm(w / lengths - goal / np.linalg.norm(goal), axis=1)
    if np.any(distances == 0):
        raise InputError("A direction is `limit` itself: there is no rate to fit.")
    x, y = np.log(t), 1 / distances
    slope, constant = np.polyfit(x, y, 1)
    off = y - (slope * x + constant)
    linearity = 1 - float(np.sum(off**2) / max(np.sum((y - y.mean()) ** 2), np.finfo(float).tiny))
    return DirectionRate(float(1 / slope), float(-constant / slope), linearity, tuple(distances.tolist()))
