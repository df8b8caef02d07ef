"""How long a step of SGD on single entries may be, where the factors stand."""

from collections.abc import Sequence

import numpy as np

from rankscape.factorization import product
from rankscape.problem import Completion


@np.errstate(over="ignore")  # factors that are about to overflow have a curvature of inf
def largest_curvature(problem: Completion, factors: Sequence[np.ndarray]) -> float:
    r"""The largest :math:`\|u_l\|^2 \|v_l\|^2` over layers l and observed entries (i, j).

    Here :math:`u_l^T` is row i of :math:`W_N \cdots W_{l+1}` and :math:`v_l` column j of :math:`W_{l-1} \cdots W_1`:
    the step of SGD at that entry moves ``W_l`` by the residual times :math:`\eta u_l v_l^T`. Beyond a learning rate of
    2 over this number, one layer alone overshoots the entry.

    Examples
    --------
    >>> import numpy as np, rankscape as rs
    >>> largest_curvature(rs.Completion([0], [0], [5.0], shape=(1, 1)), [np.array([[3.0]]), np.array([[4.0]])])
    16.0
    """
    rows, columns = np.unique(problem.rows), np.unique(problem.columns)
    # Norms by row and by column first, then the entries: there are far fewer rows and columns than entries.
    left = [np.ones((1, len(rows)))]  # ||u_l||^2 by row, from the last layer down; u_N = e_i
    for l in range(len(factors) - 1, 0, -1):
        left.append(np.sum(product(factors[l:])[rows] ** 2, axis=1)[None])
    right = [np.ones((1, len(columns)))]
    for l in range(1, len(factors)):
        right.append(np.sum(product(factors[:l])[:, columns] ** 2, axis=0)[None])
    i, j = np.searchsorted(rows, problem.rows), np.searchsorted(columns, problem.columns)
    return max(float(np.max(u[0, i] * v[0, j])) for u, v in zip(left[::-1], right, strict=True))
