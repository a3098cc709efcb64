"""Facts in files, read without trust: JSON, and the notes in the header of a safetensors file.

What is wrong with a file comes as a FaultError, of one line that can stand beside it in a list.
"""

from __future__ import annotations

import json
import math
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO


class FaultError(Exception):
    """A file is missing or damaged; the message says which and how, on one line."""


def to_json(facts: Mapping[str, Any]) -> str:
    """Facts as text; raises ValueError for a number that is not finite."""
    return json.dumps(dict(facts), allow_nan=False, indent=1)


def from_json(data: bytes | str, name: str) -> dict[str, Any]:
    """Facts from the contents of the file `name`; raises FaultError where they are none."""
    try:
        facts = json.loads(data, parse_constant=_finite, parse_float=_finite)
    except (ValueError, TypeError, RecursionError) as error:
        raise FaultError(f"{name} is not JSON: {' '.join(str(error).split())}") from error
    if not isinstance(facts, dict):
        raise FaultError(f"{name} is not a JSON object")
    return facts


def read_json(path: Path) -> dict[str, Any]:
    """Facts from a file; raises FaultError where it is missing or damaged."""
    try:
        with opened(path) as file:
            return from_json(file.read(), path.name)
    except OSError as error:
        raise FaultError(f"{path.name} cannot be read: {error.strerror or error}") from error


def opened(path: Path) -> BinaryIO:
    """Open a file to read; raises FaultError where it is not one or may not be read."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # a pipe would have us wait for ever
            raise FaultError(f"{path.name} is not a file")
        return path.open("rb")
    except FileNotFoundError as error:
        raise FaultError(f"{path.name} is missing") from error
    except OSError as error:
        raise FaultError(f"{path.name} cannot be read: {error.strerror or error}") from error


def saved_facts(file: BinaryIO) -> dict[str, Any]:
    """The facts in the header of a checkpoint; raises FaultError where there are none."""
    name = Path(file.name).name
    facts = from_json(metadata(file).get("facts", ""), f"the header of {name}")
    facts.pop("status", None)
    return facts


def metadata(file: BinaryIO) -> dict[str, str]:
    """The notes in the header of a safetensors file, which has to be as long as it says.

    Raises:
        FaultError: it is cut short, or not safetensors.
    """
    name = Path(file.name).name
    try:
        size = os.fstat(file.fileno()).st_size
        length = int.from_bytes(file.read(8), "little")
        if length > size:
            raise FaultError(f"{name} is cut short or not safetensors")
        header = json.loads(file.read(length))
        notes = dict(header.pop("__metadata__", {}))
        end = max((tensor["data_offsets"][1] for tensor in header.values()), default=0)
        if 8 + length + end != size:
            raise FaultError(f"{name} is {size} bytes long, expected {8 + length + end}")
        return notes
    except OSError as error:
        raise FaultError(f"{name} cannot be read: {error.strerror or error}") from error
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise FaultError(f"{name} is not safetensors") from error


def _finite(number: str) -> float:
    value = float(number)
    if not math.isfinite(value):
        raise ValueError(f"{number[:20]} is not a finite number")
    return value
