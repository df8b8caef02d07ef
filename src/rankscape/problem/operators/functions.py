"""Operators given by two functions: nothing is stored, nothing is formed."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from rankscape.entries.checking import check_shape
from rankscape.errors import InputError
from rankscape.ground.double import double
from rankscape.ground.final import final
from rankscape.problem.operators.dense import AbstractOperators, device, scatter

# Largest relative difference of the two sides of the dot-product test.
ADJOINT_TOLERANCE = 1e-8


@final
@dataclass(frozen=True, eq=False, init=False, repr=False)
class FunctionOperators(AbstractOperators):
    r"""A linear map and its adjoint, as functions.

    Both are written with ``jax.numpy`` or with plain operators, so that JAX can compile them. They are tested once:
    :math:`\langle A(W), z\rangle = \langle W, A^*(z)\rangle` must hold for a random `W` and `z`. To choose some of the
    operators (held-out measurements, the batches of SGD), all are applied and the others left out.

    Parameters
    ----------
    forward : callable
        :math:`A`: takes a matrix of shape `shape`, returns the m numbers :math:`\langle A_k, W\rangle`.
    backward : callable
        :math:`A^*`: takes m numbers, returns :math:`\sum_k z_k A_k`.
    shape : (int, int)
        ``(n_out, n_in)``.

    Raises
    ------
    InputError
        A function cannot be compiled, returns another shape, or the dot-product test fails; the text says by how much.

    Examples
    --------
    Sums of neighbouring rows of a matrix:

    >>> import numpy as np, jax.numpy as jnp, rankscape as rs
    >>> operators = rs.FunctionOperators(
    ...     lambda W: (W[1:] + W[:-1]).reshape(-1),
    ...     lambda z: jnp.pad(z.reshape(2, 2), ((1, 0), (0, 0))) + jnp.pad(z.reshape(2, 2), ((0, 1), (0, 0))),
    ...     shape=(3, 2))
    >>> operators.apply(np.ones((3, 2)))
    array([2., 2., 2., 2.])
    """

    forward: Callable[[Any], Any]
    backward: Callable[[Any], Any]
    count: int

    def __init__(self, forward: Callable[[Any], Any], backward: Callable[[Any], Any], shape: tuple[int, int]):
        shape = check_shape(shape)
        for name, function in (("forward", forward), ("backward", backward)):
            if not callable(function):
                raise InputError(f"`{name}` must be a function, got {type(function).__name__}.")
        count = _length(forward, shape)
        _check_shape_of_backward(backward, count, shape)
        self._set(np.arange(count), shape, forward, backward, count)
        self._check_adjoint()

    def _check_adjoint(self) -> None:
        W, z = device(0).normal(self.shape, part=0), device(0).normal((self.count,), part=1)
        forward, backward = self.apply(W), self.adjoint(z)
        left, right = float(forward @ z), float((W * backward).sum())
        # By Cauchy and Schwarz no side is larger.
        size = max(np.linalg.norm(forward) * np.linalg.norm(z), np.linalg.norm(W) * np.linalg.norm(backward))
        difference = abs(left - right) / size if size else 0.0
        if not difference <= ADJOINT_TOLERANCE:  # so that NaN is refused
            raise InputError(
                f"`backward` is not the adjoint of `forward`: <A(W), z> = {left:.6g} but <W, A*(z)> = {right:.6g} for "
                f"a random W and z, a relative difference of {difference:.1e} where {ADJOINT_TOLERANCE:g} is allowed. "
                "`backward` must return sum_k z_k A_k."
            )

    def apply(self, W: Any) -> Any:
        """What `forward` returns."""
        return _call(self.forward, W)[self.table]

    def adjoint(self, z: Any) -> Any:
        """What `backward` returns, with zeros for the operators that are left out."""
        return _call(self.backward, scatter(z, self.table, self.count))

    def flops(self) -> float:
        """As if every measurement read a row of the matrix; what the functions really cost is unknown."""
        return 2.0 * self.count * self.shape[1]


def _call(function: Callable[[Any], Any], x: Any) -> Any:
    """Call with a JAX array, and keep its precision; NumPy arrays become one in double precision for the call."""
    if not isinstance(x, np.ndarray):
        return function(x).astype(x.dtype)  # constants of the user's function may be of another precision
    import jax

    with double():
        return np.asarray(function(jax.numpy.asarray(x)))


def _traced_shape(function: Callable[[Any], Any], name: str, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape that a function returns, found without computing anything."""
    import jax

    with double():
        try:
            # A shape costs nothing, a call may cost minutes.
            return jax.eval_shape(function, jax.ShapeDtypeStruct(shape, np.float64)).shape
        except jax.errors.JAXTypeError as error:
            reason = str(error).splitlines()[0]
            raise InputError(f"`{name}` cannot be compiled by JAX; write it with jax.numpy. {reason}") from None
        except (TypeError, ValueError, AttributeError) as error:
            raise InputError(f"`{name}` cannot take an array of shape {shape}: {error}") from None


def _length(forward: Callable[[Any], Any], shape: tuple[int, int]) -> int:
    found = _traced_shape(forward, "forward", shape)
    if len(found) != 1 or not found[0]:
        raise InputError(f"`forward` must return one number for each measurement, shape (m,), not {found}.")
    return found[0]


def _check_shape_of_backward(backward: Callable[[Any], Any], count: int, shape: tuple[int, int]) -> None:
    found = _traced_shape(backward, "backward", (count,))
    if found != shape:
        raise InputError(f"`backward` must return a matrix of shape {shape}, not {found}.")
