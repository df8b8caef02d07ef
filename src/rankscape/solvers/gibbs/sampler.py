"""Gibbs sampling of two thin factors: all rows of one side at once, each a block, given the other side."""

from dataclasses import dataclass

import numpy as np

from rankscape.entries.prepared import PreparedEntries, entries_of_product
from rankscape.ground.arrays import fixed, root_mean_square
from rankscape.ground.final import final
from rankscape.ground.threads import each
from rankscape.solvers.gibbs.likelihoods import Likelihood
from rankscape.solvers.gibbs.priors import NormalWishart, Prior, prior_scale
from rankscape.solvers.gibbs.rows import draw_rows
from rankscape.solvers.gibbs.seen import seen_features

# Standard deviation of the first factors, for entries of rms 1: a louder start ends up to 0.5 % worse.
START = 0.1

# Rows that one thread draws at a time: a multiple of those that are factored side by side.
ROWS = 2048

# Least variance of a direction of new rows, as a share of that of all.
LEAST = 1e-6

_NONE = np.empty(0)


@dataclass(eq=False)
class _Side:
    """One factor with its bias, the last coordinate of `drawn` where it has one, and the entries in its own order."""

    starts: np.ndarray
    others: np.ndarray
    order: np.ndarray
    prior: Prior
    drawn: np.ndarray
    mean: np.ndarray
    width: int

    @property
    def biased(self) -> bool:
        return self.drawn.shape[1] > self.width

    @property
    def bias(self) -> np.ndarray:
        return self.drawn[:, self.width]


@final
class Gibbs:
    r"""Draws of ``y_ij ~ p(. | u_i . v_j + a_i + b_j)`` from the posterior of factors, biases and their priors.

    A row ``x_i = (u_i, a_i)`` is drawn as one block given the other side, so neighbouring directions do not have to
    wait for each other. Normals are drawn before the loop over rows: the result depends on the seed alone.

    Parameters
    ----------
    entries : PreparedEntries
        Without their mean; rms near 1.
    likelihood : Likelihood
        Of these entries.
    width : int
        Directions.
    priors : pair of Prior
        Of rows and of columns.
    random : numpy.random.Generator
        Where all chance comes from.
    biased : pair of bool
        Whether rows and whether columns have biases.
    start : float
        Standard deviation of the first factors.
    threads : int
        At most so many; they change no digit.

    References
    ----------
    .. [salakhutdinov2008] Salakhutdinov, Mnih, "Bayesian probabilistic matrix factorization using Markov chain
       Monte Carlo", ICML 2008.
    """

    def __init__(
        self,
        entries: PreparedEntries,
        likelihood: Likelihood,
        width: int,
        priors: tuple[Prior, Prior],
        random: np.random.Generator,
        biased: tuple[bool, bool] = (True, True),
        start: float = START,
        threads: int = 1,
    ):
        self.entries, self.likelihood, self.random, self.width = entries, likelihood, random, width
        self.threads = threads
        turned = np.argsort(entries.columns, kind="stable")
        ends = np.searchsorted(entries.columns[turned], np.arange(entries.shape[1] + 1))
        starts = ends.astype(entries.row_starts.dtype)
        walks = (
            (entries.row_starts, entries.columns, np.empty(0, turned.dtype)),
            (starts, fixed(entries.rows[turned]), turned),
        )
        sides = []
        for walk, prior, n, has in zip(walks, priors, entries.shape, biased, strict=True):
            x = np.zeros((n, width + has))
            x[:, :width] = start * random.standard_normal((n, width))
            sides.append(_Side(*walk, prior, x, x.copy(), width))
        self.left, self.right = sides

    @classmethod
    def begin(
        cls,
        entries: PreparedEntries,
        likelihood: Likelihood,
        width: int,
        biased: tuple[bool, bool],
        random: np.random.Generator,
        start: float = START,
        threads: int = 1,
    ) -> "Gibbs":
        """A chain whose priors know how many and which cells of each row and column are seen."""
        scale = prior_scale(entries.shape, entries.count)
        priors = tuple(NormalWishart(*features, scale) for features in seen_features(entries, random))
        return cls(entries, likelihood, width, (priors[0], priors[1]), random, biased, start, threads)

    def start_at(self, biases: tuple[np.ndarray, np.ndarray]) -> None:
        """Begin with these biases of rows and columns, in place of zeros, where they are larger than what they leave.

        Levels that are a thousand times the rest make noise of their size, and the chain takes longer to forget it than
        it is run. Small ones it finds by itself, and those of a few wild entries it had better not begin with.
        """
        for side, bias in zip((self.left, self.right), biases, strict=True):
            if side.biased and root_mean_square(bias) > 1:
                side.bias[:] = bias

    def sweep(self) -> None:
        """Noise, then rows, then columns, each given all others."""
        given = self.likelihood.augment(self.fitted(), self.random)
        self._draw(self.left, self.right, *given)
        self._draw(self.right, self.left, *given)

    def sweep_rows(self) -> None:
        """Noise and rows alone: the columns stay as they are."""
        self._draw(self.left, self.right, *self.likelihood.augment(self.fitted(), self.random))

    def _draw(self, here: _Side, other: _Side, target: np.ndarray, precision: np.ndarray) -> None:
        prior, pull = here.prior.draw(here.drawn, self.random)
        normal = self.random.standard_normal(here.drawn.shape)
        partner = np.ones_like(here.drawn, shape=(len(other.drawn), here.drawn.shape[1]))
        partner[:, : self.width] = other.drawn[:, : self.width]
        shift = np.ascontiguousarray(other.bias) if other.biased else _NONE
        given = here.others, here.order, target, precision, partner, shift, prior

        def draw(first: int) -> None:
            part = slice(first, first + ROWS)
            starts = here.starts[first : first + ROWS + 1]
            draw_rows(starts, *given, pull[part], normal[part], here.mean[part], here.drawn[part])

        each(draw, range(0, len(here.drawn), ROWS), self.threads)

    @property
    def work(self) -> float:
        """Multiplications of a sweep, roughly."""
        P, entries = self.width + 1, self.entries
        by_row = sum(len(side.drawn) * (P**3 / 3 + 2 * P * side.prior.size) for side in (self.left, self.right))
        return entries.count * P**2 + by_row

    def fitted(self) -> np.ndarray:
        """``u_i . v_j + a_i + b_j`` of the last draw at the entries, in row order."""
        left, right = self.joined(self.left.drawn, self.right.drawn)
        return entries_of_product(self.entries.rows, self.entries.columns, left, right)

    def joined(self, rows: np.ndarray, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Factors with biases as directions, ``(u, a, 1)`` and ``(v, 1, b)``, whose product is the fitted value."""
        k = self.width
        left, right = np.ones((len(rows), k + 2)), np.ones((len(columns), k + 2))
        left[:, :k], right[:, :k] = rows[:, :k], columns[:, :k]
        left[:, k], right[:, k + 1] = (x[:, k] if x.shape[1] > k else 0.0 for x in (rows, columns))
        return left, right

    @property
    def factors(self) -> tuple[np.ndarray, np.ndarray]:
        """The rows drawn last, and the mean of the columns given them: less noisy than a draw (Rao-Blackwell)."""
        return self.left.drawn[:, : self.width], self.right.mean[:, : self.width]

    @property
    def biases(self) -> tuple[np.ndarray, np.ndarray]:
        """The same of the biases; zeros where there are none."""
        a, b = (
            x[:, self.width].copy() if x.shape[1] > self.width else np.zeros(len(x))
            for x in (self.left.drawn, self.right.mean)
        )
        return a, b


def conditioned_rows(
    entries: PreparedEntries,
    likelihood: Likelihood,
    left: np.ndarray,
    right: np.ndarray,
    steps: int,
    random: np.random.Generator,
) -> np.ndarray:
    """Draws of other rows ``(u, a, 1)``, whose entries these are, given columns ``(v, 1, b)``.

    Their prior is normal with the mean and the covariance of the rows in `left`. What has to be drawn beside them
    (noise, precisions) makes it take some `steps`.
    """
    free = left[:, :-1]
    spread = np.cov(free, rowvar=False, bias=True).reshape((free.shape[1],) * 2)
    # Fewer rows than directions leave some without any spread: enough that the rows' equations stay regular.
    precision = np.linalg.inv(spread + LEAST * max(float(np.trace(spread)), LEAST) * np.eye(len(spread)))
    priors = _Fixed(precision, free.mean(0)), _Fixed(precision, free.mean(0))
    gibbs = Gibbs(entries, likelihood, right.shape[1] - 2, priors, random)
    gibbs.left.drawn[:] = free.mean(0)
    gibbs.right.drawn[:, :-1], gibbs.right.drawn[:, -1] = right[:, :-2], right[:, -1]
    for _ in range(steps):
        gibbs.sweep_rows()
    return gibbs.joined(gibbs.left.drawn, gibbs.right.drawn)[0]


class _Fixed(Prior):
    """Rows of known mean and precision."""

    def __init__(self, precision: np.ndarray, mean: np.ndarray):
        self.precision, self.mean = precision, mean

    def draw(self, x: np.ndarray, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        del random
        return self.precision, np.tile(self.precision @ self.mean, (len(x), 1))
