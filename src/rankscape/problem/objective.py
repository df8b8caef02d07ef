"""Objective: any differentiable loss that the user writes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from rankscape.entries.checking import check_shape
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
        so that JAX can differentiate it. It is traced once for each precision; arrays that it captures should be NumPy
        arrays of float64: arrays of JAX are float32 unless made in double precision, and refused in a float64 run.
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
        object.__setattr__(self, "shape", check_shape(self.shape))

    def loss(self, W: Any) -> Any:
        """The function's value."""
        # Inside a compiler W is a tracer: pass it on. An array comes from a caller, who gets an array back.
        if not isinstance(W, np.ndarray):
            return self._compiled(np.dtype(W.dtype))(W)
        return float(self._in_float64(self._program(np.dtype(float)), W))

    def gradient(self, W: Any) -> Any:
        """The function's gradient, by automatic differentiation."""
        jax: Any = needs("jax", "The gradient of an objective")
        if not isinstance(W, np.ndarray):
            return jax.grad(self._compiled(np.dtype(W.dtype)))(W)
        return np.asarray(self._in_float64(jax.grad(self._program(np.dtype(float))), W))

    def _compiled(self, dtype: np.dtype) -> Callable[[Any], Any]:
        """The same for a run of this precision, which its data must have as well."""
        program = self._program(dtype)
        for array in self._programs[dtype][1]:
            if array.dtype.kind == "f" and array.dtype.itemsize < dtype.itemsize:
                raise InputError(
                    f"`function` holds an array of {array.dtype} (shape {array.shape}) and loses digits in {dtype}: "
                    f"JAX rounds what is made outside of double precision. Capture NumPy arrays of {dtype}."
                )
        return program

    def _program(self, dtype: np.dtype) -> Callable[[Any], Any]:
        """The function as JAX sees it, with copies of the arrays that it captured.

        JAX remembers in which precision it met a NumPy array, and would stumble over it when the user calls the
        function again in single precision. Traced once and let go, the user's own arrays are never met again.
        """
        from jax.extend.core import ClosedJaxpr, jaxpr_as_fun

        if dtype not in self._programs:
            self._programs[dtype] = self._traced(dtype)
        jaxpr, captured = self._programs[dtype]
        return lambda W: jaxpr_as_fun(ClosedJaxpr(jaxpr, captured))(W)[0]

    def _traced(self, dtype: np.dtype) -> tuple[Any, list[np.ndarray]]:
        import jax

        with double():
            # A function of its own, which is forgotten here: what JAX keeps of it would keep the user's arrays.
            closed = jax.make_jaxpr(lambda W: self.function(W))(jax.ShapeDtypeStruct(self.shape, dtype))
            captured = [np.array(array) for array in closed.consts]
        shapes = [value.shape for value in closed.out_avals]
        if shapes != [()]:
            raise InputError(f"`function` must return one number, got {len(shapes)} value(s) of shape {shapes[:3]}.")
        return closed.jaxpr, captured

    @cached_property
    def _programs(self) -> dict[np.dtype, tuple[Any, list[np.ndarray]]]:
        return {}

    @staticmethod
    def _in_float64(function: Callable[[Any], Any], W: np.ndarray) -> Any:
        """Call with a JAX array in double precision, whatever the caller's global flag says."""
        import jax

        with double():
            return function(jax.numpy.asarray(W, dtype=float))

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
