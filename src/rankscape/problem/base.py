"""The contract between a problem and the engines."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from rankscape.errors import InputError
from rankscape.fingerprint import of_arrays


class AbstractProblem(ABC):
    """A loss of one matrix ``W`` of shape ``(n_out, n_in)``.

    `loss` and `gradient` are written with operators that NumPy and JAX arrays share, so one formula serves
    the engines, the observers and the tests. ``arrays`` names the attributes that an engine hands to its
    compiler as data instead of baking them in as constants; ``data`` names those that identify the problem.
    """

    arrays: ClassVar[tuple[str, ...]]
    data: ClassVar[tuple[str, ...]]
    shape: tuple[int, int]

    @abstractmethod
    def loss(self, W: Any) -> Any:
        """The loss without ridge, ``f(W)``."""

    @abstractmethod
    def gradient(self, W: Any) -> Any:
        """The gradient of the loss with respect to `W`, of the shape of `W`."""

    def loss_of_factors(self, factors: Sequence[np.ndarray]) -> float:
        """The loss of the product of `factors`; problems that need not form the product override it."""
        W = factors[0]
        for factor in factors[1:]:
            W = factor @ W
        return float(self.loss(W))

    def heldout_loss_of_factors(self, factors: Sequence[np.ndarray]) -> float | None:
        """The same loss over entries that training does not see; None when nothing is held out."""
        del factors
        return None

    def scale(self) -> float:
        """A bound on the spectral norm that a fitting `W` needs; used to suggest step sizes."""
        return float(np.linalg.norm(np.asarray(self.gradient(np.zeros(self.shape)))))

    def smoothness(self) -> float | None:
        """The Lipschitz constant of the gradient with respect to `W`, or None when it is unknown."""
        return None

    @property
    def binder(self) -> Callable[[Mapping[str, Any]], "AbstractProblem"]:
        """A hashable function that rebuilds the problem around a compiler's versions of its `arrays`, unchecked."""
        return self._from_arrays

    @classmethod
    def _from_arrays(cls, arrays: Mapping[str, Any]) -> "AbstractProblem":
        clone = object.__new__(cls)
        vars(clone).update(arrays)
        return clone

    def describe(self) -> dict[str, Any]:
        """What identifies the problem, as JSON: kind, shape and a digest of the data."""
        data = of_arrays(*(getattr(self, name) for name in self.data))
        return {"kind": type(self).__name__, "shape": list(self.shape), "data": data}


def real_array(values: Any, name: str) -> np.ndarray:
    """A float64 copy of anything that converts to an array of real numbers; masked entries become NaN."""
    if isinstance(values, np.ma.MaskedArray):
        values = np.ma.filled(values.astype(np.float64), np.nan)
    try:
        array = np.asarray(values)
        if np.iscomplexobj(array):
            raise InputError(f"`{name}` must hold real numbers, got {array.dtype}.")
        return np.array(array, dtype=np.float64)
    except (TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"`{name}` must hold real numbers: {error}") from None


def finite_array(values: Any, name: str, ndim: int) -> np.ndarray:
    """A read-only float64 copy of `values`, checked for dimension, emptiness and NaN or infinity."""
    array = real_array(values, name)
    if array.ndim != ndim:
        raise InputError(f"`{name}` must have {ndim} dimension(s), got shape {array.shape}.")
    if array.size == 0:
        raise InputError(f"`{name}` is empty: shape {array.shape}.")
    if not np.isfinite(array).all():
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise InputError(f"`{name}` holds {array[where]} at position {where}; every value must be finite.")
    array.setflags(write=False)
    return array
