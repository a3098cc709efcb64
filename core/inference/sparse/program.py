"""Adjacent layers as a table of numbers that the kernels run without Python.

Layer outputs alternate between two halves of the memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from math import prod
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.inference.sparse import kernels
from core.inference.sparse.layers import ONES, ZEROS, KernelLayer, MaxPool, Pair, WeightLayer

Floats = NDArray[np.float32]
T = TypeVar("T", bound=np.generic)
Places = NDArray[np.int64]

SPARE = 64
"""Spare values after each half of the memory: the last tile of a stretch may overrun it."""

LANES = 8
"""Approximate number of values a CPU adds at once, for comparing stretches."""


@dataclass(frozen=True, slots=True)
class Layout:
    """A memory layout: (channel, row, column) is at `channel * plane + row * pitch + column`.

    Attributes:
        channels: number of channels.
        size: rows and columns.
        pitch: distance between rows.
        plane: distance between channels.
    """

    channels: int
    size: Pair
    pitch: int
    plane: int

    @classmethod
    def contiguous(cls, channels: int, size: Pair) -> Layout:
        """Without gaps."""
        return cls(channels, size, size[1], prod(size))

    @property
    def values(self) -> int:
        """From the first to the end of the last channel."""
        return self.channels * self.plane


class Program:
    """Layers run in one call, on `block` images at a time.

    Args:
        layers: at least one.
        channels: channels of the first layer's input.
        size: rows and columns of that input.
        block: images per pass.
        background: the most frequent input value, such as an image's background: for single images,
            linear layers skip it, and zeros in later layers; None to skip nothing.
    """

    def __init__(
        self,
        layers: Sequence[KernelLayer],
        channels: int,
        size: Pair,
        block: int,
        background: float | None = 0.0,
    ) -> None:
        self.block = block
        self._rows: list[list[int]] = []
        self._starts: list[NDArray[np.int64]] = []
        self._shifts: list[NDArray[np.int64]] = []
        self._values: list[Floats] = []
        self._biases: list[Floats] = []
        self._lists = self._units = self._nonzero = 0
        self._half_sizes = [0, 0]
        self._row_buffer = 0
        view = Layout.contiguous(channels, size)
        self._add(kernels.LOAD, view.values)
        self._reserve(view)
        for layer in layers:
            if isinstance(layer, MaxPool):
                view = self._add_pool(layer, view)
            elif block == 1 and background is not None and _reads_all(layer, view):
                view = self._add_scatter(layer, view, background if layer is layers[0] else 0.0)
            else:
                view = self._add_sum(layer, view)
        self._add(kernels.STORE, view.channels, *view.size, view.plane, view.pitch)
        self.values = view.channels * prod(view.size)
        self._assemble()

    def run(self, images: Tensor, made: Tensor, begin: int, end: int, work: Tensor) -> None:
        """Compute the results for some of the images; tensors are contiguous float32.

        Args:
            images: all values of all images, one after another.
            made: receives all values of all results, `values` per image.
            begin: the first image.
            end: one past the last image.
            work: workspace of `memory` values, exclusive to this call.
        """
        table, starts, shifts, values, biases = self._tables
        kernels.run(
            len(self._rows), table.data_ptr(), starts.data_ptr(), shifts.data_ptr(),
            values.data_ptr(), biases.data_ptr(), self.block, images.data_ptr(), made.data_ptr(),
            begin, end, work.data_ptr(),
        )  # fmt: skip

    @property
    def memory(self) -> int:
        """Size of a run's workspace, in values."""
        return sum(self._half_sizes) + self._row_buffer + 3 * SPARE

    def _assemble(self) -> None:
        """Fill in where the parts of the memory are, and make arrays of it all."""
        second = self._half_sizes[0] + SPARE
        parts = 0, second
        table = np.zeros((len(self._rows), kernels.WIDTH), np.int64)
        for place, row in enumerate(self._rows):
            here, there = parts[(place + 1) % 2], parts[place % 2]
            if row[0] in (kernels.LOAD, kernels.STORE):
                row = [row[0], there if row[0] == kernels.LOAD else here, *row[1:]]
            else:
                row = [row[0], here, there, *row[1:]]
            if row[0] == kernels.POOL:
                row.append(second + self._half_sizes[1] + SPARE)
            table[place, : len(row)] = row
        tables = (
            table,
            np.array([*chain(*self._starts)], np.int64),
            _joined(self._shifts, np.uint32).view(np.int32),  # not every type can be pickled
            _joined(self._values, np.float32),
            _joined(self._biases, np.float32),
        )
        self._tables = tuple(map(torch.from_numpy, tables))  # which give their addresses quickly
        for lists in (self._starts, self._shifts, self._values, self._biases):
            lists.clear()

    def _add(self, kind: int, *numbers: int) -> None:
        self._rows.append([kind, *numbers])

    def _reserve(self, view: Layout) -> Layout:
        """Keep room for what the last operation makes."""
        part = (len(self._rows) - 1) % 2
        self._half_sizes[part] = max(self._half_sizes[part], view.values * self.block)
        return view

    def _add_pool(self, pool: MaxPool, view: Layout) -> Layout:
        ends = [int(tap[-1]) + 1 for tap in pool.taps]
        steps = zip(pool.out, pool.stride, ends, strict=True)
        rows, columns = ((out - 1) * stride + end for out, stride, end in steps)
        if pool.padding != ZEROS or rows > view.size[0] or columns > view.size[1]:
            given = (view.channels, *view.size, view.plane, view.pitch)
            self._add(kernels.PAD, *given, *ONES, rows, columns, *ONES, *pool.padding, 1)
            view = self._reserve(Layout.contiguous(view.channels, (rows, columns)))
        line, column = pool.taps
        window = (line[:, None] * view.pitch + column).reshape(-1) * self.block
        first = self._store_list(window, np.zeros(len(window), np.float32))
        self._row_buffer = max(
            self._row_buffer, ((pool.out[1] - 1) * pool.stride[1] + 1) * self.block
        )
        place = (view.channels, view.plane, view.pitch, *pool.out, *pool.stride)
        self._add(kernels.POOL, *place, first, self._nonzero, int(pool.relu))
        return self._reserve(Layout.contiguous(view.channels, pool.out))

    def _add_sum(self, layer: WeightLayer, view: Layout) -> Layout:
        if not _needs_no_padding(layer, view):
            view, columns = self._add_padding(layer, view)
        else:
            columns = _offsets(layer, view)
        lists = self._store_weights(layer, view, columns)
        return self._add_spans(layer, view, *lists)

    def _add_scatter(self, layer: WeightLayer, view: Layout, background: float) -> Layout:
        """Sum input by input: those that are `background`, as after a ReLU 0, cost nothing then.

        What units make of an input that is `background` everywhere is in their biases.
        """
        weight = layer.weight.reshape(layer.channels, -1).T
        inputs, units = weight.nonzero()
        read, counts = np.unique(inputs, return_counts=True)
        places = _offsets(layer, view).reshape(-1)[read]
        listed = self._store_list(places, np.zeros(len(read), np.float32))
        first = self._store_lists(counts, units, weight[inputs, units])
        biases = layer.bias + background * weight.sum(0, dtype=np.float64)
        bias = self._store_biases(np.append(biases, background).astype(np.float32))
        numbers = layer.channels, bias, int(layer.relu), len(read), listed, first
        self._add(kernels.SCATTER, *numbers)
        return self._reserve(Layout.contiguous(layer.channels, ONES))

    def _add_padding(self, layer: WeightLayer, view: Layout) -> tuple[Layout, Places]:
        """Have zeros laid around what a layer is given, and what its strides skip laid apart.

        Returns:
            The input as a convolution without stride and padding takes it; and where each weight of
            a unit of the first group reads for the first of the unit's results.
        """
        steps = zip(layer.taps, layer.stride, strict=True)
        (phase_y, line), (phase_x, column) = ((tap % step, tap // step) for tap, step in steps)
        planes = int(phase_y.max()) + 1, int(phase_x.max()) + 1
        size = int(line.max()) + layer.out[0], int(column.max()) + layer.out[1]
        given = (view.channels, *view.size, view.plane, view.pitch)
        self._add(kernels.PAD, *given, *planes, *size, *layer.stride, *layer.padding)
        made = self._reserve(Layout.contiguous(view.channels * prod(planes), size))
        phase = phase_y[:, None] * planes[1] + phase_x
        channel = np.arange(layer.weight.shape[1])[:, None, None] * prod(planes) + phase
        return made, channel * made.plane + line[:, None] * made.pitch + column

    def _store_weights(self, layer: WeightLayer, view: Layout, columns: Places) -> tuple[int, int]:
        """Keep a layer's nonzeros by unit; gives where the lists begin, and the biases."""
        group = layer.channels // layer.groups
        apart = view.channels // layer.groups * view.plane
        units, places = layer.weight.reshape(layer.channels, -1).nonzero()
        shifts = columns.reshape(-1)[places] + units // group * apart
        counts = np.bincount(units, minlength=layer.channels)
        weights = layer.weight[layer.weight != 0]
        return self._store_lists(counts, shifts * self.block, weights), self._store_biases(
            layer.bias
        )

    def _store_lists(self, counts: Places, shifts: Places, values: Floats) -> int:
        """Keep lists of so many shifts and values each; gives the number of the first."""
        first = self._lists
        ends = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])
        self._starts.append(self._nonzero + ends)
        self._lists += len(ends)
        self._store_list(shifts, values)
        return first

    def _store_list(self, shifts: Places, values: Floats) -> int:
        """Keep shifts and values; gives the place of the first."""
        first = self._nonzero
        self._shifts.append(shifts)
        self._values.append(values)
        self._nonzero += len(shifts)
        return first

    def _store_biases(self, biases: Floats) -> int:
        """Keep biases; gives the place of the first."""
        first = self._units
        self._biases.append(biases)
        self._units += len(biases)
        return first

    def _add_spans(self, layer: WeightLayer, view: Layout, first: int, bias: int) -> Layout:
        """Sum row by row; or all rows in one go, with what lies between them, if that is less."""
        block, (rows, columns) = self.block, layer.out
        at_once = ((rows - 1) * view.pitch + columns) * block
        in_one = _span_cost(at_once) <= rows * _span_cost(columns * block)
        lines, length = (1, at_once) if in_one else (rows, columns * block)
        pitch = view.pitch if in_one else columns
        last = (lines - 1) * pitch * block + length + kernels.overrun(length)
        made = Layout(layer.channels, layer.out, pitch, -(-last // block))
        steps = (view.pitch * block, made.plane * block, pitch * block)
        self._add(kernels.SUM, made.channels, first, bias, int(layer.relu), lines, length, *steps)
        return self._reserve(made)


def _joined(parts: Sequence[NDArray[Any]], kind: type[T]) -> NDArray[T]:
    return np.concatenate([np.zeros(0, kind), *parts]).astype(kind)


def _reads_all(layer: WeightLayer, view: Layout) -> bool:
    """Each unit reads the whole input at once, as a linear's does."""
    return layer.groups == 1 and layer.out == ONES and _needs_no_padding(layer, view)


def _needs_no_padding(layer: WeightLayer, view: Layout) -> bool:
    """It reads what there is, a step at a time, and nothing around it on any side."""
    ends = tuple(int(tap[-1]) + out for tap, out in zip(layer.taps, layer.out, strict=True))
    return layer.stride == ONES and layer.padding == ZEROS and ends == view.size


def _offsets(layer: WeightLayer, view: Layout) -> Places:
    """Where each weight of a unit of the first group reads for the first of the unit's results."""
    channel = np.arange(layer.weight.shape[1])[:, None, None]
    line, column = layer.taps
    return channel * view.plane + line[:, None] * view.pitch + column


def _span_cost(length: int) -> int:
    """What a stretch costs: the vectors in its tiles, and the start of a loop."""
    return (length + kernels.overrun(length)) // LANES + 2
