"""Torch's shared libraries, loaded without blocking the program's other threads.

`import torch` links hundreds of megabytes of libraries, gigabytes in a CUDA build, and holds the
GIL until the last page has come from the disk: no other thread runs Python meanwhile, so a screen
freezes. Measured with a CUDA 13 build on two cores, the GIL was held for 0.3 s with all files
cached and for 0.7 s with none, from a disk of 1 GB/s; after preloading, for at most 0.1 s.
"""

import os
import sys
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from threading import Thread

from core.errors import StoppedError
from core.events import Progress, StopFlag, Stream, never

CACHED = ("torch/lib/libtorch_python.so", "numpy.libs/*.so*", "numpy/*/*.so")
"""Libraries that call Python while loading, so `import` must load them; here they are only cached.

Patterns relative to torch's install folder; missing ones are skipped.
"""

TICK = 0.1
"""Seconds between checks of the stop flag."""

_CHUNK = 1 << 20
_BLOCK = 512  # the unit of ru_inblock on Linux


def preload_torch(stop: StopFlag = never) -> Stream[None]:
    """Make a following `import torch` fast; errors are left to that import.

    Does nothing if torch is imported or not installed, or off Linux: on Windows torch itself loads
    its libraries without the GIL.

    Raises:
        StoppedError: the stop flag is raised. The thread that loads cannot be stopped; it does not
            hold the GIL or keep the program from exiting.
    """
    if "torch" in sys.modules or not sys.platform.startswith("linux"):
        return
    if (spec := find_spec("torch")) is None or spec.origin is None:
        return
    before = _bytes_from_disk()
    packages = Path(spec.origin).parents[1]
    worker = Thread(target=_work, args=(packages,), name="libraries", daemon=True)
    worker.start()
    while worker.is_alive():
        if stop():
            raise StoppedError("stopped while loading torch")
        yield Progress("loading torch", _bytes_from_disk() - before, unit="B")
        worker.join(TICK)


def read(folder: Path, patterns: tuple[str, ...]) -> int:
    """Read files into the system's cache, skipping unreadable ones; returns the bytes read."""
    buffer, total = bytearray(_CHUNK), 0
    for pattern in patterns:
        for path in folder.glob(pattern):
            with suppress(OSError), path.open("rb", buffering=0) as file:
                while count := file.readinto(buffer):
                    total += count
    return total


def link(path: Path, flags: int) -> bool:
    """Load a shared library like `ctypes.CDLL(path, flags)`, but without holding the GIL.

    Only for libraries that do not call Python while loading. Returns whether it is loaded.
    """
    import ctypes  # not before the first screen

    # ctypes releases the GIL during foreign calls, so dlopen is called as one.
    dlopen = ctypes.CDLL(None).dlopen
    dlopen.restype, dlopen.argtypes = ctypes.c_void_p, (ctypes.c_char_p, ctypes.c_int)
    return bool(path.is_file() and dlopen(os.fsencode(path), flags))


def _work(packages: Path) -> None:
    with suppress(Exception):  # `import torch` explains it better
        read(packages, CACHED)
        # If this is set, torch loads its libraries in another order.
        if not os.environ.get("LD_LIBRARY_PATH"):
            libraries = packages / "torch" / "lib"
            # The order and flags of `import torch`.
            if link(libraries / "libtorch_global_deps.so", os.RTLD_NOW | os.RTLD_GLOBAL):
                link(libraries / "libtorch.so", os.RTLD_NOW | os.RTLD_LOCAL)


def _bytes_from_disk() -> int:
    """The bytes this process has read from disks."""
    import resource  # missing on Windows

    return resource.getrusage(resource.RUSAGE_SELF).ru_inblock * _BLOCK
