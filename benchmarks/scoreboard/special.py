"""Made matrices with a question of their own: what is not determined, nearly exact, or near the limit."""

import numpy as np
from cases import MatrixCase
from drawing import as_case, low_rank, noisy


def blocks(overlap: int, noise: float, seed: int) -> MatrixCase:
    """Two blocks of rank 3 that share a few rows: judged across the blocks."""
    random = np.random.default_rng([seed, overlap, round(100 * noise)])
    drawn = noisy(random, low_rank(random, 3, (120, 100)), noise, 0.6)
    row, left = np.arange(120)[:, None], np.arange(100) < 50
    inside = np.where(left, row < 60 + overlap, row >= 60)
    case = as_case(drawn._replace(seen=drawn.seen & inside))
    return MatrixCase(case.given, case.truth, ~inside, case.unit, case.observed)


def near_exact(seed: int) -> MatrixCase:
    """Rank 3 around a constant 5, noise of a thousandth, a fifth hidden."""
    random = np.random.default_rng([seed, 40, 8])
    return as_case(noisy(random, 5 + low_rank(random, 3, (40, 8)), 1e-3, 0.8))


def at_limit(factor: float, shape: tuple[int, int], rank: int, seed: int) -> MatrixCase:
    """Exact entries, so many times as many as a matrix of this rank has parameters."""
    (n, m), random = shape, np.random.default_rng([seed, *shape, rank, round(100 * factor)])
    truth = low_rank(random, rank, shape)
    seen = np.zeros(n * m, bool)
    seen[random.permutation(n * m)[: int(np.ceil(factor * rank * (n + m - rank)))]] = True
    seen = seen.reshape(shape)
    told = {"core": core(seen, rank)}
    return MatrixCase(np.where(seen, truth, np.nan), truth, ~seen & told["core"], float(truth.std()), told=told)


def core(seen: np.ndarray, rank: int) -> np.ndarray:
    """Cells of the rows and columns that keep more than `rank` entries among themselves."""
    rows, columns = np.ones(len(seen), bool), np.ones(seen.shape[1], bool)
    while True:
        kept = rows & ((seen & columns).sum(1) > rank), columns & ((seen & rows[:, None]).sum(0) > rank)
        if (kept[0] == rows).all() and (kept[1] == columns).all():
            return np.outer(rows, columns)
        rows, columns = kept
