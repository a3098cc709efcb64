"""The compact file as bytes: written, and read as untrusted input. FORMAT.md defines them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

from core.errors import InputError
from core.formats.codec.body import code_bodies
from core.formats.codec.checks import check_file
from core.formats.codec.coder.stream import Stream
from core.formats.codec.compact import CompactFile, Entry
from core.formats.codec.header import Header, NamedShape, code_header
from core.formats.codec.outline import elements, outline_of

MAGIC = b"\xf7FW"
VERSION = 1

DIGEST = 6
"""Size of the BLAKE2b digest at the end of a file."""

FREE_ELEMENTS, ELEMENTS_A_BYTE = 1 << 22, 1 << 14
"""How many values a file may hold unless the zoo says: so many, and more for each byte it has.

The encoder appends zeros where a net has more, such as a large one with hardly a weight left.
"""

MAX_ELEMENTS = 1 << 28
"""Most values in a file, unless the caller sets a limit: a few gigabytes."""

Meter = Callable[[str, int, float], None]
"""Called after each part with its name, its entry, and all bits used so far."""


def encode(file: CompactFile) -> bytes:
    """The file as bytes.

    Raises:
        InputError: it is inconsistent, for example a shape that is not the declared one.
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
    """Decode the bytes that `encode` made.

    Args:
        data: the bytes.
        max_elements: how many values it may hold; by default as many as a layout of the zoo has,
            or as the size of the file lets expect, and no more than `MAX_ELEMENTS`.

    Raises:
        InputError: they are damaged, not such a file, or declare more than they may.
    """
    return read(data, max_elements, lambda _part, _i, _bits: None)


def read(data: bytes, max_elements: int | None, meter: Meter) -> CompactFile:
    """Decode, calling `meter` after each part; see `decode`."""
    payload = _payload(data)
    stream = Stream(payload)

    def check(named: Sequence[NamedShape], known: bool) -> None:
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
        raise InputError(f"not a readable compact file: {error}") from error
    return file


def _payload(data: bytes) -> bytes:
    """What is between magic and digest, if both are right."""
    start = len(MAGIC) + 1
    if data[: len(MAGIC)] != MAGIC[: len(data)] or not data:
        raise InputError("not a compact file: its first bytes are wrong")
    if len(data) < start + DIGEST:
        raise InputError(f"truncated compact file: {len(data)} bytes")
    if data[len(MAGIC)] != VERSION:
        raise InputError(
            f"compact file of version {data[len(MAGIC)]}, expected {VERSION}: "
            "use a newer Featherweight"
        )
    if _digest(data[:-DIGEST]) != data[-DIGEST:]:
        raise InputError("damaged or truncated compact file: its checksum is wrong")
    return data[start:-DIGEST]


def _digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=DIGEST).digest()


def _least_bytes(count: int) -> int:
    """How many bytes there have to be before the digest for so many values."""
    return -(-max(count - FREE_ELEMENTS, 0) // ELEMENTS_A_BYTE)


def _check_size(count: int, size: int, known: bool, max_elements: int | None) -> None:
    """Refuse more values than are allowed, before any room is taken for them."""
    most = MAX_ELEMENTS if max_elements is None else max_elements
    if count > most:
        raise InputError(f"it declares {count} values, expected at most {most}")
    if max_elements is None and not known and size - DIGEST < _least_bytes(count):
        raise InputError(
            f"it declares {count} values in {size} bytes, "
            f"expected at least {_least_bytes(count) + DIGEST} bytes"
        )


def _check_end(stream: Stream, header: Header, size: int) -> None:
    """Refuse what comes after the end, other than zeros that make up for many values."""
    unread = stream.unread()
    filled = 0 if header.layout else _least_bytes(elements(header.named)) - len(MAGIC) - 1
    if unread.strip(b"\0") or (unread and size > filled):
        raise InputError(f"{len(unread)} extra bytes after its end")
