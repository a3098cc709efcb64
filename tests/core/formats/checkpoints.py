"""A small net, and its checkpoints as torch writes them."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from core.formats.weights_files import read_weights

State = Mapping[str, Any]


class Plain(nn.Module):
    """A small net with BatchNorm for images [N, 1, 16, 16]."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 6, 3)
        self.bn = nn.BatchNorm2d(6)
        self.fc1 = nn.Linear(6 * 14 * 14, 20)
        self.fc2 = nn.Linear(20, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.bn(self.conv(x)).relu().flatten(1)
        return self.fc2(self.fc1(x).relu())


def net(seed: int = 0) -> Plain:
    torch.manual_seed(seed)
    return Plain().eval()


STATE = dict(net().state_dict())


def prefixed(prefix: str, state: State = STATE) -> dict[str, Any]:
    return {prefix + name: tensor for name, tensor in state.items()}


def read(content: object, path: Path, model: nn.Module | None = None) -> tuple[State, str]:
    """Save a file as torch does, read it, and return the weights and what is said about it."""
    torch.save(content, path)
    weights, notes = read_weights(path, model or Plain())
    return weights, "; ".join(notes).replace(f"{path.name}: ", "")


def same(one: State, other: State) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def archive(content: object) -> bytes:
    torch.save(content, file := BytesIO())
    return file.getvalue()


def legacy(content: object) -> bytes:
    torch.save(content, file := BytesIO(), _use_new_zipfile_serialization=False)
    return file.getvalue()
