"""Devices, and the memory the allocator keeps."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest
import torch

from core.errors import InputError
from core.settings.settings import Settings
from core.system.allocator import keep_freed_memory
from core.system.devices import resolve_device

AVAILABLE = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}


def test_auto_is_an_available_device() -> None:
    device = resolve_device("auto")
    assert AVAILABLE.get(device.type, device.type == "cpu")
    assert device.type != "cpu" or not any(AVAILABLE.values())
    assert int(torch.ones(3, device=device).sum()) == 3


def test_the_cpu_is_always_available() -> None:
    assert resolve_device("cpu") == torch.device("cpu")


@pytest.mark.parametrize("name", [name for name, available in AVAILABLE.items() if not available])
def test_a_missing_device_is_refused(name: str) -> None:
    with pytest.raises(InputError, match=f"no {name} device .*: use --device auto or cpu"):
        resolve_device(name)


def test_an_unknown_device_is_refused() -> None:
    with pytest.raises(InputError, match="'tpu': expected one of auto, cpu"):
        Settings(device="tpu")


FAULTS = """
import resource
import torch
from core.system.allocator import keep_freed_memory

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    blocks = [torch.ones(4_000_000) for _ in range(8)]
    del blocks
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

assert keep_freed_memory() and keep_freed_memory()
print(max([faults() for _ in range(20)][10:]))
"""


@pytest.mark.slow
def test_freed_memory_is_kept_if_the_allocator_is_glibcs() -> None:
    """Allocating eight blocks of 3,906 pages again, in a new process, causes few page faults."""
    if platform.libc_ver()[0] != "glibc":
        assert not keep_freed_memory(), "other allocators are left as they are"
        return
    done = subprocess.run(
        [sys.executable, "-c", FAULTS], check=True, capture_output=True, text=True
    )
    assert int(done.stdout) < 400
