"""A matrix as its directions: singular vectors, or eigenvectors where it is symmetric."""

from typing import NamedTuple

import numpy as np

from rankscape.ground.linalg import thin_svd


class SignedModes(NamedTuple):
    """A matrix as ``left diag(values) right^T``, the largest modulus first; values are signed if it is symmetric."""

    left: np.ndarray
    values: np.ndarray
    right: np.ndarray

    @property
    def sizes(self) -> np.ndarray:
        """The singular values, descending."""
        return np.abs(self.values)

    def peak(self, of: np.ndarray) -> float:
        """Largest share that one of these directions has in a single entry."""
        peaks = (np.abs(self.left[:, of]).max(axis=0) * np.abs(self.right[:, of]).max(axis=0)) ** 2
        return float(peaks.max(initial=0.0))

    def with_values(self, values: np.ndarray) -> np.ndarray:
        """The matrix that has these values in the same directions."""
        alive = values != 0
        return (self.left[:, alive] * values[alive]) @ self.right[:, alive].T


def modes_of(X: np.ndarray, symmetric: bool) -> SignedModes:
    """The directions of X."""
    if not symmetric:
        U, s, Vt = thin_svd(X)
        return SignedModes(U, s, Vt.T)
    values, V = np.linalg.eigh((X + X.T) / 2)
    order = np.argsort(-np.abs(values), kind="stable")
    return SignedModes(V[:, order], values[order], V[:, order])


def is_symmetric(X: np.ndarray) -> bool:
    """Whether X equals its transpose up to the rounding of its precision."""
    eps = np.finfo(X.dtype).eps
    return X.shape[0] == X.shape[1] and bool(np.abs(X - X.T).max() <= 8 * eps * np.abs(X).max())
