"""Two thin factors with their uncertainty: the fit for data whose noise matters.

A single best pair of factors is a poor summary where entries are few or noisy. Here each row of the factors is
Gaussian given the others, so it can be averaged (variational Bayes: mean and covariance in turn) or drawn (Gibbs
sampling, whose predictions are then averaged). The widths of the priors are read off the data, so directions that the
data do not support die: the ridge of each direction is chosen by the noise level.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rankscape.engine.jit import compiled
from rankscape.engine.sparse import ObservedEntries
from rankscape.estimators.solve import Modes, modes_of

_loop = compiled("reassoc", "contract", "nsz")

FLOOR = 1e-12
"""Least noise variance, of entries of rms 1."""

AGREED = 0.995
"""Share of the power of a mean of draws that its rank has to carry."""

BATCH = 12
"""Draws whose sum is held before it is made thin again."""

PULL = 2.0
"""Rows that the prior of the factors counts for when their centre is drawn towards zero."""


@_loop
def _solve_transposed(A, x):
    """Solve ``L^T x = x`` in place."""
    k = len(x)
    for a in range(k - 1, -1, -1):
        total = x[a]
        for c in range(a + 1, k):
            total -= A[c, a] * x[c]
        x[a] = total / A[a, a]


@_loop
def condition(precision, right_side, normal, draw):
    """Solve each ``precision x = right_side`` in place by Cholesky, ``precision = L L^T``.

    Leaves the mean in `right_side`, and the covariance in `precision`; with `draw` ``L^-T normal`` in `normal` instead.
    """
    count, k = right_side.shape
    for i in range(count):
        A, x = precision[i], right_side[i]
        for a in range(k):
            for b in range(a + 1):
                total = A[a, b]
                for c in range(b):
                    total -= A[a, c] * A[b, c]
                if a == b:
                    A[a, a] = np.sqrt(max(total, 1e-300))
                else:
                    A[a, b] = total / A[b, b]
        for a in range(k):
            total = x[a]
            for c in range(a):
                total -= A[a, c] * x[c]
            x[a] = total / A[a, a]
        _solve_transposed(A, x)
        if draw:
            _solve_transposed(A, normal[i])
        else:
            _invert_factored(A)


@_loop
def _invert_factored(A):
    """Replace a lower Cholesky factor by the inverse of its product, both halves."""
    k = len(A)
    for a in range(k):
        A[a, a] = 1.0 / A[a, a]
        for b in range(a):
            total = 0.0
            for c in range(b, a):
                total += A[a, c] * A[c, b]
            A[a, b] = -total * A[a, a]
    for b in range(k):
        for a in range(b, k):
            total = 0.0
            for c in range(a, k):
                total += A[c, a] * A[c, b]
            A[b, a] = total
    for b in range(k):
        for a in range(b):
            A[b, a] = A[a, b]


@dataclass(eq=False)
class _Side:
    """One side of the product: a mean and a covariance for each row, and which coordinates are free.

    A coordinate that is not free is constantly one: its partner on the other side is a bias.
    """

    pattern: object
    values: object
    mean: np.ndarray
    covariance: np.ndarray
    free: np.ndarray
    precision: np.ndarray
    centre: np.ndarray
    expected: np.ndarray

    @property
    def seconds(self) -> np.ndarray:
        """``E[x x^T]`` of each row."""
        return self.covariance + self.mean[:, :, None] * self.mean[:, None, :]

    @property
    def size(self) -> int:
        return self.mean.shape[1]


class Posterior:
    r"""Gaussian factors of the observed entries: ``y_ij = u_i . v_j + a_i + b_j + noise``.

    Parameters
    ----------
    entries : ObservedEntries
        With the grand mean removed, rms near 1; a weight multiplies the precision of its entry.
    modes : Modes
        Where the factors start.
    noise : float
        First standard deviation of the noise: a low one keeps all directions alive at first.
    biases : tuple of ndarray, optional
        First row and column biases ``a`` and ``b``; without them there are none.
    """

    def __init__(self, entries: ObservedEntries, modes: Modes, noise: float, biases=None):
        self.entries, self.noise, self.width = entries, max(noise**2, FLOOR), len(modes.s)
        k, extra = self.width, 0 if biases is None else 2
        root = np.sqrt(modes.s)
        weighted = entries.weighted(entries.values)
        self.power = float(weighted @ entries.values)
        pattern, values = entries.as_sparse(entries.weighted(np.ones(entries.count))), entries.as_sparse(weighted)
        if entries.dense:
            pattern, values = pattern.toarray(), values.toarray()
        sides = []
        for s, (n, vectors) in enumerate(zip(entries.shape, (modes.U, modes.V), strict=True)):
            mean = np.zeros((n, k + extra))
            mean[:, :k] = vectors * root
            free = np.arange(k)
            if biases is not None:
                mean[:, k + s], mean[:, k + 1 - s] = biases[s], 1.0
                free = np.append(free, k + s)
            operators = (pattern, values) if not s else (_transposed(pattern), _transposed(values))
            covariance = np.zeros((n, k + extra, k + extra))
            size = len(free)
            sides.append(_Side(*operators, mean, covariance, free, np.zeros((size, size)), np.zeros(size), mean))
        self.left, self.right = sides
        self._priors()

    # -- variational Bayes ---------------------------------------------------------------------------------

    def average(self) -> None:
        """One sweep of variational Bayes: both sides, the noise, a rotation that decouples, the priors."""
        self._update(self.left, self.right)
        products, grams = self._update(self.right, self.left)
        missed = self.power - 2 * float((products * self.right.mean).sum()) + float((grams * self.right.seconds).sum())
        self.noise = max(missed / self.entries.count, FLOOR)
        self._rotate()
        self._priors()

    def _update(self, here: _Side, other: _Side, normal: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Condition one side on the other; returns the products and Gram matrices it used."""
        K, free = here.size, here.free
        moments = other.seconds if normal is None else other.mean[:, :, None] * other.mean[:, None, :]
        grams = np.asarray(here.pattern @ moments.reshape(len(moments), -1)).reshape(-1, K, K)
        products = np.asarray(here.values @ other.mean)
        precision = grams[:, free[:, None], free] / self.noise + here.precision
        right_side = products[:, free]
        for fixed in np.setdiff1d(np.arange(K), free):
            right_side = right_side - grams[:, free, fixed]
        right_side = right_side / self.noise + here.precision @ here.centre
        condition(precision, right_side, np.zeros((0, 0)) if normal is None else normal, normal is not None)
        here.expected = here.mean.copy()
        here.expected[:, free] = right_side
        here.mean[:, free] = right_side if normal is None else right_side + normal
        if normal is None:
            here.covariance[:, free[:, None], free] = precision
        return products, grams

    def _rotate(self) -> None:
        """Make the second moments of both sides diagonal and equal: the same product, and directions decouple."""
        k = self.width
        if not k:
            return
        A, B = (side.seconds[:, :k, :k].mean(0) for side in (self.left, self.right))
        L = np.linalg.cholesky(A + 1e-12 * np.trace(A) * np.eye(k) / k + 1e-300 * np.eye(k))
        w, Q = np.linalg.eigh(L.T @ B @ L)
        w, Q = np.maximum(w[::-1], 1e-30), Q[:, ::-1]
        forward, backward = np.linalg.solve(L.T, Q) * w**0.25, L @ Q / w**0.25
        for side, turn in ((self.left, forward), (self.right, backward)):
            side.mean[:, :k] = side.mean[:, :k] @ turn
            side.covariance[:, :k] = turn.T @ side.covariance[:, :k]
            side.covariance[:, :, :k] = side.covariance[:, :, :k] @ turn
            side.expected = side.mean

    def _priors(self) -> None:
        for side in (self.left, self.right):
            spread = np.einsum("ikk->k", side.seconds[:, side.free[:, None], side.free]) / len(side.mean)
            side.precision = np.diag(1.0 / np.maximum(spread, FLOOR))

    # -- Gibbs sampling ------------------------------------------------------------------------------------

    def draw(self, random: np.random.Generator) -> None:
        """One sweep of Gibbs sampling: priors, factors and noise, each drawn given all others."""
        for here, other in ((self.left, self.right), (self.right, self.left)):
            here.precision, here.centre = _draw_prior(here.mean[:, here.free], random)
            self._update(here, other, random.standard_normal((len(here.mean), len(here.free))))
        residual = self.entries.residual(self.left.mean, self.right.mean)
        missed = float(self.entries.weighted(residual) @ residual)
        self.noise = max(missed / random.chisquare(self.entries.count), FLOOR)

    # -- what was found ------------------------------------------------------------------------------------

    @property
    def factors(self) -> tuple[np.ndarray, np.ndarray]:
        """Means of the thin factors without the biases; of a draw, the right one's mean given the left one."""
        return self.left.mean[:, : self.width], self.right.expected[:, : self.width]

    @property
    def modes(self) -> Modes:
        """The mean product without the biases."""
        return modes_of(*self.factors)

    @property
    def live(self) -> Modes:
        """The mean product of those directions whose mean is larger than its uncertainty."""
        k = self.width
        alive = np.ones(k, dtype=bool)
        for side in (self.left, self.right):
            power = (side.mean[:, :k] ** 2).sum(0)
            alive &= power > np.einsum("ikk->k", side.covariance[:, :k, :k])
        left, right = self.factors
        return modes_of(left[:, alive], right[:, alive])

    @property
    def biases(self) -> tuple[np.ndarray, np.ndarray]:
        """Means of the row and column biases (zeros when there are none)."""
        if self.left.size == self.width:
            return np.zeros(len(self.left.mean)), np.zeros(len(self.right.mean))
        return self.left.mean[:, self.width].copy(), self.right.expected[:, self.width + 1].copy()


def average_of_draws(
    posterior: Posterior, random: np.random.Generator, sweeps: int, burn: int, watch: Callable[[], None]
) -> tuple[Modes, tuple[np.ndarray, np.ndarray], float]:
    """The mean over `sweeps` Gibbs draws, the first `burn` left out: modes, biases and noise variance.

    Directions that the draws do not agree on shrink in the mean: all but `AGREED` of its power is left out.
    """
    left, right = (side.mean[:, :0] for side in (posterior.left, posterior.right))
    biases, noise = [np.zeros(n) for n in posterior.entries.shape], 0.0
    kept = sweeps - burn
    for sweep in range(sweeps):
        posterior.draw(random)
        if sweep < burn:
            continue
        drawn, given = posterior.factors
        left, right = np.hstack([left, drawn / kept]), np.hstack([right, given])
        if left.shape[1] >= BATCH * posterior.width:  # the sum of thin products, kept thin
            total = modes_of(left, right).head(4 * posterior.width)
            left, right = total.U * total.s, total.V
        biases = [b + new / kept for b, new in zip(biases, posterior.biases, strict=True)]
        noise += posterior.noise / kept
        watch()
    total = modes_of(left, right)
    power = np.cumsum(total.s**2)
    agreed = int(np.searchsorted(power, AGREED * power[-1]) + 1) if power[-1] > 0 else 0
    return total.head(agreed), (biases[0], biases[1]), noise


def _transposed(operator):
    return np.ascontiguousarray(operator.T) if isinstance(operator, np.ndarray) else operator.T.tocsr()


def _draw_prior(x: np.ndarray, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Precision and centre of the rows of `x`, from their normal-Wishart posterior with a weak prior."""
    n, k = x.shape
    centre = x.mean(0)
    scatter = (x - centre).T @ (x - centre) + 0.1 * np.eye(k) + np.outer(centre, centre) * n * PULL / (n + PULL)
    # Bartlett: the precision is T T^T with T = L A, A lower triangular of normals and roots of chi squares.
    A = np.tril(random.standard_normal((k, k)), -1)
    A[np.diag_indices(k)] = np.sqrt(random.chisquare(n + k - np.arange(k)))
    T = np.linalg.cholesky(np.linalg.inv(scatter)) @ A
    precision = T @ T.T
    offset = np.linalg.solve(T.T, random.standard_normal(k)) / np.sqrt(n + PULL)
    return precision, centre * n / (n + PULL) + offset
