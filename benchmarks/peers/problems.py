"""The tasks that all peers share, made once: what they see as NPZ, the truth beside it."""

from collections.abc import Iterator
from pathlib import Path

import completion
import numpy as np
from task import NOISE, NOISE_FREE, NOISY, RANK_OF_REAL_DATA, Task

from rankscape import data

Answer = dict[str, np.ndarray]


def make(folder: Path, seeds: range) -> list[Task]:
    """Write all tasks below `folder` and return them."""
    for name in ("tasks", "truth"):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for old in (folder / name).glob("*.npz"):
            old.unlink()
    tasks = []
    for task, answer in (*_warm_up(), *_planted(seeds), *_photograph(), *_ratings()):
        task.save(folder / "tasks")
        np.savez_compressed(folder / "truth" / f"{task.name}.npz", **answer)
        tasks.append(task)
    return tasks


def _warm_up() -> Iterator[tuple[Task, Answer]]:
    for share, rank in ((0.3, 2), (0.5, 8)):
        W, seen, rank = completion.gaussian(1, share, 0.5, (60, 50), rank)
        yield _of_matrix(f"warm-up-{rank}", "warm-up", W, seen, np.isnan(seen), rank)


def _planted(seeds: range) -> Iterator[tuple[Task, Answer]]:
    """Gaussian factors of rank 5; asked are the hidden cells of the identifiable part."""
    settings = [("planted", share, 0.0) for share in NOISE_FREE] + [("noisy", share, NOISE) for share in NOISY]
    for kind, share, noise in settings:
        for seed in seeds:
            W, seen, rank = completion.gaussian(seed, share, noise)
            judged = completion.core(seen, rank) & np.isnan(seen)
            name = f"{kind}-{round(100 * share)}-{seed}"
            task, answer = _of_matrix(name, kind, W, seen, judged, rank, first=seed == seeds[0])
            if noise:
                answer["floor"] = completion.floor(W, seen, rank)[judged]
            yield task, answer


def _photograph() -> Iterator[tuple[Task, Answer]]:
    """Every second pixel of a photograph in either direction, half of them hidden."""
    W = data.load("flower").dense()[::2, ::2]
    hidden = np.random.default_rng(0).random(W.shape) < 0.5
    yield _of_matrix("photograph", "photograph", W, np.where(hidden, np.nan, W), hidden, RANK_OF_REAL_DATA)


def _of_matrix(name: str, kind: str, W, seen, asked, rank: int, first: bool = True) -> tuple[Task, Answer]:
    rows, columns = np.nonzero(~np.isnan(seen))
    task = Task(name, kind, W.shape, rows, columns, seen[rows, columns], *np.nonzero(asked), rank, first)
    return task, {"values": W[asked]}


def _ratings() -> Iterator[tuple[Task, Answer]]:
    """A tenth of the ratings is held out."""
    if not data.available("movielens-100k"):
        return
    known = data.load("movielens-100k")
    i, j, values = np.asarray(known.rows, int), np.asarray(known.columns, int), known.values.astype(float)
    asked = np.random.default_rng(0).random(len(values)) < 0.1
    seen = ~asked
    task = Task(
        "ratings", "ratings", known.shape, i[seen], j[seen], values[seen], i[asked], j[asked], RANK_OF_REAL_DATA
    )
    yield task, {"values": values[asked]}
