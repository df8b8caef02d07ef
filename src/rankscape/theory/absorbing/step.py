"""Proof, step by step, that the next step cannot leave B_r."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from rankscape.entries.duplicates import row_order
from rankscape.ground.checks import of_kind
from rankscape.ground.range import within_floats
from rankscape.ground.types import ArrayLike, Matrix
from rankscape.theory.absorbing.rank_set import Margins, RankSet, rounding
from rankscape.theory.absorbing.soft import soft_count, soft_slope
from rankscape.theory.chain import check_entries, decay, deep_chain, sides, squared_norm


@dataclass(frozen=True, eq=False)
class StepCertificate:
    """What the worst of all possible next steps leaves of the set's margins."""

    margins: Margins
    """Lower bounds of the margins after the step, whichever entries are drawn."""
    soft_ranks: np.ndarray
    """Upper bounds of the soft rank after a step on one entry, (depth, observed)."""
    stability: float
    r"""The largest :math:`\eta P_l` over entries and layers: a step on one entry is stable below 2."""
    room: Margins
    """How far the margins may be off because the factors are rounded."""

    @property
    def holds(self) -> bool:
        """Whether the next step provably stays in the set, up to the rounding of the factors' entries."""
        return all(margin >= -off for margin, off in zip(self.margins, self.room, strict=True))

    @property
    def adversary(self) -> int:
        """Position, in the list of observed entries, of the one that would raise the soft rank most."""
        return int(np.argmax(self.soft_ranks.max(axis=0)))


class _Draws(NamedTuple):
    """Every entry that may be drawn next, and the step it would take."""

    rows: np.ndarray
    columns: np.ndarray
    product: np.ndarray
    push: np.ndarray
    """The residual times the learning rate."""
    rho: float


class _Layer(NamedTuple):
    """One layer after each of these steps."""

    norm: float
    sensitivity: np.ndarray
    soft: np.ndarray


@within_floats
def step_certificate(
    rank_set: RankSet,
    factors: Sequence[ArrayLike],
    rows: ArrayLike,
    columns: ArrayLike,
    values: ArrayLike,
    learning_rate: float,
    ridge: float,
) -> StepCertificate:
    r"""Bound what any next step can do: on any observed entry, on any batch of them, or on all.

    Soft rank by concavity (`soft_rank_bounds`), from :math:`W_l^\top W_l` or from :math:`W_l W_l^\top`, whichever is
    sharper; imbalance and norm from their exact identities:

    .. math::

        \|D_l^+\| \le \rho^2 \|D_l\| + \eta^2 \max e^2 \max(P_l, P_{l+1}), \qquad
        \|W_l^+\|_F^2 \le \max \big( \rho^2 \|W_l\|_F^2 - 2\rho\eta\, e W_{ij} + \eta^2 e^2 P_l \big)

    Parameters
    ----------
    rank_set : RankSet
        The set; any constants.
    factors : sequence of array
        ``[W_1, ..., W_L]`` before the step, at least three.
    rows, columns, values : array_like of shape (m,)
        All observed entries.
    learning_rate, ridge : float
        :math:`\eta, \lambda`, with :math:`2\eta\lambda < 1`.

    Returns
    -------
    StepCertificate

    Raises
    ------
    InputError
        Depth below 3, a ridge that is not positive, a learning rate of :math:`1/(2\lambda)` or more.

    Notes
    -----
    Derived, from the idea of Wang, Jacot (2024). A batch steps on the mean of its entries' losses.

    Examples
    --------
    >>> import numpy as np
    >>> factors = [np.diag([1.0, 0.01])] * 3
    >>> one = RankSet(rank=1, alpha=0.01, eps1=1e-3, eps2=0.75, C=2.0)
    >>> step_certificate(one, factors, [0, 1], [0, 1], [1.5, 0.5], learning_rate=1e-2, ridge=0.1).holds
    True
    """
    of_kind("rank_set", rank_set, RankSet)
    W = deep_chain(factors)
    eta, _, rho = decay(learning_rate, ridge)
    above, below = sides(W)
    A = above[0] @ W[0]
    seen = check_entries(rows, columns, values, A.shape)
    draws = _Draws(seen.rows, seen.columns, seen.at(A), eta * (seen.at(A) - seen.values), rho)
    layers = [_layer(w, a, b, draws, rank_set.alpha) for w, a, b in zip(W, above, below, strict=True)]
    soft = np.empty((len(W), seen.count))
    soft[:, row_order(np.asarray(rows), np.asarray(columns), seen.shape)] = [layer.soft for layer in layers]
    pushed = [float(np.max(draws.push**2 * layer.sensitivity)) for layer in layers]
    # Two positive semidefinite terms with opposite signs: in operator norm the larger one bounds them.
    both = max if rank_set.balance_norm == "operator" else np.hypot
    balance = [rho**2 * D + both(*pair) for D, pair in zip(rank_set.imbalance_norms(W), pairwise(pushed), strict=True)]
    margins = Margins(
        rank_set.eps1 - float(max(balance)),
        rank_set.rank + rank_set.eps2 - float(soft.max()),
        rank_set.C - max(layer.norm for layer in layers),
    )
    stability = eta * max(float(layer.sensitivity.max()) for layer in layers)
    return StepCertificate(margins, soft, stability, rounding(W, rank_set.C))


def _layer(w: Matrix, above: Matrix, below: Matrix, draws: _Draws, alpha: float) -> _Layer:
    i, j, product, push, rho = draws
    left, s, right = np.linalg.svd(w, full_matrices=False)
    h = soft_slope(s**2, alpha)
    # In the layer's own singular bases, where its slope is diagonal.
    u, v = above @ left, right @ below
    u2, v2 = np.sum(above**2, axis=1)[i], np.sum(below**2, axis=0)[j]
    first = 2 * rho * push * ((u * (h * s)) @ v)[i, j]
    # The second order from either side, one for all entries: the mean over a batch is then bounded too.
    from_right = u2 * (h @ v**2 + _outside(below - right.T @ v, alpha))[j]
    from_left = v2 * (h @ u.T**2 + _outside(above.T - left @ u.T, alpha))[i]
    start = soft_count(s**2, alpha).sum() - (1 - rho**2) * np.sum(h * s**2)
    # One side for all entries of a layer, because a batch mixes them.
    soft = min((start - first + push**2 * side for side in (from_right, from_left)), key=np.max)
    norm = rho**2 * squared_norm(w) + float(np.max(push**2 * u2 * v2 - 2 * rho * push * product))
    return _Layer(norm, u2 * v2, soft)


def _outside(rest: np.ndarray, alpha: float) -> np.ndarray:
    """What lies outside the layer's singular vectors, where the slope is that at zero."""
    return 2 / alpha * np.sum(rest**2, axis=0)
