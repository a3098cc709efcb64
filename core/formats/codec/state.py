"""Conversion between torch's state_dict and the entries of a compact file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.errors import InputError
from core.formats.codec.compact import DTYPES, CompactFile, Entry, Raw, Tied, Values, dense

Keep = Callable[[str, Tensor], Values | None]
"""How to store a tensor, by its name; None for raw, every bit."""


def raw(tensor: Tensor) -> Raw:
    """A tensor as it is, every bit.

    Raises:
        InputError: a file cannot hold its type.
    """
    dtype = str(tensor.dtype).removeprefix("torch.")
    if dtype not in DTYPES:
        raise InputError(f"a compact file holds {', '.join(DTYPES)}, not {dtype}")
    plain = tensor.detach().cpu().contiguous()
    # By way of bytes, since NumPy has no word for bfloat16.
    words = plain.reshape(-1).view(torch.uint8).numpy().view(DTYPES[dtype].words)
    return Raw(dtype, words.reshape(tuple(plain.shape)))


def from_state(
    state: Mapping[str, Tensor],
    model: str = "",
    facts: Mapping[str, Any] | None = None,
    keep: Keep | None = None,
) -> CompactFile:
    """A compact file of a state_dict.

    Tensors that share memory under several names are stored once.

    Args:
        state: names and tensors.
        model: the net's name in the zoo; empty for one's own.
        facts: other facts about it.
        keep: how each tensor is stored; all of them raw by default.

    Raises:
        InputError: a file cannot hold a tensor's type.
    """
    entries: list[Entry] = []
    seen: dict[Any, str] = {}
    for name, tensor in state.items():
        shape = tuple(tensor.shape)
        place = (tensor.data_ptr(), shape, tensor.stride(), tensor.dtype)
        first = seen.setdefault(place, name) if tensor.numel() else name
        if first != name:
            entries.append(Entry(name, shape, Tied(first)))
        else:
            chosen = keep(name, tensor) if keep is not None else None
            entries.append(Entry(name, shape, chosen if chosen is not None else raw(tensor)))
    return CompactFile(model, tuple(entries), facts or {})


def to_state(file: CompactFile) -> dict[str, Tensor]:
    """The state_dict that a file holds; tied names share one tensor."""
    state: dict[str, Tensor] = {}
    for entry in file.entries:
        if isinstance(entry.values, Tied):
            state[entry.name] = state[entry.values.to]
            continue
        dtype, words = dense(entry.values)
        state[entry.name] = _tensor(dtype, words).reshape(entry.shape)
    return state


def _tensor(dtype: str, words: NDArray[Any]) -> Tensor:
    if not words.flags.writeable:
        words = words.copy()
    plain = torch.from_numpy(np.ascontiguousarray(words).reshape(-1).view(np.uint8))
    return plain.view(getattr(torch, dtype))
