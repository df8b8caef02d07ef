"""Operators: what is measured of a matrix. A family knows how to apply all of its operators at once, and back."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from rankscape.entries.checking import check_shape
from rankscape.ground.arrays import finite_array
from rankscape.ground.checks import whole
from rankscape.ground.final import final
from rankscape.ground.fingerprint import of_function
from rankscape.ground.stream import Stream
from rankscape.ground.types import ArrayLike

# Replica of the stream that draws operators and noise, apart from the stream of any run with the same seed.
DEVICE = 2**32


class Form(NamedTuple):
    """All of a family but its table: what a compiler takes as constant. Compares by content."""

    kind: type["AbstractOperators"]
    fixed: tuple[Any, ...]

    def __call__(self, table: Any) -> "AbstractOperators":
        """The operators around a table, unchecked; the table may be a compiler's version of one."""
        operators = object.__new__(self.kind)
        names = [field.name for field in fields(self.kind)]  # pyright: ignore[reportArgumentType]
        vars(operators).update(zip(names, (table, *self.fixed), strict=True))
        return operators


@dataclass(frozen=True, eq=False, init=False, repr=False)
class AbstractOperators(ABC):
    r"""Linear measurements :math:`W \mapsto (\langle A_k, W\rangle)_{k=1}^m` of matrices of one shape.

    `apply` and `adjoint` are written with operators that NumPy and JAX arrays share. ``table`` has one row for each
    operator, so that some of them are chosen by their rows; whatever else a family holds are hashable constants.
    Subclass it, as a dataclass like this one, for a family of your own: `apply`, `adjoint` and `flops`.

    Examples
    --------
    >>> import numpy as np, rankscape as rs
    >>> operators = rs.DenseOperators(np.stack([np.eye(2), np.ones((2, 2))]))
    >>> operators.apply(np.diag([3.0, 1.0])).tolist(), operators.adjoint(np.array([1.0, 0.0])).tolist()
    ([4.0, 4.0], [[1.0, 0.0], [0.0, 1.0]])
    """

    table: Any
    shape: tuple[int, int]

    @abstractmethod
    def apply(self, W: Any) -> Any:
        """``<A_k, W>`` for all k, shape ``(m,)``."""

    @abstractmethod
    def adjoint(self, z: Any) -> Any:
        """``sum_k z_k A_k``, of the shape of the matrix."""

    def largest(self) -> float:
        """The largest squared Frobenius norm of an operator; by default the bound that holds for any family."""
        return self.squared_norm()

    @abstractmethod
    def flops(self) -> float:
        """Rough number of operations of one `apply`."""

    def __len__(self) -> int:
        return len(self.table)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(count={len(self)}, shape={self.shape})"

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        """The dense stack ``(m, n_out, n_in)``: for small ones, to look at."""
        del copy
        return np.stack([self.adjoint(e) for e in np.eye(len(self))]).astype(dtype or np.float64)

    def _set(self, table: np.ndarray, *fixed: Any) -> None:
        """Put the fields in their order."""
        table.setflags(write=False)
        vars(self).update(vars(Form(type(self), fixed)(table)))

    @property
    def form(self) -> Form:
        """Everything but the table."""
        _, *fixed = (getattr(self, field.name) for field in fields(self))
        return Form(type(self), tuple(fixed))

    def as_linear_map(self) -> Any:
        """The map on flat matrices, for the iterative methods of SciPy."""
        from scipy.sparse.linalg import LinearOperator

        kind: Any = LinearOperator  # its stubs know the arguments of another class
        return kind(
            (len(self), self.shape[0] * self.shape[1]),
            matvec=lambda w: self.apply(w.reshape(self.shape)),
            rmatvec=lambda z: self.adjoint(z.reshape(-1)).reshape(-1),
            dtype=np.float64,
        )

    def squared_norm(self) -> float:
        """The squared spectral norm of the map, by Lanczos iterations."""
        from scipy.sparse.linalg import eigsh

        A = self.as_linear_map()
        if len(self) < 3:  # too small to iterate
            return float(np.linalg.norm(np.array(self).reshape(len(self), -1), 2)) ** 2
        start = device(0).normal((len(self),), part=3)
        return float(eigsh(A @ A.T, k=1, v0=start, return_eigenvectors=False)[0])  # A A^T is m x m and never formed

    def take(self, which: np.ndarray) -> "AbstractOperators":
        """The operators at some positions, or where a mask is True."""
        return self.form(self.table[which])

    def describe(self) -> dict[str, Any]:
        """The family and its constants, as JSON; the shape and the table are described with the measurements."""
        _, _, *constants = (field.name for field in fields(self))
        fixed = {name: getattr(self, name) for name in constants}
        return {"kind": type(self).__name__} | {n: of_function(v) if callable(v) else v for n, v in fixed.items()}


def device(seed: int) -> Stream:
    """The random numbers of a measuring device."""
    return Stream(whole("seed", seed, 0, 2**64 - 1), DEVICE)


def scatter(z: Any, positions: Any, count: int) -> Any:
    """Zeros of length `count`, with ``z`` added at `positions`; one that occurs twice receives both."""
    if isinstance(z, np.ndarray):
        return np.bincount(positions, z, count)
    return _zeros(z, count).at[positions].add(z)  # JAX arrays cannot be written into


def _zeros(z: Any, count: int) -> Any:
    import jax.numpy as jnp

    return jnp.zeros(count, z.dtype)


@final
@dataclass(frozen=True, eq=False, init=False, repr=False)
class DenseOperators(AbstractOperators):
    """Any operators, stacked; memory and work are ``m * n_out * n_in``.

    Parameters
    ----------
    stack : array_like of shape (m, n_out, n_in)
        The matrices :math:`A_k`.

    Raises
    ------
    InputError
        The stack is empty, not three-dimensional or not finite.

    Examples
    --------
    >>> import numpy as np, rankscape as rs
    >>> operators = rs.DenseOperators(np.stack([np.eye(2), np.ones((2, 2))]))
    >>> operators, len(operators.take([1]))
    (DenseOperators(count=2, shape=(2, 2)), 1)
    """

    def __init__(self, stack: ArrayLike):
        table = np.ascontiguousarray(finite_array(stack, "operators", ndim=3))
        self._set(table, table.shape[1:])

    @classmethod
    def gaussian(cls, count: int, shape: tuple[int, int], seed: int = 0, normalize: bool = True) -> "DenseOperators":
        r"""Independent standard normal entries, times :math:`1/\sqrt m` when normalized.

        Normalized families have :math:`E[A^* A] = I`: the loss is near :math:`\tfrac12\|W - target\|_F^2`, and learning
        rates mean what they mean for `Estimation`.
        """
        count, shape = whole("count", count, least=1), check_shape(shape)
        table = device(seed).normal((count, *shape), part=0)
        if normalize:
            table /= count**0.5  # in place: the stack may fill half of the memory
        table.setflags(write=False)
        return Form(cls, (shape,))(table)  # pyright: ignore[reportReturnType]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        """The stack itself."""
        return np.array(self.table, dtype, copy=copy)

    def _flat(self) -> Any:
        return self.table.reshape(len(self.table), -1)

    def apply(self, W: Any) -> Any:
        """Entry by entry, and summed."""
        return self._flat() @ W.reshape(-1)

    def adjoint(self, z: Any) -> Any:
        """The weighted sum of the stack."""
        return (z @ self._flat()).reshape(self.shape)

    def largest(self) -> float:
        """From the entries."""
        return float(np.einsum("kp,kp->k", self._flat(), self._flat()).max())

    def flops(self) -> float:
        """``2 m n_out n_in``."""
        return 2.0 * len(self) * self.shape[0] * self.shape[1]


# Measurement matrices: a family of operators, or the matrices themselves, stacked.
OperatorsLike: TypeAlias = AbstractOperators | ArrayLike
