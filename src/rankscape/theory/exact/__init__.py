r"""Exact trajectories of ``W = W_N ... W_1`` that need no factors: each case is an oracle for the simulator.

=====================  ================================================================================
two_layer_flow         depth 2, any balanced start, any target: matrix Riccati equation, in closed form
aligned_flow           a start along the singular vectors of the target: one scalar equation a mode
aligned_descent        the same for gradient descent: one scalar recursion a mode
end_to_end_flow        any depth and loss, balanced start: the equation of the product alone
regression_modes       a regression whose covariances commute: rates and scales of its modes
regression_flow        a start along them: one scalar equation a mode
regression_descent     the same for gradient descent
regression_bound       covariances that do not commute: how fast the loss must fall
=====================  ================================================================================

Factors are balanced when ``W_{l+1}^T W_{l+1} = W_l W_l^T`` for all l. Only NumPy and SciPy are used here.
"""

from rankscape.theory.exact.aligned import aligned_descent, aligned_flow
from rankscape.theory.exact.paths import AlignedPath, FlowPath
from rankscape.theory.exact.product import end_to_end_flow
from rankscape.theory.exact.regression import RegressionModes, regression_modes
from rankscape.theory.exact.regression_bound import RegressionBound, regression_bound
from rankscape.theory.exact.regression_paths import regression_descent, regression_flow
from rankscape.theory.exact.riccati import two_layer_flow

__all__ = [
    "AlignedPath",
    "FlowPath",
    "RegressionBound",
    "RegressionModes",
    "aligned_descent",
    "aligned_flow",
    "end_to_end_flow",
    "regression_bound",
    "regression_descent",
    "regression_flow",
    "regression_modes",
    "two_layer_flow",
]
