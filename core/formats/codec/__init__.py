"""The compact file: a pruned net in as few bytes as it takes. FORMAT.md documents every bit.

The map:

    compact       what a file holds: tensors as they are, with a codebook, or in steps
    container     encode, decode: magic, stream, checksum; what a reader does not believe
    measured      where the bytes of a file go
    state         from torch's state_dict and back; the only one that needs torch
    checks        whether a net can be kept in a file
    header        the net, facts, names, shapes, kinds
    layouts       names and shapes of the zoo's nets, which a file need not hold
    outline       what is known of a tensor before its values
    body          the tensors: where their values are, and the values
    books         codebooks and steps
    stream        one stream of range-coded bits, written or read
    models        what the adaptive models begin with
    primer        the text from which the model of text learns first
    tables        the logistic function in integers
    kernels       the inner loops, compiled by numba
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.formats.codec.compact import Codebook, CompactFile, Entry, Raw, Steps, Tied, dense
    from core.formats.codec.container import decode, encode
    from core.formats.codec.measured import Inspection, LayerBytes, inspect, parts
    from core.formats.codec.state import from_state, raw, to_state

__all__ = [
    "Codebook",
    "CompactFile",
    "Entry",
    "Inspection",
    "LayerBytes",
    "Raw",
    "Steps",
    "Tied",
    "decode",
    "dense",
    "encode",
    "from_state",
    "inspect",
    "parts",
    "raw",
    "to_state",
]

_ROOMS = {
    "compact": ("Codebook", "CompactFile", "Entry", "Raw", "Steps", "Tied", "dense"),
    "container": ("decode", "encode"),
    "measured": ("Inspection", "LayerBytes", "inspect", "parts"),
    "state": ("from_state", "raw", "to_state"),
}
"""Where each name is: numba and torch are loaded by the first that needs them."""


def __getattr__(name: str) -> Any:
    for room, names in _ROOMS.items():
        if name in names:
            return getattr(import_module(f"core.formats.codec.{room}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
