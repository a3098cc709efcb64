"""Checkpoints: the state of a training between two epochs, to resume after a crash."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from core.errors import InputError
from core.events import Event

_TENSOR, _ITEMS = "$tensor", "$items"


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint(Event):
    """What a training needs to resume after the epoch that has just ended.

    Attributes:
        tensors: copies on the CPU, by name.
        json: the rest as JSON data, with tensor names in place of tensors.
    """

    tensors: Mapping[str, Tensor]
    json: Mapping[str, Any]

    @classmethod
    def of(cls, state: Mapping[str, Any]) -> Checkpoint:
        """Split a state of dicts, lists, numbers, strings, None and tensors."""
        tensors: dict[str, Tensor] = {}
        return cls(tensors, _disassemble(state, "state", tensors))

    def state(self) -> dict[str, Any]:
        """Reassemble the state, tuples as lists; raises InputError if a tensor is missing."""
        state = _reassemble(self.json, self.tensors)
        if not isinstance(state, dict):
            raise InputError("the checkpoint is empty: start a new run")
        return state


def _disassemble(value: Any, path: str, tensors: dict[str, Tensor]) -> Any:
    match value:
        case Tensor():
            name = f"{len(tensors)} {path}"
            tensors[name] = value.detach().to(
                "cpu", copy=True, memory_format=torch.contiguous_format
            )
            return {_TENSOR: name}
        case Mapping():
            items = [[k, _disassemble(v, f"{path}/{k}", tensors)] for k, v in value.items()]
            return dict(items) if all(isinstance(key, str) for key in value) else {_ITEMS: items}
        case list() | tuple():
            return [_disassemble(v, f"{path}/{i}", tensors) for i, v in enumerate(value)]
        case _:
            return value


def _reassemble(value: Any, tensors: Mapping[str, Tensor]) -> Any:
    match value:
        case {"$tensor": name, **nothing} if not nothing:
            if name not in tensors:
                raise InputError(f"the checkpoint lacks the tensor '{name}': start a new run")
            return tensors[name]
        case {"$items": items, **nothing} if not nothing:
            return {key: _reassemble(item, tensors) for key, item in items}
        case Mapping():
            return {key: _reassemble(item, tensors) for key, item in value.items()}
        case list():
            return [_reassemble(item, tensors) for item in value]
        case _:
            return value
