"""The tensors of a file: for each, the positions of its nonzeros, then their values."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.formats.codec.codebook_coding import code_codebook, code_step
from core.formats.codec.coder import kernels
from core.formats.codec.coder.models import LARGE, Models, mask_kind
from core.formats.codec.coder.stream import Slots, Stream, fresh
from core.formats.codec.compact import (
    DTYPES,
    MAX_STEPS,
    Codebook,
    Raw,
    Steps,
    Tied,
    Values,
    codes_of,
)
from core.formats.codec.tensor_info import TIED, Geometry, TensorInfo, geometry_of

Mask = NDArray[np.uint8]
Counts = NDArray[np.int64]

UNKNOWN = 15
"""The read class of a row if no other tensor shows how its output is read."""

CHUNK = 1 << 18
"""Values coded between checks of the buffer's free space."""


def code_tensors(
    stream: Stream, tensors: Sequence[TensorInfo], original: Sequence[Values] | None = None
) -> list[Values]:
    """Code the values of all tensors, `original` or those read: weights backwards, then biases."""
    models, values = Models(), dict[int, Values]()
    previous, last = dict[int, int | None](), None
    for i, info in enumerate(tensors):
        if info.kind == TIED:
            values[i] = Tied(tensors[info.tied].name)
        else:
            previous[i] = last
            last = i if info.is_weight else last
    row_ones, column_ones = dict[int | None, Counts](), None
    weights = [i for i in previous if tensors[i].is_weight]
    for i in [*reversed(weights), *(i for i in previous if not tensors[i].is_weight)]:
        info, before = tensors[i], previous[i]
        rows_before = 0 if before is None else tensors[before].shape[0]
        geometry = geometry_of(info.shape, rows_before)
        ones = column_ones
        if not info.is_weight:
            ones = row_ones.get(before) if rows_before == geometry.rows else None
        coder = TensorCoder(stream, models, i, info, geometry, _read_classes(ones, geometry.rows))
        values[i], mask = coder.code(original[i] if original else None)
        column_ones = mask.sum(axis=0, dtype=np.int64)
        row_ones[i] = mask.sum(axis=1, dtype=np.int64)
    return [values[i] for i in range(len(tensors))]


def _read_classes(ones: Counts | None, rows: int) -> Counts:
    """The read class of each row, from the ones in equal blocks, one per row."""
    if ones is None or not rows or ones.size % rows:
        return np.full(rows, UNKNOWN, np.int64)
    counts: Counts = ones.reshape(rows, -1).sum(axis=1)
    top_bit = np.frexp(counts)[1] - 1
    second = (counts >> np.maximum(top_bit - 1, 0)) & 1
    # 15 buckets: one each for 0 to 3, then two per doubling.
    return np.where(counts < 4, counts, np.minimum(2 * top_bit + second, 14)).astype(np.int64)


def _descends(mask: Mask) -> bool:
    """Whether the rows descend lexicographically."""
    packed = [row.tobytes() for row in np.packbits(mask, axis=1)]
    return all(one >= other for one, other in pairwise(packed))


@dataclass(frozen=True, eq=False)
class TensorCoder:
    """Codes the mask and the values of one tensor."""

    stream: Stream
    models: Models
    index: int
    info: TensorInfo
    geometry: Geometry
    read_classes: Counts

    def code(self, original: Values | None) -> tuple[Values, Mask]:
        """Code mask and values; returns the values and the mask [rows, columns]."""
        assert not isinstance(original, Tied)
        mask = np.zeros((self.geometry.rows, self.geometry.columns), np.uint8)
        if original is not None:
            mask[:] = codes_of(original).reshape(mask.shape) != 0
        self._mask(mask)
        self._end_part("positions")
        by_kind = self._raw, self._codebook, self._steps
        values = by_kind[self.info.kind](original, mask)
        self._end_part("values")
        return values, mask

    def _end_part(self, part: str) -> None:
        self.stream.end_part(part if self.info.is_weight else "biases", self.index)

    def _chunks(self, decisions: int) -> Iterator[tuple[int, int]]:
        """Ranges of rows, with buffer space for `decisions` of two bytes per value."""
        rows, columns = self.geometry.rows, max(self.geometry.columns, 1)
        step = max(CHUNK // columns, 1)
        for first in range(0, rows, step):
            stop = min(first + step, rows)
            self.stream.reserve(2 * decisions * (columns + 1) * (stop - first))
            yield first, stop
            self.stream.check()

    def _mask(self, mask: Mask) -> None:
        geometry, models = self.geometry, self.models
        slots, kind = models.mask_slots(geometry), mask_kind(self.info.shape, geometry)
        inputs = kernels.FEW_INPUTS if kind == LARGE else kernels.MASK_INPUTS
        ordered = 0
        if geometry.rows > 1 and geometry.columns > 1:
            ordered = self.stream.number("order of rows", int(_descends(mask)), 1)
        for first, stop in self._chunks(1):
            kernels.code_mask(
                self.stream.coder, self.stream.buffer, self.stream.tables, slots,
                models.flags[kind], models.mask[kind], models.mask_settings[kind], mask,
                np.array(geometry, np.int64), self.read_classes, ordered, inputs, first, stop,
            )  # fmt: skip

    def _raw(self, original: Values | None, mask: Mask) -> Raw:
        kind, dtype = DTYPES[self.info.dtype], self.info.dtype
        if isinstance(original, Raw):
            words = original.words.reshape(mask.shape)
        else:
            words = np.zeros(mask.shape, kind.words)
        slots = fresh((16 << kind.exponent) + 16)
        flat, nonzero = words.reshape(-1), mask.reshape(-1)
        for first in range(0, nonzero.size, CHUNK):
            at = np.flatnonzero(nonzero[first : first + CHUNK]) + first
            coded = flat[at]
            if kind.exponent:
                coded = self._floats(coded, slots)
            elif dtype != "bool":
                coded = self._integers(coded)
            else:
                coded = np.ones_like(coded)
            if original is None:
                flat[at] = coded
        return Raw(dtype, words.reshape(self.info.shape))

    def _floats(self, words: NDArray[Any], slots: Slots) -> NDArray[Any]:
        kind, coded = DTYPES[self.info.dtype], words.astype(np.int64)
        self.stream.reserve(2 * kind.bits * coded.size)
        kernels.code_words(
            self.stream.coder, self.stream.buffer, slots, kind.exponent, kind.mantissa, coded
        )
        self.stream.check()
        return coded.astype(kind.words)

    def _integers(self, words: NDArray[Any]) -> NDArray[Any]:
        """Code integers in zigzag order, in two halves of 32 bits."""
        kind = DTYPES[self.info.dtype]
        if kind.signed:
            number = words.view(f"i{kind.bits // 8}").astype(np.int64)
            number = (number << 1) ^ (number >> 63)
        else:
            number = words.astype(np.int64)
        halves = []
        for half, coded in (("high", number >> 32 & 0xFFFFFFFF), ("low", number & 0xFFFFFFFF)):
            slots = self.stream.numbers(f"{half} half of a {self.info.dtype}")
            self.stream.reserve(2 * 70 * coded.size)
            kernels.code_numbers(self.stream.coder, self.stream.buffer, slots, coded)
            self.stream.check()
            halves.append(coded)
        number = (halves[0] << 32) | halves[1]
        if kind.signed:
            number = (number >> 1 & 0x7FFFFFFFFFFFFFFF) ^ -(number & 1)
        return number.astype(kind.words)

    def _codebook(self, original: Values | None, mask: Mask) -> Codebook:
        symbols = np.zeros(mask.shape, np.int32)
        stored = original.values if isinstance(original, Codebook) else None
        values = code_codebook(self.stream, self.info.dtype, stored)
        self._end_part("codebooks")
        below = int(np.count_nonzero(values < 0))
        if isinstance(original, Codebook):
            place = original.codes.reshape(mask.shape).astype(np.int32) - 1 - below
            symbols = np.where(mask, np.where(place < 0, place, place + 1), 0).astype(np.int32)
        self._symbols(symbols, mask, below, values.size - below)
        place = np.where(symbols < 0, symbols, symbols - 1) + below + 1
        codes = np.where(mask, place, 0).astype(np.int16)
        return Codebook(self.info.dtype, values, codes.reshape(self.info.shape))

    def _steps(self, original: Values | None, mask: Mask) -> Steps:
        symbols = np.zeros(mask.shape, np.int32)
        step, below, above = 1.0, 0, 0
        if isinstance(original, Steps):
            step = original.step
            symbols = original.codes.reshape(mask.shape).astype(np.int32)
            below, above = max(-int(symbols.min(initial=0)), 0), int(symbols.max(initial=0))
        step = code_step(self.stream, step)
        below = self.stream.number("steps below zero", below, MAX_STEPS)
        above = self.stream.number("steps above zero", above, MAX_STEPS)
        self._end_part("codebooks")
        if not below and not above and mask.any():
            raise InputError(f"'{self.info.name}' has nonzero values but no steps")
        self._symbols(symbols, mask, below, above)
        return Steps(step, symbols.reshape(self.info.shape))

    def _symbols(self, symbols: NDArray[np.int32], mask: Mask, below: int, above: int) -> None:
        models, weight = self.models, int(self.info.is_weight)
        slots = models.symbol_slots(self.geometry, weight)
        geometry = np.array(self.geometry, np.int64)
        largest = np.array([below, above], np.int64)
        numbers = self.stream.numbers("steps beyond the bins")
        for first, stop in self._chunks(80):
            kernels.code_symbols(
                self.stream.coder, self.stream.buffer, self.stream.tables, slots,
                models.sign[weight], models.bins[weight], models.symbol_settings[weight], mask,
                symbols, geometry, self.read_classes, largest, numbers, first, stop,
            )  # fmt: skip
        models.carry_over(slots, weight)
