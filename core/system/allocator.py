"""Settings of glibc's allocator: memory freed by a training step is reused in the next.

Every step allocates and frees activations of several MiB. By default glibc returns them to the
system (mallopt(3): M_MMAP_THRESHOLD, M_TRIM_THRESHOLD), which zeros their pages again: 6,400 page
faults per step for cnn5, a tenth of the time.
"""

import ctypes
import sys

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD = -1, -2, -3
MIB = 1 << 20


def keep_freed_memory() -> bool:
    """Let this process keep up to 1 GiB of freed memory; returns whether glibc accepts that."""
    return set_thresholds(mmap=32 * MIB, trim=1024 * MIB, pad=64 * MIB)


def trim_memory() -> None:
    """Return freed memory to the system; does nothing without glibc."""
    if (library := _library()) is not None:
        library.malloc_trim(0)


def set_thresholds(*, mmap: int, trim: int, pad: int) -> bool:
    """Set the bytes above which blocks are mapped and the heap is trimmed, down to `pad`."""
    if (library := _library()) is None:
        return False
    options = {M_MMAP_THRESHOLD: mmap, M_TRIM_THRESHOLD: trim, M_TOP_PAD: pad}
    return all(library.mallopt(*option) == 1 for option in options.items())


def _library() -> ctypes.CDLL | None:
    """The C library; None if it is not glibc."""
    library = ctypes.CDLL(None) if sys.platform.startswith("linux") else None
    return library if hasattr(library, "malloc_trim") else None
