"""One tile of a layer's output in registers, in LLVM: no Python loop compiles to this.

For the loop `out[i] += value * x[i + shift]`, a compiler loads and stores the output once per
nonzero. Here a tile of the output stays in registers across all nonzeros of its row: one load and
one multiply-add per nonzero and vector.
"""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

_FLOAT, _INDEX = ir.FloatType(), ir.IntType(64)


Combine = Callable[[Any, Any, Any, Any], Any]
"""Takes builder, sum or maximum so far, nonzero and input; returns the new sum or maximum."""


def _tiles(combine: Combine) -> tuple[Any, ...]:
    """Functions that compute 8, 16, 32 and 64 contiguous values.

    `tile(out, to, x, at, shifts, values, first, last, start, relu)` begins with `start`, combines
    it with `values[k]` and `x[at + shifts[k] + i]` for k from `first` up to `last`, applies a ReLU
    if `relu` is set, and writes the result to `out[to + i]`. Arrays are float32, shifts uint32.
    The compiler splits vectors of 16 as the processor requires.
    """
    return tuple(
        _tile(combine, lanes, vectors) for lanes, vectors in ((8, 1), (16, 1), (16, 2), (16, 4))
    )


def _tile(combine: Combine, lanes: int, vectors: int) -> Any:
    def tile(
        typing: Any, out: Any, to: Any, x: Any, at: Any, shifts: Any, values: Any,
        first: Any, last: Any, start: Any, relu: Any,
    ) -> Any:  # fmt: skip
        parameters = (out, to, x, at, shifts, values, first, last, start, relu)

        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            arrays = {
                place: context.make_array(signature.args[place])(context, builder, args[place]).data
                for place in (0, 2, 4, 5)
            }
            _emit(combine, builder, lanes, vectors, args, arrays)
            return context.get_dummy_value()

        return types.void(*parameters), generate

    return intrinsic(tile)


def _emit(combine: Combine, builder: Any, lanes: int, vectors: int, args: Any, arrays: Any) -> None:
    kind = ir.VectorType(_FLOAT, lanes)
    start = _broadcast(builder, args[8], kind)
    results = [cgutils.alloca_once_value(builder, start) for _ in range(vectors)]
    source = builder.gep(arrays[2], [args[3]])
    with cgutils.for_range_slice(builder, args[6], args[7], _INDEX(1)) as (place, _):
        shift = builder.zext(builder.load(builder.gep(arrays[4], [place])), _INDEX)
        value = _broadcast(builder, builder.load(builder.gep(arrays[5], [place])), kind)
        row = builder.gep(source, [shift])
        for number, result in enumerate(results):
            x = builder.load(_vector(builder, row, number * lanes, kind), align=4)
            builder.store(combine(builder, builder.load(result), value, x), result)
    target, zero = builder.gep(arrays[0], [args[1]]), ir.Constant(kind, None)
    relu = builder.trunc(args[9], ir.IntType(1))
    for number, result in enumerate(results):
        total = builder.load(result)
        rectified = builder.select(builder.fcmp_ordered("<", total, zero), zero, total)
        total = builder.select(relu, rectified, total)
        builder.store(total, _vector(builder, target, number * lanes, kind), align=4)


def _multiply_add(builder: Any, total: Any, value: Any, x: Any) -> Any:
    """A multiply-add, fused if the processor supports that."""
    name = f"llvm.fmuladd.v{total.type.count}f32"
    kind = ir.FunctionType(total.type, [total.type] * 3)
    return builder.call(
        cgutils.get_or_insert_function(builder.module, kind, name), [value, x, total]
    )


def _maximum(builder: Any, best: Any, _value: Any, x: Any) -> Any:
    """The maximum; NaN stays NaN, as in torch."""
    larger = builder.fcmp_ordered("<", best, x)
    return builder.select(builder.or_(larger, builder.fcmp_unordered("uno", x, x)), x, best)


def _broadcast(builder: Any, number: Any, kind: Any) -> Any:
    """A vector of one repeated number."""
    first = builder.insert_element(ir.Constant(kind, ir.Undefined), number, ir.IntType(32)(0))
    order = ir.Constant(ir.VectorType(ir.IntType(32), kind.count), None)
    return builder.shuffle_vector(first, ir.Constant(kind, ir.Undefined), order)


def _vector(builder: Any, row: Any, offset: int, kind: Any) -> Any:
    return builder.bitcast(builder.gep(row, [_INDEX(offset)]), kind.as_pointer())


SUM_TILES, MAX_TILES = _tiles(_multiply_add), _tiles(_maximum)
"""Tiles of 8, 16, 32 and 64 values."""
