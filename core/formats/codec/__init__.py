"""The compact file: a pruned net in as few bytes as possible. FORMAT.md documents every bit.

The map:

    compact                a file's contents: raw tensors, codebooks, steps
    container              encode, decode: magic, stream, checksum, limits on untrusted input
    inspection             where the bytes of a file go
    state_dict             to and from torch's state_dict; the only module that needs torch
    checks                 whether a net can be stored in a file
    header                 the net, facts, names, shapes, kinds
    zoo_shapes             names and shapes of the zoo's nets, which files leave out
    tensor_info            a tensor without its values: name, shape, kind
    positions_and_values   the tensors: the positions of their nonzeros, then their values
    codebook_coding        codebooks and steps
    coder/                 the entropy coder; kernels.code_mask codes positions
    numpy_inference        predictions with a compact file and NumPy alone
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.formats.codec.compact import Codebook, CompactFile, Entry, Raw, Steps, Tied, dense
    from core.formats.codec.container import decode, encode
    from core.formats.codec.inspection import Inspection, LayerBytes, inspect
    from core.formats.codec.state_dict import from_state, raw, to_state

__all__ = [
    "Codebook", "CompactFile", "Entry", "Inspection", "LayerBytes", "Raw", "Steps", "Tied",
    "decode", "dense", "encode", "from_state", "inspect", "raw", "to_state",
]  # fmt: skip

_MODULES = {
    "compact": ("Codebook", "CompactFile", "Entry", "Raw", "Steps", "Tied", "dense"),
    "container": ("decode", "encode"),
    "inspection": ("Inspection", "LayerBytes", "inspect"),
    "state_dict": ("from_state", "raw", "to_state"),
}
"""The names of each module: numba and torch are loaded only when a name needs them."""


def __getattr__(name: str) -> Any:
    for module, names in _MODULES.items():
        if name in names:
            return getattr(import_module(f"core.formats.codec.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
