"""The contract between a problem and the engines."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import Any, ClassVar

import numpy as np

from rankscape.ground.fingerprint import of_arrays
from rankscape.problem.samples import Samples


def product_of(factors: Sequence[np.ndarray]) -> np.ndarray:
    """``W_N @ ... @ W_1``; as `rankscape.product`, which lives above the problems."""
    return reduce(lambda right, factor: factor @ right, factors)


class AbstractProblem(ABC):
    """A loss of one matrix ``W`` of shape ``(n_out, n_in)``.

    `loss` and `gradient` are written with operators that NumPy and JAX arrays share, so one formula serves
    the engines, the observers and the tests. ``arrays`` names the attributes that an engine hands to its
    compiler as data instead of baking them in as constants; ``data`` names those that identify the problem.
    Subclass it for a loss of your own: `loss`, `gradient`, `arrays`, `data` and `shape` are all that engines ask for.

    Examples
    --------
    >>> import numpy as np, rankscape as rs
    >>> problem = rs.Estimation(np.eye(2))
    >>> float(problem.loss(np.zeros((2, 2)))), problem.gradient(np.zeros((2, 2))).tolist()
    (1.0, [[-1.0, 0.0], [0.0, -1.0]])
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
        return float(self.loss(product_of(factors)))

    def heldout_loss_of_factors(self, factors: Sequence[np.ndarray]) -> float | None:
        """The same loss over entries that training does not see; None when nothing is held out."""
        del factors
        return None

    def scale(self) -> float:
        """A bound on the spectral norm that a fitting `W` needs; used to suggest step sizes."""
        # At zero the gradient of a quadratic loss is minus what it asks for.
        return float(np.linalg.norm(np.asarray(self.gradient(np.zeros(self.shape)))))

    def smoothness(self) -> float | None:
        """The Lipschitz constant of the gradient with respect to `W`, or None when it is unknown."""
        return None

    def sample_smoothness(self) -> float | None:
        """The same for the worst estimate of the loss from one observation, or None when it is unknown."""
        return None

    @property
    def samples(self) -> Samples | None:
        """The observations, where each sees ``W`` through what it makes of one vector; else None."""
        return None

    @property
    def binder(self) -> Callable[[Mapping[str, Any]], "AbstractProblem"]:
        """A hashable function that rebuilds the problem around a compiler's versions of its `arrays`, unchecked."""
        return self._from_arrays

    @classmethod
    def _from_arrays(cls, arrays: Mapping[str, Any]) -> "AbstractProblem":
        clone = object.__new__(cls)  # inside a compiler the arrays have no values to check
        vars(clone).update(arrays)
        return clone

    def describe(self) -> dict[str, Any]:
        """What identifies the problem, as JSON: kind, shape and a digest of the data."""
        data = of_arrays(*(getattr(self, name) for name in self.data))
        return {"kind": type(self).__name__, "shape": list(self.shape), "data": data}
