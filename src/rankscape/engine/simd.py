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

Callers keep three promises, for which there is `padding`: the width is a multiple of the vector length
(`padded_width`), ``X`` has whole blocks of rows (`padded_size`), and the padding of ``X`` and of all vectors is zero. A
padded vector is never shorter than a block of rows. Arrays that start on a cache line (`aligned_zeros`) run up to twice
as fast.
"""

# llvmlite's stubs are incomplete:
# pyright: reportAttributeAccessIssue=false, reportReturnType=false, reportAssignmentType=false, reportArgumentType=false

from collections.abc import Callable
from functools import partial
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from rankscape.engine.padding import CACHE_LINE, ROWS
from rankscape.engine.vectors import Lanes


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
