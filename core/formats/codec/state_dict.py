"""Conversion between torch's state_dict and the entries of a compact file."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from core.errors import InputError
from core.formats.codec.compact import DTYPES, CompactFile, Entry, Raw, Tied, Values, dense

Keep = Callable[[str, Tensor], Values | None]
"""Chooses how to store a tensor, given its name; None stores every bit."""


def raw(tensor: Tensor) -> Raw:
    """A tensor stored exactly; raises InputError if a file cannot hold its type."""
    dtype = str(tensor.dtype).removeprefix("torch.")
    if dtype not in DTYPES:
        raise InputError(f"a compact file can store {', '.join(DTYPES)}; not {dtype}")
    plain = tensor.detach().cpu().contiguous()
    # Via bytes, since NumPy has no bfloat16.
    words = plain.reshape(-1).view(torch.uint8).numpy().view(DTYPES[dtype].words)
    return Raw(dtype, words.reshape(tuple(plain.shape)))


def from_state(
    state: Mapping[str, Tensor],
    model: str = "",
    facts: Mapping[str, Any] | None = None,
    keep: Keep = lambda _name, _tensor: None,
) -> CompactFile:
    """The contents of a compact file for a state_dict; tied tensors are stored once.

    `model` is the net's name in the zoo, empty for a user's own; `facts` are others about it, as
    plain JSON; `keep` chooses how to store each tensor, by default exactly.

    Raises InputError if a file cannot hold a tensor's type.
    """
    entries, seen = list[Entry](), dict[Any, str]()
    for name, tensor in state.items():
        shape = tuple(tensor.shape)
        memory = (tensor.data_ptr(), shape, tensor.stride(), tensor.dtype)
        first = seen.setdefault(memory, name) if tensor.numel() else name
        values = Tied(first) if first != name else keep(name, tensor)
        entries.append(Entry(name, shape, values or raw(tensor)))
    return CompactFile(model, tuple(entries), facts or {})


def to_state(file: CompactFile) -> dict[str, Tensor]:
    """The state_dict in a file; tied names share one tensor."""
    state: dict[str, Tensor] = {}
    for entry in file.entries:
        if isinstance(entry.values, Tied):
            state[entry.name] = state[entry.values.to]
            continue
        dtype, words = dense(entry.values)
        writable = np.require(words, requirements=("C", "W")).reshape(-1).view(np.uint8)
        flat = torch.from_numpy(writable).view(getattr(torch, dtype))
        state[entry.name] = flat.reshape(entry.shape)
    return state
