"""Paths as a person types them."""

from pathlib import Path

from core.errors import InputError


def path_of(text: str) -> Path:
    """A typed path; raises InputError if its `~` has no home folder."""
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise InputError(f"cannot find '{text}': {error}") from error


def check_folder(text: str) -> None:
    """Raise InputError if the file's folder does not exist."""
    folder = path_of(text).absolute().parent
    if not folder.is_dir():
        raise InputError(f"no such folder: {folder}; create it or choose another")
