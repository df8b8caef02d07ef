"""What is predicted: when each eigenvalue is learned, which rank holds when, and what to choose.

Everything rests on two exact scalar recursions (`factor_path`) that gradient descent obeys from a (perturbed)
identical start, after Chou, Gieshoff, Maly, Rauhut (2024). The module uses NumPy and SciPy alone and never imports an
engine, so that theory and simulation check each other.

======================  =====================================================================
where it ends           `limit`, `rate`, `step_limit`
one eigenvalue          `hitting_time`, `flow_time`, `flow_value`, `eigenvalue_path`
the rank                `plateaus`, `stopping_rule`
what to choose          `critical_alpha`, `design`, `diagnose`
whole matrices          `two_layer_flow`, `aligned_flow`, `aligned_descent`, `end_to_end_flow`
classes                 `max_margin`, `direction_rate`
regression              `regression_modes`, `regression_flow`, `regression_descent`, `regression_bound`
with a ridge            `landscape` (minima of several ranks), `absorbing` (sets that SGD never leaves),
                        `escape` (how long a jump takes), after Wang, Jacot (2024)
======================  =====================================================================

The first four rows live in `climbing`, whole matrices and regression in `exact`, classes in `margins`; `inputs` and
`chain` check what these take.

Steps count simultaneous updates of all factors; flow time is steps times learning rate. Records are frozen, carry
their `assumptions`, and name in `failed` the hypothesis that does not hold.

Examples
--------
>>> import rankscape.theory as theory
>>> [(p.rank, p.start, p.end) for p in theory.plateaus([5.0, 3.0, 1.5], depth=3, alpha=0.1, learning_rate=1e-3)]
[(1, 2028, 2723), (2, 3386, 5125), (3, 6796, None)]
"""

from rankscape.theory import absorbing, escape, landscape
from rankscape.theory.climbing import (
    CriticalAlpha,
    Design,
    Finding,
    HittingTime,
    Limit,
    Plateau,
    Rate,
    StepLimit,
    StoppingRule,
    critical_alpha,
    design,
    diagnose,
    eigenvalue_path,
    factor_path,
    flow_time,
    flow_value,
    hitting_time,
    limit,
    plateaus,
    rate,
    step_limit,
    stopping_rule,
)
from rankscape.theory.exact import (
    AlignedPath,
    FlowPath,
    RegressionBound,
    RegressionModes,
    aligned_descent,
    aligned_flow,
    end_to_end_flow,
    regression_bound,
    regression_descent,
    regression_flow,
    regression_modes,
    two_layer_flow,
)
from rankscape.theory.margins import DirectionRate, MaxMargin, direction_rate, max_margin

__all__ = [
    "AlignedPath",
    "CriticalAlpha",
    "Design",
    "DirectionRate",
    "Finding",
    "FlowPath",
    "HittingTime",
    "Limit",
    "MaxMargin",
    "Plateau",
    "Rate",
    "RegressionBound",
    "RegressionModes",
    "StepLimit",
    "StoppingRule",
    "absorbing",
    "aligned_descent",
    "aligned_flow",
    "critical_alpha",
    "design",
    "diagnose",
    "direction_rate",
    "eigenvalue_path",
    "end_to_end_flow",
    "escape",
    "factor_path",
    "flow_time",
    "flow_value",
    "hitting_time",
    "landscape",
    "limit",
    "max_margin",
    "plateaus",
    "rate",
    "regression_bound",
    "regression_descent",
    "regression_flow",
    "regression_modes",
    "step_limit",
    "stopping_rule",
    "two_layer_flow",
]
