"""Paths as a person types and reads them."""

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


def with_tilde(path: Path) -> str:
    """A path with the home folder as a tilde."""
    try:
        return str(Path("~") / path.relative_to(Path.home()))
    except (ValueError, RuntimeError):  # it is elsewhere, or home is unknown
        return str(path)
