"""What other packages and simple rules fill in: defaults too, and none is told a rank but where it must be."""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from measure import measured

GUESSED_RANK = 10
"""What packages that must be told a rank are told: what their documentations use."""

HELD, PENALTIES, SWEEPS, STILL = 0.1, np.geomspace(0.9, 0.004, 18), 50, 1e-4
"""Of the soft threshold: share held out, penalties over the largest singular value, sweeps each, and their end."""


@dataclass(frozen=True)
class Peer:
    """One way to fill a matrix.

    Parameters
    ----------
    name
        As the tables show it.
    complete
        From a matrix with NaN to one without.
    fits
        From the shape and the ordered axes: whether it makes sense and ends in seconds.
    package
        What has to be installed.
    """

    name: str
    complete: Callable[[np.ndarray], np.ndarray]
    fits: Callable[[int, int, str], bool] = lambda n, m, ordered: True
    package: str = "numpy"

    @property
    def installed(self) -> bool:
        """Whether its package is there."""
        return importlib.util.find_spec(self.package) is not None


def able(shape: tuple[int, int], ordered: str) -> list[Peer]:
    """The peers for a matrix of this shape."""
    return [peer for peer in PEERS if peer.fits(*shape, ordered)]


def warm_up() -> None:
    """Import and compile what is installed: it is paid once a process, not by a case."""
    random = np.random.default_rng(0)
    X = np.where(random.random((12, 14)) < 0.3, np.nan, random.normal(size=(12, 14)))
    for peer in PEERS:
        if peer.installed:
            measured(lambda peer=peer: peer.complete(X), 10.0)


def column_mean(X: np.ndarray) -> np.ndarray:
    known = np.isfinite(X)
    count = known.sum(0)
    total = np.where(known, X, 0.0).sum(0)
    return np.broadcast_to(np.where(count, total / np.maximum(count, 1), X[known].mean()), X.shape)


def bias(X: np.ndarray, damped: float = 0.0, rounds: int = 20) -> np.ndarray:
    """Mean plus a bias for each row and each column, in turns; damped by so many entries that say zero."""
    known = np.isfinite(X)
    mean = X[known].mean()
    centred = np.where(known, X - mean, 0.0)
    row, column = np.zeros((len(X), 1)), np.zeros((1, X.shape[1]))
    by_row, by_column = (np.maximum(known.sum(axis, keepdims=True) + damped, 1) for axis in (1, 0))
    for _ in range(rounds):
        column = (centred - row * known).sum(0, keepdims=True) / by_column
        row = (centred - column * known).sum(1, keepdims=True) / by_row
    return mean + row + column


def soft_impute(X: np.ndarray) -> np.ndarray:
    """Singular values less a penalty, which a held-out tenth chooses; biases are removed first."""
    known = np.isfinite(X)
    held = known & (np.random.default_rng(0).random(X.shape) < HELD)
    base, penalties, best = bias(np.where(held, np.nan, X), 1.0), PENALTIES, (np.inf, 0)
    for k, low in enumerate(_softened(np.where(known & ~held, X - base, np.nan), penalties)):
        error = np.mean((low + base - X)[held] ** 2)
        if error < best[0]:
            best = error, k
        elif error > 1.2 * best[0]:
            break
    base = bias(X, 1.0)
    *_, low = _softened(X - base, penalties[: best[1] + 1])
    return low + base


def _softened(R: np.ndarray, penalties: np.ndarray):
    known, low = np.isfinite(R), np.zeros(R.shape)
    filled = np.where(known, R, 0.0)
    largest = np.linalg.norm(filled, 2)
    for penalty in penalties * largest:
        for _ in range(SWEEPS):
            U, s, Vt = np.linalg.svd(np.where(known, filled, low), full_matrices=False)
            kept = max(1, int((s > penalty).sum()))
            new = (U[:, :kept] * np.maximum(s[:kept] - penalty, 0)) @ Vt[:kept]
            moved = np.linalg.norm(new - low) / max(np.linalg.norm(new), 1e-300)
            low = new
            if moved < STILL:
                break
        yield low


def interpolated(X: np.ndarray) -> np.ndarray:
    """Each row interpolated between its neighbours; rows without entries get the column means."""
    filled, place = np.array(X, float), np.arange(X.shape[1])
    means = column_mean(X)
    for row, mean in zip(filled, means, strict=True):
        known = np.isfinite(row)
        row[~known] = np.interp(place[~known], place[known], row[known]) if known.any() else mean[~known]
    return filled


def both_ways(X: np.ndarray) -> np.ndarray:
    return (interpolated(X) + interpolated(X.T).T) / 2


def near_rows(X: np.ndarray) -> np.ndarray:
    from sklearn.impute import KNNImputer

    return KNNImputer(n_neighbors=5, keep_empty_features=True).fit_transform(X)


def chained(X: np.ndarray, regressor: Any = None, **options: Any) -> np.ndarray:
    from sklearn.experimental import enable_iterative_imputer  # noqa: F401  (makes the next import possible)
    from sklearn.impute import IterativeImputer

    return IterativeImputer(regressor, random_state=0, keep_empty_features=True, **options).fit_transform(X)


def trees(X: np.ndarray) -> np.ndarray:
    from sklearn.ensemble import ExtraTreesRegressor

    return chained(X, ExtraTreesRegressor(30, random_state=0), max_iter=4)


def variational(X: np.ndarray) -> np.ndarray:
    """Without the rows and columns that have no entry, which it refuses."""
    from vbpca_py import VBPCA

    known = np.isfinite(X)
    kept = np.ix_(known.any(1), known.any(0))
    model = VBPCA(max(1, min(GUESSED_RANK, min(X[kept].shape) - 1)), random_state=0, num_cpu=1)
    model.fit(X[kept])
    filled = np.array(column_mean(X))
    filled[kept] = model.inverse_transform(model.scores_)
    return filled


def across(complete: Callable[[np.ndarray], np.ndarray]) -> Callable[[np.ndarray], np.ndarray]:
    return lambda X: complete(np.ascontiguousarray(X.T)).T


PEERS = [
    Peer("column mean", column_mean),
    Peer("bias", bias),
    Peer("damped bias", lambda X: bias(X, damped=3.0)),
    Peer("KNN", near_rows, lambda n, m, _: n * n * m < 3e9, "sklearn"),
    Peer("KNN of columns", across(near_rows), lambda n, m, _: m > n and n * m * m < 3e9, "sklearn"),
    Peer("IterativeImputer", chained, lambda n, m, _: m <= 66, "sklearn"),
    Peer("IterativeImputer of columns", across(chained), lambda n, m, _: n <= 66 < m, "sklearn"),
    Peer("ExtraTrees", trees, lambda n, m, _: m <= 31 and n * m <= 20_000, "sklearn"),
    Peer("SoftImpute", soft_impute, lambda n, m, _: min(n, m) <= 300 and n * m * min(n, m) < 6e7),
    Peer("vbpca-py", variational, lambda n, m, _: n * m <= 150_000, "vbpca_py"),
    Peer("interpolation", interpolated, lambda n, m, ordered: ordered in ("columns", "both")),
    Peer("interpolation of columns", across(interpolated), lambda n, m, ordered: ordered in ("rows", "both")),
    Peer("interpolation both ways", both_ways, lambda n, m, ordered: ordered == "both"),
]
