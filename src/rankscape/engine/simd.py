"""One pass over a matrix, as explicit vector instructions.

SGD on single observations spends its time in a few operations on a factor ``X`` (rows x width):

* ``shrink``:     ``X <- X + r X``     (the decay of a ridge, r small and negative),
* ``update``:     ``X <- X + e c^T``   (the rank-one step),
* ``forward``:    ``t = X b``          (towards the output),
* ``backward``:   ``d = X^T a``        (towards the input).

Each reads all of ``X``, so doing several of them while an entry is in a register saves most of the memory traffic.
Plain loops over several rows at once are left unvectorised by LLVM, because it cannot prove that the rows do not
overlap. So the pass is written here as LLVM vector code: blocks of four rows, one vector of columns at a time, and
for each vector of ``X`` the operations in the order in which they are named. The order of all sums is fixed by this
file, which makes the result independent of where the arrays lie in memory.

``X`` lies in memory in the order in which a pass reads it (`put`, `take`): a block of four rows after the other, and in
a block one vector of each row, then the next vector of each. Of several streams at once the processor foresees less:
with whole rows in memory, passes over matrices that exceed the nearest cache took 1.4 times as long.

Callers keep three promises: the width is a multiple of the vector length (`padded_width`), ``X`` has whole blocks of
rows (`padded_size`), and the padding of ``X`` and of all vectors is zero. A padded vector is never shorter than a block
of rows. Arrays that start on a cache line (`aligned_zeros`) run up to twice as fast.
"""

# llvmlite's stubs are incomplete:
# pyright: reportAttributeAccessIssue=false, reportReturnType=false, reportAssignmentType=false, reportArgumentType=false

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from llvmlite import binding, ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

CACHE_LINE = 64
ROWS = 4  # four rows: their coefficients, sums and operands just fill the sixteen registers of AVX2


def _vector_bytes() -> int:
    """Return the length of the machine's vectors; where two halves are needed instead, LLVM sees to it."""
    try:
        return 64 if binding.get_host_cpu_features().get("avx512f") else 32
    except RuntimeError:  # LLVM does not know this processor
        return 32


VECTOR_BYTES = _vector_bytes()


def padded_width(width: int, dtype: np.dtype) -> int:
    """Round ``width`` up to whole vectors of the machine."""
    lanes = VECTOR_BYTES // np.dtype(dtype).itemsize
    return -(-width // lanes) * lanes


def padded_rows(rows: int) -> int:
    """Round ``rows`` up to whole blocks of rows."""
    return -(-rows // ROWS) * ROWS


def padded_size(rows: int, columns: int, dtype: np.dtype) -> int:
    """How many numbers a matrix takes, with its padding and up to the next cache line."""
    line = CACHE_LINE // np.dtype(dtype).itemsize
    return -(-padded_rows(rows) * padded_width(columns, dtype) // line) * line


def put(matrix: np.ndarray, flat: np.ndarray) -> None:
    """Write a matrix into zeros of `padded_size`, in the order of a pass."""
    rows, columns = matrix.shape
    whole = np.zeros((padded_rows(rows), padded_width(columns, flat.dtype)), flat.dtype)
    whole[:rows, :columns] = matrix
    flat[: whole.size] = whole.reshape(len(whole) // ROWS, ROWS, -1, _lanes_of(flat)).swapaxes(1, 2).reshape(-1)


def take(flat: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """The matrix of this shape that was `put`, as a new array."""
    rows, width = padded_rows(shape[0]), padded_width(shape[1], flat.dtype)
    blocks = flat[: rows * width].reshape(rows // ROWS, -1, ROWS, _lanes_of(flat))
    return np.array(blocks.swapaxes(1, 2).reshape(rows, width)[: shape[0], : shape[1]], order="C")


def _lanes_of(array: np.ndarray) -> int:
    return VECTOR_BYTES // array.itemsize


def aligned_zeros(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """Return a zero array whose first entry starts a cache line, so that no vector load is split in two."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    raw = np.zeros(size + CACHE_LINE, np.uint8)
    start = -raw.ctypes.data % CACHE_LINE
    return raw[start : start + size].view(dtype).reshape(shape)


class Lanes:
    """Vector loads, stores and arithmetic of one element type."""

    def __init__(self, builder: ir.IRBuilder, dtype: types.Type):
        self.builder = builder
        self.bits = dtype.bitwidth
        self.scalar = ir.DoubleType() if self.bits == 64 else ir.FloatType()
        self.count = VECTOR_BYTES * 8 // self.bits
        self.vector = ir.VectorType(self.scalar, self.count)
        self.zero = ir.Constant(self.vector, [0.0] * self.count)
        signature = ir.FunctionType(self.vector, [self.vector] * 3)
        name = f"llvm.fmuladd.v{self.count}f{self.bits}"
        self._fmuladd = cgutils.get_or_insert_function(builder.module, signature, name)

    def load(self, pointer: ir.Value, offset: ir.Value) -> ir.Value:
        """A vector from memory."""
        return self.builder.load(self._address(pointer, offset), align=self.bits // 8)

    def store(self, value: ir.Value, pointer: ir.Value, offset: ir.Value) -> None:
        """A vector to memory."""
        self.builder.store(value, self._address(pointer, offset), align=self.bits // 8)

    def multiply_add(self, x: ir.Value, y: ir.Value, z: ir.Value) -> ir.Value:
        """``x y + z``, fused."""
        return self.builder.call(self._fmuladd, [x, y, z])

    def what_is_left(self, pointer: ir.Value, offset: ir.Value) -> ir.Value:
        """What `shrunk` multiplies with, in all lanes, from a small number ``r``: ``1 + r`` in double precision.

        In single precision the rounding of ``1 + r`` would be a part of ``r`` that adds up over the steps.
        """
        r = self.broadcast(pointer, offset)
        return self.builder.fadd(r, ir.Constant(self.vector, [1.0] * self.count)) if self.bits == 64 else r

    def shrunk(self, value: ir.Value, left: ir.Value) -> ir.Value:
        """``value + r value``."""
        return self.builder.fmul(value, left) if self.bits == 64 else self.multiply_add(value, left, value)

    def block(self, row: ir.Value, width: ir.Value, column: ir.Value) -> list[ir.Value]:
        """Where one vector of each row of a block lies."""
        index, builder = row.type, self.builder
        here = builder.add(builder.mul(row, width), builder.mul(column, index(ROWS)))
        return [builder.add(here, index(k * self.count)) for k in range(ROWS)]

    def broadcast(self, pointer: ir.Value, offset: ir.Value) -> ir.Value:
        """One number in all lanes."""
        lane = self.builder.load(self.builder.gep(pointer, [offset]))
        first = self.builder.insert_element(ir.Constant(self.vector, ir.Undefined), lane, ir.IntType(32)(0))
        return self._pick(first, [0] * self.count)

    def store_sums(
        self,
        values: list[Any],
        pointer: ir.Value,
        offset: ir.Value,
        y: ir.Value | None = None,
        factor: Any = None,
    ) -> None:
        """Add all lanes of each of four vectors, and store the four sums side by side, or ``factor (sums - y)``.

        Halves first: lane k is added to lane k + half, and so on, the same tree on every machine with this length. The
        vectors go down the tree two in one, so that a step costs two picks for all of them.
        """
        length = self.count
        while length > 1:
            held = range(0, values[0].type.count, length)  # where the vectors begin that a value holds already
            low = [start + k for start in held for k in range(length // 2)]
            high = [place + length // 2 for place in low]
            pairs = list(zip(values[::2], values[1::2], strict=False)) or [(values[0], None)]
            values = [self.builder.fadd(self._pick(a, low, b), self._pick(a, high, b)) for a, b in pairs]
            length //= 2
        (sums,), align = values, self.bits // 8
        if y is not None:
            given = self.builder.load(self._sums_at(y, offset, sums), align=align)
            sums = self.builder.fmul(self.builder.fsub(sums, given), self._pick(factor, [0] * ROWS))
        self.builder.store(sums, self._sums_at(pointer, offset, sums), align=align)

    def _sums_at(self, pointer: ir.Value, offset: ir.Value, sums: ir.Value) -> ir.Value:
        return self.builder.bitcast(self.builder.gep(pointer, [offset]), sums.type.as_pointer())

    def _pick(self, value: ir.Value, lanes: Sequence[int], second: ir.Value | None = None) -> ir.Value:
        """These lanes of a vector; of two vectors these lanes of both."""
        size = value.type.count
        both = [*lanes, *(size + lane for lane in lanes)] if second is not None else list(lanes)
        mask = ir.Constant(ir.VectorType(ir.IntType(32), len(both)), both)
        return self.builder.shuffle_vector(value, second or ir.Constant(value.type, ir.Undefined), mask)

    def _address(self, pointer: ir.Value, offset: ir.Value) -> ir.Value:
        return self.builder.bitcast(self.builder.gep(pointer, [offset]), self.vector.as_pointer())


def _emit(operations, builder, lanes, X, rows, width, vectors) -> None:
    """Write the loops: blocks of rows outside, vectors of columns inside, ``operations`` innermost."""
    index = rows.type
    blocks, columns = (index(0), rows, index(ROWS)), (index(0), width, index(lanes.count))
    if "backward" in operations:
        with cgutils.for_range_slice(builder, *columns, intp=index) as (j, _):
            lanes.store(lanes.zero, vectors["d"], j)
    factor = lanes.what_is_left(vectors["r"], index(0)) if "shrink" in operations else None
    sums = [cgutils.alloca_once(builder, lanes.vector) for _ in range(ROWS)]
    with cgutils.for_range_slice(builder, *blocks, intp=index) as (r, _):
        block = [builder.add(r, index(k)) for k in range(ROWS)]
        # Coefficients of the rows are spread over all lanes once, before the columns are walked.
        e_rows = [lanes.broadcast(vectors["e"], row) for row in block] if "update" in operations else []
        a_rows = [lanes.broadcast(vectors["a"], row) for row in block] if "backward" in operations else []
        for total in sums:
            builder.store(lanes.zero, total)
        with cgutils.for_range_slice(builder, *columns, intp=index) as (j, _):
            c_j = lanes.load(vectors["c"], j) if "update" in operations else None
            b_j = lanes.load(vectors["b"], j) if "forward" in operations else None
            d_j = lanes.load(vectors["d"], j) if "backward" in operations else None
            for k, place in enumerate(lanes.block(r, width, j)):  # unrolled here: the compiler sees straight code
                w = lanes.load(X, place)
                for operation in operations:
                    if operation == "update":
                        w = lanes.multiply_add(e_rows[k], c_j, w)
                        lanes.store(w, X, place)
                    elif operation == "shrink":
                        w = lanes.shrunk(w, factor)  # stored by the update that follows
                    elif operation == "forward":
                        builder.store(lanes.multiply_add(w, b_j, builder.load(sums[k])), sums[k])
                    else:
                        d_j = lanes.multiply_add(a_rows[k], w, d_j)
            if "backward" in operations:
                lanes.store(d_j, vectors["d"], j)
        if "forward" in operations:
            lanes.store_sums([builder.load(total) for total in sums], vectors["t"], r)


def _emit_there_and_back(builder, lanes, X, rows, width, vectors) -> None:
    """Write the pass `there_and_back`.

    One block of rows is on its way back while the next one is on its way forward: else the processor would wait for its
    sums at every block.
    """
    index = rows.type
    columns = (index(0), width, index(lanes.count))
    factor, shrink = lanes.broadcast(vectors["f"], index(0)), lanes.what_is_left(vectors["r"], index(0))
    sums = [cgutils.alloca_once(builder, lanes.vector) for _ in range(ROWS)]

    def walk(r, back: bool, forward: bool) -> None:
        e_rows = [lanes.broadcast(vectors["e"], builder.add(r, index(k))) for k in range(ROWS)] if back else []
        following = builder.add(r, index(ROWS)) if back else r
        for total in sums:
            builder.store(lanes.zero, total)
        with cgutils.for_range_slice(builder, *columns, intp=index) as (j, _):
            b_j = lanes.load(vectors["b"], j)
            if forward:
                for place, total in zip(lanes.block(following, width, j), sums, strict=True):
                    builder.store(lanes.multiply_add(lanes.load(X, place), b_j, builder.load(total)), total)
            d_j = lanes.load(vectors["d"], j) if back else lanes.zero
            for place, e in zip(lanes.block(r, width, j), e_rows, strict=False):
                w = lanes.load(X, place)
                d_j = lanes.multiply_add(e, w, d_j)
                lanes.store(lanes.multiply_add(e, b_j, lanes.shrunk(w, shrink)), X, place)
            lanes.store(d_j, vectors["d"], j)
        if forward:
            lanes.store_sums([builder.load(total) for total in sums], vectors["e"], following, vectors["y"], factor)

    walk(index(0), back=False, forward=True)
    last = builder.sub(rows_in_blocks(builder, rows), index(ROWS))
    with cgutils.for_range_slice(builder, index(0), last, index(ROWS), intp=index) as (r, _):
        walk(r, back=True, forward=True)
    walk(last, back=True, forward=False)


def rows_in_blocks(builder, rows):
    """The number of rows, with those that fill up the last block."""
    return builder.and_(builder.add(rows, rows.type(ROWS - 1)), rows.type(-ROWS))


def _make_pass(operands: list[str], emit: Callable) -> Callable:
    """Return a numba function ``run(matrix, vectors)`` that does what `emit` writes.

    ``matrix`` is the tuple (flat array in which X lies, where it starts, its rows, its width in memory). ``vectors``
    is a tuple of arrays, one for each of the `operands`; they may be longer than needed. Instead of an array it may be
    a pair (array, where the vector starts in it): views that a loop makes and drops are counted, and counting them can
    take longer than a pass.
    """

    @intrinsic
    def run(typingctx, matrix, vectors):
        def codegen(context, builder, signature, arguments):
            def data(kind: Any, value: ir.Value) -> ir.Value:
                if isinstance(kind, types.BaseTuple):
                    array, start = cgutils.unpack_tuple(builder, value)
                    return builder.gep(data(kind[0], array), [start])
                return context.make_array(kind)(context, builder, value).data

            kinds, values = signature.args, [cgutils.unpack_tuple(builder, value) for value in arguments]
            entries, start, rows, width = values[0]
            X = builder.gep(data(kinds[0][0], entries), [start])
            pointers = [data(kind, value) for kind, value in zip(kinds[1], values[1], strict=True)]
            lanes = Lanes(builder, kinds[0][0].dtype)
            emit(builder, lanes, X, rows, width, dict(zip(operands, pointers, strict=True)))
            return context.get_dummy_value()

        return types.void(matrix, vectors), codegen  # numba compiles one variant for each type of arrays

    return run


@intrinsic
def prefetch(typingctx, array, start, count):
    """Ask for ``array[start : start + count]``, so that it lies in the nearest cache when it is wanted."""

    def codegen(context, builder, signature, arguments):
        kind = signature.args[0]
        data = context.make_array(kind)(context, builder, arguments[0]).data
        byte, flag = ir.IntType(8).as_pointer(), ir.IntType(32)
        declared = ir.FunctionType(ir.VoidType(), [byte, flag, flag, flag])
        ask = cgutils.get_or_insert_function(builder.module, declared, "llvm.prefetch.p0")
        place = builder.gep(data, [arguments[1]])
        line = arguments[2].type(CACHE_LINE * 8 // kind.dtype.bitwidth)
        with cgutils.for_range_slice(builder, line.type(0), arguments[2], line, intp=line.type) as (i, _):
            builder.call(ask, [builder.bitcast(builder.gep(place, [i]), byte), flag(0), flag(3), flag(1)])
        return context.get_dummy_value()

    return types.void(array, types.int64, types.int64), codegen


def _pass_of(*operations: str) -> Callable:
    """Return a pass that does `operations`, in this order, on each vector of X.

    Its vectors come in the order of the operations: ``e, c`` of an update, ``b, t`` of a forward product, ``a, d`` of a
    backward product, and ``r``, one number, of a shrink, which an update must follow.
    """
    names = {"update": "ec", "forward": "bt", "backward": "ad", "shrink": "r"}
    return _make_pass([name for operation in operations for name in names[operation]], partial(_emit, operations))


update = _pass_of("update")
forward = _pass_of("forward")
backward = _pass_of("backward")
backward_update = _pass_of("backward", "update")
backward_update_forward = _pass_of("backward", "update", "forward")
shrink_update = _pass_of("shrink", "update")
shrink_update_forward = _pass_of("shrink", "update", "forward")
backward_shrink_update = _pass_of("backward", "shrink", "update")
update_forward_backward = _pass_of("update", "forward", "backward")

# All that squared errors ask of the last factor, in one pass: e = f (X b - y), d = X^T e, X <- X + r X + e b^T.
# Its vectors: b, y, f (one number), e, d, r (one number).
there_and_back = _make_pass(list("byfedr"), _emit_there_and_back)
