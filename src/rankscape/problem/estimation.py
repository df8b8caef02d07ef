"""Estimation: the whole matrix is seen."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from rankscape.errors import InputError
from rankscape.ground.arrays import finite_array
from rankscape.ground.final import final
from rankscape.ground.fingerprint import of_arrays
from rankscape.ground.linalg import thin_svd
from rankscape.ground.types import ArrayLike
from rankscape.problem.base import AbstractProblem


@final
@dataclass(frozen=True, eq=False, init=False)
class Estimation(AbstractProblem):
    r"""Fit a fully observed matrix, :math:`f(W) = \tfrac12 \|W - \hat W\|_F^2`.

    Parameters
    ----------
    target : array_like of shape (n_out, n_in), optional
        The matrix :math:`\hat W`. Any real array, tensor or frame that converts to one.
    eigenvalues : array_like of shape (n,), optional
        Instead of `target`: the diagonal target ``diag(eigenvalues)``. The given order names the modes.

    Raises
    ------
    InputError
        Neither or both are given; a value is NaN or infinite (use `Completion.from_array` for missing entries).

    Examples
    --------
    >>> import rankscape as rs
    >>> problem = rs.Estimation(eigenvalues=[5, 3, 1.5])
    >>> problem.shape, problem.symmetric
    ((3, 3), True)
    >>> float(problem.loss(problem.target))
    0.0

    References
    ----------
    .. [chou2024] Chou, Gieshoff, Maly, Rauhut, "Gradient descent for deep matrix factorization: Dynamics and implicit
       bias towards low rank", Applied and Computational Harmonic Analysis 68 (2024).
    """

    arrays: ClassVar[tuple[str, ...]] = ("target",)
    data: ClassVar[tuple[str, ...]] = ("target",)
    target: np.ndarray
    eigenvalues: np.ndarray | None = field(repr=False)

    def __init__(self, target: ArrayLike | None = None, *, eigenvalues: ArrayLike | None = None):
        if (target is None) == (eigenvalues is None):
            raise InputError("Estimation needs either `target` or `eigenvalues`, and not both.")
        if eigenvalues is not None:
            spectrum = finite_array(eigenvalues, "eigenvalues", ndim=1)
            matrix = np.diag(spectrum)
            matrix.setflags(write=False)  # digests and bases are kept: nothing may change under them
        else:
            spectrum = None  # found when asked for: an eigenbasis costs more than many runs
            try:
                matrix = finite_array(target, "target", ndim=2)
            except InputError as error:
                hint = " For missing entries use Completion.from_array." if "nan" in str(error) else ""
                raise InputError(f"{error}{hint}") from None
        object.__setattr__(self, "target", matrix)
        object.__setattr__(self, "eigenvalues", spectrum)

    def describe(self) -> dict[str, Any]:
        """The target, and whether a given spectrum names its modes."""
        order = None if self.eigenvalues is None else self.eigenvalues.tolist()
        # diag(5, 3) as a matrix or as a spectrum: the same loss, but modes may come in another order.
        return super().describe() | {"modes": of_arrays([] if order is None else order)}

    @property
    def shape(self) -> tuple[int, int]:  # pyright: ignore[reportIncompatibleVariableOverride]
        """``(n_out, n_in)``."""
        return (self.target.shape[0], self.target.shape[1])

    def loss(self, W: Any) -> Any:
        """``1/2 ||W - target||_F^2``."""
        difference = W - self.target
        return 0.5 * (difference * difference).sum()

    def gradient(self, W: Any) -> Any:
        """``W - target``."""
        return W - self.target

    def scale(self) -> float:
        """The spectral norm of the target."""
        return float(np.linalg.norm(self.target, 2))

    def smoothness(self) -> float:
        """The gradient is ``W - target``, so 1."""
        return 1.0

    @cached_property
    def symmetric(self) -> bool:
        """Whether the target equals its transpose, up to rounding."""
        target = self.target
        if target.shape[0] != target.shape[1]:
            return False
        return bool(np.abs(target - target.T).max() <= 1e-14 * np.abs(target).max())  # what X @ X.T leaves of rounding

    @property
    def asymmetry(self) -> str:
        """Why the target is not symmetric, in words, with the size of the difference."""
        target = self.target
        if target.shape[0] != target.shape[1]:
            return f"the target of shape {target.shape} is not square"
        share = np.linalg.norm(target - target.T) / np.linalg.norm(target)
        return f"the target A is not symmetric, ||A - A^T|| = {share:.2g} ||A||"

    @cached_property
    def eigenbasis(self) -> tuple[np.ndarray, np.ndarray | None]:
        """``(eigenvalues, V)`` with ``target = V diag(eigenvalues) V^T``; V is None for a given spectrum.

        A given spectrum keeps its order; the eigenvalues of a given matrix are sorted descending.
        """
        if self.eigenvalues is not None:
            return self.eigenvalues, None
        if not self.symmetric:
            raise InputError(
                f"There is no orthogonal eigenbasis: {self.asymmetry}; give (A + A^T) / 2, or start from "
                "Balanced(spectrum=...), which uses singular vectors."
            )
        # Symmetric to the last bit, else eigh reads one triangle.
        eigenvalues, V = np.linalg.eigh((self.target + self.target.T) / 2)
        return eigenvalues[::-1].copy(), np.ascontiguousarray(V[:, ::-1])

    @cached_property
    def singular_basis(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """``(U, sigma, V)`` with ``target = U diag(sigma) V^T``, thin."""
        U, sigma, Vt = thin_svd(self.target)
        return U, sigma, np.ascontiguousarray(Vt.T)
