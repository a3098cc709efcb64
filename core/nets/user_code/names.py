"""How a user's own model is named: `path/to/net.py:Net` or `package.module:build`."""

import os.path
from pathlib import Path

from core.errors import InputError
from core.system.files import is_recorded_path

FORMS = "path/to/net.py:Net or package.module:Net"


def is_path(source: str) -> bool:
    """Whether a model's code is named by its file, not by its module."""
    return source.endswith(".py")


def check_model_name(name: str) -> None:
    """Raise InputError if a model's name is malformed or its file is missing; runs no code."""
    source, attribute = split_name(name)
    if not _is_well_formed(source, attribute):
        raise InputError(f"model '{name}': expected {FORMS}{meant(name)}")
    if is_path(source) and not _is_here(source):
        raise InputError(f"model '{name}': no such file: {source}")


def meant(name: str) -> str:
    """The end of a message: what a name with a colon in the wrong place, or none, may mean."""
    source, _, attribute = name.replace(":", ".").rpartition(".")
    if is_path(f"{source}.{attribute}") or not _is_well_formed(source, attribute):
        return ""
    return f"; did you mean {source}:{attribute}?"


def _is_well_formed(source: str, attribute: str) -> bool:
    dotted = [attribute, *(() if is_path(source) else source.split("."))]
    return all(part.isidentifier() for part in dotted)


def split_name(name: str) -> tuple[str, str]:
    """The file or module, and the attribute; a Windows drive keeps its colon."""
    source, _, attribute = name.rpartition(":")
    return source, attribute


def base_name(name: str) -> str:
    """A model's name without folders or packages: `net.Net`."""
    source, attribute = split_name(name)
    return f"{Path(source).stem if is_path(source) else source.rpartition('.')[2]}.{attribute}"


def is_same_name(recorded: str, named: str) -> bool:
    """Whether the model a user names may be the one in a file, by another path; runs no code.

    A module has one name everywhere, unless it is named by its file.
    """
    (source, attribute), (own, other) = map(split_name, (recorded, named))
    if recorded == named or attribute != other or not (is_path(source) or is_path(own)):
        return recorded == named
    return is_recorded_path(_file_of(source), _file_of(own))


def _file_of(source: str) -> str:
    """The file of a source; of a module, as it would be found from the current folder."""
    return source if is_path(source) else f"{source.replace('.', '/')}.py"


def without_folder(name: str) -> str:
    """A model's name without the folder of its file: `net.py:Net`."""
    source, attribute = split_name(name)
    return f"{Path(source).name}:{attribute}" if is_path(source) else name


def code_option(name: str) -> str:
    """The name to give for a model in a file, whose code may be in another folder."""
    source, _ = split_name(name)
    return name if not is_path(source) or _is_here(source) else f"PATH/{without_folder(name)}"


def _is_here(source: str) -> bool:
    return os.path.isfile(os.path.expanduser(source))  # no path makes these raise
