"""Untrusted files: JSON, and the metadata of safetensors files.

A FaultError says on one line what is wrong with a file.
"""

import json
import math
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

HEADER = "facts"
"""The key of the JSON in a checkpoint's metadata."""


DIGEST = "digest"
"""The key of the digest of a file's tensors in its metadata.

Only files that no other program changes have one: some change tensors and keep the metadata.
"""


class FaultError(Exception):
    """A file is missing or damaged; the one-line message says which and how."""


def to_json(data: Mapping[str, Any]) -> str:
    """An object as JSON; raises ValueError for a number that is not finite."""
    return json.dumps(dict(data), allow_nan=False, indent=1)


def from_json(text: bytes | str, name: str) -> dict[str, Any]:
    """The object in the JSON of the file `name`; raises FaultError if there is none."""
    try:
        data = json.loads(text, parse_constant=_finite, parse_float=_finite)
    except (ValueError, TypeError, RecursionError) as error:
        raise FaultError(f"{name} is not JSON: {' '.join(str(error).split())}") from error
    if not isinstance(data, dict):
        raise FaultError(f"{name} is not a JSON object")
    return data


def read_json(path: Path) -> dict[str, Any]:
    """The object in a file; raises FaultError if the file is missing or damaged."""
    try:
        with open_file(path) as file:
            return from_json(file.read(), path.name)
    except OSError as error:
        raise FaultError(f"{path.name} cannot be read: {error.strerror or error}") from error


def open_file(path: Path) -> BinaryIO:
    """Open a file for reading; raises FaultError if it is not a readable file."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # a pipe would block
            raise FaultError(f"{path.name} is not a file")
        return path.open("rb")
    except FileNotFoundError as error:
        raise FaultError(f"{path.name} is missing") from error
    except OSError as error:
        raise FaultError(f"{path.name} cannot be read: {error.strerror or error}") from error


def read_header_json(file: BinaryIO) -> dict[str, Any]:
    """The JSON in a checkpoint's header; raises FaultError if there is none."""
    return from_json(read_metadata(file).get(HEADER, ""), f"the header of {Path(file.name).name}")


def read_metadata(file: BinaryIO) -> dict[str, str]:
    """The metadata of a safetensors file; raises FaultError if it is not one, or truncated."""
    name = Path(file.name).name
    try:
        size = os.fstat(file.fileno()).st_size
        length = int.from_bytes(file.read(8), "little")
        if length > size:
            raise FaultError(f"{name} is truncated or not a safetensors file")
        header = json.loads(file.read(length))
        metadata = dict(header.pop("__metadata__", {}))
        end = max((tensor["data_offsets"][1] for tensor in header.values()), default=0)
        if 8 + length + end != size:
            raise FaultError(f"{name} has {size} bytes, expected {8 + length + end}")
        return metadata
    except OSError as error:
        raise FaultError(f"{name} cannot be read: {error.strerror or error}") from error
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise FaultError(f"{name} is not a safetensors file") from error


def _finite(number: str) -> float:
    value = float(number)
    if not math.isfinite(value):
        raise ValueError(f"{number[:20]} is not a finite number")
    return value
