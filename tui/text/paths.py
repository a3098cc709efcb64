"""Paths as a person types them."""

from __future__ import annotations

from pathlib import Path

from core.errors import InputError


def path_of(text: str) -> Path:
    """A path as it was typed; raises InputError where its `~` is nobody's."""
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise InputError(f"cannot find '{text}': {error}") from error


def check_folder(text: str) -> None:
    """Raises InputError where there is no folder for a file."""
    folder = path_of(text).absolute().parent
    if not folder.is_dir():
        raise InputError(f"the folder {folder} does not exist: make it, or give another one")
