"""The files with a user's own model: its own, and the modules beside it that it imports."""

import hashlib
from collections.abc import Iterable
from contextlib import suppress
from modulefinder import ModuleFinder
from pathlib import Path

from core.errors import InputError
from core.nets.user_model import source_file

INSTALLED = ("site-packages", "dist-packages")
"""Folders of installed packages: their version says what they hold."""


def source_digest(name: str) -> str:
    """The SHA-256 of the code of a model; empty if it has no file.

    Modules that are imported from the folder of the code count, since a net may well be put
    together in several files. They are found by reading the code, which is not run for it.

    Example:
        >>> source_digest("torch.nn:Identity") == source_digest("torch.nn:Identity")
        True
    """
    path = source_file(name)
    return "" if path is None else _digest(_files(path))


def source_texts(name: str) -> dict[str, str]:
    """The code of a model that is named by its file, by paths that imports start from.

    The first one is the file itself, then come the modules beside it that it imports.
    Raises InputError if a file cannot be read, or is not UTF-8.
    """
    path = source_file(name)
    assert path is not None
    root = _root(path)
    try:
        return {
            file.relative_to(root).as_posix(): file.read_text(encoding="utf-8")
            for file in _files(path)
            if file.is_relative_to(root)
        }
    except (OSError, UnicodeError) as error:
        raise InputError(f"cannot send the code of {name}: {error}") from error


def _files(path: Path) -> dict[Path, None]:
    """The file of a model and those of its own that it imports; an installed one is alone."""
    imported = () if _is_installed(path) else _imported(path, _root(path))
    return dict.fromkeys((path, *imported))


def _imported(path: Path, root: Path) -> list[Path]:
    """The modules in a folder that a file imports, in whatever way, by their names."""
    finder = ModuleFinder(path=[str(root)])
    with suppress(ImportError, SyntaxError, ValueError, OSError):  # of one it can do without
        finder.import_hook(".".join(path.relative_to(root).with_suffix("").parts))
    found = (getattr(module, "__file__", None) for _, module in sorted(finder.modules.items()))
    return [Path(file) for file in found if file]


def _root(path: Path) -> Path:
    """The folder that imports start from: above the packages that a file is in."""
    folder = path.parent
    while (folder / "__init__.py").exists():
        folder = folder.parent
    return folder


def _is_installed(path: Path) -> bool:
    return not set(INSTALLED).isdisjoint(path.parts)


def _digest(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()
