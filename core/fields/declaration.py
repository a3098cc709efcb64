"""Settings declared once: the values each one takes, its default, and what it means.

A dataclass such as `core.Choices` declares each of its fields with `setting`. Everything else is
derived from that declaration: the checks of the dataclass itself, the keys of a recipe file, the
options of the command line, the rows of the app's form and the table in tui/README.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any

from core.errors import InputError
from core.fields.kinds import Kind


@dataclass(frozen=True)
class Setting:
    """One field of a dataclass that a person may set.

    Attributes:
        name: of the field, and its key in a recipe file.
        default: None where something else decides: see `unset`.
        meaning: what it does, in a few words.
        unset: what decides where nothing is set.
        label: its name in the app's form.
        check: raises InputError for text that names nothing; applied to what a person types.
        portable: it means the same on every machine, so a recipe file may hold it.
    """

    name: str
    default: Any
    kind: Kind
    meaning: str
    unset: str = ""
    label: str = ""
    check: Callable[[Any], object] | None = None
    portable: bool = True

    @property
    def flag(self) -> str:
        """The option of the command line."""
        return f"--{self.name.replace('_', '-')}"

    @property
    def summary(self) -> str:
        """The meaning, and the values it takes."""
        return f"{self.meaning}: {self.kind.values}" if self.kind.values else self.meaning

    @property
    def description(self) -> str:
        """The meaning, and the values it takes, each with what it means."""
        return f"{self.meaning}: {self.kind.description}" if self.kind.values else self.meaning

    @property
    def default_text(self) -> str:
        """The default as a person reads it."""
        return self.unset if self.default is None else self.kind.shown(self.default)

    def read(self, value: Any) -> Any:
        """A value from a script, as it is stored; raises InputError where it is not expected."""
        try:
            return self.kind.read(value)
        except InputError as error:
            raise InputError(f"{self.name} = {value!r}: {error}") from error

    def parse(self, text: str) -> Any:
        """A value from the command line; raises InputError where it is not expected."""
        try:
            value = self.kind.parse(text)
        except InputError as error:
            raise InputError(f"{self.flag} {text}: {error}") from error
        if self.check is not None:
            self.check(value)
        return value


def setting(default: Any, kind: Kind, meaning: str, **more: Any) -> Any:
    """Declare a field of a dataclass; `more` are further attributes of its `Setting`."""
    return field(default=default, metadata={"setting": dict(kind=kind, meaning=meaning, **more)})


def settings_in(owner: type) -> dict[str, Setting]:
    """The settings that a dataclass declares, by name, in their order.

    Where one thing decides all that is not set, the class names it in `UNSET`.
    """
    unset = {"unset": getattr(owner, "UNSET", "")}
    return {
        it.name: Setting(it.name, it.default, **(unset | it.metadata["setting"]))
        for it in fields(owner)
        if "setting" in it.metadata
    }


def check_fields(owner: Any) -> None:
    """Check the declared fields of a dataclass, and keep each value in its usual type.

    Raises:
        InputError: a value is not one of those expected.
    """
    for name, declared in settings_in(type(owner)).items():
        value = getattr(owner, name)
        if value is not None or declared.default is not None:
            object.__setattr__(owner, name, declared.read(value))


def given(owner: Any) -> dict[str, Any]:
    """The declared fields of a dataclass that are set, by name."""
    values = {name: getattr(owner, name) for name in settings_in(type(owner))}
    return {name: value for name, value in values.items() if value is not None}
