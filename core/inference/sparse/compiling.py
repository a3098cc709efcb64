"""Python made machine code by numba, once for a machine: what was compiled is kept in the cache."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
import platformdirs
from numba import cfunc, njit

_OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy"}

compiled = njit(**_OPTIONS)
"""For a function that others call; without the GIL."""

contracted = njit(**_OPTIONS, fastmath={"contract"})
"""The same, and a multiplication and an addition may be rounded once."""


def entry(function: Callable[..., None], signature: str) -> Any:
    """Compile a function that Python calls, or bring in what was kept; seconds or milliseconds.

    What is given has to be held as long as its attribute `ctypes` is called, which takes addresses
    as they are: numba's own way of taking an array apart costs more, for a dozen of them, than a
    small net does.
    """
    try:
        return _kept(function, signature)
    except Exception:  # a folder that cannot be written, or a file that is not what was written
        return cfunc(signature, **_OPTIONS)(function)


def _kept(function: Callable[..., None], signature: str) -> Any:
    config = vars(numba.config)
    before = config["CACHE_DIR"]
    # Numba looks at the date of one file; what is compiled depends on all of them.
    config["CACHE_DIR"] = str(platformdirs.user_cache_path("featherweight") / "numba" / _code())
    try:
        return cfunc(signature, **_OPTIONS, cache=True)(function)
    finally:
        config["CACHE_DIR"] = before


def _code() -> str:
    """Which code this is."""
    files = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]
