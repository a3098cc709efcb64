"""The memory that work takes at its peak, seen from outside: what the system gave the process."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path


def peak_of(work: Callable[[], object]) -> int:
    """The bytes by which this process grows at most during `work`, what it gives back included.

    Linux only. It is meant for a process that has done little else, see `in_fresh_process`:
    memory that was freed and kept before would be taken again unseen.
    """
    forget_peak()
    before = resident()
    kept = work()
    peak = resident(peak=True) - before
    del kept
    return peak


def in_fresh_process(module: str, function: str) -> float:
    """The number that a function without arguments gives in a process of its own."""
    code = f"from {module} import {function} as measured; print(float(measured()))"
    done = subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.PIPE)
    return float(done.stdout.split()[-1])


def forget_peak(process: int | str = "self") -> None:
    """Have the peak of a process begin anew; where that is not allowed it may be too high."""
    with suppress(OSError):
        Path(f"/proc/{process}/clear_refs").write_text("5")


def resident(process: int | str = "self", *, peak: bool = False) -> int:
    """The bytes of memory that a process has now, or had at its peak."""
    name = "VmHWM" if peak else "VmRSS"
    for line in Path(f"/proc/{process}/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"no {name} in the status of process {process}")
