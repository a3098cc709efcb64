"""The loops over a program's table, compiled once for all nets.

The values of a block of images are in one array, images innermost: value (channel, row, column,
image) is at `((channel * plane) + row * pitch + column) * images + image` from the start of its
layer's part. In a convolution with stride 1 and no padding, each nonzero then adds a span of the
input to a whole row, shifted by the nonzero's position in the kernel. `_pad` prepares the input of
any other convolution so that this holds.

The loops run without the GIL, on one core; callers give each thread some of the images.
"""

from typing import Any

import numpy as np
from numba.np.numpy_support import carray

from core.inference.sparse.compiling import compiled, contracted, entry
from core.inference.sparse.vectors import MAX_TILES, SUM_TILES

LOAD, SUM, SCATTER, POOL, PAD, STORE = range(6)
"""The first number of an operation's row; each kernel documents the others."""

WIDTH = 20
"""Numbers in a row of the table."""


def overrun(length: int) -> int:
    """The number of values that a span's last tile overwrites beyond its `length`."""
    tile = next(size for size in (8, 16, 32, 64) if length % 64 <= size)
    return -length % tile if length > 1 else 0


@compiled
def _load(row: Any, images: Any, first: int, count: int, block: int, work: Any) -> None:
    """Load images: to, values per image."""
    to, values = row[1], row[2]
    for number in range(count):
        start = (first + number) * values
        for place in range(values):
            work[to + place * block + number] = images[start + place]


@compiled
def _store(row: Any, work: Any, first: int, count: int, block: int, outputs: Any) -> None:
    """Store results: from, channels, rows, columns, plane, pitch."""
    at, channels, rows, columns, plane, pitch = row[1:7]
    for number in range(count):
        place = (first + number) * channels * rows * columns
        for channel in range(channels):
            for y in range(rows):
                start = at + (channel * plane + y * pitch) * block + number
                for x in range(columns):
                    outputs[place] = work[start + x * block]
                    place += 1


@compiled
def _sum(
    row: Any, starts: Any, shifts: Any, values: Any, biases: Any, block: int, work: Any
) -> None:
    """Compute the weighted sums of all units.

    From, to; units, their first start and bias, relu; rows, values per row, pitch of the input,
    plane and pitch of the output (the last four times the images).
    """
    at, to, units, start, at_bias, relu, rows, length, pitch, plane, out_pitch = row[1:12]
    for number in range(units):
        first, last = starts[start + number], starts[start + number + 1]
        bias = biases[at_bias + number]
        for y in range(rows):
            target, source = to + number * plane + y * out_pitch, at + y * pitch
            if length == 1:
                total = bias + _dot(work, source, shifts, values, first, last)
                work[target] = np.float32(0) if relu and total < 0 else total
            else:
                _add_span(work, target, source, shifts, values, first, last, bias, relu, length)


@contracted
def _dot(work: Any, at: int, shifts: Any, values: Any, first: int, last: int) -> Any:
    """One weighted sum, in eight partial sums, since an addition waits for the previous one."""
    # Unsigned indices: numba checks the sign of any others.
    here, place, end = np.uint64(at), np.uint64(first), np.uint64(last)
    a = b = c = d = e = f = g = h = np.float32(0)
    while end - place >= np.uint64(8):
        a += values[place] * work[here + shifts[place]]
        b += values[place + np.uint64(1)] * work[here + shifts[place + np.uint64(1)]]
        c += values[place + np.uint64(2)] * work[here + shifts[place + np.uint64(2)]]
        d += values[place + np.uint64(3)] * work[here + shifts[place + np.uint64(3)]]
        e += values[place + np.uint64(4)] * work[here + shifts[place + np.uint64(4)]]
        f += values[place + np.uint64(5)] * work[here + shifts[place + np.uint64(5)]]
        g += values[place + np.uint64(6)] * work[here + shifts[place + np.uint64(6)]]
        h += values[place + np.uint64(7)] * work[here + shifts[place + np.uint64(7)]]
        place += np.uint64(8)
    while place < end:
        a += values[place] * work[here + shifts[place]]
        place += np.uint64(1)
    return ((a + b) + (c + d)) + ((e + f) + (g + h))


@contracted
def _scatter(row: Any, starts: Any, shifts: Any, values: Any, biases: Any, work: Any) -> None:
    """Add each input of one image that differs from the background to the units that read it.

    From, to; units, their first bias (the background follows the last bias); relu; inputs, the
    index of their offsets, their first start.
    """
    at, to, units, at_bias, relu, inputs, listed, start = row[1:9]
    for number in range(units):
        work[to + number] = biases[at_bias + number]
    base, background = np.uint64(to), biases[at_bias + units]
    for number in range(inputs):
        x = work[at + np.int64(shifts[listed + number])] - background
        if x != 0:
            place, end = np.uint64(starts[start + number]), np.uint64(starts[start + number + 1])
            while place < end:
                work[base + shifts[place]] += values[place] * x
                place += np.uint64(1)
    for number in range(units if relu else 0):
        if work[to + number] < 0:
            work[to + number] = np.float32(0)


def _span_by(tiles: tuple[Any, ...]) -> Any:
    """The function that computes a span in tiles, the last of which may overrun it."""
    tile8, tile16, tile32, tile64 = tiles

    def span(
        work: Any, to: int, at: int, shifts: Any, values: Any, first: int, last: int, start: Any,
        relu: int, length: int,
    ) -> None:  # fmt: skip
        done = 0
        while length - done > 32:
            tile64(work, to + done, work, at + done, shifts, values, first, last, start, relu)
            done += 64
        if length - done > 16:
            tile32(work, to + done, work, at + done, shifts, values, first, last, start, relu)
        elif length - done > 8:
            tile16(work, to + done, work, at + done, shifts, values, first, last, start, relu)
        elif length - done > 0:
            tile8(work, to + done, work, at + done, shifts, values, first, last, start, relu)

    return compiled(span)


_add_span, _take_largest = _span_by(SUM_TILES), _span_by(MAX_TILES)


@compiled
def _pool(row: Any, shifts: Any, values: Any, block: int, work: Any) -> None:
    """Max pooling: all windows of a row, of which the stride then selects some.

    From, to; channels; plane and pitch of the input; rows, columns of the output; two strides; the
    first and last shift of the window; relu; the offset of a row buffer.
    """
    at, to, channels, plane, pitch, rows, columns, down, right, first, last, relu, aside = row[1:14]
    start = np.float32(0) if relu else np.float32(-np.inf)
    length = ((columns - 1) * right + 1) * block
    for channel in range(channels):
        for y in range(rows):
            source = at + (channel * plane + y * down * pitch) * block
            _take_largest(work, aside, source, shifts, values, first, last, start, 0, length)
            for x in range(columns):
                for number in range(block):
                    work[to + number] = work[aside + x * right * block + number]
                to += block


@compiled
def _pad(row: Any, block: int, work: Any) -> None:
    """Pad the input, and split it into planes by the phases of the stride.

    From, to; channels, rows, columns, plane and pitch of the input; planes down and across, rows
    and columns in each; two strides, two paddings; whether to pad with -inf, for max pooling.
    """
    at, to, channels, rows, columns, plane, pitch, planes_y, planes_x = row[1:10]
    out_rows, out_columns, down, right, above, before, pooled = row[10:17]
    around = np.float32(-np.inf) if pooled else np.float32(0)
    for channel in range(channels):
        source = at + channel * plane * block
        for phase in range(planes_y * planes_x):
            top, left = phase // planes_x - above, phase % planes_x - before
            for y in range(out_rows):
                line = y * down + top
                for x in range(out_columns):
                    column = x * right + left
                    inside = 0 <= line < rows and 0 <= column < columns
                    start = source + (line * pitch + column) * block
                    for number in range(block):
                        work[to + number] = work[start + number] if inside else around
                    to += block


def _run(
    rows: int, table_at: Any, starts_at: Any, shifts_at: Any, values_at: Any, biases_at: Any,
    block: int, images_at: Any, outputs_at: Any, begin: int, end: int, work_at: Any,
) -> None:  # fmt: skip
    """Run a program on the images from `begin` to `end`, `block` at a time.

    Arrays are given by their addresses; their lengths do not matter, since indices are unchecked.
    """
    table = carray(table_at, (rows, WIDTH), np.int64)
    starts, shifts = carray(starts_at, (1,), np.int64), carray(shifts_at, (1,), np.uint32)
    values, biases = carray(values_at, (1,), np.float32), carray(biases_at, (1,), np.float32)
    images, outputs = carray(images_at, (1,), np.float32), carray(outputs_at, (1,), np.float32)
    work = carray(work_at, (1,), np.float32)
    for first in range(begin, end, block):
        count = min(block, end - first)
        for place in range(len(table)):
            row = table[place]
            if row[0] == SUM:
                _sum(row, starts, shifts, values, biases, block, work)
            elif row[0] == SCATTER:
                _scatter(row, starts, shifts, values, biases, work)
            elif row[0] == POOL:
                _pool(row, shifts, values, block, work)
            elif row[0] == PAD:
                _pad(row, block, work)
            elif row[0] == LOAD:
                _load(row, images, first, count, block, work)
            elif row[0] == STORE:
                _store(row, work, first, count, block, outputs)


_entry = entry(
    _run,
    "void(i8, voidptr, voidptr, voidptr, voidptr, voidptr, i8, voidptr, voidptr, i8, i8, voidptr)",
)
run = _entry.ctypes
