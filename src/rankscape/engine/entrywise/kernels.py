"""Entry-wise SGD with a ridge, for completion: the state, its checks, and the choice of a kernel.

The steps themselves, with their equations, are in `steps`. The state between calls is the packed
form of the factors: true ``W_l = g * stored``, with one scale ``g`` for all of them that takes the decay of the ridge.
Multiplying ``g`` into the weights would round them, so a run that is to continue with identical bits keeps the packed
state: ``pack`` once, ``advance`` as often as wanted, ``unpack`` to look.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from rankscape.engine import padding
from rankscape.engine.entrywise import steps
from rankscape.engine.entrywise.steps import Stream, Work
from rankscape.errors import InputError


class Packed(NamedTuple):
    """The factors between two calls: ``W_l = scale * stored[l]``."""

    stored: list[np.ndarray]
    scale: float = 1.0


def pack(factors: Sequence[np.ndarray]) -> Packed:
    """Return the state that `advance` continues: copies of the factors and the scale ``g = 1`` in front of each."""
    factors = [np.array(factor, order="C") for factor in factors]
    _check_factors(factors)
    return Packed(factors)


def unpack(packed: Packed) -> list[np.ndarray]:
    """Return the factors ``W_l = g * stored`` of a packed state, as new arrays."""
    return [factor * factor.dtype.type(packed.scale) for factor in packed.stored]


def advance(
    packed: Packed,
    rows: ArrayLike,
    columns: ArrayLike,
    values: ArrayLike,
    batches: ArrayLike,
    learning_rate: float,
    ridge: float,
) -> Packed:
    """Run the steps of ``batches`` from a packed state and return the new packed state.

    The input is not modified. Cutting ``batches`` anywhere and calling twice gives the same bits as calling once. Each
    call copies the factors, so give it many steps at a time.

    Parameters
    ----------
    packed : Packed
        Factors ``[W_1, ..., W_N]``, ``W_l`` of shape ``(d_l, d_{l-1})``, all float64 or all float32.
    rows, columns : integer arrays of shape (m,)
        Where the observed entries lie.
    values : array of shape (m,)
        The observed entries, ``y``.
    batches : integer array of shape (steps, batch_size)
        Which observed entries each step uses, as indices into ``rows``, ``columns`` and ``values``.
    learning_rate : float
        ``eta``.
    ridge : float
        Coefficient of ``sum_l ||W_l||_F^2``, whose gradient is ``2 * ridge * W_l``.

    Examples
    --------
    >>> import numpy as np
    >>> packed = pack([np.array([[2.0]]), np.array([[1.0]])])
    >>> unpack(advance(packed, [0], [0], np.array([3.0]), np.array([[0]]), learning_rate=0.1, ridge=0.0))
    [array([[2.1]]), array([[1.2]])]
    """
    factors, g = packed
    stream = _stream(factors, rows, columns, values, batches, float(learning_rate), float(ridge))
    work = _layout(factors)
    kernel, scratch = _choose(work, len(factors), stream)
    lowest, done = _lowest_scale(len(factors), work.U.dtype), 0
    while done < len(stream.batches):  # a kernel comes back when the scale is too small
        done, g = kernel(work, scratch, stream, lowest, done, g)
        if g < lowest:
            for array in (work.U, work.V, work.inner):
                array *= lowest  # a power of two: not one bit of the weights is lost
            g /= lowest
    return Packed(_factors(work), g)


# --- Checks ----------------------------------------------------------------------------------------------------------


def _lowest_scale(depth: int, dtype: DTypeLike) -> float:
    """Return the power of two at which ``g`` is renormalised: the product, ``1/g^N`` too large, must not overflow."""
    # 256 and 24 are a quarter of what the exponents of float64 and a fifth of what those of float32 reach.
    exponent = 256 if dtype == np.float64 else 24
    return 2.0 ** -max(1, exponent // depth)


def _check_factors(factors: Sequence[np.ndarray]) -> None:
    if not factors or any(factor.ndim != 2 or 0 in factor.shape for factor in factors):
        raise InputError("factors must be a list of one or more matrices, [W_1, ..., W_N], none of them empty")
    if factors[0].dtype not in (np.float64, np.float32) or any(f.dtype != factors[0].dtype for f in factors):
        raise InputError("factors must all be float64 or all be float32; convert them with astype")
    for l, (first, second) in enumerate(pairwise(factors), 1):
        if second.shape[1] != first.shape[0]:
            raise InputError(f"W_{l + 1} {second.shape} cannot multiply W_{l} {first.shape}: inner sizes differ")


def _check_entries(factors, rows, columns, values, batches) -> None:
    """Reject what would read or write outside the arrays: the kernels do not look.

    Of very many observed entries, only those that are used are checked.
    """
    if not rows.shape == columns.shape == values.shape or rows.ndim != 1:
        raise InputError("rows, columns and values must be one-dimensional and of the same length")
    if batches.ndim != 2 or batches.shape[1] == 0:
        raise InputError("batches must have shape (steps, batch_size) with batch_size of at least 1")
    _check_range("batches", batches, rows.size)
    used = slice(None) if rows.size <= batches.size else batches
    _check_range("rows", rows[used], factors[-1].shape[0])
    _check_range("columns", columns[used], factors[0].shape[1])


def _check_range(name: str, indices: np.ndarray, limit: int) -> None:
    if indices.size and (indices.min() < 0 or indices.max() >= limit):
        raise InputError(f"{name} must hold indices from 0 to {limit - 1}, not {indices.min()} to {indices.max()}")


# --- Working arrays --------------------------------------------------------------------------------------------------


def _stream(factors, rows, columns, values, batches, eta: float, ridge: float) -> Stream:
    rows, columns, batches = np.asarray(rows), np.asarray(columns), np.asarray(batches)
    # One integer type for both, so that few variants are compiled; a copy only where the type is unusual.
    index = np.int32 if rows.dtype == columns.dtype == np.int32 else np.int64
    rows, columns = np.ascontiguousarray(rows, index), np.ascontiguousarray(columns, index)
    batches = np.ascontiguousarray(batches, np.int64)
    values = np.ascontiguousarray(values, factors[0].dtype)
    _check_entries(factors, rows, columns, values, batches)
    rho = 1.0 - 2.0 * eta * ridge
    # A step that halves the weights, or flips their signs, is no gentle decay: multiply it into them, at every step.
    return Stream(rows, columns, values, batches, eta, rho, 0.5 <= rho <= 1.0)


def _layout(factors: Sequence[np.ndarray]) -> Work:
    dtype = factors[0].dtype
    hidden = np.array([factor.shape[0] for factor in factors[:-1]], np.int64)
    padded = np.array([padding.padded_width(width, dtype) for width in hidden], np.int64)
    # Each inner factor begins on a cache line of its own, as the passes want it.
    starts = np.cumsum([0, *(padding.padded_size(d, n, dtype) for n, d in pairwise(hidden))])
    outputs, inputs = factors[-1].shape[0], factors[0].shape[1]
    shapes = [(outputs, padded[-1]), (inputs, padded[0])] if len(factors) > 1 else [(outputs, inputs), (0, 0)]
    U, V, inner = (padding.aligned_zeros(shape, dtype) for shape in (*shapes, (starts[-1],)))
    work = Work(U, V, inner, starts, hidden, padded)
    if not hidden.size:
        U[:] = factors[0]
        return work
    V[:, : hidden[0]], U[:, : hidden[-1]] = factors[0].T, factors[-1]
    for start, factor in zip(starts, factors[1:-1], strict=False):
        padding.put(factor, inner[start:])
    return work


def _factors(work: Work) -> list[np.ndarray]:
    """Return ``W_1, ..., W_N`` as new arrays, out of the working arrays."""
    if work.hidden.size == 0:
        return [work.U.copy()]
    shapes = zip(work.starts, work.hidden[1:], work.hidden, strict=False)
    inner = [padding.take(work.inner[start:], (rows, columns)) for start, rows, columns in shapes]
    outer = work.V[:, : work.hidden[0]].T, work.U[:, : work.hidden[-1]]
    return [np.array(outer[0], order="C"), *inner, np.array(outer[1], order="C")]


def _scratch(count: int, work: Work) -> np.ndarray:
    """Return ``count`` zero vectors, each long enough for any hidden layer.

    Successive vectors start 192 bytes apart modulo 1024: at the same offset of a 4096-byte page, a load waits for an
    unrelated store.
    """
    size = work.U.itemsize
    length = -(-int(work.padded.max(initial=0)) * size // 1024) * 1024 + 192
    return padding.aligned_zeros((count, length // size), work.U.dtype)


def _choose(work: Work, depth: int, stream: Stream) -> tuple[Callable, object]:
    """Return the kernel for this depth and batch, and the zeros it works in."""
    if depth == 1:
        return steps.single_factor_steps, _zeros_like(work)
    if stream.batches.shape[1] > 1 or not stream.lazy:  # delayed updates need one entry a step and a gentle decay
        return steps.batch_steps, (_scratch(2 * (depth - 1), work), _zeros_like(work))
    if depth == 2:
        return steps.two_factor_steps, None
    return steps.fused_steps, _scratch(2 * (depth - 1) + 4, work)


def _zeros_like(work: Work) -> Work:
    U, V, inner = (padding.aligned_zeros(array.shape, array.dtype) for array in (work.U, work.V, work.inner))
    return work._replace(U=U, V=V, inner=inner)
