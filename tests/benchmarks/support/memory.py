"""Peak memory, measured from outside: what the system gave the process."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path


def peak_of(work: Callable[[], object]) -> int:
    """The bytes by which this process grows at the peak of `work`, its result included.

    Linux only. Use it in a fresh process, see `in_fresh_process`: reuse of memory that was freed
    before cannot be seen.
    """
    forget_peak()
    before = resident()
    result = work()  # alive at the peak
    peak = resident(peak=True) - before
    del result
    return peak


def in_fresh_process(module: str, function: str) -> float:
    """The number that a function without arguments returns in a new process."""
    code = f"from {module} import {function} as measured; print(float(measured()))"
    process = subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.PIPE)
    return float(process.stdout.split()[-1])


def forget_peak(process: int | str = "self") -> None:
    """Reset the peak of a process; if that is not allowed, the peak may be too high."""
    with suppress(OSError):
        Path(f"/proc/{process}/clear_refs").write_text("5")


def resident(process: int | str = "self", *, peak: bool = False) -> int:
    """The resident bytes of a process, now or at its peak."""
    name = "VmHWM" if peak else "VmRSS"
    for line in Path(f"/proc/{process}/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"no {name} in the status of process {process}")
