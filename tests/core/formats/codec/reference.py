"""A slow decoder of compact files in plain Python, written from FORMAT.md alone.

Its tables are those in FORMAT.md, so that the page is tested with it.
"""

from __future__ import annotations

import json
import struct
from collections import defaultdict
from hashlib import blake2b
from math import isqrt, prod
from pathlib import Path
from typing import Any

import core.formats.codec

PAGE = Path(core.formats.codec.__file__).with_name("FORMAT.md").read_text(encoding="utf-8")
TABLES: dict[str, Any] = json.loads(PAGE.split("```json\n")[1].split("```")[0])

E = 79538252774825785662640898770
TYPES = ["float32", "float16", "bfloat16", "float64", "int64", "int32", "int16", "int8"]
TYPES += ["uint8", "bool"]
FLOATS = {"float32": (8, 23), "float16": (5, 10), "bfloat16": (8, 7), "float64": (11, 52)}
BITS = {"int64": 64, "int32": 32, "int16": 16, "int8": 8, "uint8": 8}
PRIMED: list[Any] = []


def _squash() -> dict[int, int]:
    values, x = {}, 1 << 96
    for i in range(2816):
        values[i] = min((x << 16) // (x + (1 << 96)), 65535)
        values[-i] = 65536 - values[i] if i else values[0]
        x = x * E >> 96
    return values


SQUASH = _squash()


def _stretch() -> list[int]:
    table, i = [], -2815
    for p in range(65536):
        while i < 2815 and SQUASH[i + 1] <= p:
            i += 1
        table.append(i)
    return table


STRETCH = _stretch()


class Slot:
    """An adaptive probability; untouched until it inherits."""

    def __init__(self, p: int | None = None, n: int = 2) -> None:
        self.p, self.n = p, n

    def learn(self, bit: int, limit: int) -> None:
        assert self.p is not None
        self.p += (bit * (2**32 - 1) - self.p) // self.n
        self.n += self.n < limit

    def inherit(self, parent: Slot, prior: int) -> None:
        assert parent.p is not None
        rarer = max(min(parent.p, 2**32 - parent.p) >> 16, 1)
        self.p, self.n = parent.p, min(max((prior << 12) // rarer, 2), 60000)

    def touch(self, parent: Slot, prior: int) -> Slot:
        if self.p is None:
            self.inherit(parent, prior)
        return self


def fresh() -> Slot:
    return Slot(2**31)


class Bits:
    """The range decoder and its ways to decode bits."""

    def __init__(self, stream: bytes) -> None:
        self.stream, self.at = stream, 0
        self.range, self.code = 2**32 - 1, 0
        for _ in range(4):
            self._next()
        self.slots: dict[str, defaultdict[int, Slot]] = {}
        self.text_slots: defaultdict[int, Slot] = defaultdict(fresh)
        self.text_weights = [90000, 60000, 60000, 80000, 80000, 0]
        self.before = [0, 0, 0, 0]
        self.primed = False

    def _next(self) -> None:
        byte = self.stream[self.at] if self.at < len(self.stream) else 0
        self.at += 1
        assert self.at <= len(self.stream) + 4
        self.code = self.code % 2**24 << 8 | byte

    def plain(self, p: int = 32768) -> int:
        bound = self.range * p >> 16
        bit = int(self.code < bound)
        if bit:
            self.range = bound
        else:
            self.code -= bound
            self.range -= bound
        while self.range < 2**24:
            self.range <<= 8
            self._next()
        return bit

    def adaptive(self, slot: Slot, limit: int = 255) -> int:
        assert slot.p is not None
        bit = self.plain(max(slot.p >> 16, 1))
        slot.learn(bit, limit)
        return bit

    def mixed(
        self,
        slots: list[Slot],
        limits: list[int],
        weights: list[int],
        rate: int,
        known: int | None = None,
    ) -> int:
        t = [STRETCH[(slot.p or 0) >> 16] for slot in slots]
        u = [t[0], *(it - t[0] for it in t[1:]), 256]
        total = sum(w * x for w, x in zip(weights, u, strict=True)) >> 16
        p = SQUASH[min(max(total, -2815), 2815)]
        bit = self.plain(p) if known is None else known
        error = (bit * 65536 - p) * rate
        for j, x in enumerate(u):
            weights[j] += x * error + 2**23 >> 24
        for slot, limit in [*zip(slots, limits, strict=True)][1:]:
            slot.learn(bit, limit)
        slots[0].learn(bit, limits[0])
        return bit

    def number(self, label: str) -> int:
        slots = self.slots.setdefault(label, defaultdict(fresh))
        length = 0
        while length < 62 and self.adaptive(slots[length]):
            length += 1
        value = 1
        for k in range(length):
            if k == 0:
                bit = first = self.adaptive(slots[64 + 3 * length])
            elif k == 1:
                bit = self.adaptive(slots[64 + 3 * length + 1 + first])
            else:
                bit = self.plain()
            value = 2 * value + bit
        return value - 1

    def text(self, label: str) -> str:
        count = self.number(f"length of the {label}")
        if count and not self.primed:
            self._prime()
        return bytes(self._byte() for _ in range(count)).decode()

    def _prime(self) -> None:
        """Learn the primer, once, since it is slow."""
        self.primed = True
        if not PRIMED:
            for byte in TABLES["primer"].encode():
                self._byte(byte)
            slots = {at: (slot.p, slot.n) for at, slot in self.text_slots.items()}
            PRIMED.append((slots, list(self.text_weights), self.before))
        slots, weights, self.before = PRIMED[0]
        self.text_slots.update({at: Slot(*slot) for at, slot in slots.items()})
        self.text_weights = list(weights)

    def _byte(self, known: int | None = None) -> int:
        h = [0]
        for byte in self.before:
            h.append((h[-1] + 1 + byte) * 789269575 % 2**24)
        node = 1
        for k in range(7, -1, -1):
            at = [16384 * j + (h[j] // 256 + 61 * node) % 16384 for j in range(5)]
            slots = [self.text_slots[a] for a in at]
            bit = None if known is None else known >> k & 1
            node = 2 * node + self.mixed(slots, [30] * 5, self.text_weights, 40, bit)
        self.before = [node - 256, *self.before[:3]]
        return node - 256


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
        for it in self.tensors:
            it.kind = self.bits.number(f"kind of a {it.sort}")
            if it.kind == 0:
                it.type = TYPES[self.bits.number(f"type of a {it.sort}")]
            elif it.kind == 1:
                it.type = TYPES[self.bits.number(f"codebook of a {it.sort}")]
            elif it.kind == 3:
                it.tied = self.bits.number("entry it is tied to")

    def _bodies(self) -> None:
        untied = [it for it in self.tensors if it.kind != 3]
        weights = [it for it in untied if it.sort == "weight"]
        after: Tensor | None = None
        for i in range(len(weights) - 1, -1, -1):
            it = weights[i]
            form = geometry(it.shape, weights[i - 1].shape[0] if i else 0)
            self._body(it, form, _read_after(after, form[0]))
            after = it
        for i, it in enumerate(self.tensors):
            if it.kind != 3 and it.sort == "bias":
                owners = [w for w in self.tensors[:i] if w in weights]
                form = geometry(it.shape, 0)
                read = [15] * form[0]
                if owners and owners[-1].shape[0] == form[0]:
                    read = [bucket(sum(row)) for row in owners[-1].mask]
                self._body(it, form, read)
        for it in self.tensors:
            if it.kind == 3:
                it.words, it.type = self.tensors[it.tied].words, self.tensors[it.tied].type

    def _body(self, it: Tensor, form: tuple[int, int, int, int], read: list[int]) -> None:
        rows, channels, height, width = form
        columns = channels * height * width
        it.mask = self._mask(it, form, read)
        at = [o * columns + c for o in range(rows) for c in range(columns) if it.mask[o][c]]
        it.words = [0] * (rows * columns)
        if it.kind == 0:
            values = self._floats(it.type, len(at)) if it.type in FLOATS else self._whole(it, at)
        elif it.kind == 1:
            below, above = (self._rising(it.type, side) for side in ("below", "above"))
            sign = 2**31 if it.type == "float32" else 2**15
            book = {-k - 1: to_float32(word + sign, it.type) for k, word in enumerate(below)}
            book |= {k + 1: to_float32(word, it.type) for k, word in enumerate(above)}
            values = [book[s] for s in self._symbols(it, form, read, len(below), len(above))]
            it.type = "float32"
        else:
            step = self.bits.number("step") << 16 | self.bits.number("rest of a step")
            size = struct.unpack(">f", step.to_bytes(4, "big"))[0]
            below = self.bits.number("steps below zero")
            above = self.bits.number("steps above zero")
            symbols = self._symbols(it, form, read, below, above)
            values = [int.from_bytes(struct.pack(">f", s * size), "big") for s in symbols]
        for a, value in zip(at, values, strict=True):
            it.words[a] = value

    def _mask(
        self, it: Tensor, form: tuple[int, int, int, int], read: list[int]
    ) -> list[list[int]]:
        rows, channels, height, width = form
        places = height * width
        columns = channels * places
        kind = mask_kind(it.shape, form, self.large)
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

    def _whole(self, it: Tensor, at: list[int]) -> list[int]:
        if it.type == "bool":
            return [1] * len(at)
        chunks: defaultdict[int, list[int]] = defaultdict(list)
        for a in at:
            chunks[a >> 18].append(a)
        values = []
        for chunk in chunks.values():
            high = [self.bits.number(f"high half of a {it.type}") for _ in chunk]
            low = [self.bits.number(f"low half of a {it.type}") for _ in chunk]
            values += [h << 32 | x for h, x in zip(high, low, strict=True)]
        if it.type == "uint8":
            return values
        return [(-(z + 1) // 2 if z & 1 else z // 2) % 2 ** BITS[it.type] for z in values]

    def _rising(self, dtype: str, side: str) -> list[int]:
        words: list[int] = []
        for k in range(self.bits.number("size of a codebook")):
            label = f"codebook of {dtype}, {side}, {'next' if k else 'first'}"
            words.append((words[-1] if k else 0) + 1 + self.bits.number(label))
        return words

    def _symbols(
        self, it: Tensor, form: tuple[int, int, int, int], read: list[int], below: int, above: int
    ) -> list[int]:
        rows, channels, height, width = form
        places = height * width
        columns = channels * places
        sort = int(it.sort == "weight")
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
                if not it.mask[o][column]:
                    continue
                i, k = divmod(column, places)
                y, x = divmod(k, width)
                left, up = at(i, y, x - 1), at(i, y - 1, x)
                full = min(sum(it.mask[o][i * places : (i + 1) * places]) - 1, 3)
                base = [key, ("channel", i), ("place", k)]
                if below == 0 or above == 0:
                    negative = int(below > 0)
                else:
                    keys = [(it, "sign") for it in base] + [
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
                    keys = [(it, min(b, 3)) for it in base] + [
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


def geometry(shape: tuple[int, ...], before: int) -> tuple[int, int, int, int]:
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


def mask_kind(shape: tuple[int, ...], form: tuple[int, int, int, int], large: int) -> int:
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
