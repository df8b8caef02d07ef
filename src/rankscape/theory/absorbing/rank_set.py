"""The set B_r: approximately balanced, approximately of rank r or less, bounded."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal, NamedTuple

import numpy as np

from rankscape.ground.checks import one_of, positive, share, whole
from rankscape.ground.types import ArrayLike, Matrix
from rankscape.theory.absorbing.soft import soft_rank
from rankscape.theory.chain import deep_chain, imbalances, squared_norm

UNIT = 2.0**-53


class Margins(NamedTuple):
    """How far inside the set a point lies, condition by condition; negative outside.

    Examples
    --------
    >>> import numpy as np
    >>> one = RankSet(1, alpha=0.04, eps1=1e-3, eps2=0.5, C=2.0)
    >>> now = one.margins([np.diag([1.0, 0.15])] * 3)               # is the second mode small enough already?
    >>> now.rank > 0, min(now) >= 0
    (False, False)
    """

    balance: float
    rank: float
    norm: float


def rounding(factors: Sequence[Matrix], bound: float) -> Margins:
    r"""How far each margin may be off because the entries of the factors are rounded to float64.

    .. math:: \gamma = 8\, n\, u \max_l (\|W_l\|_F^2 + \|W_{l+1}\|_F^2), \qquad 10^{-12}, \qquad 4\, n\, u\, C

    with :math:`u = 2^{-53}` and n the largest width. Factors that are made balanced are so to about a quarter of
    :math:`\gamma` (largest of some 600 minima).
    """
    n, norms = max(max(W.shape) for W in factors), [squared_norm(W) for W in factors]
    joint = max((a + b for a, b in pairwise(norms)), default=0.0)
    return Margins(8 * n * UNIT * joint, 1e-12, 4 * n * UNIT * bound)


@dataclass(frozen=True)
class RankSet:
    r"""The set :math:`B_r` that SGD enters and never leaves, for suitable constants (`worst_case`, `a_posteriori`).

    .. math::

        \max_l \|W_{l+1}^\top W_{l+1} - W_l W_l^\top\| \le \epsilon_1, \qquad
        \max_l \sum_i f_\alpha(s_i(W_l)^2) \le r + \epsilon_2, \qquad \max_l \|W_l\|_F^2 \le C

    The sets are nested, :math:`B_0 \subset B_1 \subset \dots` A point is a member up to the rounding of its entries:
    :math:`\epsilon_1` may be smaller than what rounding leaves of an exactly balanced point.

    Parameters
    ----------
    rank : int
        :math:`r \ge 0`.
    alpha : float
        :math:`\alpha > 0`: squared singular values of a layer above it count fully (`soft_rank`).
    eps1, eps2 : float
        :math:`\epsilon_1 > 0` and :math:`0 < \epsilon_2 < 1`.
    C : float
        The bound of the squared norms.
    balance_norm : {"operator", "frobenius"}
        The norm in which the imbalance is measured.

    Raises
    ------
    InputError
        Constants outside these ranges; factors of depth below 3, where no such set is absorbing.

    Notes
    -----
    After Wang, Jacot (2024).

    Examples
    --------
    >>> import numpy as np
    >>> factors = [np.diag([1.0, 0.1])] * 3
    >>> two, one = (RankSet(rank, alpha=0.04, eps1=1e-3, eps2=0.75, C=2.0) for rank in (2, 1))
    >>> one.contains(factors), two.contains(factors)
    (True, True)
    >>> [round(margin, 4) for margin in one.margins(factors)]
    [0.001, 0.3125, 0.99]
    """

    rank: int
    alpha: float
    eps1: float
    eps2: float
    C: float
    balance_norm: Literal["operator", "frobenius"] = "operator"

    def __post_init__(self):
        whole("rank", self.rank, least=0)
        for name in ("alpha", "eps1", "C"):
            positive(name, getattr(self, name))
        share("eps2", self.eps2)
        one_of("balance_norm", self.balance_norm, ("operator", "frobenius"))

    def margins(self, factors: Sequence[ArrayLike]) -> Margins:
        """What is left of each of the three conditions, as computed; negative outside."""
        W = deep_chain(factors)
        return Margins(
            self.eps1 - max(self.imbalance_norms(W)),
            self.rank + self.eps2 - float(soft_rank(W, self.alpha).max()),
            self.C - max(map(squared_norm, W)),
        )

    def contains(self, factors: Sequence[ArrayLike]) -> bool:
        """Whether the point is a member, up to the rounding of its entries."""
        room = rounding(deep_chain(factors), self.C)
        return all(margin >= -off for margin, off in zip(self.margins(factors), room, strict=True))

    def at_rank(self, rank: int) -> "RankSet":
        """The set of another rank with the same constants."""
        return replace(self, rank=rank)

    def imbalance_norms(self, factors: Sequence[Matrix]) -> list[float]:
        """The imbalance at every joint, in the set's norm."""
        order = 2 if self.balance_norm == "operator" else "fro"
        return [float(np.linalg.norm(D, order)) for D in imbalances(factors)]
