"""A matrix as its directions: a thin singular value decomposition."""

from typing import NamedTuple

import numpy as np

from rankscape.ground.linalg import thin_svd


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

    def join(self, other: "Modes") -> "Modes":
        """Both sets side by side (no longer orthogonal)."""
        return Modes(np.c_[self.U, other.U], np.r_[self.s, other.s], np.c_[self.V, other.V])


def modes_of(left: np.ndarray, right: np.ndarray) -> Modes:
    """Singular value decomposition of ``left @ right.T`` by two thin QRs, in O((n_out + n_in) k^2)."""
    Q_left, R_left = np.linalg.qr(left)
    Q_right, R_right = np.linalg.qr(right)
    U, s, Vt = thin_svd(R_left @ R_right.T)
    return Modes(Q_left @ U[:, : len(s)], s, Q_right @ Vt[: len(s)].T)
