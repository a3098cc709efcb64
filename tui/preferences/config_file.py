"""The settings file in the platform's config folder: TOML, with the line of each value."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from os.path import lexists
from pathlib import Path
from typing import Any

import platformdirs

from core.errors import InputError
from core.settings.toml import line_of, parse_toml, printable, read_text
from tui.system.paths import with_tilde


def config_path() -> Path:
    """Where the settings file is, existing or not."""
    return Path(platformdirs.user_config_dir("featherweight", appauthor=False)) / "config.toml"


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """What the file holds: nothing if there is none.

    Attributes:
        problem: why it cannot be read, if so.
    """

    path: Path
    text: str = ""
    table: Mapping[str, Any] = field(default_factory=dict)
    problem: str = ""

    def at(self, place: Sequence[str], why: str) -> str:
        """What is wrong at a place, with its line."""
        line = line_of(self.text, place)
        where = with_tilde(self.path) if line is None else f"{with_tilde(self.path)} line {line}"
        return printable(f"{where}: {why}")


def read_config_file(path: Path) -> ConfigFile:
    """Read a settings file."""
    try:
        if not lexists(path):
            return ConfigFile(path)
        if path.is_fifo():  # opening it would wait for its writer
            raise InputError(f"cannot read {path}: it is a pipe, expected a file")
        text = read_text(path)
        return ConfigFile(path, text, parse_toml(path, text))
    except (InputError, OSError) as error:
        return ConfigFile(path, problem=printable(f"{error}; its settings are ignored"))
    except RecursionError:
        return ConfigFile(path, problem=f"{path}: nested too deeply; its settings are ignored")
