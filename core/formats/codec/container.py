"""The compact file as bytes: written, and read without trust. FORMAT.md says what they mean."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

from core.errors import InputError
from core.formats.codec.body import code_bodies
from core.formats.codec.checks import check_file
from core.formats.codec.coder.stream import Stream
from core.formats.codec.compact import CompactFile, Entry
from core.formats.codec.header import Header, Named, code_header
from core.formats.codec.outline import elements, outline_of

MAGIC = b"\xf7FW"
VERSION = 1

DIGEST = 6
"""Bytes of BLAKE2b of all before them, which a file ends with."""

FREE_ELEMENTS, ELEMENTS_A_BYTE = 1 << 22, 1 << 14
"""How many values a file may hold unless the zoo says: so many, and more for each byte it has.

The encoder appends zeros where a net has more, such as a large one with hardly a weight left.
"""

MOST_ELEMENTS = 1 << 28
"""Values that a file may hold in any case, unless it is said how many there are: some gigabytes."""

Meter = Callable[[str, int, float], None]
"""Told, after each part that is read, its name, its entry, and all bits used so far."""


def encode(file: CompactFile) -> bytes:
    """The file as bytes.

    Raises:
        InputError: it does not fit together, such as values of another shape than is said.
    """
    check_file(file)
    names = [entry.name for entry in file.entries]
    outlines = [outline_of(entry, names) for entry in file.entries]
    header = Header(file.model, outlines, file.facts)
    stream = Stream()
    code_header(stream, header, lambda _named, _known: None)
    code_bodies(stream, outlines, [entry.values for entry in file.entries], lambda _part, _i: None)
    content = MAGIC + bytes([VERSION]) + stream.end()
    if not header.layout:
        content = content.ljust(_least_bytes(elements(header.named)), b"\0")
    return content + _digest(content)


def decode(data: bytes, max_elements: int | None = None) -> CompactFile:
    """The file that `encode` made these bytes of.

    Args:
        data: the bytes.
        max_elements: how many values it may hold; by default as many as a layout of the zoo has,
            or as the size of the file lets expect, and no more than `MOST_ELEMENTS`.

    Raises:
        InputError: they are damaged, no such file, or say they hold more than they may.
    """
    return read(data, max_elements, lambda _part, _i, _bits: None)


def read(data: bytes, max_elements: int | None, meter: Meter) -> CompactFile:
    """Decode, telling `meter` how far each part goes; see `decode`."""
    payload = _payload(data)
    stream = Stream(payload)

    def check(named: Sequence[Named], known: bool) -> None:
        _check_size(elements(named), len(data), known, max_elements)

    try:
        header = code_header(stream, None, check)
        meter("header", -1, stream.bits())
        nothing = [None] * len(header.outlines)
        values = code_bodies(
            stream, header.outlines, nothing, lambda part, i: meter(part, i, stream.bits())
        )
        _check_end(stream, header, len(payload))
        named = zip(header.outlines, values, strict=True)
        entries = tuple(Entry(it.name, it.shape, kept) for it, kept in named)
        file = CompactFile(header.model, entries, header.facts)
        check_file(file)
    except InputError as error:
        raise InputError(f"not a compact file that can be read: {error}") from error
    return file


def _payload(data: bytes) -> bytes:
    """What is between magic and digest, if both are right."""
    start = len(MAGIC) + 1
    if data[: len(MAGIC)] != MAGIC[: len(data)] or not data:
        raise InputError("not a compact file: it does not begin as one")
    if len(data) < start + DIGEST:
        raise InputError(f"a compact file that is cut short: {len(data)} bytes")
    if data[len(MAGIC)] != VERSION:
        raise InputError(
            f"a compact file of version {data[len(MAGIC)]}, expected {VERSION}: "
            "it takes a newer Featherweight"
        )
    if _digest(data[:-DIGEST]) != data[-DIGEST:]:
        raise InputError("a compact file that is damaged or cut short: its checksum is wrong")
    return data[start:-DIGEST]


def _digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=DIGEST).digest()


def _least_bytes(count: int) -> int:
    """How many bytes there have to be before the digest for so many values."""
    return -(-max(count - FREE_ELEMENTS, 0) // ELEMENTS_A_BYTE)


def _check_size(count: int, size: int, known: bool, max_elements: int | None) -> None:
    """Refuse more values than are allowed, before any room is taken for them."""
    most = MOST_ELEMENTS if max_elements is None else max_elements
    if count > most:
        raise InputError(f"it says it holds {count} values, expected at most {most}")
    if max_elements is None and not known and size - DIGEST < _least_bytes(count):
        raise InputError(
            f"it says it holds {count} values in {size} bytes, "
            f"expected at least {_least_bytes(count) + DIGEST} bytes"
        )


def _check_end(stream: Stream, header: Header, size: int) -> None:
    """Refuse what comes after the end, other than zeros that make up for many values."""
    rest = stream.rest()
    filled = 0 if header.layout else _least_bytes(elements(header.named)) - len(MAGIC) - 1
    if rest.strip(b"\0") or (rest and size > filled):
        raise InputError(f"{len(rest)} bytes follow its end")
