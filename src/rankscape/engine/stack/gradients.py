r"""The gradient of many runs over one stack of operators, in one pass over the stack.

For matrices ``W_1, ..., W_b`` side by side the kernel computes :math:`\sum_k (\langle A_k, W_b\rangle - y_k) A_k` for
every b. The stack of a large problem does not fit into any cache, so reading it is what one run pays for:

* **One pass.** A few operators are applied, and added up while they are still in the cache: the stack is read once.
* **Runs are the lanes of a vector.** ``W[i, b]`` is entry i of run b, and one instruction multiplies an entry of an
  operator with that entry of all runs. Each number of the stack that is read serves up to eight runs.
* **A lane never meets another.** Every run sees the same multiply-adds in the same order, however many lanes the vector
  has and whatever the others hold, so a run of a batch equals the same run alone to the last bit.

Written as LLVM vector code, because plain loops leave the sums in memory.
"""

# llvmlite's stubs are incomplete:
# pyright: reportAttributeAccessIssue=false, reportReturnType=false, reportAssignmentType=false, reportArgumentType=false

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from rankscape.engine.padding import aligned_zeros
from rankscape.ground.jit import compiled

# How many runs may lie side by side; eight are one vector of AVX-512 in double precision, two of AVX2.
WIDTHS = (1, 2, 4, 8)

# Operators at a time: their sums and one vector of W stay in registers.
OPERATORS_AT_ONCE = 8

_INDEX, _SHORT = ir.IntType(64), ir.IntType(32)


class _Vectors:
    """Loads, stores and arithmetic of one number of all lanes."""

    def __init__(self, builder: ir.IRBuilder, dtype: types.Type, width: int):
        self.builder, self.align, self.width = builder, dtype.bitwidth // 8, width
        scalar = ir.DoubleType() if dtype.bitwidth == 64 else ir.FloatType()
        self.kind = ir.VectorType(scalar, width)
        signature = ir.FunctionType(self.kind, [self.kind] * 3)
        name = f"llvm.fma.v{width}f{dtype.bitwidth}"  # fused whatever the width, unlike fmuladd, which may choose
        self._fma = cgutils.get_or_insert_function(builder.module, signature, name)

    def at(self, data: ir.Value, i: ir.Value) -> ir.Value:
        place = self.builder.gep(data, [self.builder.mul(i, _INDEX(self.width))])
        return self.builder.bitcast(place, self.kind.as_pointer())

    def load(self, data: ir.Value, i: ir.Value) -> ir.Value:
        return self.builder.load(self.at(data, i), align=self.align)

    def store(self, value: ir.Value, data: ir.Value, i: ir.Value) -> None:
        self.builder.store(value, self.at(data, i), align=self.align)

    def broadcast(self, data: ir.Value, i: ir.Value) -> ir.Value:
        undefined = ir.Constant(self.kind, ir.Undefined)
        first = self.builder.insert_element(undefined, self.builder.load(self.builder.gep(data, [i])), _SHORT(0))
        zeros = ir.Constant(ir.VectorType(_SHORT, self.width), [0] * self.width)
        return self.builder.shuffle_vector(first, undefined, zeros)

    def multiply_add(self, x: ir.Value, y: ir.Value, z: ir.Value) -> ir.Value:
        return self.builder.call(self._fma, [x, y, z])


def _emit(vectors: _Vectors, operators: list[ir.Value], data: dict[str, ir.Value], first: ir.Value, size: ir.Value):
    """``r_k = sum_i A_ki W_i - y_k`` for a few k, then ``G_i += sum_k A_ki r_k``."""
    builder = vectors.builder
    sums = [cgutils.alloca_once(builder, vectors.kind) for _ in operators]
    for total in sums:
        builder.store(ir.Constant(vectors.kind, [0.0] * vectors.width), total)
    with cgutils.for_range(builder, size, intp=_INDEX) as loop:
        w = vectors.load(data["W"], loop.index)
        for operator, total in zip(operators, sums, strict=True):
            a = vectors.broadcast(operator, loop.index)
            builder.store(vectors.multiply_add(a, w, builder.load(total)), total)
    places = [builder.add(first, _INDEX(k)) for k in range(len(operators))]
    measured = [vectors.broadcast(data["y"], k) for k in places]
    residuals = [builder.fsub(builder.load(total), y) for total, y in zip(sums, measured, strict=True)]
    # Second pass over the same few operators, which the first has just brought into the cache.
    with cgutils.for_range(builder, size, intp=_INDEX) as loop:
        g = vectors.load(data["G"], loop.index)
        for operator, residual in zip(operators, residuals, strict=True):
            g = vectors.multiply_add(vectors.broadcast(operator, loop.index), residual, g)
        vectors.store(g, data["G"], loop.index)


def _make_pass(rows: int) -> Callable[..., Any]:
    """A numba function ``run(flat, y, W, G, first, mark)`` that takes `rows` operators into account, from `first` on.

    ``mark`` is a tuple with as many members as there are lanes: the one length that numba keeps in a type.
    """

    @intrinsic
    def run(typingctx, flat, y, W, G, first, mark):
        def codegen(context, builder, signature, arguments):
            kinds, first = signature.args, arguments[4]
            arrays = [context.make_array(k)(context, builder, a) for k, a in zip(kinds[:4], arguments[:4], strict=True)]
            flat, *others = arrays
            size = cgutils.unpack_tuple(builder, flat.shape)[1]
            starts = [builder.mul(builder.add(first, _INDEX(k)), size) for k in range(rows)]
            operators = [builder.gep(flat.data, [start]) for start in starts]
            data = dict(zip("yWG", (array.data for array in others), strict=True))
            _emit(_Vectors(builder, kinds[0].dtype, mark.count), operators, data, first, size)
            return context.get_dummy_value()

        return types.void(flat, y, W, G, types.int64, mark), codegen

    return run


_block, _single = _make_pass(OPERATORS_AT_ONCE), _make_pass(1)


@compiled()
def _accumulate(flat, y, W, G, mark):
    whole = y.size // OPERATORS_AT_ONCE * OPERATORS_AT_ONCE  # the rest goes one by one, in the same order of sums
    for k in range(0, whole, OPERATORS_AT_ONCE):
        _block(flat, y, W, G, k, mark)
    for k in range(whole, y.size):
        _single(flat, y, W, G, k, mark)


def gradients(flat: np.ndarray, y: np.ndarray, W: np.ndarray) -> np.ndarray:
    """The gradients at a few matrices.

    Parameters
    ----------
    flat : ndarray of shape (m, size)
        The operators as rows, contiguous.
    y : ndarray of shape (m,)
        The measurements.
    W : ndarray of shape (size, width)
        The matrices as columns, contiguous; `width` is one of `WIDTHS`.

    Returns
    -------
    ndarray of shape (size, width)
        ``flat.T @ (flat @ W - y)``.
    """
    size, width = W.shape
    for array, shape in ((flat, (len(y), size)), (y, (len(y),)), (W, (size, width))):
        if array.shape != shape or not array.flags.c_contiguous or array.dtype != W.dtype or width not in WIDTHS:
            raise ValueError(f"A contiguous array of shape {shape} and kind {W.dtype} is needed, got {array.shape}.")
    G = aligned_zeros(W.shape, W.dtype)
    _accumulate(flat, y, W, G, (0,) * width)
    return G
