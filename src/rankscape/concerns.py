r"""WHAT speaks against an annealing: said before it begins, where that is possible, or after.

Each function returns sentences, each with a remedy; `rankscape.anneal` issues them as warnings.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rankscape.errors import InputError
from rankscape.observe import singular_values
from rankscape.problem import Completion
from rankscape.relaxation import Relaxed
from rankscape.theory.landscape import scalar_thresholds

QUIET = 0.01
"""Below this ``learning_rate * ridge * m`` no jumps were seen: SGD then does what gradient descent does."""

SAFE, STANDS_OUT = 3.0, 0.1
"""A mode survives the first ridge surely when it is `SAFE` times its threshold; modes below a share of the largest, and
those that the holes alone would make, are not looked at."""


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
    threatened = _threatened(scaled, depth, first / len(scaled.values))
    if threatened is not None:
        found.append(threatened)
    return found


def _threatened(scaled: Completion, depth: int, ridge: float) -> str | None:
    """Which modes the first ridge may kill, judged by the zero-filled matrix; what stands out of its holes counts."""
    share = len(scaled.values) / np.prod(scaled.shape)
    sigma = singular_values(scaled.filled / share)
    holes = sum(np.sqrt(scaled.shape)) * np.sqrt((1 / share - 1) * np.mean(scaled.values**2))
    visible = sigma[sigma >= max(STANDS_OUT * sigma[0], min(holes, sigma[0]))]
    threshold = scalar_thresholds(depth, 2 * ridge * float(np.prod(scaled.shape))).a_local
    if visible[-1] >= SAFE * threshold:
        return None
    count = int(np.sum(visible < SAFE * threshold))
    return (
        f"The first ridge may kill {count} true mode(s) for good: one of size {visible[-1]:.3g} should be "
        f"{SAFE * threshold:.3g} to grow safely (its threshold is {threshold:.3g}). Begin with a smaller ridge."
    )


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
