"""The factors and the samples as the kernels want them: padded, aligned, and flat."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from rankscape.engine import padding
from rankscape.problem import Samples

# The errors of `Samples`, as the kernels know them.
ERRORS = {"regression": 0, "projection": 1, "logistic": 2, "exponential": 3}


class Chain(NamedTuple):
    """All factors in one flat array, each beginning on a cache line; padding is zero.

    For single samples they lie in the order of a pass (`padding.put`), for batches by rows.
    """

    flat: np.ndarray
    starts: np.ndarray
    rows: np.ndarray  # true numbers of rows and columns
    columns: np.ndarray
    widths: np.ndarray  # columns in memory


class Drawn(NamedTuple):
    """The samples, padded and flat, and which of them the steps use."""

    inputs: np.ndarray
    outputs: np.ndarray
    spans: np.ndarray  # of one input and of one output
    numbers: np.ndarray
    error: int
    batches: np.ndarray
    factors: np.ndarray  # one number, of the error of a sample in a step
    decay: np.ndarray  # one number, times a weight the change that the ridge makes in a step


def chain_of(factors: Sequence[np.ndarray], by_rows: bool) -> Chain:
    """A copy of the factors ``[W_1, ..., W_N]``."""
    dtype = factors[0].dtype
    rows, columns = (np.array([W.shape[axis] for W in factors], np.int64) for axis in (0, 1))
    widths = np.array([padding.padded_width(width, dtype) for width in columns], np.int64)
    starts = np.cumsum([0, *(padding.padded_size(len(W), W.shape[1], dtype) for W in factors)], dtype=np.int64)
    chain = Chain(padding.aligned_zeros((int(starts[-1]),), dtype), starts, rows, columns, widths)
    for l, W in enumerate(factors):
        if by_rows:
            _rows_of(chain, l)[:] = W
        else:
            padding.put(W, chain.flat[starts[l] :])
    return chain


def factors_of(chain: Chain, by_rows: bool) -> list[np.ndarray]:
    """The factors as new arrays."""
    if by_rows:
        return [np.array(_rows_of(chain, l), order="C") for l in range(len(chain.rows))]
    shapes = zip(chain.rows, chain.columns, strict=True)
    return [padding.take(chain.flat[start:], shape) for start, shape in zip(chain.starts, shapes, strict=False)]


def _rows_of(chain: Chain, l: int) -> np.ndarray:
    """The true entries of a factor that lies by rows."""
    start, d, width = chain.starts[l], chain.rows[l], chain.widths[l]
    return chain.flat[start : start + d * width].reshape(d, width)[:, : chain.columns[l]]


def padded(samples: Samples, dtype: np.dtype) -> Samples:
    """The samples in the precision of a run, as long as the vectors that the kernels read."""
    inputs, outputs = samples.inputs, samples.outputs
    x = padding.aligned_zeros((len(inputs), padding.padded_width(inputs.shape[1], dtype)), dtype)
    y = padding.aligned_zeros((len(outputs), padding.padded_width(outputs.shape[1], dtype)), dtype)
    x[:, : inputs.shape[1]], y[:, : outputs.shape[1]] = inputs, outputs
    return samples._replace(inputs=x, outputs=y, numbers=samples.numbers.astype(dtype))


def drawn(samples: Samples, batches: np.ndarray, learning_rate: float, ridge: float) -> Drawn:
    """What the kernels read for the steps of `batches`; the samples are `padded`."""
    decay = np.array([-2.0 * learning_rate * ridge], samples.inputs.dtype)
    factors = np.array([-learning_rate * samples.weight / batches.shape[1]], samples.inputs.dtype)
    inputs, outputs = samples.inputs, samples.outputs
    spans = np.array([inputs.shape[1], outputs.shape[1]], np.int64)
    flat = inputs.reshape(-1), outputs.reshape(-1)
    batches = np.ascontiguousarray(batches, np.int64)
    return Drawn(*flat, spans, samples.numbers, ERRORS[samples.error], batches, factors, decay)


def span_of(chain: Chain) -> int:
    """A length for the vector of any joint.

    Successive vectors start 192 bytes apart modulo 1024: at the same offset of a 4096-byte page, a load waits for an
    unrelated store.
    """
    size = chain.flat.itemsize
    longest = max(int(chain.widths.max()), padding.padded_width(int(chain.rows[-1]), chain.flat.dtype))
    return (-(-longest * size // 1024) * 1024 + 192) // size
