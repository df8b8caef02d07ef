"""What `simulate` takes: one of a kind or lists of them, a run that goes on, rules, watchers, functions of the user."""

import numpy as np

import rankscape as rs

problem = rs.Estimation(eigenvalues=[2.0, 1.0])
descent = rs.GradientDescent(0.01)
run = rs.simulate(problem, 3, [2, 2], initialization=rs.Identical(alpha=0.1), dynamics=descent, steps=30)
rs.simulate(problem, initialization=run, dynamics=descent, steps=30, record=[0, 30], stop=rs.AtStep(3))
rs.simulate(problem, initialization=rs.Factors(run.factors), dynamics=descent, steps=30, record=rs.Every(2))
rs.simulate(problem, initialization=[run, run], dynamics=[descent, rs.GradientDescent(0.02)], steps=30, record=range(3))
rs.simulate(problem, initialization=rs.Trajectory.load("run.zarr"), dynamics=rs.GradientFlow(0.1), steps=3, seed=2)
rs.simulate(
    problem, width=2, initialization=rs.Gaussian(0.1), steps=30,
    dynamics=rs.GradientDescent(rs.rates.geometric(0.1, 0.01, stages=2, length=10)),
    record=np.arange(3), seed=np.arange(3), dtype="float32", engine="matrix", throw=True,
    monitor=rs.RankMonitor(stop="down", relax=[3]), observe={"largest": lambda factors: factors[0].max()},
)  # fmt: skip
rule = rs.theory.stopping_rule([2.0, 1.0], 3, 0.1, 1e-3, rank=1)
rs.simulate(
    problem, initialization=rs.Identical(0.1), dynamics=descent, steps=3, record=rs.LogSpaced(5), stop=rule,
    seed=range(3), checkpoint="run.npz", progress=lambda step, steps, record: print(step / steps, record["loss"]),
)  # fmt: skip
