r"""Which entries hold a mode: how the pull that keeps it alive is shared out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rankscape.errors import InputError
from rankscape.ground.checks import of_kind, positive, whole
from rankscape.ground.range import within_floats
from rankscape.ground.types import ArrayLike
from rankscape.theory.chain import check_entries, deep_chain, sides

# The largest distance from 1 of what the shares of a mode add up to at a minimum.
AT_REST = 1e-3

# What one entry must have of a mode for the model to be about it: its share, its part of the squared overlaps, and the
# most that it may see of another mode.
SHARE, OVERLAP, STRANGE = 0.95, 0.9, 0.05


@dataclass(frozen=True, eq=False)
class Holders:
    """The entries that hold a mode, the strongest first."""

    mode: int
    singular_value: float
    rows: np.ndarray
    columns: np.ndarray
    shares: np.ndarray
    """Of the pull against the ridge; they add up to 1 at a stationary point, and may be negative."""
    overlaps: np.ndarray
    r"""How much of the mode an entry sees: :math:`u_i v_j`, 1 if the mode lives on this entry alone."""
    others: float
    """The largest overlap of another live mode with the strongest entry."""
    largest_rate: float
    """The learning rate up to which a draw of any single entry is stable."""

    def obstacle(self, learning_rate: float) -> str | None:
        """Why the model of one entry is not about this mode at this rate; None when it is."""
        top, seen = float(self.shares[0]), float(self.overlaps[0] ** 2 / np.sum(self.overlaps**2))
        if abs(self.shares.sum() - 1) > AT_REST:
            return f"the factors are at no minimum: the shares of mode {self.mode} add up to {self.shares.sum():.4g}"
        if learning_rate > self.largest_rate:
            return f"beyond stability: entries kick modes out above a rate of {self.largest_rate:.3g}"
        if top < SHARE or seen < OVERLAP:
            entry = f"({self.rows[0]}, {self.columns[0]})"
            return (
                f"several entries hold mode {self.mode}: the strongest, {entry}, has {top:.2g} of the pull and sees "
                f"{seen:.2g} of it; use rankscape.jump_law"
            )
        if self.others > STRANGE:
            return f"another mode shares the entry ({self.rows[0]}, {self.columns[0]}), by {self.others:.2g}"
        return None


def obstacle(holders: Holders | None, learning_rate: float) -> str | None:
    """Why the model is not known to be about a mode."""
    if holders is None:
        return "not known to apply: the model is of a mode that one entry holds; give `holders` (theory.escape.holders)"
    of_kind("holders", holders, Holders)
    return holders.obstacle(learning_rate)


@within_floats
def holders(
    factors: Sequence[ArrayLike], rows: ArrayLike, columns: ArrayLike, values: ArrayLike, ridge: float, mode: int
) -> Holders:
    r"""Which observed entries hold a mode of a minimum of completion with a ridge.

    At a stationary point the pull of the entries on a mode equals that of the ridge; entry k has the share

    .. math:: w_k = \frac{-(W - T)_{ij}\, u_i v_j}{2 \lambda m\, s^{2/L - 1}}, \qquad \sum_k w_k = 1

    Parameters
    ----------
    factors : sequence of array
        ``[W_1, ..., W_L]`` at a minimum, at least three; see `rankscape.theory.landscape.critical_check`.
    rows, columns, values : array_like of shape (m,)
        The observed entries.
    ridge : float
        :math:`\lambda > 0`.
    mode : int
        Position among the singular values of W, from 0.

    Returns
    -------
    Holders

    Raises
    ------
    InputError
        A mode that does not live, or a depth below 3.

    Notes
    -----
    Derived.

    Examples
    --------
    >>> import numpy as np
    >>> from rankscape.theory.landscape import balanced_factors, local_minima
    >>> minimum = local_minima([3.0, 2.0], depth=3, ridge=0.1, weight=0.25)[-1]
    >>> factors = balanced_factors(np.diag(minimum.singular_values), depth=3)
    >>> held = holders(factors, [0, 0, 1, 1], [0, 1, 0, 1], [3.0, 0.0, 0.0, 2.0], ridge=0.1, mode=1)
    >>> (int(held.rows[0]), int(held.columns[0])), round(float(held.shares[0]), 6)
    ((1, 1), 1.0)
    >>> held.obstacle(learning_rate=0.1) is None
    True
    """
    W, lam = deep_chain(factors), positive("ridge", ridge)
    above, below = sides(W)
    A = above[0] @ W[0]
    seen = check_entries(rows, columns, values, A.shape)
    U, s, Vt = np.linalg.svd(A, full_matrices=False)
    k = whole("mode", mode, least=0, most=len(s) - 1)
    if s[k] <= 1e-9 * s[0] or s[0] == 0:
        raise InputError(f"`mode` {k} does not live: its singular value is {s[k]:.3g}, the largest is {s[0]:.3g}.")
    overlaps = U[seen.rows] * Vt.T[seen.columns]
    pull = -(seen.at(A) - seen.values) / len(seen.values)
    shares = pull * overlaps[:, k] / (2 * lam * s[k] ** (2 / len(W) - 1))
    order = np.argsort(-np.abs(shares), kind="stable")
    live = (s > 1e-9 * s[0]) & (np.arange(len(s)) != k)
    others = np.abs(overlaps[order[0]][live]).max(initial=0.0)
    P = [np.sum(a**2, axis=1)[seen.rows] * np.sum(b**2, axis=0)[seen.columns]
         for a, b in zip(above, below, strict=True)]  # fmt: skip
    return Holders(
        k, float(s[k]), seen.rows[order], seen.columns[order], shares[order], overlaps[order, k], float(others),
        2 / float(np.max(P)),
    )  # fmt: skip
