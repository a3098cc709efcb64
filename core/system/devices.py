"""The devices torch computes on."""

import torch

from core.errors import InputError


def resolve_device(name: str) -> torch.device:
    """The device called `name`; `auto` is cuda or mps if available, otherwise the CPU.

    From then on, this process's cuda convolutions are deterministic and use float32, not TF32.

    Raises InputError if this machine, or this build of torch, has no such device.
    """
    # TF32 is no more precise than float16.
    torch.backends.cudnn.allow_tf32 = False
    # The fastest gradients of convolutions add up in a random order.
    torch.backends.cudnn.deterministic = True
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        return torch.device(next((device for device in available if available[device]), "cpu"))
    if not available.get(name, True):
        raise InputError(f"no {name} device on this machine: use --device auto or cpu")
    return torch.device(name)
