"""What an exact solution gives back."""

from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True, eq=False)
class FlowPath:
    """The product along an exact flow.

    Attributes
    ----------
    times : array of shape (times,)
        Where it was evaluated.
    W : array of shape (times, n_out, n_in)
        The product there.
    assumptions : tuple of str
        What must hold for it to be the flow of the factors.
    """

    times: np.ndarray
    W: np.ndarray = field(repr=False)
    assumptions: tuple[str, ...]

    @property
    def singular_values(self) -> np.ndarray:
        """Descending singular values of the product, shape (times, index)."""
        return np.linalg.svd(self.W, compute_uv=False)


@dataclass(frozen=True, eq=False)
class AlignedPath:
    r"""The modes along an exact path whose product keeps the target's singular vectors, ``W = U diag(p) V^T``.

    Attributes
    ----------
    at : array of shape (points,)
        Times of a flow, steps of gradient descent.
    modes : array of shape (points, mode)
        :math:`p_i`, in the order of the target's singular values (descending).
    target : array of shape (mode,)
        The singular values of the target.
    U, V : array
        Its singular vectors, thin.
    assumptions : tuple of str
        What must hold for it to be the path of the factors.
    """

    at: np.ndarray
    modes: np.ndarray = field(repr=False)
    target: np.ndarray
    U: np.ndarray = field(repr=False)
    V: np.ndarray = field(repr=False)
    assumptions: tuple[str, ...]

    @property
    def W(self) -> np.ndarray:
        """The product, shape (points, n_out, n_in)."""
        return (self.U * self.modes[:, None, :]) @ self.V.T
