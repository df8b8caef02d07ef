"""The steps of SGD over single samples: the loop that runs millions of times.

With ``W = W_N ... W_1``, a step draws one sample and moves all factors at once,

    c_l = W_l ... W_1 x,    e_N = -eta e(c_N),    e_{l-1} = W_l^T e_l,    W_l <- (1 - 2 eta ridge) W_l + e_l c_{l-1}^T,

``e`` the error of `Samples`. What makes it fast:

* **Few passes.** The update of the first factor waits for the next step, whose forward product reads that factor
  anyway. Every other factor is read once on the way forward, and once more on the way back, while it is updated.
* **The last factor is read once** where the error of an output needs that output alone: a few rows give a few outputs,
  whose errors go back through these rows, and update them, while they lie in the nearest cache.

What waits when the loop ends is applied by the same instructions, so cutting a run in two changes nothing, not even the
last bit. NaN and infinity travel through like other numbers.
"""

# An intrinsic takes its first argument from the compiler:
# pyright: reportCallIssue=false

import math

import numpy as np

from rankscape.engine import simd
from rankscape.ground.jit import compiled

# Multiply-adds may be fused and sums reordered; NaN and infinity keep their meaning, so divergence stays visible.
_numba = compiled("reassoc", "contract", "nsz", "arcp")


@_numba
def _matrix(chain, l):
    """A factor as a pass wants it: array, start, rows, width."""
    return chain.flat, chain.starts[l], chain.rows[l], chain.widths[l]


@_numba
def slope_of_margin(error, margin):
    """The derivative of the loss of one sample with respect to its margin ``t z``, without its sign."""
    if error == 3:
        return math.exp(-margin)
    if margin > 0:  # the exponential that does not overflow
        small = math.exp(-margin)
        return small / (1.0 + small)
    return 1.0 / (1.0 + math.exp(margin))


@_numba
def error_of(drawn, k, signals, z, e, count):
    """Put the error of sample k at the outputs ``signals[z:]``, times the factor of a step, into ``signals[e:]``."""
    factor, t = drawn.factors[0], drawn.numbers[k]
    # Unsigned: places that might count from the end are gathered one by one.
    z, e, y, count = np.uint64(z), np.uint64(e), np.uint64(k * drawn.spans[1]), np.uint64(count)
    if drawn.error == 0:
        for i in range(count):
            signals[e + i] = factor * (signals[z + i] - drawn.outputs[y + i])
    elif drawn.error == 1:
        seen = signals.dtype.type(0.0)
        for i in range(count):
            seen += drawn.outputs[y + i] * signals[z + i]
        for i in range(count):
            signals[e + i] = factor * (seen - t) * drawn.outputs[y + i]
    else:
        signals[e] = -factor * t * slope_of_margin(drawn.error, t * signals[z])


@_numba
def single_steps(chain, drawn, signals, span):
    """Batches of one, any depth: signals go forward at ``l * span``, and back at ``(N + 1 + l) * span``."""
    depth = chain.rows.size
    top, back, none = depth - 1, depth + 1, np.zeros(1, chain.flat.dtype)
    # -0.0 * 0.0 is the one product that leaves every number it is added to as it was, the sign of zero included.
    for j in range(span):
        signals[back * span + span + j] = -0.0
        signals[j] = 0.0
    decay, e, waiting, c = none, (signals, (back + 1) * span), signals, 0
    z, e_top, d_top, c_top = depth * span, (back + depth) * span, (back + top) * span, top * span
    steps = drawn.batches.shape[0]
    for step in range(steps):
        k, following = drawn.batches[step, 0], drawn.batches[min(step + 1, steps - 1), 0]
        simd.prefetch(drawn.inputs, following * drawn.spans[0], drawn.spans[0])
        simd.prefetch(drawn.outputs, following * drawn.spans[1], drawn.spans[1])
        x, t, y = (drawn.inputs, k * drawn.spans[0]), (signals, span), (drawn.outputs, k * drawn.spans[1])
        simd.shrink_update_forward(_matrix(chain, 0), (decay, e, (waiting, c), x, t))
        for l in range(1, top):
            simd.forward(_matrix(chain, l), ((signals, l * span), (signals, (l + 1) * span)))
        if top > 0 and drawn.error == 0:
            b, e_z, d = (signals, c_top), (signals, e_top), (signals, d_top)
            simd.there_and_back(_matrix(chain, top), (b, y, drawn.factors, e_z, d, drawn.decay))
        else:
            if top > 0:
                simd.forward(_matrix(chain, top), ((signals, c_top), (signals, z)))
            error_of(drawn, k, signals, z, e_top, chain.rows[top])
        for l in range(top - 1 if drawn.error == 0 else top, 0, -1):
            e_l, d_l = (signals, (back + l + 1) * span), (signals, (back + l) * span)
            simd.backward_shrink_update(_matrix(chain, l), (e_l, d_l, drawn.decay, e_l, (signals, l * span)))
        decay, waiting, c = drawn.decay, drawn.inputs, k * drawn.spans[0]
    simd.shrink_update(_matrix(chain, 0), (decay, e, (waiting, c)))
