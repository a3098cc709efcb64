"""Paths in recorded files: those of another folder or machine, if not of here."""

import os.path
from pathlib import Path


def is_recorded_path(recorded: str, named: str) -> bool:
    """Whether the path a user names may be the one in a file.

    A relative path was recorded in some folder: it may be the end of any path. What is not here
    has moved: its own name is left. Nothing is opened.
    """
    try:
        old, real = os.path.expanduser(recorded), os.path.realpath(os.path.expanduser(named))
        if os.path.realpath(old) == real:
            return True
        parts, end = Path(real).parts, tuple(part for part in Path(old).parts if part != "..")
        if parts[len(parts) - len(end) :] == end:
            return True
        return not os.path.exists(old) and Path(old).name == Path(real).name
    except ValueError:  # a NUL in a damaged file
        return False
