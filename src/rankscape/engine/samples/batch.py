"""The steps of SGD over batches of samples: the same as single ones, with matrices in the place of vectors.

Side by side the samples of a batch make a vector of the machine: a factor is read once for all of them. Signals lie
with one row for each unit and one column for each sample, as the products on the way forward and back want them; those
that go forward are also kept the other way around, for the updates.
"""

from typing import NamedTuple

import numpy as np

from rankscape.engine import padding
from rankscape.engine.samples.layout import Chain
from rankscape.engine.samples.products import add_product, product
from rankscape.engine.samples.single import slope_of_margin
from rankscape.ground.jit import compiled

_numba = compiled("reassoc", "contract", "nsz", "arcp")

# Sides of the square in which a matrix is turned around: a divisor of every vector's length.
TURN = 4


class Signals(NamedTuple):
    """What the samples of a batch make of the factors, joint after joint."""

    there: np.ndarray  # (joint, unit, sample)
    back: np.ndarray
    turned: np.ndarray  # (joint, sample, unit)


def signals_for(chain: Chain, batch_size: int) -> Signals:
    """Zeros."""
    dtype, joints = chain.flat.dtype, len(chain.rows) + 1
    units = padding.padded_width(max(int(chain.widths.max()), int(chain.rows[-1])), dtype)
    samples = padding.padded_width(batch_size, dtype)
    there, back = (padding.aligned_zeros((joints, units, samples), dtype) for _ in range(2))
    return Signals(there, back, padding.aligned_zeros((joints, samples, units), dtype))


@_numba
def _turn(array, start, columns, turned, start_turned, rows):
    """``rows x columns`` numbers to ``columns x rows``, by whole small squares: padding is turned, too."""
    r, c, a, b = np.uint64(rows), np.uint64(columns), np.uint64(start), np.uint64(start_turned)
    for i in range(np.uint64(0), r, np.uint64(TURN)):
        for j in range(np.uint64(0), c, np.uint64(TURN)):
            for k in range(np.uint64(TURN)):
                for l in range(np.uint64(TURN)):
                    turned[b + (j + l) * r + i + k] = array[a + (i + k) * c + j + l]


@_numba
def _errors(drawn, batch, z, e, count):
    """Put the error of each sample, times the factor of a step, into its column of ``e``."""
    factor = drawn.factors[0]
    span = drawn.spans[1]
    for s in range(batch.size):
        y, t = batch[s] * span, drawn.numbers[batch[s]]
        if drawn.error == 0:
            for i in range(count):
                e[i, s] = factor * (z[i, s] - drawn.outputs[y + i])
        elif drawn.error == 1:
            seen = factor * 0
            for i in range(count):
                seen += drawn.outputs[y + i] * z[i, s]
            for i in range(count):
                e[i, s] = factor * (seen - t) * drawn.outputs[y + i]
        else:
            e[0, s] = -factor * t * slope_of_margin(drawn.error, t * z[0, s])


@_numba
def batch_steps(chain, drawn, signals):
    """Batches of any size, any depth; the factors lie in the chain by rows."""
    there, back, turned = signals
    flat, starts, rows, columns, widths = chain
    depth, size = rows.size, drawn.batches.shape[1]
    samples, units = there.shape[2], there.shape[1]
    C, E, T = there.reshape(-1), back.reshape(-1), turned.reshape(-1)
    span = units * samples
    for step in range(drawn.batches.shape[0]):
        batch = drawn.batches[step]
        for s in range(size):
            x = batch[s] * drawn.spans[0]
            for j in range(drawn.spans[0]):
                turned[0, s, j] = drawn.inputs[x + j]
        _turn(T, 0, units, C, 0, samples)
        for l in range(depth):
            W = (flat, starts[l], widths[l], 1)
            product(
                (C, (l + 1) * span, samples), W, (C, l * span, samples), (rows[l], samples, columns[l]), drawn.decay
            )
            if l + 1 < depth:
                _turn(C, (l + 1) * span, samples, T, (l + 1) * span, units)
        _errors(drawn, batch, there[depth], back[depth], rows[depth - 1])
        for l in range(depth - 1, -1, -1):
            e = (E, (l + 1) * span, samples)
            if l > 0:
                W = (flat, starts[l], 1, widths[l])
                product((E, l * span, samples), W, e, (columns[l], samples, rows[l]), drawn.decay)
            add_product((flat, starts[l], widths[l]), (E, (l + 1) * span, samples, 1), (T, l * span, units),
                        (rows[l], widths[l], size), drawn.decay)  # fmt: skip
