"""Preferences from the environment and the settings file.

The environment is before the file, the file before the defaults. What is wrong is named, with its
line, and left at its default: the program always starts.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.errors import InputError, shortened
from core.fields.declaration import Setting
from core.settings.settings import SETTINGS
from core.settings.toml import abbreviated
from core.system.files import check_writable_folder
from tui.preferences.config_file import ConfigFile, config_path, read_config_file
from tui.preferences.declared import (
    KEYS,
    OF_THE_PROGRAM,
    PREFERENCES,
    Preferences,
    unknown,
    variable,
)

MOST = 20
"""How many problems are named; finding the line of each takes time."""


def read_preferences(
    environment: Mapping[str, str], *, given: Collection[str] = (), program: bool = True
) -> Preferences:
    """Read what a person prefers.

    Args:
        environment: the environment variables.
        given: preferences that the command line gives; their paths here need not exist.
        program: whether it is for the program itself, which has a screen and keys.
    """
    reading = _Reading(given if program else (*given, *OF_THE_PROGRAM))
    file = read_config_file(config_path())
    if file.problem:
        reading.problems.append(file.problem)
    reading.read_file(file)
    reading.read_environment(environment)
    keys = reading.read_keys(file) if program else {}
    own = {name: value for name, value in reading.values.items() if name not in SETTINGS}
    settings = {name: value for name, value in reading.values.items() if name in SETTINGS}
    return Preferences(**own, settings=settings, keys=keys, problems=reading.all_problems())


@dataclass
class _Reading:
    """The values read so far, and what is wrong: `MOST` problems, and how many more."""

    unchecked: Collection[str]
    values: dict[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    more: int = 0

    def read_file(self, file: ConfigFile) -> None:
        """Read the values of a file."""
        for name, value in file.table.items():
            if name in PREFERENCES:
                try:
                    self._take(PREFERENCES[name], value)
                except InputError as error:
                    self._refuse(file, (name,), f"{name} = {abbreviated(value)}: {error}")
            elif name != KEYS:
                self._refuse(file, (name,), unknown(name))

    def read_environment(self, environment: Mapping[str, str]) -> None:
        """Read the variables of the preferences; an empty one is as good as none."""
        for name, declared in PREFERENCES.items():
            if text := environment.get(variable(name)):
                try:
                    self._take(declared, text)
                except InputError as error:
                    self.problems.append(f"{variable(name)}={shortened(text)}: {error}")

    def read_keys(self, file: ConfigFile) -> Mapping[str, tuple[str, ...]]:
        """The keys that a file gives to actions."""
        from tui.keys.keymap import read_keymap  # late: commands have no keys

        table = file.table.get(KEYS, {})
        if not isinstance(table, dict):
            why = f"{KEYS} = {abbreviated(table)}: expected a table, [{KEYS}] followed by lines"
            self._refuse(file, (KEYS,), why)
            return {}
        keymap = read_keymap(table)
        for item in keymap.refused:
            self._refuse(file, (KEYS, *item.place), item.why)
        return keymap.keys

    def _refuse(self, file: ConfigFile, place: Sequence[str], why: str) -> None:
        """Note what is wrong at a place, unless there is too much to read or to find."""
        if len(self.problems) < MOST:
            self.problems.append(file.at(place, why))
        else:
            self.more += 1

    def all_problems(self) -> tuple[str, ...]:
        """What is wrong, a line each."""
        more = (f"and {self.more:,} more",) if self.more else ()
        return (*self.problems, *more)

    def _take(self, declared: Setting, value: Any) -> None:
        """Take a value in place of any before it; raises InputError if it is not accepted."""
        kind = declared.kind
        as_text = isinstance(value, str) and not kind.accepts(value)
        read = kind.parse(value) if as_text else kind.read(value)
        if isinstance(read, Path):
            read = _folder(read, check=declared.name not in self.unchecked)
        elif declared.check is not None and declared.name not in self.unchecked:
            declared.check(read)
        self.values[declared.name] = read


def _folder(path: Path, *, check: bool) -> Path:
    """A folder, with its `~`; raises InputError if nothing can be written there."""
    try:
        path = path.expanduser()
    except RuntimeError as error:
        raise InputError(str(error)) from error
    if check:
        check_writable_folder(path, "folder")
    return path
