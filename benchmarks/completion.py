"""How well `DeepMatrixCompletion` completes, with defaults only: ``python benchmarks/completion.py [--quick]``.

Each line is one kind of matrix: what was measured, the bar, and CPU seconds of one fit on one thread. Planted matrices
are judged on the identifiable part: the rows and columns of the core in which each keeps more than `rank` observed
entries. The floor of a noisy one is least squares started from the truth. Another ``--seed`` gives fresh matrices.
Real matrices are taken from ``--folder`` when they are there: ``camera.npy`` (256 x 256, from 0 to 1), ``genes.npy``
(189 x 500) and ``movielens-small.npz`` (rows, columns, values); MovieLens 100k from the cache of `rankscape.data`.
"""

import argparse
import importlib
import time
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import _timing
import numpy as np
from scipy.sparse import coo_array

from rankscape import data
from rankscape.entries.heldout import entry_hash
from rankscape.errors import FallbackWarning
from rankscape.estimators import DeepMatrixCompletion

linalg: Any = importlib.import_module("scipy.sparse.linalg")  # its published types refuse a plain operator

Planted = tuple[np.ndarray, np.ndarray, int]
"""The matrix, what is seen of it (NaN elsewhere), and its rank."""


def gaussian(seed: int, share: float, noise: float = 0.0, shape=(200, 200), rank: int = 5) -> Planted:
    random = np.random.default_rng(seed)
    W = random.standard_normal((shape[0], rank)) @ random.standard_normal((rank, shape[1]))
    return W, _seen(W, share, noise, random), rank


def conditioned(seed: int, condition: float) -> Planted:
    random = np.random.default_rng(seed)
    U, V = (np.linalg.qr(random.standard_normal((200, 5)))[0] for _ in range(2))
    W = 200 * (U * np.geomspace(1, 1 / condition, 5)) @ V.T
    return W, _seen(W, 0.15, 0.0, random), 5


def heavy_tailed(seed: int) -> Planted:
    W, _, rank = gaussian(seed, 1.0)
    random = np.random.default_rng(seed + 1)
    W = W * np.exp(0.75 * random.standard_normal((200, 1))) * np.exp(0.75 * random.standard_normal(200))
    return W, _seen(W, 0.15, 0.0, random), rank


def popular(seed: int) -> Planted:
    W, _, rank = gaussian(seed, 1.0)
    random = np.random.default_rng(seed + 1)
    share = np.exp(0.75 * random.standard_normal((200, 1))) * np.exp(0.75 * random.standard_normal(200))
    return W, _seen(W, 0.15 * share / share.mean(), 0.0, random), rank


def _seen(W: np.ndarray, share, noise: float, random: np.random.Generator) -> np.ndarray:
    return np.where(random.random(W.shape) < share, W + noise * random.standard_normal(W.shape), np.nan)


def core(seen: np.ndarray, rank: int) -> np.ndarray:
    """Cells of the rows and columns that keep more than `rank` observed entries."""
    known = ~np.isnan(seen)
    rows: Any = known.any(1)
    columns: Any = known.any(0)
    while True:
        kept = (known & columns).sum(1) > rank, (known & rows[:, None]).sum(0) > rank
        if (rows <= kept[0]).all() and (columns <= kept[1]).all():
            return np.outer(rows, columns)
        rows, columns = rows & kept[0], columns & kept[1]


def floor(W: np.ndarray, seen: np.ndarray, rank: int) -> np.ndarray:
    """Least squares at the true rank from the truth: Gauss-Newton steps, each solved by conjugate gradients."""
    known = ~np.isnan(seen)
    i, j = np.nonzero(known)
    U, s, Vt = np.linalg.svd(W)
    L, R = U[:, :rank] * s[:rank] ** 0.5, Vt[:rank].T * s[:rank] ** 0.5
    split, size = L.size, L.size + R.size

    def along(d):
        return (d[:split].reshape(L.shape)[i] * R[j] + L[i] * d[split:].reshape(R.shape)[j]).sum(1)

    def back(r):
        sparse = coo_array((r, (i, j)), shape=W.shape).tocsr()
        return np.concatenate([(sparse @ R).ravel(), (sparse.T @ L).ravel()])

    for _ in range(12):
        normal = linalg.LinearOperator((size, size), matvec=lambda d: back(along(d)) + 1e-6 * d, dtype=np.float64)
        step = linalg.cg(normal, back(seen[i, j] - (L[i] * R[j]).sum(1)), rtol=1e-6, maxiter=2000)[0]
        L, R = L + step[:split].reshape(L.shape), R + step[split:].reshape(R.shape)
    return L @ R.T


def fit(X) -> tuple[DeepMatrixCompletion, float]:
    began = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FallbackWarning)
        model = DeepMatrixCompletion().fit(X)
    return model, time.process_time() - began


def planted_line(
    name: str, make: Callable[[int], Planted], seeds: Iterable[int], bar: str, noisy: bool = False
) -> None:
    ranks, errors, floors, seconds, warned = [], [], [], [], []
    for seed in seeds:
        W, seen, rank = make(seed)
        model, spent = fit(seen)
        judged = core(seen, rank) & np.isnan(seen)
        relative = lambda found, W=W, judged=judged: np.linalg.norm((found - W)[judged]) / np.linalg.norm(W[judged])
        ranks.append(model.rank_ == rank)
        errors.append(relative(model.completed_.fitted))
        seconds.append(spent)
        warned.append(not model.certificate_.trusted)
        if noisy:
            floors.append(relative(floor(W, seen, rank)))
    exact = np.array(errors) <= 1e-6
    found = f"rank exact {np.mean(ranks):4.0%}"
    if noisy:
        found += f", error {np.mean(errors):.4f} = {np.mean(errors) / np.mean(floors):.3f} x floor"
    else:
        silent = int(np.sum(~exact & ~np.array(warned)))
        found += f", error <= 1e-6 {exact.mean():4.0%} (worst {max(errors):.1e}), silently wrong {silent}"
    _line(name, found, bar, seconds)


def real_line(name: str, folds: Iterable[tuple], bar: str, bounds=None) -> None:
    errors, seconds, methods = [], [], set()
    for i, j, values, shape, hidden in folds:
        matrix = coo_array((values[~hidden], (i[~hidden], j[~hidden])), shape=shape)
        model, spent = fit(matrix)
        guess = model.predict(i[hidden], j[hidden])
        guess = guess if bounds is None else np.clip(guess, *bounds)
        errors.append(np.sqrt(np.mean((guess - values[hidden]) ** 2)))
        seconds.append(spent)
        methods.add(f"{model.completed_.method} rank {model.rank_}")
    _line(name, f"RMSE {np.mean(errors):.4f} ({', '.join(sorted(methods))})", bar, seconds)


def _line(name: str, found: str, bar: str, seconds: list[float]) -> None:
    print(
        f"{name:34s} {found:78s} bar: {bar:44s} CPU {np.median(seconds):5.2f} s (most {max(seconds):.2f})", flush=True
    )


def folds(i, j, values, shape, share: float, seeds: Iterable[int]):
    """Splits that depend on the position of an entry alone; of five folds, each entry is hidden in one."""
    for seed in seeds:
        drawn = entry_hash(np.asarray(i), np.asarray(j), seed) / 2.0**64
        yield i, j, values, shape, drawn < share


def fifths(i, j, values, shape, count: int, seed: int):
    drawn = entry_hash(np.asarray(i), np.asarray(j), seed) / 2.0**64
    for k in range(count):
        yield i, j, values, shape, (drawn >= k / 5) & (drawn < (k + 1) / 5)


def of_matrix(path: Path):
    X = np.load(path)
    i, j = np.indices(X.shape).reshape(2, -1)
    return i, j, X[i, j].astype(float), X.shape


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few seeds of each kind")
    parser.add_argument("--seed", type=int, default=0, help="first seed")
    parser.add_argument("--folder", type=Path, default=Path(), help="where real matrices lie")
    chosen = parser.parse_args()
    print(_timing.pin_to_one_core())
    fit(gaussian(1, 0.3, 0.5, (60, 50), 2)[1])  # compiles
    fit(gaussian(1, 0.5, 0.5, (60, 50), 8)[1])
    many = range(chosen.seed, chosen.seed + (3 if chosen.quick else 20))
    some = range(chosen.seed, chosen.seed + (2 if chosen.quick else 8))
    limits = {0.1: ">= 95 %, 1 s", 0.08: ">= 95 %, 1 s", 0.07: ">= 95 %, 1 s", 0.06: ">= 90 %, 2 s"}
    for share, bar in (limits | {0.055: "rank >= 90 %, error >= 40 %"}).items():
        planted_line(f"200 x 200, rank 5, {share:.1%}", lambda s, share=share: gaussian(s, share), many, bar)
    for share in (0.1, 0.15, 0.2, 0.3, 0.5):
        make = lambda s, share=share: gaussian(s, share, 0.1)
        planted_line(f"the same, noise 0.1, {share:.0%}", make, some, "1.05 x floor", noisy=True)
    make = lambda s: gaussian(s, 0.2, 0.1, (1000, 800), 10)
    planted_line("1000 x 800, rank 10, noise 0.1, 20%", make, some[:2], "1.05 x floor, 10 s", noisy=True)
    for condition in (100, 1000):
        make = lambda s, condition=condition: conditioned(s, condition)
        planted_line(f"condition {condition}, 15%", make, many, f">= {90 if condition == 100 else 80} %")
    planted_line("heavy-tailed rows and columns, 15%", heavy_tailed, many, ">= 90 %")
    planted_line("popularity sampling, 15%", popular, many, ">= 90 %")
    splits = some[:1] if chosen.quick else some[:4]
    for name, bar in (("camera", "0.0687, 5 s"), ("genes", "0.331, 5 s")):
        path = chosen.folder / f"{name}.npy"
        if path.exists():
            real_line(f"{name}, half hidden", folds(*of_matrix(path), 0.5, splits), bar)
        else:
            print(f"{name}: not measured, there is no {path}")
    path = chosen.folder / "movielens-small.npz"
    if path.exists():
        z = np.load(path)
        shape = int(z["rows"].max()) + 1, int(z["columns"].max()) + 1
        parts = z["rows"].astype(np.int64), z["columns"].astype(np.int64), z["values"].astype(float), shape
        real_line("MovieLens small, 10% hidden", folds(*parts, 0.1, splits), "0.870, 5 s", (0.5, 5))
    else:
        print(f"MovieLens small: not measured, there is no {path}")
    if data.available("movielens-100k"):
        ratings = data.load("movielens-100k")
        parts = ratings.rows, ratings.columns, ratings.values, ratings.shape
        folded = fifths(*parts, 1 if chosen.quick else 5, chosen.seed)
        real_line("MovieLens 100k, fifths", folded, "0.910", (1, 5))
    else:
        print("MovieLens 100k: not measured; run `rankscape data fetch movielens-100k`")


if __name__ == "__main__":
    main()
