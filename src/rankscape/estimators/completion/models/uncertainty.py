"""Standard errors of filled cells, from the normal matrix of a Gauss-Newton step."""

from dataclasses import replace

import numpy as np

from rankscape.entries import Entries
from rankscape.entries.prepared import PreparedEntries
from rankscape.estimators.completion.models.low_rank import LowRank
from rankscape.ground.jit import begin_in_numpy
from rankscape.solvers.conditioning import condition
from rankscape.solvers.noise.leverage import leverages, overlaps

# Largest number of unknowns whose normal matrix is inverted as a whole; beyond it, block by block.
DENSE_UNKNOWNS = 4000

# Numbers that the normal matrices of all rows and columns may hold: each of these, and its inverse, is formed.
NUMBERS = 4e6

# Positions that are looked at at a time: a small matrix of covariances is formed for each.
PAIRS = 1 << 14

# Ridge of a block, as a share of its trace: where noise is next to none, nothing else holds a thin row.
TINY = 1e-12


@begin_in_numpy()
def errors_of(
    low_rank: LowRank, observed: Entries, i: np.ndarray, j: np.ndarray, most: int = DENSE_UNKNOWNS
) -> np.ndarray:
    r"""Standard errors of a low-rank fit to these entries, at these positions, in its own units; shape (k,).

    To first order an error of the factors moves an entry by ``du_i . v_j + u_i . dv_j``, and the factors' errors have
    covariance ``noise^2 N^-1`` with ``N = J^T J`` plus the ridge that the prior of the factors implies. Row and
    column biases count as factors. With more than `most` unknowns, block by block: rows given the columns, and columns
    given the rows, as if independent of each other, which is too small near the information limit. The product
    ``du_i . dv_j`` of both errors counts too: where noise is strong it is no small part.
    """
    noise = low_rank.noise
    if not noise > 0:
        return np.zeros(len(i))
    free = (len(low_rank.modes.s) + biased for biased in low_rank.offset.sides)
    if sum(n * k for n, k in zip(low_rank.shape, free, strict=True)) > most:
        return noise * np.sqrt(np.maximum(_by_blocks(low_rank, observed, i, j), 0.0))
    entries, (U, V), (free_u, free_v), blocks = _normal_parts(low_rank, observed)
    normal = _normal_matrix(entries, U, V, blocks, free_u, free_v)
    # What turns within the factors leave open (the product does not move) is held by the ridge, if there is noise.
    normal[np.diag_indices_from(normal)] += TINY * np.trace(normal) / max(len(normal), 1)
    covariance = np.linalg.inv(normal)
    variance = np.empty(len(i))
    for k in range(0, len(i), PAIRS):
        rows, columns, part = i[k : k + PAIRS], j[k : k + PAIRS], slice(k, k + PAIRS)
        at = np.concatenate(
            [rows[:, None] * len(free_u) + np.arange(len(free_u)),
             len(U) * len(free_u) + columns[:, None] * len(free_v) + np.arange(len(free_v))], axis=1
        )  # fmt: skip
        weight = np.concatenate([V[columns][:, free_u], U[rows][:, free_v]], axis=1)
        near, k, a = covariance[at[:, :, None], at[:, None, :]], len(low_rank.modes.s), len(free_u)
        variance[part] = np.einsum("ka,kab,kb->k", weight, near, weight)
        variance[part] += noise**2 * np.einsum("kab,kab->k", near[:, :k, :k], near[:, a : a + k, a : a + k])
    return noise * np.sqrt(np.maximum(variance, 0.0))


def leverages_of(low_rank: LowRank, observed: Entries, i: np.ndarray, j: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Leverage that an entry of weight one has, or would have, at these positions: in its row, and in its column.

    Of the leading directions only, where the matrix is so large that those of all would not fit the memory.
    """
    (U, V), inverses = _inverses(low_rank, observed)
    return leverages(i, inverses[0], j, V), leverages(j, inverses[1], i, U)


def _by_blocks(low_rank: LowRank, observed: Entries, i: np.ndarray, j: np.ndarray) -> np.ndarray:
    """Variance of the fit at these positions, in units of that of the noise, rows and columns each by themselves."""
    (U, V), inverses = _inverses(low_rank, observed)
    directions = min(inverses[0].shape[1], inverses[1].shape[1], len(low_rank.modes.s))
    first = leverages(i, inverses[0], j, V) + leverages(j, inverses[1], i, U)
    return first + low_rank.noise**2 * overlaps(i, inverses[0], j, inverses[1], directions)


def _inverses(low_rank: LowRank, observed: Entries):
    """What the free coordinates of a row meet in a column, and of a column in a row; inverse normal matrices of both.

    Of the leading directions only, where the matrix is so large that those of all would not fit the memory.
    """
    most = max(1, int((NUMBERS / sum(low_rank.shape)) ** 0.5))
    low_rank = replace(low_rank, modes=low_rank.modes.head(most))
    _, (U, V), (free_u, free_v), blocks = _normal_parts(low_rank, observed)
    inverses = [_inverse(b[:, f[:, None], f]) for b, f in zip(blocks, (free_u, free_v), strict=True)]
    return (U[:, free_v], V[:, free_u]), inverses


def weights_of(low_rank: LowRank, observed: Entries) -> np.ndarray | None:
    """What the fit weighed the entries by: their own weights, over the variances of rows and columns; None if equal."""
    weights = observed.weights
    if low_rank.variances is None:
        return weights
    precision = 1 / low_rank.variances.at(observed.rows, observed.columns)
    return precision if weights is None else precision * weights


def _normal_parts(low_rank: LowRank, observed: Entries):
    """The weighted entries, both factors, which of their coordinates are free, and the normal matrix of each row."""
    U, V, free_u, free_v = _factors(low_rank)
    entries = PreparedEntries(observed.with_weights(weights_of(low_rank, observed)), "sparse")
    # The prior of the factors, read off their sizes: without it scarce rows would have no finite error.
    ridges = [low_rank.noise**2 * len(F) / np.maximum((F * F).sum(0), 1e-300) for F in (U, V)]
    blocks = [gram + np.diag(ridge) for gram, ridge in zip(entries.grams(U, V), ridges, strict=True)]
    return entries, (U, V), (free_u, free_v), blocks


def _inverse(blocks: np.ndarray) -> np.ndarray:
    """Of each block; what its entries leave open gets a large variance, and not an infinite one."""
    k = blocks.shape[1]
    size = np.trace(blocks, axis1=1, axis2=2)
    floor = np.maximum(TINY * size, 1e-300)
    blocks = blocks + floor[:, None, None] * np.eye(k)
    condition(blocks, np.zeros(blocks.shape[:2]))  # half the time of LAPACK, from 2 to 32 directions
    return blocks


def _factors(low_rank: LowRank) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Balanced thin factors with the biases as coordinates, and which coordinates are free on each side."""
    root, k = np.sqrt(low_rank.modes.s), len(low_rank.modes.s)
    U, V = low_rank.modes.U * root, low_rank.modes.V * root
    free = [np.arange(k), np.arange(k)]
    biases = low_rank.offset.row, low_rank.offset.column
    for side in np.flatnonzero(low_rank.offset.sides):  # a bias of one side meets a one on the other
        free[side] = np.append(free[side], U.shape[1])
        columns = [np.ones(len(U)), np.ones(len(V))]
        columns[side] = biases[side]
        U, V = np.column_stack([U, columns[0]]), np.column_stack([V, columns[1]])
    return U, V, free[0], free[1]


def _normal_matrix(entries, U, V, blocks, free_u, free_v) -> np.ndarray:
    a, b = len(free_u), len(free_v)
    split = len(U) * a
    matrix = np.zeros((split + len(V) * b,) * 2)
    for i, block in enumerate(blocks[0]):
        matrix[i * a : (i + 1) * a, i * a : (i + 1) * a] = block[free_u[:, None], free_u]
    for j, block in enumerate(blocks[1]):
        at = split + j * b
        matrix[at : at + b, at : at + b] = block[free_v[:, None], free_v]
    cross = V[entries.columns][:, free_u, None] * U[entries.rows][:, None, free_v]
    cross *= entries.weighted(np.ones(entries.count))[:, None, None]
    at_u = entries.rows[:, None, None] * a + np.arange(a)[:, None]
    at_v = split + entries.columns[:, None, None] * b + np.arange(b)
    matrix[at_u, at_v] = cross
    matrix[at_v, at_u] = cross
    return matrix
