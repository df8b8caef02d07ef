"""pymanopt: conjugate gradients on the manifold of matrices of a fixed rank; cost and gradient are written here."""

import numpy as np
from task import Method, Task

REQUIREMENTS = ("pymanopt==2.2.1",)
SHOWN = ("pymanopt",)


def complete(task: Task) -> np.ndarray:
    import pymanopt
    from scipy.sparse import coo_array
    from scipy.sparse.linalg import svds

    i, j, m = task.rows, task.columns, len(task.values)
    mean = task.values.mean() if task.kind == "photograph" else 0.0
    y = task.values - mean
    manifold = pymanopt.manifolds.FixedRankEmbedded(*task.shape, task.rank)

    def residual(u, s, vt):
        return ((u[i] * s) * vt.T[j]).sum(1) - y

    @pymanopt.function.numpy(manifold)
    def cost(u, s, vt):
        return 0.5 * np.mean(residual(u, s, vt) ** 2)

    @pymanopt.function.numpy(manifold)
    def gradient(u, s, vt):
        G = coo_array((residual(u, s, vt) / m, (i, j)), shape=task.shape).tocsr()
        GV, GtU = G @ vt.T, G.T @ u
        return GV * s, (u * GV).sum(0), (GtU * s).T

    u, s, vt = svds(coo_array((y, (i, j)), shape=task.shape), k=task.rank, random_state=0)
    start = u[:, ::-1], s[::-1] * (task.shape[0] * task.shape[1] / m), vt[::-1]
    problem = pymanopt.Problem(manifold, cost, euclidean_gradient=gradient)
    optimizer = pymanopt.optimizers.ConjugateGradient(
        max_iterations=1000, min_gradient_norm=1e-9, min_step_size=1e-12, verbosity=0
    )
    u, s, vt = optimizer.run(problem, initial_point=start).point
    return mean + ((u[task.asked_rows] * s) * vt.T[task.asked_columns]).sum(1)


MATRICES = ("planted", "noisy", "photograph")  # without a ridge, ratings take most of a minute and overfit

METHODS = [Method("pymanopt fixed-rank conjugate gradients", complete, told=True, kinds=MATRICES)]
