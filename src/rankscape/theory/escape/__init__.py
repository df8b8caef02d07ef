r"""How long SGD takes to lose a mode that gradient descent would keep, and which entries hold it.

The model is one mode held by one observed entry of m: the balanced chain :math:`s = y^L`. Between two draws of its
entry the ridge shrinks it; at a draw it steps towards its target a. With :math:`z = \log y`, time in epochs of m steps
and draws that arrive at rate 1 (sampling with replacement), z falls at the rate q and jumps by J:

.. math:: q = 2 \eta \lambda m, \qquad J(z) = \log\big(1 + \eta (a - s) s^{1-2/L}\big), \qquad s = e^{Lz}

Between the two roots of :math:`J = q`, the barrier and the minimum, the draws win on average; a gap between them can
still carry the mode over the barrier. Reshuffled sampling caps the gaps: then none of this applies, and no jump
is seen.

================  =================================================================================================
`holders`         which entries hold a mode of a minimum, and whether the model is about it
`exponent`        `wkb_exponent`: the exponent of the mean time
`exit_time`       `mean_exit_time`: the mean time itself
`scalar`          the chain, and `supporting_target`
================  =================================================================================================

Of modes that several entries hold the model knows nothing: there `rankscape.jump_law` extrapolates from
runs.

Examples
--------
>>> round(wkb_exponent(target=2.0, depth=3, ridge_per_epoch=0.4, learning_rate=0.1).value, 2)
4.01
"""

from rankscape.theory.escape.exit_time import ExitTime, mean_exit_time
from rankscape.theory.escape.exponent import EscapeExponent, wkb_exponent
from rankscape.theory.escape.holders import Holders, holders
from rankscape.theory.escape.scalar import supporting_target

__all__ = ["EscapeExponent", "ExitTime", "Holders", "holders", "mean_exit_time", "supporting_target", "wkb_exponent"]
