"""Settings declared once: accepted values, default, meaning.

A dataclass such as `core.RecipeChanges` declares its fields with `setting`. The dataclass's checks,
the keys of a recipe file, the command-line options, the rows of the app's form and the table in
tui/README.md are derived from these declarations.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from functools import partial
from shlex import quote
from typing import Any

from core.errors import InputError
from core.fields.kinds import Kind


@dataclass(frozen=True)
class Setting:
    """One field of a dataclass that a user may set.

    Attributes:
        name: of the field, and its key in a recipe file.
        default: None or empty if it is decided elsewhere; `unset` says where.
        label: its name in the app's form; the field's name with spaces unless declared.
        check: raises InputError for a name that does not exist, such as an unknown model.
        portable: whether it means the same on every machine and may be in a recipe file.
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
        """The command-line option."""
        return f"--{self.name.replace('_', '-')}"

    @property
    def description(self) -> str:
        """The meaning and the accepted values, each with its meaning."""
        return f"{self.meaning}: {self.kind.description}" if self.kind.values else self.meaning

    @property
    def default_text(self) -> str:
        """The default for display."""
        is_unset = self.unset or self.default is None
        return self.unset if is_unset else self.kind.shown(self.default)

    def given(self, value: Any) -> str:
        """The option with a value, as typed in a shell."""
        if not self.kind.metavar:
            return self.flag if value else f"--no-{self.flag[2:]}"
        return f"{self.flag} {quote(self.kind.shown(value))}"

    def read(self, value: Any) -> Any:
        """Convert a value from a script; raises InputError if it is not accepted."""
        try:
            return self.kind.read(value)
        except InputError as error:
            raise InputError(f"{self.name} = {value!r}: {error}") from error

    def parse(self, text: str) -> Any:
        """Parse a value from the command line; raises InputError if it is not accepted."""
        try:
            value = self.kind.parse(text)
        except InputError as error:
            raise InputError(f"{self.flag} {text}: {error}") from error
        if self.check is not None:
            self.check(value)
        return value


def setting(default: Any, kind: Kind, meaning: str, **more: Any) -> Any:
    """Declare a field of a dataclass; `more` are other attributes of its `Setting`."""
    return field(default=default, metadata={"setting": dict(kind=kind, meaning=meaning, **more)})


local_setting = partial(setting, portable=False)
"""Declare a field that is specific to a machine."""


def settings_in(owner: type) -> dict[str, Setting]:
    """The settings a dataclass declares, by name, in order; its `UNSET` is the default `unset`."""
    settings = {}
    for item in fields(owner):
        if declared := item.metadata.get("setting"):
            implied = {"unset": getattr(owner, "UNSET", ""), "label": item.name.replace("_", " ")}
            settings[item.name] = Setting(item.name, item.default, **(implied | declared))
    return settings


def check_fields(owner: Any) -> None:
    """Check and convert the declared fields of a dataclass; raises InputError for a bad value."""
    for name, declared in settings_in(type(owner)).items():
        value = getattr(owner, name)
        if value is not None or declared.default is not None:
            object.__setattr__(owner, name, declared.read(value))


def explicit_values(owner: Any) -> dict[str, Any]:
    """The declared fields of a dataclass that are not None, by name."""
    values = {name: getattr(owner, name) for name in settings_in(type(owner))}
    return {name: value for name, value in values.items() if value is not None}
