"""Stochastic gradient descent on entries or measurements."""

from dataclasses import InitVar, dataclass

from rankscape.dynamics.base import AbstractDynamics, check_rates
from rankscape.ground.checks import switch, whole
from rankscape.ground.final import final
from rankscape.rates import Path


@final
@dataclass(frozen=True)
class SGD(AbstractDynamics):
    r"""Stochastic gradient descent on entries of a `Completion` (Wang, Jacot 2024), measurements or samples.

    Each step draws a batch :math:`B` of `batch_size` out of the :math:`m` observations and follows the gradient of

    .. math:: \frac{1}{|B|} \sum_{(i,j) \in B} \tfrac12 (W_{ij} - y_{ij})^2, \quad
              \frac{m}{|B|} \sum_{k \in B} \tfrac12 (\langle A_k, W\rangle - y_k)^2 \quad\text{or}\quad
              \frac{1}{|B|} \sum_{k \in B} \tfrac12 \|W x_k - y_k\|^2

    (of a `Classification`, the mean of its loss), plus the whole ridge :math:`\lambda \sum_l \|W_l\|_F^2`. The loss of
    sensing is a sum and the others are means, so on average over B each is the loss itself: but for the noise, SGD
    follows the path of `GradientDescent`
    with the same learning rate. With operators that carry the usual factor :math:`1/\sqrt m`, the weight :math:`m/|B|`
    makes a step the mean over the batch of operators without that factor.

    Parameters
    ----------
    learning_rate, ridge, weight_decay : float or Path
        As in `GradientDescent`.
    batch_size : int
        Entries, measurements or samples a step. A learning rate that grows with it keeps the noise as it is
        (`rankscape.rates.convert`).
    replacement : bool
        True draws every one uniformly and independently; False goes through fresh permutations of all of them.

    Examples
    --------
    >>> import rankscape as rs
    >>> lab = rs.data.planted()
    >>> run = rs.simulate(lab.problem, initialization=rs.Factors(lab.start()), steps=300_000, monitor=rs.RankMonitor(),
    ...                   dynamics=rs.SGD(learning_rate=0.2, ridge=0.4 / len(lab.problem.values)))
    >>> run.jumps.values[:, 1:].tolist()
    [[4, 3], [3, 2]]
    """

    learning_rate: float | Path
    ridge: float | Path = 0.0
    batch_size: int = 1
    replacement: bool = True
    weight_decay: InitVar[float | None] = None

    def __post_init__(self, weight_decay: float | None):
        size = whole("batch_size", self.batch_size, least=1)
        # A batch may be larger than the data: it then goes through them more than once.
        drawing = dict(batch_size=size, replacement=switch("replacement", self.replacement))
        check_rates(self, self.learning_rate, self.ridge, weight_decay, **drawing)
