"""A matrix as its directions: a thin singular value decomposition."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from rankscape.errors import InputError
from rankscape.ground.linalg import thin_svd
from rankscape.ground.memory import check_bytes


class Modes(NamedTuple):
    """A thin singular value decomposition ``W = U diag(s) V^T``, values descending.

    ``U`` has shape (n_out, r), ``s`` (r,), ``V`` (n_in, r).
    """

    U: np.ndarray
    s: np.ndarray
    V: np.ndarray

    @classmethod
    def none(cls, shape: tuple[int, int]) -> "Modes":
        """No direction at all: the zero matrix."""
        return cls(np.zeros((shape[0], 0)), np.zeros(0), np.zeros((shape[1], 0)))

    def head(self, rank: int) -> "Modes":
        """The leading `rank` modes."""
        return Modes(self.U[:, :rank], self.s[:rank], self.V[:, :rank])

    def descending(self) -> "Modes":
        """The largest first; equal ones keep their order."""
        order = np.argsort(-self.s, kind="stable")
        return Modes(self.U[:, order], self.s[order], self.V[:, order])

    def join(self, other: "Modes") -> "Modes":
        """Both sets side by side (no longer orthogonal)."""
        return Modes(np.c_[self.U, other.U], np.r_[self.s, other.s], np.c_[self.V, other.V])


def modes_of(left: np.ndarray, right: np.ndarray) -> Modes:
    """Singular value decomposition of ``left @ right.T`` by two thin QRs, in O((n_out + n_in) k^2)."""
    Q_left, R_left = np.linalg.qr(left)
    Q_right, R_right = np.linalg.qr(right)
    U, s, Vt = thin_svd(R_left @ R_right.T)
    return Modes(Q_left @ U[:, : len(s)], s, Q_right @ Vt[: len(s)].T)


def balanced_factors(modes: Modes, hidden: Sequence[int]) -> list[np.ndarray]:
    r"""Balanced factors ``[W_1, ..., W_N]`` of ``U diag(s) V^T``, with N - 1 hidden widths: each holds ``s^(1/N)``.

    They have the smallest :math:`\sum_l \|W_l\|_F^2 = N \sum_i s_i^{2/N}` of all factorizations of the product. The
    leading modes are kept where a width is smaller than their number; it must hold all that are not zero.

    >>> [W.shape for W in balanced_factors(Modes(np.eye(4, 2), np.array([8.0, 1.0]), np.eye(3, 2)), hidden=[2, 5])]
    [(2, 3), (5, 2), (4, 5)]
    """
    rank, narrowest = int(np.count_nonzero(modes.s)), min(hidden, default=len(modes.s))
    if narrowest < rank:
        raise InputError(f"A matrix of rank {rank} needs hidden widths of at least {rank}, got {list(hidden)}.")
    U, s, V = modes.head(min(len(modes.s), narrowest))
    numbers = sum(after * before for before, after in pairwise([len(V), *hidden, len(U)]))
    check_bytes(2 * 8 * numbers, f"Factors of {numbers:,} numbers", "Choose smaller widths.")
    bases = [V, *(np.eye(d, len(s)) for d in hidden), U]
    root = s ** (1 / (len(hidden) + 1))
    return [(after * root) @ before.T for before, after in pairwise(bases)]
