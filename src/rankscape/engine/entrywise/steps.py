"""The steps of entry-wise SGD: the loops that run millions of times.

With ``W = W_N ... W_1``, one step takes a batch ``B`` of observed entries and moves all factors at once,

    W_l <- rho W_l - eta g_l,      rho = 1 - 2 eta ridge,
    g_l  = 1/|B| sum over k in B of  r_k u_l v_l^T,      r_k = W_ij - y_k at the entry (i, j) of k,

where ``v_l = W_{l-1} ... W_1[:, j]`` and ``u_l^T = W_N[i, :] ... W_{l+1}``: row ``i`` of the last factor, column ``j``
of the first and all of the others change. What makes it fast:

* **The ridge is a number.** The weights are kept as ``W_l = g * stored``, so decay multiplies the scale ``g`` and the
  step adds ``s u_l v_l^T`` to ``stored``, with ``s = -eta r g^(N-2) / rho``. When ``g`` gets small, the caller moves a
  power of two from ``g`` into the weights, which is exact.
* **Few passes.** A rank-one update waits until the next step and is applied in the pass over the matrix that the next
  step needs anyway (`simd`). With ``M = N - 2`` inner factors a step is ``max(1, 2M - 2)`` passes and
  three multiply-adds for each entry of an inner factor. Whatever waits when a kernel ends is applied by the same
  instructions, so cutting a run in two changes nothing, not even the last bit.
* **Contiguous rows.** ``U = W_N`` and ``V = W_1^T`` are stored by rows, padded with hidden units that stay zero.

Each kernel runs from step ``done`` to the last step, or until the scale is too small, and returns how far it came and
the scale. NaN and infinity travel through like other numbers: no loop waits for a value.
"""

from typing import NamedTuple

import numpy as np

from rankscape.engine import simd
from rankscape.ground.jit import compiled

# Sums may be reordered and multiply-adds fused; NaN and infinity keep their meaning, so divergence stays visible.
_numba = compiled("reassoc", "contract", "nsz", "arcp")


class Stream(NamedTuple):
    """Which entries the steps use, and how far they go."""

    rows: np.ndarray
    columns: np.ndarray
    values: np.ndarray
    batches: np.ndarray
    eta: float
    rho: float
    lazy: bool  # whether the scale takes the decay


class Work(NamedTuple):
    """The factors as the kernels want them; hidden layer ``h = 0 ... N-2`` has ``hidden[h]`` units."""

    U: np.ndarray  # W_N, rows padded
    V: np.ndarray  # W_1^T, rows padded; for N = 1 there is no second matrix and V is empty
    inner: np.ndarray  # W_2, ..., W_{N-1}, padded and flat, one after the other
    starts: np.ndarray  # where each begins in inner, and the end
    hidden: np.ndarray  # true widths
    padded: np.ndarray  # widths in memory


@_numba
def _dot(x, y):
    total = x.dtype.type(0.0)
    for k in range(x.size):
        total += x[k] * y[k]
    return total


@_numba
def _add(x, s, y):
    """``x += s y``, for as many entries as ``x`` has."""
    for k in range(x.size):
        x[k] += s * y[k]


@_numba
def _scale(x, s, y):
    """``x = s y``, for as many entries as ``y`` has."""
    for k in range(y.size):
        x[k] = s * y[k]


@_numba
def _decay(work, rho):
    factor = work.U.dtype.type(rho)
    for array in (work.U.reshape(-1), work.V.reshape(-1), work.inner):
        _scale(array, factor, array)


@_numba
def _power(g, exponent):
    result = 1.0
    for _ in range(exponent):
        result *= g
    return result


@_numba
def _matrix(work, h):
    """Return the inner factor from hidden layer ``h`` to ``h + 1`` as a pass wants it: array, start, rows, width."""
    return work.inner, work.starts[h], work.hidden[h + 1], work.padded[h]


@_numba
def single_factor_steps(work, change, stream, lowest, done, g):
    """``N = 1``, any batch and any decay: the observed entries move, everything decays."""
    W, delta = work.U, change.U
    steps, batch_size = stream.batches.shape
    for step in range(done, steps):
        batch = stream.batches[step]
        for k in range(batch_size):
            i, j = stream.rows[batch[k]], stream.columns[batch[k]]
            residual = g * W[i, j] - stream.values[batch[k]]
            delta[i, j] -= stream.eta * residual / (batch_size * g * (stream.rho if stream.lazy else 1.0))
        if stream.lazy:
            g *= stream.rho
        else:
            _decay(work, stream.rho)
        for k in range(batch_size):
            i, j = stream.rows[batch[k]], stream.columns[batch[k]]
            W[i, j] += delta[i, j]
            delta[i, j] = 0.0  # back to empty by the entries that were touched, not by all
        if g < lowest:
            return step + 1, g
    return steps, g


@_numba
def two_factor_steps(work, scratch, stream, lowest, done, g):
    """``N = 2``, one entry at a time: two rows meet."""
    steps = stream.batches.shape[0]
    for step in range(done, steps):
        entry = stream.batches[step, 0]
        u, v = work.U[stream.rows[entry]], work.V[stream.columns[entry]]
        # Over rho: the scale decays right after, and must not decay this step.
        s = u.dtype.type(-stream.eta / stream.rho * (g * g * _dot(u, v) - stream.values[entry]))
        for k in range(u.size):
            old = u[k]  # both move at once, from the old point
            u[k] += s * v[k]
            v[k] += s * old
        g *= stream.rho
        if g < lowest:
            return step + 1, g
    return steps, g


@_numba
def _directions(work, vectors, change, stream, entry, factor, g_others, g_all):
    """Add to ``change`` the step of one entry: the rank-one matrices ``factor * r u_l v_l^T`` from the present point.

    ``C[h]`` and ``E[h]`` are the signals going forward and backward in hidden layer ``h``.
    """
    layers, one = work.hidden.size, work.U.dtype.type(1.0)
    C, E = vectors[:layers], vectors[layers:]
    i, j = stream.rows[entry], stream.columns[entry]
    _scale(C[0], one, work.V[j])
    for h in range(layers - 1):
        simd.forward(_matrix(work, h), (C[h], C[h + 1]))
    residual = g_all * _dot(work.U[i], C[layers - 1]) - stream.values[entry]
    s = work.U.dtype.type(factor * g_others * residual)
    _add(change.U[i], s, C[layers - 1])
    _scale(E[layers - 1], s, work.U[i])
    for h in range(layers - 2, -1, -1):
        simd.update(_matrix(change, h), (E[h + 1], C[h]))
        simd.backward(_matrix(work, h), (E[h + 1], E[h]))
    _add(change.V[j], one, E[0])


@_numba
def batch_steps(work, scratch, stream, lowest, done, g):
    """``N >= 2``, any batch and any decay: the sum of the steps of all entries, from the old point."""
    vectors, change = scratch
    steps, batch_size = stream.batches.shape
    layers, zero, one = work.hidden.size, work.U.dtype.type(0.0), work.U.dtype.type(1.0)
    for step in range(done, steps):
        batch = stream.batches[step]
        g_others = _power(g, layers - 1)
        factor = -stream.eta / (batch_size * (stream.rho if stream.lazy else 1.0))
        for k in range(batch_size):
            _directions(work, vectors, change, stream, batch[k], factor, g_others, g_others * g * g)
        if stream.lazy:
            g *= stream.rho
        else:
            _decay(work, stream.rho)
        for k in range(batch_size):  # a row that was drawn twice has both steps in it, then nothing
            i, j = stream.rows[batch[k]], stream.columns[batch[k]]
            _add(work.U[i], one, change.U[i])
            _add(work.V[j], one, change.V[j])
            change.U[i] = zero
            change.V[j] = zero
        _add(work.inner, one, change.inner)
        change.inner[:] = zero
        if g < lowest:
            return step + 1, g
    return steps, g


@_numba
def _finish_first(work, bottom, e, c, d, waiting):
    """Apply what the first inner factor and row ``waiting`` of ``V`` wait for."""
    simd.backward_update(_matrix(work, bottom), (e, d, e, c))
    _add(work.V[waiting], work.V.dtype.type(1.0), d)


@_numba
def fused_steps(work, scratch, stream, lowest, done, g):
    """``N >= 3``, one entry at a time, with the updates of the first and the last inner factor one step late.

    ``C[h]`` and ``E[h]`` are the signals going forward and backward in hidden layer ``h``. The last inner factor waits
    to receive ``e_last c_last^T``. With two or more inner factors, the first waits for ``e_first c_first^T``, and row
    ``waiting`` of ``V`` for its own share, ``X^T e_first`` with the old first factor ``X``. All are empty-handed when
    the function begins and when it ends.
    """
    # np.int64 keeps numba from compiling helpers a second time, for the literal zero.
    bottom, top, one = np.int64(0), work.hidden.size - 1, work.U.dtype.type(1.0)
    C, E = scratch[: top + 1], scratch[top + 1 : 2 * top + 2]
    e_last, c_last, zeros, nothing = scratch[-4], scratch[-3], scratch[-2], scratch[-1]
    # -0.0 * 0.0 is the one product that leaves every number it is added to as it was, the sign of zero included.
    nothing[:] = -0.0
    e_last[:] = -0.0
    c_last[:] = 0.0
    nobody = bottom - 1
    e_first, c_first, waiting = nothing, zeros, nobody
    steps = stream.batches.shape[0]
    while done < steps:
        entry = stream.batches[done, 0]
        j = stream.columns[entry]
        u, v = work.U[stream.rows[entry]], work.V[j]
        b = v
        if top > 1:
            if j == waiting:
                _finish_first(work, bottom, e_first, c_first, E[0], waiting)
                e_first, c_first, waiting = nothing, zeros, nobody
            simd.backward_update_forward(_matrix(work, bottom), (e_first, E[0], e_first, c_first, v, C[1]))
            if waiting >= 0:
                _add(work.V[waiting], one, E[0])
            for h in range(1, top - 1):
                simd.forward(_matrix(work, h), (C[h], C[h + 1]))
            b = C[top - 1]
        simd.update_forward_backward(_matrix(work, top - 1), (e_last, c_last, b, C[top], u, E[top - 1]))
        g_others = _power(g, top)
        residual = g_others * g * g * _dot(u, C[top]) - stream.values[entry]
        s = u.dtype.type(-stream.eta / stream.rho * residual * g_others)
        _scale(e_last, s, u)
        _scale(c_last, one, b)
        _add(u, s, C[top])
        if top > 1:
            _scale(E[top - 1], s, E[top - 1])
            for h in range(top - 2, 0, -1):
                simd.backward_update(_matrix(work, h), (E[h + 1], E[h], E[h + 1], C[h]))
            e_first, c_first, waiting = E[1], v, j
        else:
            _add(v, s, E[0])
        g *= stream.rho
        done += 1
        if g < lowest:
            break
    if waiting >= 0:
        _finish_first(work, bottom, e_first, c_first, E[0], waiting)
    simd.update(_matrix(work, top - 1), (e_last, c_last))
    return done, g
