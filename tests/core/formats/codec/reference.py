"""A slow decoder of compact files in plain Python, written from FORMAT.md alone.

Its tables are those in FORMAT.md, so that the page is tested with it.
"""

from __future__ import annotations

import json
import struct
from collections import defaultdict
from hashlib import blake2b
from math import isqrt, prod
from typing import Any

from tests.core.formats.codec.reference_bits import TABLES, Bits, Slot, fresh

TYPES = ["float32", "float16", "bfloat16", "float64", "int64", "int32", "int16", "int8"]
TYPES += ["uint8", "bool"]
FLOATS = {"float32": (8, 23), "float16": (5, 10), "bfloat16": (8, 7), "float64": (11, 52)}
BITS = {"int64": 64, "int32": 32, "int16": 16, "int8": 8, "uint8": 8}
Form = tuple[int, int, int, int]
"""Rows, channels, height and width."""


class Tensor:
    """One tensor of a file.

    Attributes:
        words: the bits of its values, in memory's order.
    """

    def __init__(self, name: str, shape: tuple[int, ...]) -> None:
        self.name, self.shape = name, shape
        self.kind, self.type, self.tied = 0, "float32", -1
        self.words: list[int] = []
        self.mask: list[list[int]] = []

    @property
    def sort(self) -> str:
        return "weight" if len(self.shape) > 1 else "bias"


class Decoder:
    """Reads a file into `model`, `facts` and `tensors`; `large` is 2^22 but for tests."""

    def __init__(self, data: bytes, large: int = 1 << 22) -> None:
        self.large = large
        assert data[:4] == b"\xf7FW\x01"
        assert data[-6:] == blake2b(data[:-6], digest_size=6).digest()
        self.bits = Bits(data[4:-6])
        self.tables = json.loads(json.dumps(TABLES))
        self.flags = self.tables["flag_weights"]
        self.masks = [[list(w) for _ in range(3)] for w in self.tables["mask_weights"]]
        self.signs = self.tables["sign_weights"]
        self.bins = [[list(w) for _ in range(12)] for w in self.tables["bin_weights"]]
        self.carried = [[fresh() for _ in range(13)] for _ in range(2)]
        self._header()
        self._bodies()

    def _header(self) -> None:
        layout = self.bits.number("layout")
        text = self.bits.text("facts")
        self.facts = json.loads(text) if text else {}
        if layout:
            known = TABLES["layouts"][layout - 1]
            self.model = known["model"]
            self.tensors = [Tensor(name, tuple(shape)) for name, shape in known["tensors"]]
        else:
            self.model = self.bits.text("model")
            count = self.bits.number("count of tensors")
            names = self.bits.text("names")
            self.tensors = []
            for name in names.split("\n") if count else []:
                sides = self.bits.number("count of dimensions")
                shape = tuple(self.bits.number("side") for _ in range(sides))
                self.tensors.append(Tensor(name, shape))
        for tensor in self.tensors:
            tensor.kind = self.bits.number(f"kind of a {tensor.sort}")
            if tensor.kind == 0:
                tensor.type = TYPES[self.bits.number(f"type of a {tensor.sort}")]
            elif tensor.kind == 1:
                tensor.type = TYPES[self.bits.number(f"codebook of a {tensor.sort}")]
            elif tensor.kind == 3:
                tensor.tied = self.bits.number("entry it is tied to")

    def _bodies(self) -> None:
        untied = [tensor for tensor in self.tensors if tensor.kind != 3]
        weights = [tensor for tensor in untied if tensor.sort == "weight"]
        after: Tensor | None = None
        for i in range(len(weights) - 1, -1, -1):
            tensor = weights[i]
            form = geometry(tensor.shape, weights[i - 1].shape[0] if i else 0)
            self._body(tensor, form, _read_after(after, form[0]))
            after = tensor
        for i, tensor in enumerate(self.tensors):
            if tensor.kind != 3 and tensor.sort == "bias":
                owners = [w for w in self.tensors[:i] if w in weights]
                form = geometry(tensor.shape, 0)
                read = [15] * form[0]
                if owners and owners[-1].shape[0] == form[0]:
                    read = [bucket(sum(row)) for row in owners[-1].mask]
                self._body(tensor, form, read)
        for tensor in self.tensors:
            if tensor.kind == 3:
                tensor.words, tensor.type = (
                    self.tensors[tensor.tied].words,
                    self.tensors[tensor.tied].type,
                )

    def _body(self, tensor: Tensor, form: Form, read: list[int]) -> None:
        rows, channels, height, width = form
        columns = channels * height * width
        tensor.mask = self._mask(tensor, form, read)
        at = [o * columns + c for o in range(rows) for c in range(columns) if tensor.mask[o][c]]
        tensor.words = [0] * (rows * columns)
        if tensor.kind == 0:
            values = (
                self._floats(tensor.type, len(at))
                if tensor.type in FLOATS
                else self._whole(tensor, at)
            )
        elif tensor.kind == 1:
            below, above = (self._rising(tensor.type, side) for side in ("below", "above"))
            sign = 2**31 if tensor.type == "float32" else 2**15
            book = {-k - 1: to_float32(word + sign, tensor.type) for k, word in enumerate(below)}
            book |= {k + 1: to_float32(word, tensor.type) for k, word in enumerate(above)}
            values = [book[s] for s in self._symbols(tensor, form, read, len(below), len(above))]
            tensor.type = "float32"
        else:
            step = self.bits.number("step") << 16 | self.bits.number("rest of a step")
            size = struct.unpack(">f", step.to_bytes(4, "big"))[0]
            below = self.bits.number("steps below zero")
            above = self.bits.number("steps above zero")
            symbols = self._symbols(tensor, form, read, below, above)
            values = [int.from_bytes(struct.pack(">f", s * size), "big") for s in symbols]
        for a, value in zip(at, values, strict=True):
            tensor.words[a] = value

    def _mask(self, tensor: Tensor, form: Form, read: list[int]) -> list[list[int]]:
        rows, channels, height, width = form
        places = height * width
        columns = channels * places
        kind = mask_kind(tensor.shape, form, self.large)
        settings = TABLES["mask_settings"][kind]
        priors, limits = settings[2::2], settings[3::2]
        slots: defaultdict[Any, Slot] = defaultdict(Slot)
        flag, bit_slot = slots["flag"], slots["bit"] = fresh(), fresh()
        ordered = rows > 1 and columns > 1 and self.bits.number("order of rows")
        mask: list[list[int]] = []
        for o in range(rows):
            row = [0] * columns
            mask.append(row)
            r = int(o > 0 and any(mask[o - 1])) + 2 * int(o > 1 and any(mask[o - 2]))
            if ordered and o > 0 and not r & 1:
                continue
            keys = [("read flag", read[o]), ("recent", r), ("recent read", r, read[o])]
            chosen = [flag, *(slots[key].touch(flag, 16) for key in keys)]
            full = self.bits.mixed(chosen, [1023] * 4, self.flags[kind], settings[0])
            if columns == 1:
                row[0] = full
            if columns == 1 or not full:
                continue
            reading = slots["read", read[o]].touch(bit_slot, priors[1])
            slots["row"].inherit(reading, priors[1])
            slots["next row"].touch(bit_slot, priors[2])
            slots["next row"].inherit(slots["next row"], priors[2])
            state = 0 if ordered and o > 0 else 2
            rate = settings[1] * 131072 // (131072 + bit_slot.n) + 2

            def at(i: int, y: int, x: int, o: int = o) -> int:
                inside = i >= 0 and 0 <= y < height and 0 <= x < width and o >= 0
                return mask[o][i * places + y * width + x] if inside else 0

            for column in range(columns):
                i, k = divmod(column, places)
                y, x = divmod(k, width)
                channel = slots["channel", i].touch(bit_slot, priors[3])
                if state == 0 and not at(i, y, x, o - 1):
                    continue
                pattern = at(i, y, x - 1) + 2 * at(i, y - 1, x)
                pattern += 4 * at(i, y - 1, x - 1) + 8 * at(i, y - 1, x + 1)
                past = at(i, y, x, o - 1) + 2 * at(i, y, x, o - 2)
                past += 4 * at(i - 1, y, x) + 8 * at(i - 2, y, x)
                inside = min(sum(row[i * places : column]), 3) * 4 + 4 * k // places
                crowd = 0
                if places > 1:
                    left = sum(row[(i - 1) * places : i * places]) if i else 0
                    above = sum(mask[o - 1][i * places : (i + 1) * places]) if o else 0
                    crowd = 4 * min(left, 3) + min(above, 3)
                chosen = [
                    bit_slot,
                    slots["row"],
                    slots["next row"],
                    channel,
                    slots["group", i // 8].touch(bit_slot, priors[4]),
                    slots["column", column].touch(channel, priors[5]),
                    slots["place", k].touch(bit_slot, priors[6]),
                    slots["pattern", pattern].touch(bit_slot, priors[7]),
                    slots["past", past].touch(bit_slot, priors[8]),
                    slots["inside", inside].touch(bit_slot, priors[9]),
                    slots["crowd", crowd].touch(bit_slot, priors[10]),
                    slots["state", state].touch(bit_slot, priors[11]),
                ]
                weights = self.masks[kind][state]
                if kind == 5:
                    chosen = chosen[:5]
                    weights = self.masks[kind][state] = weights[:6]
                bit = self.bits.mixed(chosen, limits[: len(chosen)], weights, rate)
                reading.learn(bit, 60000)
                row[column] = bit
                if state == 0 and not bit:
                    state = 1
                elif state == 1 and bit:
                    state = 2
        return mask

    def _floats(self, dtype: str, count: int) -> list[int]:
        exponent, mantissa = FLOATS[dtype]
        slots: defaultdict[Any, Slot] = defaultdict(fresh)
        values = []
        for _ in range(count):
            value = self.bits.adaptive(slots["sign"], 255)
            node = 1
            for _ in range(exponent):
                bit = self.bits.adaptive(slots["exponent", node], 1023)
                node, value = 2 * node + bit, 2 * value + bit
            top = 1
            for k in range(mantissa):
                if k < 3:
                    bit = self.bits.adaptive(slots["mantissa", node, top], 1023)
                    top = 2 * top + bit
                else:
                    bit = self.bits.plain()
                value = 2 * value + bit
            values.append(value)
        return values

    def _whole(self, tensor: Tensor, at: list[int]) -> list[int]:
        if tensor.type == "bool":
            return [1] * len(at)
        chunks: defaultdict[int, list[int]] = defaultdict(list)
        for a in at:
            chunks[a >> 18].append(a)
        values = []
        for chunk in chunks.values():
            high = [self.bits.number(f"high half of a {tensor.type}") for _ in chunk]
            low = [self.bits.number(f"low half of a {tensor.type}") for _ in chunk]
            values += [h << 32 | x for h, x in zip(high, low, strict=True)]
        if tensor.type == "uint8":
            return values
        return [(-(z + 1) // 2 if z & 1 else z // 2) % 2 ** BITS[tensor.type] for z in values]

    def _rising(self, dtype: str, side: str) -> list[int]:
        words: list[int] = []
        for k in range(self.bits.number("size of a codebook")):
            label = f"codebook of {dtype}, {side}, {'next' if k else 'first'}"
            words.append((words[-1] if k else 0) + 1 + self.bits.number(label))
        return words

    def _symbols(
        self, tensor: Tensor, form: Form, read: list[int], below: int, above: int
    ) -> list[int]:
        rows, channels, height, width = form
        places = height * width
        columns = channels * places
        sort = int(tensor.sort == "weight")
        settings = TABLES["symbol_settings"][sort]
        priors, limits = settings[2::2], settings[3::2]
        slots: defaultdict[Any, Slot] = defaultdict(Slot)
        sign_slot, *bin_slots = carried = self.carried[sort]
        grid = [[0] * columns for _ in range(rows)]
        symbols: list[int] = []
        for o in range(rows):
            last, last2 = 0, 0
            key: Any = ("row", o)
            if columns == 1:
                key = ("read", read[o])
                last = grid[o - 1][0] if o > 0 else 0
                last2 = grid[o - 2][0] if o > 1 else 0

            def at(i: int, y: int, x: int, o: int = o) -> int:
                inside = i >= 0 and 0 <= y < height and 0 <= x < width and o >= 0
                return grid[o][i * places + y * width + x] if inside else 0

            for column in range(columns):
                if not tensor.mask[o][column]:
                    continue
                i, k = divmod(column, places)
                y, x = divmod(k, width)
                left, up = at(i, y, x - 1), at(i, y - 1, x)
                full = min(sum(tensor.mask[o][i * places : (i + 1) * places]) - 1, 3)
                base = [key, ("channel", i), ("place", k)]
                if below == 0 or above == 0:
                    negative = int(below > 0)
                else:
                    keys = [(context, "sign") for context in base] + [
                        ("near sign", sign(left), sign(up)),
                        ("last sign", sign(last), sign(last2)),
                        ("past sign", sign(at(i, y, x, o - 1)), sign(at(i - 1, y, x))),
                    ]
                    chosen = [sign_slot] + [
                        slots[key2].touch(sign_slot, prior)
                        for key2, prior in zip(keys, priors[1:], strict=True)
                    ]
                    rate = settings[0] * 128 // (128 + sign_slot.n) + 2
                    negative = self.bits.mixed(chosen, limits, self.signs[sort], rate)
                largest = below if negative else above
                v = 1
                while v < largest and v <= 12:
                    b = v - 1
                    keys = [(context, min(b, 3)) for context in base] + [
                        ("near bin", min(abs(last), 4), min(abs(last2), 4), b),
                        ("full", full, b),
                        ("signed", negative, b),
                    ]
                    chosen = [bin_slots[b]] + [
                        slots[key2].touch(bin_slots[b], prior)
                        for key2, prior in zip(keys, priors[1:], strict=True)
                    ]
                    rate = settings[1] * 128 // (128 + bin_slots[b].n) + 2
                    if not self.bits.mixed(chosen, limits, self.bins[sort][b], rate):
                        break
                    v += 1
                if v > 12 and v < largest:
                    v += self.bits.number("steps beyond the bins")
                v = min(v, largest)
                last2, last = last, -v if negative else v
                grid[o][column] = last
                symbols.append(last)
        for slot in carried:
            slot.n = min(slot.n, 6)
        return symbols


def sign(symbol: int) -> int:
    return (symbol > 0) - (symbol < 0)


def geometry(shape: tuple[int, ...], before: int) -> Form:
    if len(shape) < 2:
        return (prod(shape), 1, 1, 1)
    if len(shape) > 2:
        return (shape[0], shape[1], prod(shape[2:-1]), shape[-1])
    rows, inputs = shape
    if before and inputs % before == 0:
        channels, places = before, inputs // before
    elif not before and inputs >= 64 and isqrt(inputs) ** 2 == inputs:
        channels, places = 1, inputs
    else:
        channels, places = inputs, 1
    side = isqrt(places)
    return (rows, channels, side, side) if side**2 == places else (rows, channels, 1, places)


def mask_kind(shape: tuple[int, ...], form: Form, large: int) -> int:
    rows, channels, height, width = form
    if channels * height * width == 1:
        return 4
    if rows * channels * height * width > large:
        return 5
    if height * width == 1:
        return 0
    if len(shape) == 2:
        return 3
    return 2 if channels == 1 else 1


def bucket(count: int) -> int:
    if count < 4:
        return count
    b = count.bit_length() - 1
    return min(2 * b + (count >> (b - 1) & 1), 14)


def _read_after(after: Tensor | None, rows: int) -> list[int]:
    columns = len(after.mask[0]) if after is not None and after.mask else 0
    if after is not None and not after.mask:
        columns = prod(after.shape[1:])
    if after is None or not rows or columns % rows:
        return [15] * rows
    block = columns // rows
    return [
        bucket(sum(sum(row[u * block : (u + 1) * block]) for row in after.mask))
        for u in range(rows)
    ]


def to_float32(word: int, dtype: str) -> int:
    if dtype == "bfloat16":
        return word << 16
    if dtype == "float16":
        value = struct.unpack(">e", word.to_bytes(2, "big"))[0]
        return int.from_bytes(struct.pack(">f", value), "big")
    return word
