"""Two thin factors with their uncertainty: the fit for data whose noise matters.

A single best pair of factors is a poor summary where entries are few or noisy. Here each row of the factors is
Gaussian given the others, so it can be averaged: variational Bayes, mean and covariance in turn (Lim, Teh 2007; Ilin,
Raiko 2010). The widths of the priors are read off the data, so directions that the data do not support die: the ridge
of each direction is chosen by the noise level. (`gibbs` draws the rows instead, and averages predictions.)
"""

from dataclasses import dataclass

import numpy as np

from rankscape.entries import loops
from rankscape.entries.prepared import PreparedEntries
from rankscape.ground.arrays import fixed
from rankscape.ground.modes import Modes, modes_of
from rankscape.solvers.conditioning import condition

# Least noise variance, of entries of rms 1.
FLOOR = 1e-12

# Squared mean of a direction over its variance below which it is left out: it would not come back.
FADED = 0.05


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
    entries : PreparedEntries
        With the grand mean removed, rms near 1; a weight multiplies the precision of its entry.
    modes : Modes
        Where the factors start.
    noise : float
        First standard deviation of the noise: a low one keeps all directions alive at first.
    biases : pair of (ndarray or None)
        First row and column biases ``a`` and ``b``; None where there are none.
    """

    def __init__(self, entries: PreparedEntries, modes: Modes, noise: float, biases=(None, None)):
        self.entries, self.noise, self.width = entries, max(noise**2, FLOOR), len(modes.s)
        k = self.width
        at = {s: k + position for position, s in enumerate(s for s in (0, 1) if biases[s] is not None)}
        self._at = at  # the coordinate of each side's bias
        root = np.sqrt(modes.s)
        weighted = entries.weighted(entries.values)
        self.power = float(weighted @ entries.values)
        pattern, values = entries.as_sparse(entries.weighted(np.ones(entries.count))), entries.as_sparse(weighted)
        if entries.dense:
            pattern, values = pattern.toarray(), values.toarray()
        sides = []
        for s, (n, vectors) in enumerate(zip(entries.shape, (modes.U, modes.V), strict=True)):
            mean = np.ones((n, k + len(at)))
            mean[:, :k] = vectors * root
            free = np.arange(k)
            if s in at:
                mean[:, at[s]] = biases[s]
                free = np.append(free, at[s])
            operators = (pattern, values) if not s else (_transposed(pattern), _transposed(values))
            covariance = np.zeros((n, k + len(at), k + len(at)))
            size = len(free)
            sides.append(_Side(*operators, mean, covariance, free, np.zeros((size, size))))
        self.left, self.right = sides
        self._priors()

    def average(self) -> None:
        """One sweep of variational Bayes: both sides, the noise, a rotation that decouples, the priors."""
        self.update(self.left, self.right)
        products, grams = self.update(self.right, self.left)
        missed = self.power - 2 * float((products * self.right.mean).sum()) + float((grams * self.right.seconds).sum())
        self.noise = max(missed / self.entries.count, FLOOR)
        self._rotate()
        self._drop_dead()
        self._priors()

    def update(self, here: _Side, other: _Side) -> tuple[np.ndarray, np.ndarray]:
        """Condition one side on the other; returns the products and Gram matrices it used."""
        K, free = here.size, here.free
        grams = _sums_over_entries(here.pattern, other.mean, other.covariance)
        products = np.asarray(here.values @ other.mean)
        precision = np.ascontiguousarray(grams[:, free[:, None], free] / self.noise + here.precision)
        right_side = products[:, free]
        for held in np.setdiff1d(np.arange(K), free):
            right_side = right_side - grams[:, free, held]
        right_side = np.ascontiguousarray(right_side / self.noise)
        condition(precision, right_side)
        here.mean[:, free] = right_side
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

    def _drop_dead(self) -> None:
        """Directions whose mean is far below its uncertainty only fade further: without them a sweep is quicker."""
        alive = self._certainty() > FADED
        if alive.all():
            return
        kept = np.concatenate([np.flatnonzero(alive), np.arange(self.width, self.left.size)])
        self.width, gone = int(alive.sum()), int((~alive).sum())
        self._at = {s: at - gone for s, at in self._at.items()}
        for side, at in zip((self.left, self.right), (self._at.get(0), self._at.get(1)), strict=True):
            side.mean, side.covariance = side.mean[:, kept], side.covariance[:, kept[:, None], kept]
            side.free = np.append(np.arange(self.width), [] if at is None else [at]).astype(int)

    def _certainty(self) -> np.ndarray:
        """For each direction the squared mean over its variance, on the side where that is less."""
        k, sides = self.width, (self.left, self.right)
        power = [(side.mean[:, :k] ** 2).sum(0) for side in sides]
        variance = [np.einsum("ikk->k", side.covariance[:, :k, :k]) for side in sides]
        return np.min([a / np.maximum(b, 1e-300) for a, b in zip(power, variance, strict=True)], axis=0)

    def _priors(self) -> None:
        for side in (self.left, self.right):
            spread = np.einsum("ikk->k", side.seconds[:, side.free[:, None], side.free]) / len(side.mean)
            side.precision = np.diag(1.0 / np.maximum(spread, FLOOR))

    # -- what was found ------------------------------------------------------------------------------------

    @property
    def factors(self) -> tuple[np.ndarray, np.ndarray]:
        """Means of the thin factors without the biases."""
        return self.left.mean[:, : self.width], self.right.mean[:, : self.width]

    @property
    def modes(self) -> Modes:
        """The mean product without the biases."""
        return modes_of(*self.factors)

    @property
    def live(self) -> Modes:
        """The mean product of those directions whose mean is larger than its uncertainty."""
        alive = self._certainty() > 1
        left, right = self.factors
        return modes_of(left[:, alive], right[:, alive])

    @property
    def biases(self) -> tuple[np.ndarray, ...]:
        """Means of the row and column biases (zeros when there are none)."""
        means = self.left.mean, self.right.mean
        return tuple(
            mean[:, self._at[s]].copy() if s in self._at else np.zeros(len(mean)) for s, mean in enumerate(means)
        )


def _sums_over_entries(pattern, mean: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """For each row of the pattern the sum of ``mean_j mean_j^T + covariance_j`` over its entries; symmetric."""
    n, K = mean.shape
    halves = np.empty((n, K * (K + 1) // 2))  # half of a symmetric matrix is half of the memory to go through
    loops.pack_seconds(fixed(mean), fixed(covariance), halves)
    if isinstance(pattern, np.ndarray):
        sums = pattern @ halves
    else:
        sums = np.zeros((pattern.shape[0], halves.shape[1]))
        loops.gather(pattern.indptr, pattern.indices, pattern.data, halves, sums)
    out = np.empty((len(sums), K, K))
    loops.unpack(sums, out)
    return out


def _transposed(operator):
    return np.ascontiguousarray(operator.T) if isinstance(operator, np.ndarray) else operator.T.tocsr()
