"""Objective: any differentiable loss that the user writes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from rankscape.errors import InputError
from rankscape.ground.double import double
from rankscape.ground.final import final
from rankscape.ground.fingerprint import of_function
from rankscape.ground.parts import needs
from rankscape.problem.base import AbstractProblem


@final
@dataclass(frozen=True, eq=False)
class Objective(AbstractProblem):
    """Minimise any differentiable function of `W`.

    Parameters
    ----------
    function : callable
        Takes one array of shape `shape` and returns a scalar; written with ``jax.numpy`` or plain operators,
        so that JAX can differentiate it.
    shape : (int, int)
        ``(n_out, n_in)``.

    Examples
    --------
    >>> import jax.numpy as jnp, numpy as np, rankscape as rs
    >>> problem = rs.Objective(lambda W: jnp.logaddexp(0.0, -W).sum(), shape=(2, 2))
    >>> problem.gradient(np.zeros((2, 2)))
    array([[-0.5, -0.5],
           [-0.5, -0.5]])
    """

    arrays: ClassVar[tuple[str, ...]] = ()
    data: ClassVar[tuple[str, ...]] = ()
    function: Callable[[Any], Any]
    shape: tuple[int, int]

    def __post_init__(self):
        if not callable(self.function):
            raise InputError(f"`function` must be callable, got {type(self.function).__name__}.")
        if len(self.shape) != 2 or min(self.shape) < 1:
            raise InputError(f"`shape` must be two positive numbers (n_out, n_in), got {self.shape}.")

    def loss(self, W: Any) -> Any:
        """The function's value."""
        # Inside a compiler W is a tracer: pass it on. An array comes from a caller, who gets an array back.
        if not isinstance(W, np.ndarray):
            return self.function(W)
        return float(self._in_float64(self.function, W))

    def gradient(self, W: Any) -> Any:
        """The function's gradient, by automatic differentiation."""
        jax: Any = needs("jax", "The gradient of an objective")
        if not isinstance(W, np.ndarray):
            return jax.grad(self.function)(W)
        return np.asarray(self._in_float64(jax.grad(self.function), W))

    @staticmethod
    def _in_float64(function: Callable[[Any], Any], W: np.ndarray) -> Any:
        """Call with a JAX array in double precision, whatever the caller's global flag says."""
        import jax

        with double():
            return function(jax.numpy.asarray(W))

    @property
    def binder(self):
        """The objective itself: it has no arrays."""
        return self._itself  # a bound method hashes by its object: each objective compiles once

    def _itself(self, arrays: Mapping[str, Any]) -> "Objective":
        del arrays
        return self

    def describe(self) -> dict[str, Any]:
        """The kind, the shape and a digest of the function."""
        return {"kind": "Objective", "shape": list(self.shape), "data": of_function(self.function)}
