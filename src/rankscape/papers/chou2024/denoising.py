"""Early stopping denoises: the step is predicted from the level of the noise alone, and the error is lowest near it."""

import numpy as np
import xarray as xr

import rankscape as rs
from rankscape.estimators.denoising.noise import hard_threshold
from rankscape.papers.chou2024.early_stopping import StoppedPath
from rankscape.papers.figure import PaperFigure
from rankscape.plot import Image

# Of the noise, plus the seed that is asked for.
SEED = 2024
# alpha by depth.
STARTS = {2: 0.01, 3: 0.1, 4: 0.2}


def denoising(quick: bool = False, seed: int = 0) -> PaperFigure:
    """A rank-5 matrix in symmetric Gaussian noise, at depth 2, 3 and 4."""
    n, eigenvalues, noise = 40, (10.0, 8.0, 6.0, 4.0, 2.0), 0.4
    V = _cosines(n)[:, :5]
    clean = V @ np.diag(eigenvalues) @ V.T
    noisy = _symmetric(clean) + _symmetric_noise(n, noise, seed)
    paths = {
        N: StoppedPath(noisy, clean, hard_threshold(noise / np.sqrt(n), (n, n)), N, alpha, 120 if quick else 400)
        for N, alpha in STARTS.items()
    }
    kept = {f"error_depth_{N}": (f"step_depth_{N}", path.error) for N, path in paths.items()}
    steps = {f"step_depth_{N}": path.steps for N, path in paths.items()}
    return PaperFigure(
        "denoising", "A rank-5 matrix in noise: the error is lowest near the step predicted from the noise level",
        {"n": n, "eigenvalues": eigenvalues, "noise": noise, "seed of the noise": SEED + seed, "alpha": STARTS},
        [path.panel(f"depth {N}") for N, path in paths.items()], xr.Dataset(kept, coords=steps),
        [claim for N, path in paths.items() for claim in path.claims(f"depth {N}")],
    )


def photograph(quick: bool = False, seed: int = 0) -> PaperFigure:
    """A photograph in Gaussian noise, from a start along the singular vectors of the noisy picture."""
    clean, noise = rs.data.load("flower").dense()[::2, ::2], 0.15
    noisy = clean + noise * np.random.default_rng(SEED + seed).normal(size=clean.shape)
    path = StoppedPath(noisy, clean, hard_threshold(noise, clean.shape), 3, 0.3, 60 if quick else 200)
    names = ("photograph", "with noise", f"stopped at step {path.stop}")
    return _with_images(
        "photograph", "A photograph in noise, stopped at the predicted step", path, names, (0.0, float(clean.max())),
        {"data": "flower, every second pixel", "noise": noise, "seed of the noise": SEED + seed,
         "depth": 3, "alpha": 0.3},
    )


def correlation(quick: bool = False, seed: int = 0) -> PaperFigure:
    """The correlations of 30 measurements on tumours, published with symmetric Gaussian noise."""
    clean, noise = rs.data.load("breast-cancer-correlation").dense(), 1.0
    noisy = clean + _symmetric_noise(len(clean), noise, seed)
    path = StoppedPath(
        noisy, clean, hard_threshold(noise / np.sqrt(len(clean)), clean.shape), 3, 0.1, 60 if quick else 400
    )
    names = ("correlations", "with noise", f"stopped at step {path.stop}")
    return _with_images(
        "correlation", "A correlation matrix in noise, stopped at the predicted step", path, names, (-1.0, 1.0),
        {"data": "breast-cancer-correlation", "noise": noise, "seed of the noise": SEED + seed,
         "depth": 3, "alpha": 0.1},
    )


def _with_images(name: str, title: str, path: StoppedPath, names, limits, settings) -> PaperFigure:
    matrices = (path.clean, path.noisy, path.stopped)
    images = [Image(text, matrix, limits) for text, matrix in zip(names, matrices, strict=True)]
    data = path.data().assign(
        {
            text: (("row", "column"), matrix)
            for text, matrix in zip(("clean", "noisy", "stopped"), matrices, strict=True)
        }
    )
    parts = [*images, path.panel("error"), path.spectrum("what is learned when")]
    return PaperFigure(name, title, settings, parts, data, path.claims(name))


def _symmetric(matrix: np.ndarray) -> np.ndarray:
    """Without the rounding errors that make two halves differ."""
    return (matrix + matrix.T) / 2


def _symmetric_noise(n: int, noise: float, seed: int) -> np.ndarray:
    """``noise (G + G^T) / sqrt(2n)``: entries of variance ``noise^2 / n``, spectral norm about ``2 noise``."""
    G = np.random.default_rng(SEED + seed).normal(size=(n, n))
    return noise * (G + G.T) / np.sqrt(2 * n)


def _cosines(n: int) -> np.ndarray:
    """The orthonormal basis of the discrete cosine transform, in columns."""
    i, j = np.arange(n)[:, None], np.arange(n)[None]
    V = np.sqrt(2 / n) * np.cos(np.pi * (2 * i + 1) * j / (2 * n))
    # The constant cosine has twice the squared norm of the others.
    V[:, 0] /= np.sqrt(2)
    return V
