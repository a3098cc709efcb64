"""Compilation by numba, once per machine: compiled code is kept in the cache."""

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
"""Options for a function called by other compiled ones; without the GIL."""

contracted = njit(**_OPTIONS, fastmath={"contract"})
"""The same, allowing fused multiply-add."""


def entry(function: Callable[..., None], signature: str) -> Any:
    """Compile a function that Python calls, or load it from the cache; seconds or milliseconds.

    Keep the result alive while calling its attribute `ctypes`, which takes raw addresses: numba's
    unpacking of a dozen arrays takes longer than a small net does.
    """
    try:
        return _compiled_cached(function, signature)
    except Exception:  # a folder that cannot be written, or a file that is not what was written
        return cfunc(signature, **_OPTIONS)(function)


def _compiled_cached(function: Callable[..., None], signature: str) -> Any:
    config = vars(numba.config)
    before = config["CACHE_DIR"]
    # Numba looks at the date of one file; what is compiled depends on all of them.
    config["CACHE_DIR"] = str(
        platformdirs.user_cache_path("featherweight") / "numba" / _source_digest()
    )
    try:
        return cfunc(signature, **_OPTIONS, cache=True)(function)
    finally:
        config["CACHE_DIR"] = before


def _source_digest() -> str:
    """Which code this is."""
    files = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]
