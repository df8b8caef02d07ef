"""The Python lines of README.md, as type checkers see them; `tests/test_typing.py` keeps both in step."""

from typing import assert_type

import numpy as np
import rankscape as rs

rng = np.random.default_rng(0)
truth = rng.normal(size=(60, 3)) @ rng.normal(size=(3, 40))
X = np.where(rng.random(truth.shape) < 0.5, truth, np.nan)       # half of it is missing
completed = rs.complete(X)                                       # no rank asked
print(completed.rank, abs(completed.matrix - truth).max())
assert_type(completed, rs.CompletedMatrix)
assert_type(completed.rank, int)

model = rs.estimators.DeepMatrixCompletion(random_state=0).fit(X)   # the same for scikit-learn pipelines
print(model.rank_, model.certificate_)                           # and whether to rely on it
assert_type(model, rs.estimators.DeepMatrixCompletion)

run = rs.simulate(rs.Estimation(eigenvalues=[5, 3, 1.5, 0.5]), depth=3, initialization=rs.Identical(alpha=0.1),
                  dynamics=rs.GradientDescent(learning_rate=1e-3), steps=60_000)
assert_type(run, rs.Trajectory)
run.effective_rank.plot()                                        # xarray: one plateau for each eigenvalue

rule = rs.theory.stopping_rule([5, 3, 1.5, 0.5], depth=3, alpha=0.1, learning_rate=1e-3, rank=2)
assert_type(rule, rs.theory.StoppingRule)
assert_type(rule.step, int | None)
stopped = rs.simulate(rs.Estimation(eigenvalues=[5, 3, 1.5, 0.5]), depth=3, initialization=rs.Identical(alpha=0.1),
                      dynamics=rs.GradientDescent(learning_rate=1e-3), steps=60_000, stop=rule)
print(stopped.message)
assert_type(stopped.message, str)

lab = rs.data.planted()                                          # rank 2; its start is a minimum of rank 4
ridge = 0.4 / len(lab.problem.values)
fall = rs.simulate(lab.problem, initialization=rs.Factors(lab.start()), dynamics=rs.SGD(learning_rate=0.2, ridge=ridge),
                   steps=300_000, monitor=rs.RankMonitor())
print(fall.jumps.values)                                         # step, from, to
