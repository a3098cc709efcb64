"""One stream of range-coded bits, written or read: numbers, text, and the kernels' output."""

from math import log2
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.formats.codec.coder import kernels
from core.formats.codec.coder.logistic_tables import tables
from core.formats.codec.coder.text_primer import PRIMER

Slots = NDArray[np.int64]
Parts = list[tuple[str, int, float]]
"""What was read: a part's name, the index of its tensor, and the bits consumed by its end."""

_BUFFER_SIZE = 1 << 16


def fresh(count: int) -> Slots:
    """Slots with equal probabilities of 0 and 1."""
    return np.tile(np.array([kernels.ONE // 2, 2], np.int64), (count, 1))


def _new_coder() -> NDArray[np.int64]:
    coder = np.zeros(9, np.int64)
    coder[kernels.RANGE] = 0xFFFFFFFF
    return coder


class Stream:
    """Range-coded bits, with the models adapted to them so far.

    Each method codes a value and returns it: its argument when writing, the decoded one when
    reading. `data` holds the bytes to read; None to write.
    """

    def __init__(self, data: bytes | None = None) -> None:
        self.reads = data is not None
        self.coder = _new_coder()
        self.coder[kernels.DECODING] = self.reads
        self.tables = tables()
        self.parts: Parts = []
        self._written = bytearray()
        self._numbers: dict[str, Slots] = {}
        self._text: tuple[Slots, NDArray[np.int64], NDArray[np.int64]] | None = None
        if data is None:
            self.buffer = np.zeros(_BUFFER_SIZE, np.uint8)
        else:
            self.buffer = np.frombuffer(data, np.uint8).copy()  # one type for numba
            kernels.start(self.coder, self.buffer)

    def number(self, label: str, number: int = 0, maximum: int = 1 << 40) -> int:
        """A number from 0 to `maximum`; numbers with the same label share slots."""
        self.reserve(64)
        slots = self.numbers(label)
        number = int(kernels.code_number(self.coder, self.buffer, slots, number))
        self.check()
        if number > maximum:
            raise InputError(f"the {label} is {number}, expected at most {maximum}")
        return number

    def numbers(self, label: str) -> Slots:
        """The slots of the numbers with a label."""
        return self._numbers.setdefault(label, fresh(256))

    def text(self, label: str, text: str = "", maximum: int = 4096) -> str:
        """A text of at most `maximum` bytes in UTF-8."""
        encoded = np.frombuffer(text.encode(), np.uint8).copy()
        count = self.number(f"length of the {label}", encoded.size, maximum)
        if not count:
            return ""
        coded = np.zeros(count, np.uint8) if self.reads else encoded
        self.reserve(32 * count)
        slots, weights, history = self._text = self._text or _primed()
        kernels.code_text(self.coder, self.buffer, self.tables, slots, weights, history, coded)
        self.check()
        try:
            return coded.tobytes().decode()
        except UnicodeDecodeError as error:
            raise InputError(f"the {label} is not text") from error

    def reserve(self, count: int) -> None:
        """When writing, make room for `count` bytes in the buffer."""
        if self.reads:
            return
        count += int(self.coder[kernels.PENDING]) + 8
        if self.buffer.size - self.coder[kernels.POSITION] >= count:
            return
        self._written += self.buffer[: self.coder[kernels.POSITION]].tobytes()
        self.coder[kernels.POSITION] = 0
        if self.buffer.size < count:
            self.buffer = np.zeros(count, np.uint8)

    def check(self) -> None:
        """Raise InputError if the stream was read past its end."""
        if self.coder[kernels.PAST_END] > kernels.MAX_PAST_END:
            raise InputError("it ends before its declared content")

    def end_part(self, part: str, tensor: int = -1) -> None:
        """When reading, add a part that ends here to `parts`."""
        if self.reads:
            read = int(self.coder[kernels.POSITION]) + int(self.coder[kernels.PAST_END])
            self.parts.append((part, tensor, 8 * read - log2(int(self.coder[kernels.RANGE]))))

    def end(self) -> bytes:
        """Finish writing and return all bytes."""
        self.reserve(16)
        kernels.finish(self.coder, self.buffer)
        return bytes(self._written) + self.buffer[: self.coder[kernels.POSITION]].tobytes()

    def unread(self) -> bytes:
        """The unread bytes."""
        return self.buffer[self.coder[kernels.POSITION] :].tobytes()


def _primed() -> tuple[Any, ...]:
    """A model of text that has read the primer."""
    slots = fresh(kernels.TEXT_ORDERS * kernels.TEXT_SLOTS)
    weights = np.array([90000, 60000, 60000, 80000, 80000, 0], np.int64)
    history = np.zeros(4, np.int64)
    text = np.frombuffer(PRIMER, np.uint8).copy()
    buffer = np.zeros(32 * text.size + 16, np.uint8)
    kernels.code_text(_new_coder(), buffer, tables(), slots, weights, history, text)
    return slots, weights, history
