"""The compact file as bytes: written, and read as untrusted input. FORMAT.md defines them."""

import hashlib
from functools import partial

from core.errors import InputError
from core.formats.codec.checks import check_file
from core.formats.codec.coder.stream import Parts, Stream
from core.formats.codec.compact import CompactFile, Entry
from core.formats.codec.header import Header, code_header
from core.formats.codec.positions_and_values import code_tensors
from core.formats.codec.tensor_info import tensor_info
from core.system.untrusted_json import FaultError

MAGIC = b"\xf7FW"
VERSION = 1

DIGEST = 6
"""Size of the BLAKE2b digest at the end of a file."""

FREE_ELEMENTS, ELEMENTS_A_BYTE = 1 << 22, 1 << 14
"""Values a file without a layout may hold: a base number, plus a number per byte of the file.

The encoder appends zeros if a net has more, such as a large net with hardly any weights left.
"""

MAX_ELEMENTS = 1 << 28
"""Most values in a file unless the caller sets a limit: a few gigabytes of memory."""


def encode(file: CompactFile) -> bytes:
    """Encode a file; raises InputError if it is inconsistent or exceeds a limit."""
    check_file(file)
    names = [entry.name for entry in file.entries]
    tensors = [tensor_info(entry, names) for entry in file.entries]
    header = Header(file.model, tensors, file.facts)
    stream = Stream()
    code_header(stream, header)
    code_tensors(stream, tensors, [entry.values for entry in file.entries])
    content = MAGIC + bytes([VERSION]) + stream.end()
    if not header.layout:
        content = content.ljust(_least_bytes(header.elements), b"\0")
    return content + _digest(content)


def decode(data: bytes, max_elements: int | None = None) -> CompactFile:
    """Decode the bytes that `encode` made, at most `max_elements` values.

    The default is the number of values of the file's layout, or one that depends on its size, up
    to `MAX_ELEMENTS`.

    Raises InputError if the bytes are damaged, not a compact file, or declare too many values.
    """
    return read(data, max_elements)[0]


def read(data: bytes, max_elements: int | None) -> tuple[CompactFile, Parts]:
    """Decode, and report where each part of the stream ends; see `decode`."""
    payload = _payload(data)
    stream = Stream(payload)
    check = partial(_check_size, size=len(data), max_elements=max_elements)
    try:
        header = code_header(stream, None, check)
        values = code_tensors(stream, header.tensors)
        _check_end(stream, header, len(payload))
        pairs = zip(header.tensors, values, strict=True)
        entries = tuple(Entry(tensor.name, tensor.shape, stored) for tensor, stored in pairs)
        file = CompactFile(header.model, entries, header.facts)
        check_file(file)
    except (InputError, FaultError) as error:
        raise InputError(f"not a readable compact file: {error}") from error
    return file, stream.parts


def _payload(data: bytes) -> bytes:
    """The bytes between magic and digest, after checking both."""
    start = len(MAGIC) + 1
    if data[: len(MAGIC)] != MAGIC[: len(data)] or not data:
        raise InputError("not a compact file: its first bytes are wrong")
    if len(data) < start + DIGEST:
        raise InputError(f"truncated compact file: {len(data)} bytes")
    if data[len(MAGIC)] != VERSION:
        versions = f"version {data[len(MAGIC)]}, expected {VERSION}"
        raise InputError(f"compact file of {versions}: use a newer Featherweight")
    if _digest(data[:-DIGEST]) != data[-DIGEST:]:
        raise InputError("damaged or truncated compact file: its checksum is wrong")
    return data[start:-DIGEST]


def _digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=DIGEST).digest()


def _least_bytes(count: int) -> int:
    """The bytes required before the digest for this number of values."""
    return -(-max(count - FREE_ELEMENTS, 0) // ELEMENTS_A_BYTE)


def _check_size(count: int, known: bool, size: int, max_elements: int | None) -> None:
    """Refuse too many values before memory is allocated for them."""
    maximum = MAX_ELEMENTS if max_elements is None else max_elements
    if count > maximum:
        raise InputError(f"it declares {count} values, expected at most {maximum}")
    if max_elements is None and not known and size - DIGEST < _least_bytes(count):
        raise InputError(
            f"it declares {count} values in {size} bytes, "
            f"expected at least {_least_bytes(count) + DIGEST} bytes"
        )


def _check_end(stream: Stream, header: Header, size: int) -> None:
    """Refuse bytes after the stream's end, except the zeros required for many values."""
    unread = stream.unread()
    filled = 0 if header.layout else _least_bytes(header.elements) - len(MAGIC) - 1
    if unread.strip(b"\0") or (unread and size > filled):
        raise InputError(f"{len(unread)} extra bytes after its end")
