"""The bits of a compact file: the tables of FORMAT.md, adaptive models and the range decoder."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import core.formats.codec

PAGE = Path(core.formats.codec.__file__).with_name("FORMAT.md").read_text(encoding="utf-8")
TABLES: dict[str, Any] = json.loads(PAGE.split("```json\n")[1].split("```")[0])

E = 79538252774825785662640898770
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
        u = [t[0], *(x - t[0] for x in t[1:]), 256]
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
