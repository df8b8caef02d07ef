"""Where will gradient descent stop to be rank 2? Predict, run, stop, denoise.

Run it from anywhere: ``python stop_at_rank_two.py``. It takes a few seconds and writes ``stop_at_rank_two.png``.
"""

import numpy as np

import rankscape as rs

# 1. A target. Its eigenvalues are all that gradient descent from the identical start will ever see of it.

eigenvalues = [5.0, 3.0, 1.5, 0.5]
setting = dict(depth=3, alpha=0.1, learning_rate=1e-3)

# 2. Predict. No step has been taken yet: theory bounds, for every rank, the steps between which it must hold.

print("rank  holds at steps  effective rank")
for plateau in rs.theory.plateaus(eigenvalues, **setting):
    end = "the end" if plateau.end is None else plateau.end
    print(f"{plateau.rank:4}  {plateau.start} .. {end}   {plateau.effective_rank:.3f}")

rule = rs.theory.stopping_rule(eigenvalues, rank=2, **setting)
print(f"stop at step {rule.step}: any step from {rule.earliest} to {rule.latest} is certified")

# 3. Run, and let the rule stop it. The effective rank is that of the best approximation of rank 2: 8/5.

run = rs.simulate(
    rs.Estimation(eigenvalues=eigenvalues),
    depth=3,
    initialization=rs.Identical(alpha=0.1),
    dynamics=rs.GradientDescent(learning_rate=1e-3),
    steps=60_000,
    stop=rule,
)
print(run.message)
print(f"effective rank {float(run.effective_rank[-1]):.4f}, predicted 1.6 and at most "
      f"{rule.effective_rank[1]:.4f}")  # fmt: skip

# 4. The other way round. A budget and a wish: rank 2 for at least 1000 of the first 5000 steps. Which start?

plan = rs.theory.design(eigenvalues, rank=2, depth=3, steps=1_000, budget=5_000)
print(f"design: alpha {plan.alpha:.4g}, learning rate {plan.learning_rate:.4g}")

# 5. Denoise. A matrix of rank 2 in noise: both eigenvalues stand out of the noise, whose size we know, so the plateau
#    of rank 2 exists for the noisy matrix too, and stopping there returns nearly what was there before the noise.

rng = np.random.default_rng(0)
n, noise = 60, 0.2
V = np.linalg.qr(rng.normal(size=(n, 2)))[0]
truth = V @ np.diag([5.0, 3.0]) @ V.T
truth = (truth + truth.T) / 2
G = rng.normal(size=(n, n))
noisy = truth + noise * (G + G.T) / np.sqrt(2 * n)

rule = rs.theory.stopping_rule(noisy, rank=2, **setting)
stopped = rs.simulate(
    rs.Estimation(noisy),
    depth=3,
    initialization=rs.Identical(alpha=0.1),
    dynamics=rs.GradientDescent(learning_rate=1e-3),
    steps=60_000,
    stop=rule,
)
for name, W in (("noisy matrix", noisy), ("stopped run", stopped.product)):
    print(f"{name}: relative error {np.linalg.norm(W - truth) / np.linalg.norm(truth):.3f}")

# 6. Look at it.

figure = rs.plot.draw(rs.plot.trajectory_panels(run.dataset), title="Stopped on the plateau of rank 2")
print(f"wrote {rs.plot.save(figure, 'stop_at_rank_two.png')}")
