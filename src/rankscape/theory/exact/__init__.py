r"""Exact trajectories of ``W = W_N ... W_1`` that need no factors: three cases, each an oracle for the simulator.

=====================  ================================================================================
two_layer_flow         depth 2, any balanced start, any target: matrix Riccati equation, in closed form
aligned_flow           a start along the singular vectors of the target: one scalar equation a mode
aligned_descent        the same for gradient descent: one scalar recursion a mode
end_to_end_flow        any depth and loss, balanced start: the equation of the product alone
=====================  ================================================================================

Factors are balanced when ``W_{l+1}^T W_{l+1} = W_l W_l^T`` for all l. Only NumPy and SciPy are used here.
"""

from rankscape.theory.exact.aligned import aligned_descent, aligned_flow
from rankscape.theory.exact.paths import AlignedPath, FlowPath
from rankscape.theory.exact.product import end_to_end_flow
from rankscape.theory.exact.riccati import two_layer_flow

__all__ = ["AlignedPath", "FlowPath", "aligned_descent", "aligned_flow", "end_to_end_flow", "two_layer_flow"]
