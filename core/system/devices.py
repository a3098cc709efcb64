"""The devices torch computes on."""

from __future__ import annotations

import torch

from core.errors import InputError


def resolve_device(name: str) -> torch.device:
    """The device called `name`; `auto` is cuda or mps if available, otherwise the CPU.

    Afterwards, the process's convolutions on cuda are deterministic and compute in float32, not
    TF32.

    Raises:
        InputError: this machine, or this build of torch, has no such device.
    """
    # TF32, which cuda's convolutions take for float32, is no finer than a half.
    torch.backends.cudnn.allow_tf32 = False
    # The fastest gradients of a convolution are added in whatever order they come.
    torch.backends.cudnn.deterministic = True
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        return torch.device(next((device for device, is_there in there.items() if is_there), "cpu"))
    if not there.get(name, True):
        raise InputError(f"no {name} device on this machine: use --device auto or cpu")
    return torch.device(name)
