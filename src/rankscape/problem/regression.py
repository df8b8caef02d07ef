"""Regression: a linear network sees inputs, and outputs that it should give."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from rankscape.entries.heldout import entry_hash
from rankscape.errors import InputError
from rankscape.ground.arrays import finite_array
from rankscape.ground.checks import share
from rankscape.ground.final import final
from rankscape.ground.fingerprint import of_arrays
from rankscape.ground.types import ArrayLike, Matrix
from rankscape.problem.base import AbstractProblem
from rankscape.problem.moments import Moments, of_covariances, of_samples
from rankscape.problem.samples import Samples

if TYPE_CHECKING:
    from rankscape.theory import RegressionModes


@final
@dataclass(frozen=True, eq=False, init=False, repr=False)
class Regression(AbstractProblem):
    r"""Fit outputs to inputs, :math:`f(W) = \frac{1}{2P} \sum_{k=1}^P \|W x_k - y_k\|^2`.

    The loss sees its samples through two matrices, :math:`\Sigma_{xx} = \frac1P \sum x x^\top` and
    :math:`\Sigma_{yx} = \frac1P \sum y x^\top` (not centred), and full gradients are
    :math:`W \Sigma_{xx} - \Sigma_{yx}`. `SGD` draws samples.

    Parameters
    ----------
    inputs : array_like of shape (P, n_in)
        One sample a row.
    outputs : array_like of shape (P, n_out)
        What ``W`` should make of each; a vector is one output.

    Attributes
    ----------
    input_covariance, cross_covariance : array of shape (n_in, n_in) and (n_out, n_in)
        :math:`\Sigma_{xx}` and :math:`\Sigma_{yx}`.
    floor : array of shape ()
        The least loss that any ``W`` has.
    input_rank : int
        How many directions the inputs span. On the others the data say nothing: ``W`` keeps there what its start and
        the ridge make of it.
    least_squares : array of shape (n_out, n_in)
        The minimizer of smallest norm, :math:`\Sigma_{yx} \Sigma_{xx}^+`.

    Raises
    ------
    InputError
        The numbers of samples differ, or a value is not finite.

    Notes
    -----
    ``torch.nn.MSELoss`` is a mean over outputs too: it is ``2 / n_out`` times this loss, so a learning rate there is
    ``n_out / 2`` times the one here, and a weight decay ``2 / n_out`` times.

    Examples
    --------
    >>> import numpy as np, rankscape as rs
    >>> X = np.array([[1.0, 0.0], [0.0, 2.0], [1.0, 1.0]])
    >>> problem = rs.Regression(X, X @ np.array([[1.0], [3.0]]))
    >>> problem
    Regression(shape=(1, 2), samples=3, input_rank=2)
    >>> problem.least_squares.round(6).tolist(), float(problem.floor.round(6))
    ([[1.0, 3.0]], 0.0)

    The same from covariances, which is all that full gradients need:

    >>> same = rs.Regression.from_covariances(problem.input_covariance, problem.cross_covariance)
    >>> bool(np.allclose(same.gradient(np.ones((1, 2))), problem.gradient(np.ones((1, 2)))))
    True

    References
    ----------
    .. [saxe2014] Saxe, McClelland, Ganguli, "Exact solutions to the nonlinear dynamics of learning in deep linear
       neural networks", ICLR 2014.
    """

    arrays: ClassVar[tuple[str, ...]] = Moments._fields
    data: ClassVar[tuple[str, ...]] = ("inputs", "outputs")
    inputs: Matrix | None
    outputs: Matrix | None
    input_covariance: Matrix
    cross_covariance: Matrix
    root: Matrix
    image: Matrix
    floor: np.ndarray
    heldout: "Regression | None" = None

    def __init__(self, inputs: ArrayLike, outputs: ArrayLike):
        X = finite_array(inputs, "inputs", ndim=2)
        Y = finite_array(outputs, "outputs", ndim=np.ndim(outputs) if np.ndim(outputs) == 1 else 2)
        Y = Y[:, None] if Y.ndim == 1 else Y
        if len(X) != len(Y):
            raise InputError(f"`inputs` has {len(X)} samples but `outputs` has {len(Y)}; each is one row of both.")
        self._set(X, Y, of_samples(X, Y), None)

    def _set(self, X: Matrix | None, Y: Matrix | None, moments: Moments, heldout: "Regression | None") -> None:
        for array in moments:
            array.setflags(write=False)
        vars(self).update(inputs=X, outputs=Y, heldout=heldout, **moments._asdict())

    def __repr__(self) -> str:
        samples = "" if self.inputs is None else f", samples={len(self.inputs)}"
        return f"Regression(shape={self.shape}{samples}, input_rank={self.input_rank})"

    @classmethod
    def from_covariances(
        cls, input_covariance: ArrayLike, cross_covariance: ArrayLike, output_variance: float | None = None
    ) -> "Regression":
        r"""From the covariances alone: there are no samples then, and SGD has nothing to draw.

        Parameters
        ----------
        input_covariance : array_like of shape (n_in, n_in)
            :math:`\Sigma_{xx}`: symmetric, no negative eigenvalue.
        cross_covariance : array_like of shape (n_out, n_in)
            :math:`\Sigma_{yx}`; zero where the inputs have no variance.
        output_variance : float, optional
            :math:`\operatorname{tr} \Sigma_{yy}`, which decides the least loss; left out, the least loss is 0.

        Raises
        ------
        InputError
            Not covariances of any inputs and outputs; the text says why.
        """
        moments = of_covariances(
            finite_array(input_covariance, "input_covariance", ndim=2),
            finite_array(cross_covariance, "cross_covariance", ndim=2),
            output_variance,
        )
        problem = object.__new__(cls)
        problem._set(None, None, moments, None)
        return problem

    def split(self, fraction: float = 0.1, seed: int = 0) -> "Regression":
        """Hold out a share of the samples, chosen by a hash of their position; training sees the others only.

        Returns
        -------
        Regression
            The training problem; its `heldout` is the problem of the held-out samples.
        """
        X, Y = self.inputs, self.outputs
        if X is None or Y is None:
            raise InputError("`split` needs samples, but this problem knows its covariances only: Regression(X, Y).")
        position, fraction = np.arange(len(X)), share("fraction", fraction)
        held = entry_hash(position, np.zeros_like(position), seed) < np.uint64(int(fraction * 2**64))
        if held.all() or not held.any():
            raise InputError(f"Holding out {fraction:g} of {len(X)} samples leaves one part empty.")
        training = object.__new__(Regression)
        training._set(X[~held], Y[~held], of_samples(X[~held], Y[~held]), Regression(X[held], Y[held]))
        return training

    # -- the loss ------------------------------------------------------------------------------------------

    @property
    def shape(self) -> tuple[int, int]:  # pyright: ignore[reportIncompatibleVariableOverride]
        """``(n_out, n_in)``."""
        return (self.cross_covariance.shape[0], self.cross_covariance.shape[1])

    @property
    def input_rank(self) -> int:
        """The rank of the inputs."""
        return len(self.root)

    @cached_property
    def least_squares(self) -> Matrix:
        """The minimizer of smallest norm."""
        return self.image @ np.linalg.pinv(self.root).T if self.input_rank else np.zeros(self.shape)

    @cached_property
    def modes(self) -> "RegressionModes":
        """The common modes of the two covariances; an error where they do not commute, as `theory.regression_modes`."""
        from rankscape.theory import regression_modes  # SciPy comes with it

        return regression_modes(self.input_covariance, self.cross_covariance)

    @property
    def singular_basis(self) -> tuple[Matrix, np.ndarray, Matrix]:
        """``(U, targets, V)`` of the `modes`, along which a `Balanced` start stays aligned."""
        return self.modes.U, self.modes.targets, self.modes.V

    def loss(self, W: Any) -> Any:
        """The mean over samples of half the squared error."""
        # As a distance, and not by the covariances: near the least loss their difference would have no digits left.
        difference = W @ self.root.T - self.image
        return 0.5 * (difference * difference).sum() + self.floor

    def gradient(self, W: Any) -> Any:
        """``W Sigma_xx - Sigma_yx``."""
        return W @ self.input_covariance - self.cross_covariance

    def smoothness(self) -> float:
        """The largest eigenvalue of the covariance of the inputs."""
        return float(np.linalg.norm(self.input_covariance, 2))

    def sample_smoothness(self) -> float | None:
        """The largest squared norm of an input."""
        return None if self.inputs is None else float((self.inputs * self.inputs).sum(axis=1).max())

    def scale(self) -> float:
        """The spectral norm of the least-squares solution."""
        return float(np.linalg.norm(self.least_squares, 2))

    def heldout_loss_of_factors(self, factors: Sequence[np.ndarray]) -> float | None:
        """The same loss over the held-out samples."""
        return None if self.heldout is None else self.heldout.loss_of_factors(factors)

    @cached_property
    def samples(self) -> Samples | None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """What SGD draws; None where only covariances are known."""
        if self.inputs is None or self.outputs is None:
            return None
        return Samples(self.inputs, self.outputs, np.zeros(len(self.inputs)), "regression", 1.0)

    def describe(self) -> dict[str, Any]:
        """What identifies the problem: a digest of the samples, or of the covariances where there are none."""
        covariances = self.input_covariance, self.cross_covariance, self.floor
        known = (self.inputs, self.outputs) if self.inputs is not None else covariances
        return {"kind": "Regression", "shape": list(self.shape), "data": of_arrays(*known)}
