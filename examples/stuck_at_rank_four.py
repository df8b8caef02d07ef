"""Stuck at rank 4: how noise gets you down, and why you do not come back.

Run it from anywhere: ``python stuck_at_rank_four.py``. It takes a few seconds and writes ``stuck_at_rank_four.png``.
"""

import warnings

import numpy as np

import rankscape as rs
from rankscape.errors import DivergenceWarning
from rankscape.solvers.descent.relaxation import relax
from rankscape.theory.absorbing import RankSet, step_certificate
from rankscape.theory.landscape import hessian_signature

# 1. A matrix of rank 2 with holes, made so that what is seen can also be fitted at rank 4, and at less cost.

lab = rs.data.planted(z=10.0, eps=0.28, beta=0.65)
problem = lab.problem
seen = problem.rows, problem.columns, problem.values
ridge = rs.rates.convert(0.3, problem, value="ridge * m")
print(f"{len(problem.values)} of {lab.matrix.size} entries are seen; the true rank is {lab.rank}")

# 2. Gradient descent falls into the trap and stays: it is a true local minimum. Depth 3 and the ridge make it one.

trap = relax(problem, lab.start(), ridge)
curvature = hessian_signature(trap.factors, *seen, ridge, tolerance=2e-6)
print(f"gradient descent rests at rank {trap.rank}: {curvature.kind}")

# 3. Lowering the ridge does not help: what is seen is fitted ever better, what is hidden stays wrong.


def lower_the_ridge(factors: list[np.ndarray]) -> list[np.ndarray]:
    """Gradient descent through smaller and smaller ridges."""
    for ridge_m in (0.1, 0.03, 0.01, 0.003, 0.001):
        factors = relax(problem, factors, rs.rates.convert(ridge_m, problem, value="ridge * m")).factors
    return factors


W = rs.product(lower_the_ridge(trap.factors))
print(f"without noise: training loss {problem.loss(W):.1e}, test error {lab.test_error(W):.3f}")

# 4. Now SGD, from the very same point, one entry a step. The monitor stamps every mode that dies or wakes. The learning
#    rate is as large as can be, so that little time is needed: now and then a seed diverges, and is left out.

warnings.simplefilter("ignore", DivergenceWarning)
runs = rs.simulate(
    problem,
    initialization=[rs.Factors(trap.factors)] * 8,
    dynamics=rs.SGD(learning_rate=0.2, ridge=ridge),
    steps=1_500_000,
    record=rs.LogSpaced(120),
    seed=list(range(8)),
    monitor=rs.RankMonitor(),
)
for seed, jumps in enumerate(runs.jumps.values):
    words = [f"{before} -> {after} at step {step}" for step, before, after in jumps if step >= 0]
    print(f"seed {seed}: rank {', '.join(words) or '4 all the time'}")
print(f"jumps down {int(runs.down_jumps.sum())}, jumps up {int(runs.up_jumps.sum())}")

# 5. Why down: a mode that hangs on one entry shrinks while that entry is not drawn. Epochs that are reshuffled draw
#    every entry within two epochs, and then nothing happens at all.

reshuffled = rs.simulate(
    problem,
    initialization=rs.Factors(trap.factors),
    dynamics=rs.SGD(learning_rate=0.2, ridge=ridge, replacement=False),
    steps=1_500_000,
    monitor=rs.RankMonitor(),
)
print(f"reshuffled epochs: {int(reshuffled.down_jumps)} jumps")

# 6. Why not up: on a dead mode the noise vanishes faster than the pull of the ridge. Around the points of rank 2 lies a
#    set that a step cannot leave. The certificate goes through every entry that may be drawn next.

lowest = int(np.nanargmin(runs.alive_modes.values[:, -1]))
down = runs.select(lowest)
rank = int(down.alive_modes[-1])
certificate = step_certificate(
    RankSet(rank, alpha=1e-2, eps1=20.0, eps2=0.75, C=30.0), down.factors, *seen, learning_rate=0.2, ridge=ridge
)
print(f"seed {lowest} ends at rank {rank}; no next step can leave its set: {certificate.holds}")

# 7. And then the ridge is lowered from there: the same descent as in 3, from the other side of the jump.

W = rs.product(lower_the_ridge(down.factors))
print(f"after the jumps: training loss {problem.loss(W):.1e}, test error {lab.test_error(W):.3f}")

# 8. Look at it.

picture = rs.plot.draw(rs.plot.trajectory_panels(down.dataset), title="Down from rank 4, and never up")
print(f"wrote {rs.plot.save(picture, 'stuck_at_rank_four.png')}")
