"""Stochastic gradient descent on entries or measurements."""

from dataclasses import dataclass

from rankscape.dynamics.base import AbstractDynamics, check_rates
from rankscape.ground.checks import whole
from rankscape.ground.final import final
from rankscape.rates import Path


@final
@dataclass(frozen=True)
class SGD(AbstractDynamics):
    r"""Stochastic gradient descent on entries of a `Completion` (Wang, Jacot 2024) or measurements of a `Sensing`.

    Each step draws a batch :math:`B` of `batch_size` out of the :math:`m` observations and follows the gradient of

    .. math:: \frac{1}{|B|} \sum_{(i,j) \in B} \tfrac12 (W_{ij} - y_{ij})^2
              \qquad\text{or}\qquad \frac{m}{|B|} \sum_{k \in B} \tfrac12 (\langle A_k, W\rangle - y_k)^2,

    plus the whole ridge :math:`\lambda \sum_l \|W_l\|_F^2`. The loss of a completion is a mean and that of sensing a
    sum, so on average over B either is the loss itself: but for the noise, SGD follows the path of `GradientDescent`
    with the same learning rate. With operators that carry the usual factor :math:`1/\sqrt m`, the weight :math:`m/|B|`
    makes a step the mean over the batch of operators without that factor.

    Parameters
    ----------
    learning_rate, ridge : float or Path
        As in `GradientDescent`.
    batch_size : int
        Entries or measurements a step. A learning rate that grows with it keeps the noise as it is
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

    def __post_init__(self):
        size = whole("batch_size", self.batch_size, least=1)
        # A batch may be larger than the data: it then goes through them more than once.
        check_rates(self, self.learning_rate, self.ridge, batch_size=size, replacement=bool(self.replacement))
