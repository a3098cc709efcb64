"""The loops over a program's table, compiled once a process for whatever net.

Values of a few images lie in one array, the images innermost: value (channel, row, column, image)
is at `((channel * plane) + row * pitch + column) * images + image` from the start of its layer's
part. A convolution with stride 1 and no padding is then the same for all of a row: each nonzero
adds a stretch of the input, shifted by as much as its place in the kernel says. `pad` lays out what
is given to any other so that it is one, too.

Every loop runs without the GIL, on one core: whoever has several gives each some of the images.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba.np.numpy_support import carray

from core.inference.sparse.compiling import compiled, contracted, entry
from core.inference.sparse.vectors import MAX_TILES, SUM_TILES

LOAD, SUM, SCATTER, POOL, PAD, STORE = range(6)
"""The first number of an operation's row; what the others are, each kernel says."""

WIDTH = 20
"""Numbers in a row of the table."""


def overrun(length: int) -> int:
    """How many values behind a stretch of `length` are written over, since tiles are whole."""
    return -length % _last_tile(length) if length > 1 else 0


def _last_tile(length: int) -> int:
    """The size of the tile that a stretch ends with."""
    rest = length % 64
    return next(size for size in (8, 16, 32, 64) if rest <= size)


def _load(row: Any, images: Any, first: int, count: int, block: int, work: Any) -> None:
    """Bring in images: to, values of an image."""
    to, values = row[1], row[2]
    for number in range(count):
        start = (first + number) * values
        for place in range(values):
            work[to + place * block + number] = images[start + place]


def _store(row: Any, work: Any, first: int, count: int, block: int, made: Any) -> None:
    """Take out results: from, channels, rows, columns, plane, pitch."""
    at, channels, rows, columns, plane, pitch = row[1:7]
    for number in range(count):
        place = (first + number) * channels * rows * columns
        for channel in range(channels):
            for y in range(rows):
                start = at + (channel * plane + y * pitch) * block + number
                for x in range(columns):
                    made[place] = work[start + x * block]
                    place += 1


def _sum(
    row: Any, starts: Any, shifts: Any, values: Any, biases: Any, block: int, work: Any
) -> None:
    """Sum what each unit reads.

    From, to; units, their first start and bias, relu; rows, values in each, pitch of the input,
    plane and pitch of the output, each times the images.
    """
    at, to, units, start, at_bias, relu, rows, length, pitch, plane, out_pitch = row[1:12]
    for number in range(units):
        first, last = starts[start + number], starts[start + number + 1]
        bias = biases[at_bias + number]
        for y in range(rows):
            target, source = to + number * plane + y * out_pitch, at + y * pitch
            if length == 1:
                made = bias + _dot(work, source, shifts, values, first, last)
                work[target] = np.float32(0) if relu and made < 0 else made
            else:
                _add_stretch(work, target, source, shifts, values, first, last, bias, relu, length)


def _dot_of(work: Any, at: int, shifts: Any, values: Any, first: int, last: int) -> Any:
    """The sum for one value; eight at a time, since an addition waits for the one before."""
    # Whole numbers without a sign: numba looks at the sign of any other index.
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


def _scatter_to(row: Any, starts: Any, shifts: Any, values: Any, biases: Any, work: Any) -> None:
    """Have each input of one image that is not what most are add to the units that read it.

    From, to; units, their first bias, and after the last what most inputs are; relu; inputs, where
    their places are listed, their first start.
    """
    at, to, units, at_bias, relu, inputs, listed, start = row[1:9]
    for number in range(units):
        work[to + number] = biases[at_bias + number]
    base, rest = np.uint64(to), biases[at_bias + units]
    for number in range(inputs):
        x = work[at + np.int64(shifts[listed + number])] - rest
        if x != 0:
            place, end = np.uint64(starts[start + number]), np.uint64(starts[start + number + 1])
            while place < end:
                work[base + shifts[place]] += values[place] * x
                place += np.uint64(1)
    for number in range(units if relu else 0):
        if work[to + number] < 0:
            work[to + number] = np.float32(0)


def _stretch_by(tiles: tuple[Any, ...]) -> Any:
    """The function that computes values in a row by tiles, of which the last may be too large."""
    tile8, tile16, tile32, tile64 = tiles

    def stretch(
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

    return compiled(stretch)


def _pool(row: Any, shifts: Any, values: Any, block: int, work: Any) -> None:
    """Take the largest of each window, row by row, and of these what strides do not skip.

    From, to; channels; plane and pitch of the input; rows, columns of the output; stride, two; the
    first and the last shift of the window; relu; where there is room for a row.
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


def _pad(row: Any, block: int, work: Any) -> None:
    """Lay something around the input, and what strides skip apart.

    From, to; channels, rows, columns, plane and pitch of the input; planes down and across, rows
    and columns in each; stride, padding, two each; whether for pooling, where nothing is smaller.
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
    block: int, images_at: Any, made_at: Any, begin: int, end: int, work_at: Any,
) -> None:  # fmt: skip
    """Run a program on the images from `begin` to `end`, `block` at a time.

    Arrays are told by their addresses. How long one is makes no difference: no index is looked at.
    """
    table = carray(table_at, (rows, WIDTH), np.int64)
    starts, shifts = carray(starts_at, (1,), np.int64), carray(shifts_at, (1,), np.uint32)
    values, biases = carray(values_at, (1,), np.float32), carray(biases_at, (1,), np.float32)
    images, made = carray(images_at, (1,), np.float32), carray(made_at, (1,), np.float32)
    work = carray(work_at, (1,), np.float32)
    for first in range(begin, end, block):
        count = min(block, end - first)
        for place in range(len(table)):
            row = table[place]
            if row[0] == SUM:
                _add_up(row, starts, shifts, values, biases, block, work)
            elif row[0] == SCATTER:
                _scatter(row, starts, shifts, values, biases, work)
            elif row[0] == POOL:
                _pool_all(row, shifts, values, block, work)
            elif row[0] == PAD:
                _lay_out(row, block, work)
            elif row[0] == LOAD:
                _bring_in(row, images, first, count, block, work)
            elif row[0] == STORE:
                _take_out(row, work, first, count, block, made)


_dot, _scatter = contracted(_dot_of), contracted(_scatter_to)
_add_stretch, _take_largest = _stretch_by(SUM_TILES), _stretch_by(MAX_TILES)
_add_up, _pool_all, _lay_out = compiled(_sum), compiled(_pool), compiled(_pad)
_bring_in, _take_out = compiled(_load), compiled(_store)

_entry = entry(
    _run,
    "void(i8, voidptr, voidptr, voidptr, voidptr, voidptr, i8, voidptr, voidptr, i8, i8, voidptr)",
)
run = _entry.ctypes
