"""Where torch computes, and the memory that it keeps."""

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

THERE = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}


def test_auto_is_a_device_that_is_there() -> None:
    device = resolve_device("auto")
    assert THERE.get(device.type, device.type == "cpu")
    assert device.type != "cpu" or not any(THERE.values())
    assert int(torch.ones(3, device=device).sum()) == 3


def test_the_processor_is_always_there() -> None:
    assert resolve_device("cpu") == torch.device("cpu")


@pytest.mark.parametrize("name", [name for name, there in THERE.items() if not there])
def test_one_that_is_not_there_is_refused(name: str) -> None:
    with pytest.raises(InputError, match=f"no {name} device .*: use --device auto or cpu"):
        resolve_device(name)


def test_an_unknown_one_is_refused() -> None:
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
def test_freed_memory_is_kept_where_the_allocator_is_glibc() -> None:
    """Eight blocks of 3,906 pages, taken again in a process of its own, cost hardly a page fault.

    The first few may lie one behind the other, where something small lies between them.
    """
    if platform.libc_ver()[0] != "glibc":
        assert not keep_freed_memory(), "other allocators are left as they are"
        return
    done = subprocess.run(
        [sys.executable, "-c", FAULTS], check=True, capture_output=True, text=True
    )
    assert int(done.stdout) < 400
