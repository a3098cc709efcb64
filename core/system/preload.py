"""Torch's shared libraries, loaded without blocking the program's other threads.

`import torch` links hundreds of megabytes of libraries, gigabytes in a build for CUDA, and holds
the interpreter's lock until the last page it needs has come from the disk: no other thread runs
Python meanwhile, so a screen answers no key. Measured with a build for CUDA 13 on two cores, the
lock was held for 0.3 s with all files in memory and for 0.7 s with none, from a disk of 1 GB/s.
Brought in from here, 0.1 s is the longest in both cases.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from threading import Thread

from core.errors import StoppedError
from core.events import Progress, StopFlag, Stream, never

READ = ("torch/lib/libtorch_python.so", "numpy.libs/*.so*", "numpy/*/*.so")
"""Libraries that run Python while loading, so Python must load them; they are only cached here.

Patterns relative to torch's install folder; missing ones are skipped.
"""

TICK = 0.1
"""Seconds between checks of the stop flag."""

_CHUNK = 1 << 20
_BLOCK = 512  # the unit of ru_inblock on Linux


def preload_torch(stop: StopFlag = never) -> Stream[None]:
    """Make a following `import torch` short; what fails here is left to that import.

    Does nothing where torch is there already or not at all, and on other systems than Linux: on
    Windows torch itself loads its libraries without the lock.

    Raises:
        StoppedError: the stop flag is raised. The thread that links cannot be stopped; it holds
            no lock and does not keep the program from ending.
    """
    folder = installed_in("torch")
    if folder is None or "torch" in sys.modules or not sys.platform.startswith("linux"):
        return
    before = _bytes_from_disk()
    worker = Thread(target=_work, args=(folder,), name="libraries", daemon=True)
    worker.start()
    while worker.is_alive():
        if stop():
            raise StoppedError("stopped while loading torch")
        yield Progress("load torch", _bytes_from_disk() - before, unit="B")
        worker.join(TICK)


def installed_in(package: str) -> Path | None:
    """The folder a package is installed in, found without importing it."""
    try:
        spec = find_spec(package)
    except (ImportError, ValueError):
        return None
    places = (spec and spec.submodule_search_locations) or ()
    return next((Path(place).parent for place in places), None)


def read(folder: Path, patterns: tuple[str, ...]) -> int:
    """Read files into the system's cache through one small buffer; returns the bytes read.

    Unreadable files are skipped.
    """
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

    # It lets go of the lock during every foreign call, and dlopen can be called as one.
    dlopen = ctypes.CDLL(None).dlopen
    dlopen.restype, dlopen.argtypes = ctypes.c_void_p, (ctypes.c_char_p, ctypes.c_int)
    return bool(path.is_file() and dlopen(os.fsencode(path), flags))


def _work(folder: Path) -> None:
    with suppress(Exception):  # `import torch` says better what is wrong
        read(folder, READ)
        # Where this is set, torch has an order of loading of its own to get round it.
        if not os.environ.get("LD_LIBRARY_PATH"):
            libraries = folder / "torch" / "lib"
            # In the order and with the flags of `import torch`.
            if link(libraries / "libtorch_global_deps.so", os.RTLD_NOW | os.RTLD_GLOBAL):
                link(libraries / "libtorch.so", os.RTLD_NOW | os.RTLD_LOCAL)


def _bytes_from_disk() -> int:
    """What this process has had to read from a disk so far."""
    import resource  # not there on Windows

    return resource.getrusage(resource.RUSAGE_SELF).ru_inblock * _BLOCK
