"""The prior of a factor: rows are normal around what is known of them, with a precision that is drawn."""

from abc import ABC, abstractmethod

import numpy as np

from rankscape.ground.final import final

# Scale of the Wishart prior, as a share of the largest singular value that noise alone would show. With a smaller one
# directions that scarce entries hardly hold up die and never come back (0.002: an error of 0.76 instead of 0.65 on
# 300 x 300 of rank 5, 30 % seen, 200 draws); between 0.007 and 0.02 no error changed by more than 2 %, on eight planted
# matrices from 50 x 30 to 1000 x 300 and three of ratings.
SHARE = 0.01

# Rows that the prior of the coefficients counts for when they are drawn towards zero.
PULL = 2.0


def noise_edge(shape: tuple[int, int], count: int) -> float:
    """The largest singular value that noise of rms 1 in `count` entries shows, scaled to the whole matrix.

    >>> round(noise_edge((100, 100), 10_000), 3)
    20.0
    """
    n_out, n_in = shape
    return (n_out**0.5 + n_in**0.5) * (n_out * n_in / count) ** 0.5


def prior_scale(shape: tuple[int, int], count: int) -> float:
    """Scale of the Wishart priors, for entries of rms 1."""
    return SHARE * noise_edge(shape, count)


class Prior(ABC):
    """Of the rows of a factor."""

    @abstractmethod
    def draw(self, x: np.ndarray, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Draw the prior given the rows `x`; returns the precision, and the precision times the mean of each row."""

    @property
    def size(self) -> int:
        """Features of a row."""
        return 1


@final
class NormalWishart(Prior):
    r"""``x_i ~ N(B^T f_i, Lambda^-1)`` with features f of each row.

    Its own priors are ``Lambda ~ W(P, I / scale)`` and rows of ``B`` that are ``N(0, Lambda^-1 / lambda_f)``, where
    lambda is `PULL` for the first features, and one number that is drawn for all that are only guesses:
    ``Gamma(1/2, 1/2)``.

    Parameters
    ----------
    features : ndarray, shape (n, f)
        What is known of each row; a first column of ones is the centre of all.
    guessed : int
        How many of them, the last ones, are guesses.
    scale : float
        Of the Wishart prior (`prior_scale`).

    References
    ----------
    .. [salakhutdinov2008] Salakhutdinov, Mnih, "Bayesian probabilistic matrix factorization using Markov chain
       Monte Carlo", ICML 2008.
    """

    def __init__(self, features: np.ndarray, guessed: int = 0, scale: float = 1.0):
        # Orthogonal features: each one's coefficients are drawn alone. The guesses have one ridge, so any rotation of
        # them is as good.
        known, guesses = np.split(features, [features.shape[1] - guessed], axis=1)
        known = np.linalg.qr(known)[0] * np.linalg.norm(known, axis=0)
        guesses = guesses - known @ (np.linalg.pinv(known) @ guesses)
        guesses = guesses @ np.linalg.eigh(guesses.T @ guesses)[1]
        features = np.hstack([known, guesses])
        self.guessed, self.scale, self.ridge = guessed, scale, 1.0
        self._squares = np.einsum("nf,nf->f", features, features)
        self._features = features.astype(np.float32)  # the products with them are a third of a sweep

    def draw(self, x: np.ndarray, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Draw ``Lambda`` and ``B``; returns ``Lambda``, and ``Lambda B^T f_i`` of each row."""
        n, P = x.shape
        ridges = np.full(len(self._squares), PULL)
        ridges[len(ridges) - self.guessed :] = self.ridge
        spread = np.sqrt(self._squares + ridges)[:, None]
        explained = (self._features.T @ x.astype(np.float32)) / spread
        root = self._precision_root(x.T @ x - explained.T @ explained, n + P, random)  # Lambda = root root^T
        noise = np.linalg.solve(root.T, random.standard_normal(explained.shape).T).T  # rows of covariance Lambda^-1
        B = (explained + noise) / spread
        if self.guessed:
            power = float(np.sum((B[-self.guessed :] @ root) ** 2))
            self.ridge = random.gamma((1 + self.guessed * P) / 2) / ((1 + power) / 2)
        precision = root @ root.T
        return precision, (self._features @ (B @ precision).astype(np.float32)).astype(np.float64)

    @property
    def size(self) -> int:
        """Features of a row."""
        return len(self._squares)

    def _precision_root(self, scatter: np.ndarray, degrees: int, random: np.random.Generator) -> np.ndarray:
        """T with ``T T^T ~ W(degrees, (scatter + scale I)^-1)``.

        Bartlett's way: ``T = L A`` with ``L L^T`` that inverse and A lower triangular of normals and roots of chi
        squares.
        """
        w, E = np.linalg.eigh(scatter)
        A = random.standard_normal(scatter.shape) * np.tri(len(scatter), k=-1)
        A.flat[:: len(A) + 1] = np.sqrt(random.chisquare(degrees - np.arange(len(A))))
        return (E / np.sqrt(np.maximum(w, 0.0) + self.scale)) @ A  # single precision may leave w below zero
