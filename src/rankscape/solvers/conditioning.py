"""Many small normal equations at once: the mean of each row of a factor given the other one, and its covariance."""

import numpy as np

from rankscape.ground.jit import compiled

_loop = compiled("reassoc", "contract", "nsz")


@_loop
def condition(precision, right_side):
    """Solve each ``precision x = right_side`` in place by Cholesky; leaves the covariance in `precision`."""
    count, k = right_side.shape
    for i in range(count):
        A = precision[i]
        solve_and_invert(A, right_side[i], k)
        for b in range(k):
            for a in range(b):
                A[a, b] = A[b, a]


@condition.few()
def _condition(precision, right_side):
    lower = np.tril(precision)
    try:
        inverse = np.linalg.inv(lower + np.tril(precision, -1).transpose(0, 2, 1))
    except np.linalg.LinAlgError:  # the loop goes on with the smallest pivot that has a root
        condition.dispatcher(precision, right_side)
        return
    precision[:] = (inverse + inverse.transpose(0, 2, 1)) / 2
    right_side[:] = np.einsum("iab,ib->ia", precision, right_side)


@_loop
def solve_and_invert(A, x, k):
    """Solve ``A x = x`` in place for the first k unknowns, from the lower half; leaves that of the inverse in A."""
    for a in range(k):
        for b in range(a + 1):
            total = A[a, b]
            for c in range(b):
                total -= A[a, c] * A[b, c]
            A[a, b] = np.sqrt(max(total, 1e-300)) if a == b else total / A[b, b]
    for a in range(k):
        total = x[a]
        for c in range(a):
            total -= A[a, c] * x[c]
        x[a] = total / A[a, a]
    for a in range(k - 1, -1, -1):
        total = x[a]
        for c in range(a + 1, k):
            total -= A[c, a] * x[c]
        x[a] = total / A[a, a]
    for a in range(k):
        A[a, a] = 1.0 / A[a, a]
        for b in range(a):
            total = 0.0
            for c in range(b, a):
                total += A[a, c] * A[c, b]
            A[a, b] = -total * A[a, a]
    for b in range(k):
        for a in range(b, k):
            total = 0.0
            for c in range(a, k):
                total += A[c, a] * A[c, b]
            A[a, b] = total
