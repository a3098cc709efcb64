"""Where torch computes."""

from __future__ import annotations

import torch

from core.errors import InputError


def resolve_device(name: str) -> torch.device:
    """The device called `name`; `auto` is cuda or mps where there is one, and the processor else.

    From then on the process's convolutions on cuda compute float32 as such, not as TF32, and the
    same numbers every time.

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
        raise InputError(f"no {name} device here: expected --device auto or cpu")
    return torch.device(name)
