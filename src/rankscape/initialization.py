"""WHERE it starts: one frozen setting for each way to choose the factors at step 0."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from rankscape.errors import InputError
from rankscape.factorization import check_factors, factor_shapes
from rankscape.ground.arrays import finite_array, real_array
from rankscape.ground.checks import positive, real, whole
from rankscape.ground.final import final
from rankscape.ground.fingerprint import of_arrays
from rankscape.ground.linalg import thin_svd
from rankscape.ground.modes import Modes, balanced_factors
from rankscape.ground.stream import Stream
from rankscape.problem.base import AbstractProblem
from rankscape.problem.estimation import Estimation
from rankscape.problem.regression import Regression


class AbstractInitialization(ABC):
    """Makes the factors at step 0. Subclass it, as a frozen dataclass, for a start of your own."""

    depth: int | None = None
    """The depth that the initialization brings with it; None when any depth will do."""

    @abstractmethod
    def factors(self, problem: AbstractProblem, widths: Sequence[int], stream: Stream) -> list[np.ndarray]:
        """``[W_1, ..., W_N]`` in float64 for the given chain of widths."""

    def describe(self) -> dict[str, Any]:
        """The kind and the numbers, as JSON; arrays by a digest."""
        out: dict[str, Any] = {"kind": type(self).__name__}
        for field in fields(self):  # pyright: ignore[reportArgumentType]
            value = getattr(self, field.name)
            if isinstance(value, np.ndarray):  # a digest: configurations are compared, not restored
                value = of_arrays(value)
            elif isinstance(value, tuple):
                value = of_arrays(*value)
            out[field.name] = value
        return out


@final
@dataclass(frozen=True)
class Identical(AbstractInitialization):
    r"""All factors are the same multiple of the identity, :math:`W_l(0) = \alpha I`.

    Learns the nonnegative eigenvalues of a symmetric target, the larger the earlier (Chou et al. 2024).
    Rectangular factors get ones on the main diagonal.

    Examples
    --------
    >>> import rankscape as rs
    >>> rs.Identical(alpha=0.1)
    Identical(alpha=0.1)
    """

    alpha: float

    def __post_init__(self):
        object.__setattr__(self, "alpha", positive("alpha", self.alpha))

    def factors(self, problem, widths, stream):
        """``alpha I`` in every layer."""
        return [self.alpha * np.eye(*shape) for shape in factor_shapes(widths)]


@final
@dataclass(frozen=True)
class PerturbedIdentical(AbstractInitialization):
    r"""One factor is :math:`(\alpha-\beta) I`, the others are :math:`\alpha I`, with :math:`0 < \beta \le \alpha`.

    The imbalance lets eigenvalues cross zero, so all of a symmetric target is learned (Chou et al. 2024).
    Which `layer` (1 .. N) is perturbed does not change the product.

    Examples
    --------
    >>> import rankscape as rs
    >>> run = rs.simulate(rs.Estimation(eigenvalues=[2.0, -1.0]), depth=3, steps=60_000,
    ...                   initialization=rs.PerturbedIdentical(alpha=0.1, beta=0.05), dynamics=rs.GradientDescent(2e-3))
    >>> run.dataset.eigenvalues.values[-1].round(3).tolist()
    [2.0, -1.0]
    """

    alpha: float
    beta: float
    layer: int = 1

    def __post_init__(self):
        object.__setattr__(self, "alpha", positive("alpha", self.alpha))
        object.__setattr__(self, "beta", real("beta", self.beta))
        object.__setattr__(self, "layer", whole("layer", self.layer, least=1))
        if not 0 < self.beta <= self.alpha:
            raise InputError(
                f"`beta` must satisfy 0 < beta <= alpha = {self.alpha}, got {self.beta}; "
                "a larger perturbed factor does not learn negative eigenvalues for depth >= 3."
            )

    def factors(self, problem, widths, stream):
        """``alpha I``, and ``(alpha - beta) I`` in the perturbed layer."""
        shapes = factor_shapes(widths)
        if not 1 <= self.layer <= len(shapes):
            raise InputError(f"`layer` must lie in 1..{len(shapes)} for depth {len(shapes)}, got {self.layer}.")
        scales = [self.alpha - self.beta * (l == self.layer) for l in range(1, len(shapes) + 1)]
        return [scale * np.eye(*shape) for scale, shape in zip(scales, shapes, strict=True)]


@final
@dataclass(frozen=True)
class Gaussian(AbstractInitialization):
    """Independent normal entries of standard deviation `scale` in every factor.

    Examples
    --------
    >>> import numpy as np, rankscape as rs
    >>> run = rs.simulate(rs.Estimation(np.diag([3.0, 1.0])), depth=3, initialization=rs.Gaussian(0.3), seed=1, steps=0,
    ...                   dynamics=rs.GradientDescent(0.01))
    >>> [W.shape for W in run.factors]
    [(2, 2), (2, 2), (2, 2)]
    """

    scale: float

    def __post_init__(self):
        object.__setattr__(self, "scale", positive("scale", self.scale))

    def factors(self, problem, widths, stream):
        """``scale`` times standard normal numbers."""
        # Each layer has a part of the stream: a wider layer does not change the numbers of the others.
        draws = [stream.normal(shape, part=l) for l, shape in enumerate(factor_shapes(widths), start=1)]
        with np.errstate(over="ignore"):  # a run that starts beyond the floats says so
            return [self.scale * draw for draw in draws]


@final
@dataclass(frozen=True)
class Orthogonal(AbstractInitialization):
    """Random factors whose nonzero singular values all equal `scale` (orthonormal rows or columns).

    Examples
    --------
    >>> import numpy as np, rankscape as rs
    >>> run = rs.simulate(rs.Estimation(np.diag([3.0, 1.0])), depth=3, initialization=rs.Orthogonal(0.5), steps=0,
    ...                   dynamics=rs.GradientDescent(0.01))
    >>> [rs.singular_values(W).round(12).tolist() for W in run.factors]
    [[0.5, 0.5], [0.5, 0.5], [0.5, 0.5]]
    """

    scale: float

    def __post_init__(self):
        object.__setattr__(self, "scale", positive("scale", self.scale))

    def factors(self, problem, widths, stream):
        """``scale`` times the orthogonal polar factor of a Gaussian matrix: Haar distributed."""
        out = []
        for l, shape in enumerate(factor_shapes(widths), start=1):
            U, _, Vt = thin_svd(stream.normal(shape, part=l))  # U V^T is unique where QR leaves signs open
            out.append(self.scale * (U @ Vt))
        return out


@final
@dataclass(frozen=True, init=False)
class Balanced(AbstractInitialization):
    r"""Balanced factors, :math:`W_{l+1}^T W_{l+1} = W_l W_l^T`: every layer carries :math:`\sigma^{1/N}`.

    Parameters
    ----------
    W : array_like of shape (n_out, n_in), optional
        The product to start from.
    spectrum : float or array_like, optional
        Instead of `W`: singular values of the product along the singular vectors of an `Estimation` target,
        in the order of the target's singular values (descending), or along the common modes of a `Regression`, in
        their order. One number is used for all.

    Examples
    --------
    >>> import numpy as np, rankscape as rs
    >>> from rankscape.ground.stream import Stream
    >>> start = rs.Balanced(np.diag([8.0, 1.0]))
    >>> [W.round(12).tolist() for W in start.factors(rs.Estimation(np.eye(2)), (2, 2, 2, 2), Stream(0))][1]
    [[2.0, 0.0], [0.0, 1.0]]
    """

    W: np.ndarray | None
    spectrum: np.ndarray | float | None

    def __init__(self, W: Any = None, *, spectrum: Any = None):
        if (W is None) == (spectrum is None):
            raise InputError("Balanced needs either `W` or `spectrum`, and not both.")
        if spectrum is not None:
            given = real_array(spectrum, "spectrum")
            spectrum = float(given) if given.ndim == 0 else finite_array(given, "spectrum", ndim=1)
            if np.min(spectrum) < 0 or not np.all(np.isfinite(spectrum)):
                raise InputError("`spectrum` holds singular values of the product: finite and not negative.")
        object.__setattr__(self, "W", None if W is None else finite_array(W, "W", ndim=2))
        object.__setattr__(self, "spectrum", spectrum)

    def factors(self, problem, widths, stream):
        """The balanced factors of the product."""
        if self.W is None:
            if not isinstance(problem, Estimation | Regression):
                raise InputError(
                    "Balanced(spectrum=...) takes its directions from an Estimation target or a Regression; "
                    f"give Balanced(W) for a {type(problem).__name__} problem."
                )
            U, _, V = problem.singular_basis  # kept by the problem: all runs of a batch share its signs
            return balanced_factors(Modes(U, self.on_modes(problem), V).descending(), widths[1:-1])
        if self.W.shape != problem.shape:
            raise InputError(f"`W` has shape {self.W.shape}, but the problem has shape {problem.shape}.")
        U, sigma, Vt = thin_svd(self.W)
        sigma = np.where(sigma > max(self.W.shape) * np.finfo(float).eps * sigma[0], sigma, 0.0)  # rounding is no rank
        return balanced_factors(Modes(U, sigma, Vt.T), widths[1:-1])

    def on_modes(self, problem: Estimation | Regression) -> np.ndarray:
        """The starting singular value of each mode of the target."""
        modes = min(problem.shape)
        spectrum = np.asarray(self.spectrum, dtype=np.float64)
        if spectrum.ndim == 0:
            return np.full(modes, spectrum)
        if len(spectrum) != modes:
            raise InputError(
                f"`spectrum` needs {modes} values for a target of shape {problem.shape}, got {len(spectrum)}."
            )
        return spectrum


@final
@dataclass(frozen=True, init=False)
class Factors(AbstractInitialization):
    """The given factors ``[W_1, ..., W_N]``; the widths follow from them.

    Examples
    --------
    >>> import numpy as np, rankscape as rs
    >>> run = rs.simulate(rs.Estimation(np.diag([3.0, 1.0])), initialization=rs.Factors([0.5 * np.eye(2), np.eye(2)]),
    ...                   dynamics=rs.GradientDescent(0.01), steps=2000)
    >>> run.product.round(3).tolist()
    [[3.0, 0.0], [0.0, 1.0]]
    """

    matrices: tuple[np.ndarray, ...]

    def __init__(self, matrices: Sequence[Any]):
        object.__setattr__(self, "matrices", tuple(check_factors(matrices)))

    @property
    def depth(self) -> int:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The number of factors."""
        return len(self.matrices)

    @property
    def hidden_widths(self) -> list[int]:
        """``d_1 .. d_{N-1}``."""
        return [W.shape[0] for W in self.matrices[:-1]]

    def factors(self, problem, widths, stream):
        """Copies of the matrices."""
        return check_factors(self.matrices, problem.shape)  # copies: no run writes into another's start
