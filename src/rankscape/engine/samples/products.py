"""Products of matrices that fit into the cache, as explicit vector instructions.

``C <- A B`` and ``C <- C + r C + A B`` for row-major ``B`` and ``C`` and any strides of ``A``, so that ``A`` may be
transposed. A tile of ``C`` stays in registers while the rows of ``B`` pass by. A library for large products would be
called with a few microseconds of work at a time, and its sums would depend on the machine's threads and kernels; here
their order is fixed.

Callers promise that the columns of ``B`` and ``C`` are whole vectors (`padding.padded_width`).
"""

# llvmlite's stubs are incomplete:
# pyright: reportAttributeAccessIssue=false, reportReturnType=false, reportArgumentType=false

from collections.abc import Callable
from typing import Any

from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from rankscape.engine import padding
from rankscape.engine.vectors import Lanes

# Rows and vectors of a tile: its sums, one row of B and a number of A fill the registers, 32 of AVX-512 or 16 of AVX2.
TILE = (6, 4) if padding.VECTOR_BYTES == 64 else (4, 3)


def _tile(lanes: Any, data: dict[str, Any], sizes: dict[str, Any], at: tuple[Any, Any], tile: tuple[int, int]) -> None:
    """``rows x vectors`` of C, from row i and column j on."""
    builder, (i, j), (rows, vectors) = lanes.builder, at, tile
    index = i.type
    times = lambda x, y: builder.mul(x, sizes[y])
    columns = [builder.add(j, index(v * lanes.count)) for v in range(vectors)]
    places = [[builder.add(times(builder.add(i, index(k)), "c"), column) for column in columns] for k in range(rows)]
    sums = [[cgutils.alloca_once(builder, lanes.vector) for _ in columns] for _ in range(rows)]
    for line, spots in zip(sums, places, strict=True):
        for total, place in zip(line, spots, strict=True):
            C = None if data["r"] is None else lanes.load(data["C"], place)
            builder.store(lanes.zero if C is None else lanes.shrunk(C, data["r"]), total)
    starts = [times(builder.add(i, index(k)), "a_row") for k in range(rows)]
    with cgutils.for_range(builder, sizes["K"], intp=index) as loop:
        B = [lanes.load(data["B"], builder.add(times(loop.index, "b"), column)) for column in columns]
        for start, line in zip(starts, sums, strict=True):
            a = lanes.broadcast(data["A"], builder.add(start, times(loop.index, "a_column")))
            for b, total in zip(B, line, strict=True):
                builder.store(lanes.multiply_add(a, b, builder.load(total)), total)
    for line, spots in zip(sums, places, strict=True):
        for total, place in zip(line, spots, strict=True):
            lanes.store(builder.load(total), data["C"], place)


def _emit(lanes: Any, data: dict[str, Any], sizes: dict[str, Any]) -> None:
    """Whole tiles first, then what is left below them and to their right."""
    builder, (M, N) = lanes.builder, (sizes["M"], sizes["N"])
    index, (rows, vectors) = M.type, TILE
    width = index(vectors * lanes.count)
    split_i, split_j = (builder.mul(builder.udiv(n, size), size) for n, size in ((M, index(rows)), (N, width)))
    for j_span, wide in (((index(0), split_j, width), vectors), ((split_j, N, index(lanes.count)), 1)):
        with cgutils.for_range_slice(builder, *j_span, intp=index) as (j, _):
            for i_span, high in (((index(0), split_i, index(rows)), rows), ((split_i, M, index(1)), 1)):
                with cgutils.for_range_slice(builder, *i_span, intp=index) as (i, _):
                    _tile(lanes, data, sizes, (i, j), (high, wide))


def _make_product(adds: bool) -> Callable[..., Any]:
    """A numba function ``run(C, A, B, sizes, r)``.

    ``C`` and ``B`` are tuples (flat array, start, numbers in a row), ``A`` (flat array, start, numbers from one row to
    the next, from one column to the next), ``sizes`` (rows of C, columns of C, columns of A), ``r`` an array of one
    number.
    """

    @intrinsic
    def run(typingctx, C, A, B, sizes, r):
        def codegen(context, builder, signature, arguments):
            kinds = signature.args
            C, A, B, (M, N, K) = (cgutils.unpack_tuple(builder, value) for value in arguments[:4])

            def pointer(kind, parts):
                return builder.gep(context.make_array(kind[0])(context, builder, parts[0]).data, [parts[1]])

            data = {name: pointer(k, v) for name, k, v in zip("CAB", kinds, (C, A, B), strict=False)}
            lanes = Lanes(builder, kinds[0][0].dtype)
            factor = context.make_array(kinds[4])(context, builder, arguments[4]).data
            data["r"] = lanes.what_is_left(factor, M.type(0)) if adds else None
            _emit(lanes, data, {"M": M, "N": N, "K": K, "c": C[2], "a_row": A[2], "a_column": A[3], "b": B[2]})
            return context.get_dummy_value()

        return types.void(C, A, B, sizes, r), codegen

    return run


product = _make_product(adds=False)
add_product = _make_product(adds=True)
