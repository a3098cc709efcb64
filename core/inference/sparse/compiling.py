"""Compilation by numba, once per machine: compiled code is cached on disk."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
import platformdirs
from numba import cfunc, njit

_OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy"}

Kernel = TypeVar("Kernel", bound=Callable[..., Any])


def compiled(function: Kernel) -> Kernel:
    """Compile a function that other compiled ones call; it runs without the GIL."""
    return cast(Kernel, njit(**_OPTIONS)(function))


def contracted(function: Kernel) -> Kernel:
    """The same, allowing fused multiply-add."""
    return cast(Kernel, njit(**_OPTIONS, fastmath={"contract"})(function))


def entry(function: Callable[..., None], signature: str) -> Any:
    """Compile a function that Python calls (seconds), or load it from the cache (milliseconds).

    Keep the result alive while calling its attribute `ctypes`, which takes raw addresses: numba
    takes longer to unpack a dozen arrays than to run a small net.
    """
    config = vars(numba.config)
    before = config["CACHE_DIR"]
    try:
        # Numba checks the date of one file, but compiled code depends on all of them.
        files = sorted(Path(__file__).parent.glob("*.py"))
        digest = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]
        cache = platformdirs.user_cache_path("featherweight") / "numba" / digest
        config["CACHE_DIR"] = str(cache)
        return cfunc(signature, **_OPTIONS, cache=True)(function)
    except Exception:  # the cache cannot be written, or is damaged
        return cfunc(signature, **_OPTIONS)(function)
    finally:
        config["CACHE_DIR"] = before
