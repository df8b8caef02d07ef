"""Full matrices with noise: the denoiser against optimal shrinkage and the best weights of the singular vectors."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from drawing import spectrum


@dataclass(frozen=True, eq=False)
class DenoisingCase:
    """`noisy` is `truth` plus independent normal noise of level `noise`; errors are divided by `unit`."""

    noisy: np.ndarray
    truth: np.ndarray
    noise: float
    unit: float
    floor: float = 1e-9

    @property
    def shape(self) -> tuple[int, int]:
        """Of the matrix."""
        n, m = self.noisy.shape
        return n, m

    @property
    def digest(self) -> str:
        """Two cases with one digest are the same question."""
        return hashlib.sha256(self.noisy.tobytes()).hexdigest()[:16]

    def error(self, found: np.ndarray) -> float:
        """Root mean square error of all cells."""
        return float(np.sqrt(np.mean((found - self.truth) ** 2)) / self.unit)

    def ours(self, limit: float) -> dict[str, Any]:
        """Denoise, first with the noise estimated, then with the noise given."""
        import ours

        facts: dict[str, Any] = {"input": self.error(self.noisy)}
        for name, noise in (("", None), ("_known", self.noise)):
            fit = ours.denoised(self.noisy, noise, limit)
            facts["seconds" + name] = fit.seconds
            if fit.failure:
                return facts | {"failed": fit.failure}
            found, rank, trusted = fit.answer
            facts |= {"error" + name: self.error(found), "rank" + name: rank, "trusted" + name: trusted}
        return facts

    def candidates(self) -> dict[str, Callable[[], np.ndarray]]:
        """Both are told more than anybody knows: the noise, and the truth."""
        return {
            "optimal shrinkage, noise known": lambda: optimally_shrunk(self.noisy, self.noise),
            "best weights": lambda: best_weights(self.noisy, self.truth),
        }


def optimally_shrunk(noisy: np.ndarray, noise: float) -> np.ndarray:
    """Singular values shrunk for the Frobenius loss (Gavish and Donoho 2017), zero below the edge of the noise."""
    n, m = sorted(noisy.shape)
    beta = n / m
    U, s, Vt = np.linalg.svd(noisy, full_matrices=False)
    y = s / (noise * np.sqrt(m))
    inside = np.maximum((y**2 - beta - 1) ** 2 - 4 * beta, 0)
    weights = np.where(y > 1 + np.sqrt(beta), np.sqrt(inside) / y**2, 0.0)
    return (U * (weights * s)) @ Vt


def best_weights(noisy: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """The nearest to the truth of all matrices with these singular vectors and weights of zero or more."""
    U, _, Vt = np.linalg.svd(noisy, full_matrices=False)
    return (U * np.maximum(np.einsum("ik,ij,kj->k", U, truth, Vt, optimize=True), 0)) @ Vt


def gaussian(seed: int) -> Iterator[tuple[str, Callable[[], DenoisingCase]]]:
    """Seven matrices of low rank; sizes are multiples of the edge of noise of level 1."""
    for n, m in ((200, 150), (300, 60), (100, 1000)):
        yield f"rank 3, {n} x {m}", lambda n=n, m=m: _planted(seed, n, m, np.array([4.0, 2.0, 1.3]))
        yield f"weak rank 5, {n} x {m}", lambda n=n, m=m: _planted(seed, n, m, np.array([1.2, 1.1, 1.0, 0.9, 0.8]))
    yield "rank 40, 200 x 150", lambda: _planted(seed, 200, 150, np.linspace(4, 1, 40))


def _planted(seed: int, n: int, m: int, sizes: np.ndarray) -> DenoisingCase:
    random = np.random.default_rng([seed, n, m, len(sizes)])
    truth = spectrum(random, sizes, (n, m))
    truth *= np.linalg.norm(sizes) * (np.sqrt(n) + np.sqrt(m)) / np.linalg.norm(truth)
    return DenoisingCase(truth + random.normal(size=truth.shape), truth, 1.0, float(truth.std()))


def real(matrix: np.ndarray, level: float, seed: int) -> DenoisingCase:
    """A real matrix with noise of so many of its standard deviations."""
    noise = level * float(matrix.std())
    random = np.random.default_rng([seed, *matrix.shape, round(100 * level)])
    return DenoisingCase(matrix + noise * random.normal(size=matrix.shape), matrix, noise, float(matrix.std()))
