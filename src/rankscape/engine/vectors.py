"""Vector instructions of LLVM: loads, stores, multiply-adds and sums over lanes, of one element type."""

# llvmlite's stubs are incomplete:
# pyright: reportAttributeAccessIssue=false, reportReturnType=false, reportAssignmentType=false, reportArgumentType=false

from collections.abc import Sequence
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils

from rankscape.engine.padding import ROWS, VECTOR_BYTES


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
