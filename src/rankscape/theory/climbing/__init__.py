r"""How ranks climb: the product's eigenvalues are learned one after another, from a (perturbed) identical start.

No ridge and a symmetric target, so that every eigenvalue obeys a scalar recursion of its own, after Chou, Gieshoff,
Maly, Rauhut (2024). Each file answers one question:

==================  ==========================================================================================
`recursion`         what gradient descent does, step by step: `factor_path`, `eigenvalue_path`
`flow_time`         what gradient flow does: `flow_time`, and its inverse `flow_value`, in closed form or by quadrature
                    on the `imbalance_leaf` of the perturbed start
`limits`            where it ends, and how fast: `limit`, `rate`
`step_limit`        with which steps: `step_limit`
`hitting`           when an eigenvalue reaches a level: `hitting_time`; `bounds` encloses it, with room for `rounding`
`plateaus`          when each rank holds: `plateaus`; `levels` says what that means, `settled_times` which mode is last
`stopping`          where to stop for a rank: `stopping_rule`
`critical`          from how small a start a plateau exists: `critical_alpha`
`design`            which start and learning rate to choose: `design`
`diagnose`          what is easily got wrong about a setting: `diagnose`
==================  ==========================================================================================

Examples
--------
>>> [(p.rank, p.start, p.end) for p in plateaus([5.0, 3.0, 1.5], depth=3, alpha=0.1, learning_rate=1e-3)]
[(1, 2028, 2723), (2, 3386, 5125), (3, 6796, None)]
"""

from rankscape.theory.climbing.critical import CriticalAlpha, critical_alpha
from rankscape.theory.climbing.design import Design, design
from rankscape.theory.climbing.diagnose import Finding, diagnose
from rankscape.theory.climbing.flow_time import flow_time
from rankscape.theory.climbing.flow_value import flow_value
from rankscape.theory.climbing.hitting import HittingTime, hitting_time
from rankscape.theory.climbing.limits import Limit, Rate, limit, rate
from rankscape.theory.climbing.plateaus import Plateau, plateaus
from rankscape.theory.climbing.recursion import eigenvalue_path, factor_path
from rankscape.theory.climbing.step_limit import StepLimit, step_limit
from rankscape.theory.climbing.stopping import StoppingRule, stopping_rule

__all__ = [
    "CriticalAlpha",
    "Design",
    "Finding",
    "HittingTime",
    "Limit",
    "Plateau",
    "Rate",
    "StepLimit",
    "StoppingRule",
    "critical_alpha",
    "design",
    "diagnose",
    "eigenvalue_path",
    "factor_path",
    "flow_time",
    "flow_value",
    "hitting_time",
    "limit",
    "plateaus",
    "rate",
    "step_limit",
    "stopping_rule",
]
