"""Adjacent layers as a table of numbers that the kernels run without Python.

Layer outputs alternate between two halves of the workspace.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.inference.sparse import kernels
from core.inference.sparse.layers import ONES, ZEROS, KernelLayer, MaxPool, Pair, WeightLayer, taps

Floats = NDArray[np.float32]
T = TypeVar("T", bound=np.generic)
Places = NDArray[np.int64]

SPARE = 64
"""Spare values after each half of the workspace, which the last tile of a span may overrun."""

LANES = 8
"""Approximate number of values a CPU adds at once, for comparing costs."""


@dataclass(frozen=True, slots=True)
class Layout:
    """A memory layout: (channel, row, column) is at `channel * plane + row * pitch + column`."""

    channels: int
    size: Pair
    pitch: int
    plane: int

    @classmethod
    def contiguous(cls, channels: int, size: Pair) -> Layout:
        """A layout without gaps."""
        return cls(channels, size, size[1], prod(size))

    @property
    def values(self) -> int:
        """The number of values it spans."""
        return self.channels * self.plane


class Program:
    """One or more layers run in one call, on `block` images at a time.

    The input has `channels`, and `size` rows and columns; `background` is its most frequent value.
    For single images, linear layers skip inputs of this value, or of 0 after the first layer; None
    to skip nothing.
    """

    def __init__(
        self,
        layers: Sequence[KernelLayer], channels: int, size: Pair, block: int,
        background: float | None = 0.0,
    ) -> None:  # fmt: skip
        self.block = block
        self._rows: list[list[int]] = []
        self._starts: list[Places] = []
        self._shifts: list[Places] = []
        self._values: list[Floats] = []
        self._biases: list[Floats] = []
        self._half_sizes = [0, 0]
        self._row_buffer = 0
        layout = Layout.contiguous(channels, size)
        self._add(kernels.LOAD, layout.values)
        self._reserve(layout)
        for layer in layers:
            if isinstance(layer, MaxPool):
                layout = self._add_pool(layer, layout)
            elif block == 1 and background is not None and _reads_all(layer, layout):
                layout = self._add_scatter(layer, layout, background if layer is layers[0] else 0.0)
            else:
                layout = self._add_sum(layer, layout)
        self._add(kernels.STORE, layout.channels, *layout.size, layout.plane, layout.pitch)
        self.values = layout.channels * prod(layout.size)
        self._assemble()

    def run(self, images: Tensor, outputs: Tensor, begin: int, end: int, work: Tensor) -> None:
        """Compute the results of the images from `begin` to `end`, exclusive.

        Tensors are contiguous float32: all images, all results (`values` per image), and a
        workspace of `memory` values that only this call uses.
        """
        table, starts, shifts, values, biases = self._tables
        kernels.run(
            len(self._rows), table.data_ptr(), starts.data_ptr(), shifts.data_ptr(),
            values.data_ptr(), biases.data_ptr(), self.block, images.data_ptr(), outputs.data_ptr(),
            begin, end, work.data_ptr(),
        )  # fmt: skip

    @property
    def memory(self) -> int:
        """Size of a run's workspace, in values."""
        return sum(self._half_sizes) + self._row_buffer + 3 * SPARE

    def _assemble(self) -> None:
        """Fill in the offsets of the workspace's parts, and turn all lists into tensors."""
        second = self._half_sizes[0] + SPARE
        parts = 0, second
        table = np.zeros((len(self._rows), kernels.WIDTH), np.int64)
        for place, (kind, *numbers) in enumerate(self._rows):
            source, target = parts[(place + 1) % 2], parts[place % 2]
            ends = {kernels.LOAD: [target], kernels.STORE: [source]}.get(kind, [source, target])
            buffer = [second + self._half_sizes[1] + SPARE] if kind == kernels.POOL else []
            row = [kind, *ends, *numbers, *buffer]
            table[place, : len(row)] = row
        tables = (
            table,
            _joined(self._starts, np.int64),
            _joined(self._shifts, np.uint32).view(np.int32),  # torch cannot pickle uint32
            _joined(self._values, np.float32),
            _joined(self._biases, np.float32),
        )
        self._tables = tuple(map(torch.from_numpy, tables))  # data_ptr() is fast
        for lists in (self._starts, self._shifts, self._values, self._biases):
            lists.clear()

    def _add(self, kind: int, *numbers: int) -> None:
        self._rows.append([kind, *numbers])

    def _reserve(self, layout: Layout) -> Layout:
        """Reserve workspace for the last operation's result."""
        part = (len(self._rows) - 1) % 2
        self._half_sizes[part] = max(self._half_sizes[part], layout.values * self.block)
        return layout

    def _add_pool(self, pool: MaxPool, layout: Layout) -> Layout:
        ends = [int(tap[-1]) + 1 for tap in taps(pool)]
        steps = zip(pool.out, pool.stride, ends, strict=True)
        rows, columns = ((out - 1) * stride + end for out, stride, end in steps)
        if pool.padding != ZEROS or rows > layout.size[0] or columns > layout.size[1]:
            source = (layout.channels, *layout.size, layout.plane, layout.pitch)
            self._add(kernels.PAD, *source, *ONES, rows, columns, *ONES, *pool.padding, 1)
            layout = self._reserve(Layout.contiguous(layout.channels, (rows, columns)))
        line, column = taps(pool)
        window = (line[:, None] * layout.pitch + column).reshape(-1) * self.block
        first = self._store_list(window, np.zeros(len(window), np.float32))
        row = ((pool.out[1] - 1) * pool.stride[1] + 1) * self.block
        self._row_buffer = max(self._row_buffer, row)
        place = (layout.channels, layout.plane, layout.pitch, *pool.out, *pool.stride)
        self._add(kernels.POOL, *place, first, first + len(window), int(pool.relu))
        return self._reserve(Layout.contiguous(layout.channels, pool.out))

    def _add_sum(self, layer: WeightLayer, layout: Layout) -> Layout:
        if _needs_no_padding(layer, layout):
            offsets = _offsets(layer, layout)
        else:
            layout, offsets = self._add_padding(layer, layout)
        return self._add_spans(layer, layout, *self._store_weights(layer, layout, offsets))

    def _add_scatter(self, layer: WeightLayer, layout: Layout, background: float) -> Layout:
        """Add input by input, skipping inputs equal to `background`.

        The biases include the units' outputs for an input of `background` everywhere.
        """
        weight = layer.weight.reshape(layer.channels, -1).T
        inputs, units = weight.nonzero()
        read, counts = np.unique(inputs, return_counts=True)
        places = _offsets(layer, layout).reshape(-1)[read]
        listed = self._store_list(places, np.zeros(len(read), np.float32))
        first = self._store_lists(counts, units, weight[inputs, units])
        biases = layer.bias + background * weight.sum(0, dtype=np.float64)
        bias = _append(self._biases, np.append(biases, background).astype(np.float32))
        self._add(kernels.SCATTER, layer.channels, bias, int(layer.relu), len(read), listed, first)
        return self._reserve(Layout.contiguous(layer.channels, ONES))

    def _add_padding(self, layer: WeightLayer, layout: Layout) -> tuple[Layout, Places]:
        """Add an operation that pads a layer's input and splits it by the phases of the stride.

        Returns:
            The layout of an input for a convolution without stride and padding, and the offsets
            of the inputs of the first result of a unit of the first group.
        """
        steps = zip(taps(layer), layer.stride, strict=True)
        (phase_y, line), (phase_x, column) = ((tap % step, tap // step) for tap, step in steps)
        planes = int(phase_y.max()) + 1, int(phase_x.max()) + 1
        size = int(line.max()) + layer.out[0], int(column.max()) + layer.out[1]
        source = (layout.channels, *layout.size, layout.plane, layout.pitch)
        self._add(kernels.PAD, *source, *planes, *size, *layer.stride, *layer.padding)
        padded = self._reserve(Layout.contiguous(layout.channels * prod(planes), size))
        phase = phase_y[:, None] * planes[1] + phase_x
        channel = np.arange(layer.weight.shape[1])[:, None, None] * prod(planes) + phase
        return padded, channel * padded.plane + line[:, None] * padded.pitch + column

    def _store_weights(
        self, layer: WeightLayer, layout: Layout, offsets: Places
    ) -> tuple[int, int]:
        """Store a layer's nonzeros by unit; returns the numbers of the first list and bias."""
        group = layer.channels // layer.groups
        group_plane = layout.channels // layer.groups * layout.plane
        units, places = layer.weight.reshape(layer.channels, -1).nonzero()
        shifts = offsets.reshape(-1)[places] + units // group * group_plane
        counts = np.bincount(units, minlength=layer.channels)
        weights = layer.weight[layer.weight != 0]
        first = self._store_lists(counts, shifts * self.block, weights)
        return first, _append(self._biases, layer.bias)

    def _store_lists(self, counts: Places, shifts: Places, values: Floats) -> int:
        """Store lists of `counts` shifts and values; returns the number of the first list."""
        ends = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])
        return _append(self._starts, self._store_list(shifts, values) + ends)

    def _store_list(self, shifts: Places, values: Floats) -> int:
        """Store shifts and values; returns the index of the first."""
        self._shifts.append(shifts)
        return _append(self._values, values)

    def _add_spans(self, layer: WeightLayer, layout: Layout, first: int, bias: int) -> Layout:
        """Sum row by row, or all rows with the gaps between them in one span if that is cheaper."""
        block, (rows, columns) = self.block, layer.out
        whole = ((rows - 1) * layout.pitch + columns) * block
        in_one = _span_cost(whole) <= rows * _span_cost(columns * block)
        lines, length = (1, whole) if in_one else (rows, columns * block)
        pitch = layout.pitch if in_one else columns
        last = (lines - 1) * pitch * block + length + kernels.overrun(length)
        result = Layout(layer.channels, layer.out, pitch, -(-last // block))
        steps = (layout.pitch * block, result.plane * block, pitch * block)
        self._add(kernels.SUM, layer.channels, first, bias, int(layer.relu), lines, length, *steps)
        return self._reserve(result)


def _append(parts: list[NDArray[T]], part: NDArray[T]) -> int:
    """Append an array to others; returns the index of its first element among all of them."""
    parts.append(part)
    return sum(map(len, parts[:-1]))


def _joined(parts: Sequence[NDArray[Any]], kind: type[T]) -> NDArray[T]:
    return np.concatenate([np.zeros(0, kind), *parts]).astype(kind)


def _reads_all(layer: WeightLayer, layout: Layout) -> bool:
    """Whether each unit reads the whole input, as in a linear layer."""
    return layer.groups == 1 and layer.out == ONES and _needs_no_padding(layer, layout)


def _needs_no_padding(layer: WeightLayer, layout: Layout) -> bool:
    """Whether it has stride 1 and reads exactly its input."""
    ends = tuple(int(tap[-1]) + out for tap, out in zip(taps(layer), layer.out, strict=True))
    return layer.stride == ONES and layer.padding == ZEROS and ends == layout.size


def _offsets(layer: WeightLayer, layout: Layout) -> Places:
    """The offsets of the inputs of the first result of a unit of the first group."""
    channel = np.arange(layer.weight.shape[1])[:, None, None]
    line, column = taps(layer)
    return channel * layout.plane + line[:, None] * layout.pitch + column


def _span_cost(length: int) -> int:
    """The cost of a span: the vectors in its tiles, and the start of a loop."""
    return (length + kernels.overrun(length)) // LANES + 2
