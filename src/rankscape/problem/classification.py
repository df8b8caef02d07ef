"""Classification: two classes, and a margin that each sample should have."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np

from rankscape.errors import InputError
from rankscape.ground.arrays import finite_array
from rankscape.ground.checks import one_of
from rankscape.ground.final import final
from rankscape.ground.linalg import thin_svd
from rankscape.ground.types import ArrayLike, Matrix
from rankscape.problem.base import AbstractProblem, product_of
from rankscape.problem.samples import Samples


class Binder(NamedTuple):
    """Rebuilds a problem around a compiler's arrays; problems of one loss share what is compiled."""

    name: str

    def __call__(self, arrays: Any) -> "Classification":
        """The problem, unchecked."""
        problem: Any = Classification._from_arrays({**arrays, "name": self.name})
        return problem


@final
@dataclass(frozen=True, eq=False, init=False, repr=False)
class Classification(AbstractProblem):
    r"""Tell two classes apart, :math:`f(W) = \frac1P \sum_k \ell(t_k\, W x_k)` with labels :math:`t_k = \pm 1`.

    The loss of a margin m is :math:`\ell(m) = \log(1 + e^{-m})` or :math:`e^{-m}`. Where a plane can separate the
    classes, no ``W`` is a minimizer: margins grow without end, like :math:`\log t`, and the direction converges. So
    record `quantities`, which stay in the logarithm, rather than wait for the loss.

    Parameters
    ----------
    inputs : array_like of shape (P, n_in)
        One sample a row.
    labels : array_like of shape (P,)
        Two different values; the larger one is the class of positive outputs.
    loss : {"logistic", "exponential"}
        :math:`\ell`.

    Attributes
    ----------
    signed : array of shape (P, n_in)
        :math:`t_k x_k`: the margins of ``W`` are ``signed @ W[0]``.
    classes : array of shape (2,)
        The values of the labels, that of -1 first.

    Raises
    ------
    InputError
        The labels have one value or more than two, the numbers of samples differ, or a value is not finite.

    Examples
    --------
    >>> import numpy as np, rankscape as rs
    >>> problem = rs.Classification([[1.0, 0.0], [0.0, 1.0], [-1.0, -1.0]], ["yes", "yes", "no"])
    >>> problem, problem.classes.tolist()
    (Classification(shape=(1, 2), samples=3, loss='logistic'), ['no', 'yes'])
    >>> run = rs.simulate(problem, depth=2, initialization=rs.Gaussian(0.1), dynamics=rs.GradientDescent(0.2),
    ...                   steps=2000, observe=problem.quantities)
    >>> bool(run.dataset.normalized_margin[-1] > 0.99 / 2**0.5)        # that of the best direction is 1 / sqrt(2)
    True

    References
    ----------
    .. [soudry2018] Soudry, Hoffer, Nacson, Gunasekar, Srebro, "The implicit bias of gradient descent on separable
       data", Journal of Machine Learning Research 19 (2018).
    .. [ji2019] Ji, Telgarsky, "Gradient descent aligns the layers of deep linear networks", ICLR 2019.
    """

    arrays: ClassVar[tuple[str, ...]] = ("signed",)
    data: ClassVar[tuple[str, ...]] = ("signed",)
    signed: Matrix
    classes: np.ndarray
    name: str

    def __init__(self, inputs: ArrayLike, labels: ArrayLike, loss: Literal["logistic", "exponential"] = "logistic"):
        one_of("loss", loss, ("logistic", "exponential"))
        X, given = finite_array(inputs, "inputs", ndim=2), np.asarray(labels)
        if given.ndim != 1 or len(given) != len(X):
            raise InputError(f"`labels` must be one for each of the {len(X)} samples, got shape {given.shape}.")
        classes, which = np.unique(given, return_inverse=True)
        if len(classes) != 2 or (given.dtype.kind == "f" and np.isnan(given).any()):
            values = ", ".join(repr(value) for value in classes[:4].tolist()) + (", ..." if len(classes) > 4 else "")
            raise InputError(
                f"`labels` must have two values, one for each class, got {len(classes)}: {values}. Of more classes "
                "take one against the others, labels == value."
            )
        signed = np.where(which == 1, 1.0, -1.0)[:, None] * X
        signed.setflags(write=False)
        vars(self).update(signed=signed, classes=classes, name=loss)

    def __repr__(self) -> str:
        return f"Classification(shape={self.shape}, samples={len(self.signed)}, loss={self.name!r})"

    @property
    def shape(self) -> tuple[int, int]:  # pyright: ignore[reportIncompatibleVariableOverride]
        """``(1, n_in)``."""
        return (1, self.signed.shape[1])

    @property
    def binder(self) -> Binder:
        """Rebuilds the problem from its `arrays`."""
        return Binder(self.name)

    def margins(self, W: Any) -> Any:
        """``t_k W x_k``, shape ``(P,)``."""
        return self.signed @ W[0]

    def loss(self, W: Any) -> Any:
        """The mean loss of the margins."""
        margins = self.margins(W)
        xp = margins.__array_namespace__()  # NumPy's, or that of JAX
        return (xp.exp(-margins) if self.name == "exponential" else xp.logaddexp(0.0, -margins)).mean()

    def gradient(self, W: Any) -> Any:
        """Minus the mean of the signed inputs, each times the slope of its loss."""
        margins = self.margins(W)
        xp = margins.__array_namespace__()
        slope = xp.exp(-margins if self.name == "exponential" else -xp.logaddexp(0.0, margins))
        return -(slope @ self.signed)[None] / len(self.signed)

    def log_loss(self, W: Any) -> float:
        """The logarithm of the loss, where the loss itself is below the smallest number, too."""
        from scipy.special import logsumexp

        margins = self.margins(np.asarray(W, np.float64))
        each = -margins
        if self.name == "logistic":  # log log(1 + e^-m), which is -m itself where e^-m is below rounding
            each = np.where(margins > 36, -margins, np.log(np.logaddexp(0.0, -np.minimum(margins, 37))))
        return float(logsumexp(each) - np.log(len(margins)))

    @property
    def quantities(self) -> dict[str, Callable[[Sequence[Matrix]], Any]]:
        r"""What to hand to ``simulate(..., observe=problem.quantities)``.

        =====================  =======================================================================================
        ``log_loss``           the logarithm of the loss
        ``smallest_margin``    :math:`\min_k t_k W x_k`; positive where every sample is on its side
        ``normalized_margin``  the same of :math:`W / \|W\|`: at most the largest margin there is
        ``direction``          :math:`W / \|W\|`, shape ``(n_in,)``
        ``alignment``          at each joint, how far the top singular vectors of its layers agree: 1 where they do
        ``top_share``          of each layer, :math:`\sigma_1^2 / \|W_l\|_F^2`: 1 where it has rank one
        =====================  =======================================================================================
        """
        return {
            "log_loss": lambda factors: self.log_loss(product_of(factors)),
            "smallest_margin": lambda factors: self.margins(product_of(factors)).min(),
            "normalized_margin": lambda factors: self.margins(_direction(factors)).min(),
            "direction": lambda factors: _direction(factors)[0],
            "alignment": alignment,
            "top_share": top_share,
        }

    def smoothness(self) -> float | None:
        """A quarter of the largest eigenvalue of the mean of ``x x^T``; the exponential loss has no bound."""
        if self.name == "exponential":
            return None
        return float(np.linalg.norm(self.signed, 2)) ** 2 / (4 * len(self.signed))

    def sample_smoothness(self) -> float | None:
        """A quarter of the largest squared norm of an input; the exponential loss has no bound."""
        return None if self.name == "exponential" else float((self.signed**2).sum(axis=1).max()) / 4

    @cached_property
    def samples(self) -> Samples | None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """What SGD draws: the signed inputs, all with label 1."""
        ones = np.ones(len(self.signed))
        return Samples(self.signed, ones[:, None], ones, self.name, 1.0)

    def describe(self) -> dict[str, Any]:
        """What identifies the problem: the loss, and a digest of the signed inputs."""
        return super().describe() | {"loss": self.name}


def _direction(factors: Sequence[Matrix]) -> Matrix:
    """``W / ||W||``, by way of unit factors, so that no product leaves the range; zero stays zero."""
    W = product_of([factor / (np.linalg.norm(factor) or 1.0) for factor in factors])
    return W / (np.linalg.norm(W) or 1.0)


def alignment(factors: Sequence[Matrix]) -> np.ndarray:
    r"""At each joint :math:`|\langle v_{l+1}, u_l\rangle|` of the top singular vectors.

    Examples
    --------
    >>> import numpy as np
    >>> alignment([np.diag([2.0, 1.0]), np.array([[3.0, 0.0]])]).tolist()
    [1.0]
    """
    tops = [thin_svd(W) for W in factors]
    return np.array([abs(upper[2][0] @ lower[0][:, 0]) for lower, upper in pairwise(tops)])


def top_share(factors: Sequence[Matrix]) -> np.ndarray:
    r"""Of each layer :math:`\sigma_1^2 / \|W_l\|_F^2`; 1 of a layer that is zero."""
    norms = [(np.linalg.norm(W, 2), np.linalg.norm(W)) for W in factors]
    return np.array([(top / whole) ** 2 if whole > 0 else 1.0 for top, whole in norms])
