"""The C library's allocator, told to keep what a training step frees for the next step.

Activations of several MiB are allocated and freed in every step. By default glibc gives each back
to the system (mallopt(3): M_MMAP_THRESHOLD, M_TRIM_THRESHOLD), which has to zero its pages again:
for cnn5 6,400 page faults a step, a tenth of the time.
"""

from __future__ import annotations

import ctypes
import sys

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD = -1, -2, -3
MIB = 1 << 20


def keep_freed_memory() -> bool:
    """Let this process keep up to 1 GiB that it has freed; gives whether that was possible.

    It is for all of the process and can be asked for again. Where the C library is not glibc
    nothing happens.
    """
    return set_thresholds(mmap=32 * MIB, trim=1024 * MIB, pad=64 * MIB)


def give_back_memory() -> None:
    """Give the system what was freed and kept so far; where the C library is not glibc, nothing."""
    library = _library()
    if library is not None:
        library.malloc_trim(0)


def set_thresholds(*, mmap: int, trim: int, pad: int) -> bool:
    """From how many bytes on a block is mapped, the heap trimmed, and how many are kept then."""
    library = _library()
    if library is None:
        return False
    wanted = ((M_MMAP_THRESHOLD, mmap), (M_TRIM_THRESHOLD, trim), (M_TOP_PAD, pad))
    accepted = [library.mallopt(option, value) == 1 for option, value in wanted]
    return all(accepted)


def _library() -> ctypes.CDLL | None:
    """The C library, where it has glibc's functions."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        library = ctypes.CDLL(None)
        _ = library.mallopt, library.malloc_trim
    except (OSError, AttributeError):
        return None
    return library
