"""One pass over a matrix, as explicit vector instructions.

Entry-wise SGD spends its time in three operations on an inner factor ``X`` (rows x width):

* ``update``:   ``X <- X + e c^T``   (the rank-one step),
* ``forward``:  ``t = X b``          (towards the output),
* ``backward``: ``d = X^T a``        (towards the input).

Each reads all of ``X``, so doing several of them while an entry is in a register saves most of the memory traffic.
Plain loops over several rows at once are left unvectorised by LLVM, because it cannot prove that the rows do not
overlap. So the pass is written here as LLVM vector code: blocks of four rows, one vector of columns at a time, and
for each vector of ``X`` the operations in the order in which they are named. The order of all sums is fixed by this
file, which makes the result independent of where the arrays lie in memory.

Callers keep three promises: the width is a multiple of the vector length (`padded_width`), ``X`` has whole blocks of
rows (`padded_rows`), and the padding of ``X`` and of all vectors is zero. A padded vector is never shorter than a block
of rows. Arrays that start on a cache line (`aligned_zeros`) run up to twice as fast.
"""

# llvmlite's stubs are incomplete:
# pyright: reportAttributeAccessIssue=false, reportReturnType=false, reportAssignmentType=false

from collections.abc import Callable

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


def aligned_zeros(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """Return a zero array whose first entry starts a cache line, so that no vector load is split in two."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    raw = np.zeros(size + CACHE_LINE, np.uint8)
    start = -raw.ctypes.data % CACHE_LINE
    return raw[start : start + size].view(dtype).reshape(shape)


class _Lanes:
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
        return self.builder.load(self._address(pointer, offset), align=self.bits // 8)

    def store(self, value: ir.Value, pointer: ir.Value, offset: ir.Value) -> None:
        self.builder.store(value, self._address(pointer, offset), align=self.bits // 8)

    def multiply_add(self, x: ir.Value, y: ir.Value, z: ir.Value) -> ir.Value:
        return self.builder.call(self._fmuladd, [x, y, z])

    def broadcast(self, pointer: ir.Value, offset: ir.Value) -> ir.Value:
        lane = self.builder.load(self.builder.gep(pointer, [offset]))
        first = self.builder.insert_element(ir.Constant(self.vector, ir.Undefined), lane, ir.IntType(32)(0))
        return self._pick(first, [0] * self.count)

    def sum(self, value: ir.Value) -> ir.Value:
        """Add all lanes, halves first: the same tree on every machine with this vector length."""
        length = self.count
        while length > 1:
            length //= 2
            low = self._pick(value, range(length))
            value = self.builder.fadd(low, self._pick(value, range(length, 2 * length)))
        return self.builder.extract_element(value, ir.IntType(32)(0))

    def _pick(self, value: ir.Value, lanes) -> ir.Value:
        mask = ir.Constant(ir.VectorType(ir.IntType(32), len(lanes)), list(lanes))
        return self.builder.shuffle_vector(value, ir.Constant(value.type, ir.Undefined), mask)

    def _address(self, pointer: ir.Value, offset: ir.Value) -> ir.Value:
        return self.builder.bitcast(self.builder.gep(pointer, [offset]), self.vector.as_pointer())


def _emit(builder, lanes, operations, X, rows, width, vectors) -> None:
    """Write the loops: blocks of rows outside, vectors of columns inside, ``operations`` innermost."""
    index = rows.type
    blocks, columns = (index(0), rows, index(ROWS)), (index(0), width, index(lanes.count))
    if "backward" in operations:
        with cgutils.for_range_slice(builder, *columns, intp=index) as (j, _):
            lanes.store(lanes.zero, vectors["d"], j)
    sums = [cgutils.alloca_once(builder, lanes.vector) for _ in range(ROWS)]
    with cgutils.for_range_slice(builder, *blocks, intp=index) as (r, _):
        block = [builder.add(r, index(k)) for k in range(ROWS)]
        starts = [builder.mul(row, width) for row in block]
        # Coefficients of the rows are spread over all lanes once, before the columns are walked.
        e_rows = [lanes.broadcast(vectors["e"], row) for row in block] if "update" in operations else []
        a_rows = [lanes.broadcast(vectors["a"], row) for row in block] if "backward" in operations else []
        for total in sums:
            builder.store(lanes.zero, total)
        with cgutils.for_range_slice(builder, *columns, intp=index) as (j, _):
            c_j = lanes.load(vectors["c"], j) if "update" in operations else None
            b_j = lanes.load(vectors["b"], j) if "forward" in operations else None
            d_j = lanes.load(vectors["d"], j) if "backward" in operations else None
            for k in range(ROWS):  # unrolled here, in Python: the compiler sees straight code
                place = builder.add(starts[k], j)
                w = lanes.load(X, place)
                for operation in operations:
                    if operation == "update":
                        w = lanes.multiply_add(e_rows[k], c_j, w)
                        lanes.store(w, X, place)
                    elif operation == "forward":
                        builder.store(lanes.multiply_add(w, b_j, builder.load(sums[k])), sums[k])
                    else:
                        d_j = lanes.multiply_add(a_rows[k], w, d_j)
            if "backward" in operations:
                lanes.store(d_j, vectors["d"], j)
        if "forward" in operations:
            for row, total in zip(block, sums, strict=True):
                builder.store(lanes.sum(builder.load(total)), builder.gep(vectors["t"], [row]))


def _make_pass(*operations: str) -> Callable:
    """Return a numba function ``run(matrix, vectors)`` that does ``operations``, in this order, on each vector of X.

    ``matrix`` is the tuple (flat array in which X lies, where it starts, its rows, its width in memory). ``vectors``
    is a tuple of arrays, two for each operation and in the same order: ``e, c`` of an update, ``b, t`` of a forward
    product, ``a, d`` of a backward product. They may be longer than needed.
    """
    names = {"update": ("e", "c"), "forward": ("b", "t"), "backward": ("a", "d")}
    operands = [name for operation in operations for name in names[operation]]

    @intrinsic
    def run(typingctx, matrix, vectors):
        def codegen(context, builder, signature, arguments):
            def data(kind, value):
                return context.make_array(kind)(context, builder, value).data

            kinds, values = signature.args, [cgutils.unpack_tuple(builder, value) for value in arguments]
            entries, start, rows, width = values[0]
            X = builder.gep(data(kinds[0][0], entries), [start])
            pointers = [data(kind, value) for kind, value in zip(kinds[1], values[1], strict=True)]
            lanes = _Lanes(builder, kinds[0][0].dtype)
            _emit(builder, lanes, operations, X, rows, width, dict(zip(operands, pointers, strict=True)))
            return context.get_dummy_value()

        return types.void(matrix, vectors), codegen  # numba compiles one variant for each type of arrays

    return run


update = _make_pass("update")
forward = _make_pass("forward")
backward = _make_pass("backward")
backward_update = _make_pass("backward", "update")
backward_update_forward = _make_pass("backward", "update", "forward")
update_forward_backward = _make_pass("update", "forward", "backward")
