r"""WHAT speaks against an annealing: said before it begins, where that is possible, or after.

Each function returns sentences, each with a remedy; `rankscape.anneal` issues them as warnings.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rankscape.errors import InputError
from rankscape.factorization import product
from rankscape.ground.linalg import thin_svd
from rankscape.problem import Completion
from rankscape.solvers.descent.relaxation import Relaxed
from rankscape.theory.landscape import scalar_thresholds

# Below this ``learning_rate * ridge * m`` no jumps were seen: SGD then does what gradient descent does.
QUIET = 0.01

# A mode survives the first ridge surely when it is so many times its threshold: one that has yet to grow out of the
# start, and one that the start holds already.
GROWS, HOLDS = 3.0, 1.5

# Not true modes: those below this part of the largest, those within so many times the size that holes alone make, and
# those whose size the holes leave more unsure than this, because few entries hold them up.
STANDS_OUT, EDGE, UNSURE = 0.1, 1.15, 0.4

# Cosine from which on the start is said to hold a mode; random starts have one of order 1 / sqrt(n).
ALIGNED = 0.7


def components(problem: Completion) -> int:
    """The number of connected parts of the graph that joins row i and column j where entry (i, j) is observed.

    Rows and columns without any entry are no part.

    Examples
    --------
    >>> import numpy as np, rankscape as rs
    >>> components(rs.Completion([0, 1], [0, 1], [1.0, 1.0], shape=(2, 2)))
    2
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n_out, n_in = problem.shape
    # One graph with two sides: the columns are numbered behind the rows.
    edges = np.ones(len(problem.values)), (problem.rows, n_out + problem.columns)
    labels = connected_components(coo_array(edges, shape=(n_out + n_in,) * 2), directed=False)[1]
    return len(np.unique(labels[problem.rows]))


def before(
    scaled: Completion, factors: Sequence[np.ndarray], method: str, replacement: bool, first: float
) -> list[str]:
    """What speaks against the annealing before it begins."""
    depth, found = len(factors), []
    if depth < 2:
        raise InputError("At depth 1 the ridge does not touch the rank; annealing needs depth 3.")
    if depth == 2:
        found.append("At depth 2 the ridge is a convex penalty: dead modes come back, so no rank is left for good.")
    if method == "sgd" and not replacement:
        found.append(
            "Reshuffled epochs visit every entry within 2m - 1 steps, so no mode is forgotten: expect no jumps. "
            "Draw with replacement."
        )
    empty = [n - len(np.unique(i)) for i, n in zip((scaled.rows, scaled.columns), scaled.shape, strict=True)]
    if any(empty):
        found.append(f"{empty[0]} row(s) and {empty[1]} column(s) have no entry: the ridge sends them to zero.")
    if depth > 2:
        found += _threatened(scaled, factors, first / len(scaled.values))
    return found


def _threatened(scaled: Completion, factors: Sequence[np.ndarray], ridge: float) -> list[str]:
    """Which true modes the first ridge may kill, each taken as a scalar problem of its own.

    What the start holds of a mode above `s_local` is in the convex part of its basin, and need not grow to survive.
    """
    sizes, U, V = _true_modes(scaled)
    # The loss is a mean over entries; times their number it is the half square of the scalar problem.
    limits = scalar_thresholds(len(factors), 2 * ridge * float(np.prod(scaled.shape)))
    needed = np.where(_held(product(factors), U, V) > limits.s_local, HOLDS, GROWS) * limits.a_local
    short = np.flatnonzero(sizes < needed)
    if not short.size:
        return []
    worst = short[np.argmin(sizes[short] / needed[short])]
    return [
        f"The first ridge may kill {short.size} true mode(s) for good: one of size {sizes[worst]:.3g} should be "
        f"{needed[worst]:.3g} to survive safely (its threshold is {limits.a_local:.3g}). Begin with a smaller ridge."
    ]


def _true_modes(scaled: Completion) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sizes and directions (columns) of the modes that are surely more than holes, judged by the zero-filled matrix.

    The holes shake a mode u, v by the errors of its entries ``u_i T_ij v_j``: one that hangs on few of them, as those
    of the trap in `rankscape.data.planted`, is what annealing is there to remove, and no sign of a rank.
    """
    share = len(scaled.values) / np.prod(scaled.shape)
    filled = scaled.filled / share
    U, sigma, Vt = thin_svd(filled)
    holes = EDGE * sum(np.sqrt(scaled.shape)) * np.sqrt((1 / share - 1) * np.mean(scaled.values**2))
    # Where holes alone could make even the largest, that one is judged all the same.
    seen = int(np.sum(sigma >= max(STANDS_OUT * sigma[0], min(holes, sigma[0]))))
    error = np.sqrt((1 - share) * np.einsum("ik,ij,kj->k", U[:, :seen] ** 2, filled**2, Vt[:seen] ** 2, optimize=True))
    kept = np.flatnonzero(error <= UNSURE * sigma[:seen])
    kept = kept if kept.size else np.arange(1)  # the largest counts in any case
    return sigma[kept], U[:, kept], Vt[kept].T


def _held(start: np.ndarray, U: np.ndarray, V: np.ndarray) -> np.ndarray:
    """How much of each mode the start already holds: 0 where it maps the mode's direction to another."""
    onto, back = start @ V, start.T @ U
    inside = np.sum(U * onto, axis=0)
    whole = np.maximum(np.linalg.norm(onto, axis=0), np.linalg.norm(back, axis=0))
    return np.where(inside >= ALIGNED * whole, inside, 0.0)


def after(rows: Sequence[Mapping[str, Any]], end: Relaxed, width: int, method: str) -> list[str]:
    """What the annealing itself has shown."""
    found, noise = [], [row["learning_rate"] * row["ridge_m"] for row in rows if row["learning_rate"] > 0]
    if method == "sgd" and max(noise) < QUIET:
        found.append(
            f"learning_rate * ridge * m was {max(noise):.2g} at most; below {QUIET:g} SGD does what gradient descent "
            "does, and jumps are not to be expected."
        )
    if end.rank == 0:
        found.append("Every mode died: begin with a smaller ridge, or start from larger factors.")
    elif end.rank >= width:
        found.append(f"The rank found, {end.rank}, fills the hidden width: the true one may be higher. Widen it.")
    if not end.converged:
        found.append(f"The last descent stopped with a gradient of {end.gradient:.1g}; read the rank with care.")
    return found
