"""What to say when a data folder cannot be used."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from core.errors import InputError
from core.system.files import NO_SPACE

_MEGABYTE = 1_000_000
_OTHER = "give another --data-dir"


def unusable(folder: Path, error: OSError, needed: int) -> InputError:
    """Turn what the system says about a data folder into an error that says how to mend it.

    Args:
        folder: the data folder.
        error: what came of using it.
        needed: bytes that a fetch takes.
    """
    if error.errno in NO_SPACE:
        there = next(path for path in (folder, *folder.parents) if os.path.exists(path))
        free = shutil.disk_usage(there).free
        return InputError(
            f"no space left in {folder}: {needed / _MEGABYTE:.0f} MB are needed, "
            f"{free / _MEGABYTE:.0f} MB are free; free some or {_OTHER}"
        )
    if os.path.isfile(folder):
        return InputError(f"{folder} is a file, expected a folder; {_OTHER}")
    return InputError(f"{folder} cannot be used ({error.strerror or error}); {_OTHER}")
