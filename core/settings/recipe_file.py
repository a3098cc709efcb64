"""A recipe file: settings and sparsities as a small TOML file to share.

Machine-specific settings (device, threads, paths of data and weights) are not part of it. Options
override the file, and the file overrides the defaults: a `Config` holds only what the file sets.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from core.data.registry import FOLDER, is_folder
from core.errors import InputError, expected_one_of, shortened
from core.fields.declaration import Setting, settings_in
from core.fields.kinds import number
from core.nets.user_code.names import code_option, is_path, split_name
from core.pruning.layer_selection import SelectionError
from core.pruning.plans import Plan, check_sparsity, short_sparsity, whole_plan
from core.settings.recipe_changes import RecipeChanges
from core.settings.settings import (
    DEFAULTS,
    OF_A_SESSION,
    OF_OWN_NETS,
    SETTINGS,
    Settings,
    is_same_setting,
)
from core.settings.toml import (
    abbreviated,
    line_of,
    parse_toml,
    printable,
    read_text,
    toml_key,
    toml_value,
)
from core.system.files import write_text

FINETUNE = "finetune"
SPARSITY = "sparsity"

_HEADER = "# Featherweight recipe file. Use it with: featherweight run --config FILE"

CHANGES = settings_in(RecipeChanges)
"""Keys of the table [finetune]."""

TOP = {name: item for name, item in SETTINGS.items() if item.portable and name not in CHANGES}
"""Keys above the tables."""

FRACTION = number(0, 1)
"""Values of the table [sparsity]."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file's path and text, for errors that name the line."""

    path: Path
    text: str

    def error_at(self, keys: Sequence[str], why: str) -> InputError:
        """An error about the value at `keys`, with its line."""
        line = line_of(self.text, keys)
        where = self.path if line is None else f"{self.path} line {line}"
        return InputError(printable(f"{where}: {why}"))


@dataclass(frozen=True, slots=True)
class Config:
    """What a file sets, each value checked by itself; returned by `read_config`.

    Attributes:
        values: fields of `Settings`, `Inputs` and `RecipeChanges` by name, without defaults.
        plan: sparsities by layer, group or pattern, not yet compared with a net; None if the file
            has none.
    """

    values: Mapping[str, Any]
    plan: Plan | None
    _source: Source = field(repr=False)
    _places: Mapping[str, tuple[str, ...]] = field(repr=False, default_factory=dict)

    def merged_with(
        self, options: Mapping[str, Any], defaults: Mapping[str, Any] = MappingProxyType({})
    ) -> Settings:
        """The options over the file, the file over the defaults.

        Arguments in the file are those of its own model.

        Args:
            options: fields of `Settings`, `Inputs` and `RecipeChanges` by name.
            defaults: the same kind of fields; values that replace their usual defaults.

        Raises:
            InputError: an option has an invalid value, or changes to the recipe conflict, which
                is checked only here, since an option may resolve a conflict.
        """
        options = {name: SETTINGS[name].read(value) for name, value in options.items()}
        values = self.values
        model = values.get("model")
        if not is_same_setting("model", model, options.get("model", model)):
            values = {name: value for name, value in values.items() if name not in OF_OWN_NETS}
        try:
            return Settings.of({**defaults, **values, **options})
        except InputError as error:
            beside = " and the options" if options.keys() & (TOP.keys() | CHANGES.keys()) else ""
            raise InputError(f"{self._source.path}{beside}: {error}") from error

    def at(self, current: Settings) -> Config:
        """The same with the model and data set of a session by the session's paths."""
        own = {name: getattr(current, name) for name in OF_A_SESSION if name in self.values}
        return replace(self, values={**self.values, **own})

    def checked_plan(self, layers: Sequence[str]) -> Plan | None:
        """The plan for a net with these layers, in their order; missing ones get 0.

        Raises InputError if a name stands for no layer, or contradicts another; see `spread`.
        """
        if self.plan is None:
            return None
        try:
            return whole_plan(self.plan, layers)
        except SelectionError as error:
            raise self._source.error_at(self._places[error.name], str(error)) from error


def read_config(path: Path, named: Collection[str] = ()) -> Config:
    """Read and check a file; of the settings `named` elsewhere, not whether their paths exist.

    Raises:
        InputError: it cannot be read, is not TOML, or has an unknown key or an invalid value; the
            message names the file and, if known, the line.
    """
    text = read_text(path)
    try:
        return _read_config(Source(path, text), parse_toml(path, text), named)
    except RecursionError as error:
        raise InputError(f"{path}: nested too deeply") from error


def config_text(
    settings: Settings, plan: Plan | None, elements: Mapping[str, int] = MappingProxyType({})
) -> str:
    """The text that `write_config` writes; raises InputError for a sparsity not in [0, 1].

    Values left to the recipe or the machine are left out.
    """
    top = {name: getattr(settings, name) for name in settings_in(Settings) if name in TOP}
    for name in ("precision", "recalibrate", "repair", *OF_OWN_NETS):
        if top[name] == getattr(DEFAULTS, name):
            del top[name]
    top |= settings.inputs.explicit_values()
    lines = [_HEADER, *(_line(name, value) for name, value in top.items())]
    if changes := settings.changes.explicit_values():
        lines += ["", f"[{FINETUNE}]  # changes to the recipe; the rest is as the recipe says"]
        lines += [_line(name, value) for name, value in changes.items()]
    if plan is not None:
        lines += ["", f"[{SPARSITY}]  # fraction of zeros in each layer"]
        for name, exact in plan.items():
            sparsity = float(check_sparsity(exact, name))
            if name in elements:
                sparsity = short_sparsity(sparsity, elements[name])
            lines.append(f"{toml_key(name)} = {sparsity!r}")
    return "\n".join(lines) + "\n"


def write_config(
    path: Path,
    settings: Settings,
    plan: Plan | None,
    elements: Mapping[str, int] = MappingProxyType({}),
) -> None:
    """Write a file that `read_config` reads, atomically.

    Args:
        path: the file.
        settings: its settings.
        plan: its sparsities; None leaves them out.
        elements: the weights of each layer. A sparsity is then as short as it can be and still
            prune as many of them; without them it is exact.

    Raises:
        InputError: the folder is missing, not writable or full, or a sparsity is not in [0, 1].
    """
    write_text(path, config_text(settings, plan, elements))


def _read_config(source: Source, table: dict[str, Any], named: Collection[str]) -> Config:
    values: dict[str, Any] = {}
    plan: Plan | None = None
    places: dict[str, tuple[str, ...]] = {}
    for name, value in table.items():
        if name in TOP:
            declared = replace(TOP[name], check=None) if name in named else TOP[name]
            values[name] = read_value(source, (name,), value, declared)
        elif name == FINETUNE:
            values |= _read_changes(source, value)
        elif name == SPARSITY:
            plan, places = _read_plan(source, value)
        else:
            raise source.error_at((name,), unknown_key(name, value))
    return Config(values, plan, source, places)


def _read_changes(source: Source, table: Any) -> dict[str, Any]:
    check_table(source, FINETUNE, table)
    changes = {}
    for name, value in table.items():
        if name not in CHANGES:
            raise source.error_at((FINETUNE, name), unknown_change(name))
        changes[name] = read_value(source, (FINETUNE, name), value, CHANGES[name])
    return changes


def read_value(source: Source, place: Sequence[str], value: Any, declared: Setting) -> Any:
    """Read the value at `place` as a setting; raises InputError, with its line, if it is none."""
    try:
        result = declared.kind.read(value)
    except InputError as error:
        raise source.error_at(place, f"{declared.name} = {abbreviated(value)}: {error}") from error
    try:
        if declared.check is not None:
            declared.check(result)
    except InputError as error:
        raise source.error_at(place, f"{error}{_remedy(declared, result)}") from error
    return result


def _remedy(declared: Setting, value: str) -> str:
    """The option that replaces a path in the file that is wrong here; empty if it is no path."""
    if declared.name == "model" and is_path(split_name(value)[0]):
        return f"; give {declared.given(code_option(value))}"
    if declared.name == "dataset" and is_folder(value):
        return f"; give {declared.given(f'{FOLDER}PATH')}"
    return ""


def _read_plan(source: Source, table: Any) -> tuple[Plan, dict[str, tuple[str, ...]]]:
    check_table(source, SPARSITY, table)
    plan: Plan = {}
    places: dict[str, tuple[str, ...]] = {}
    for path, value in flattened(table):
        name, place = ".".join(path), (SPARSITY, *path)
        if name in plan:
            raise source.error_at(place, f"layer {_quoted(name)} is given twice: name it once")
        try:
            plan[name], places[name] = FRACTION.read(value), place
        except InputError as error:
            raise source.error_at(place, not_a_fraction(name, value, error)) from error
    return plan, places


def not_a_fraction(name: str, value: Any, error: InputError) -> str:
    """What to say of a layer's sparsity that is none."""
    is_percent = type(value) in (int, float) and 1 < value <= 100
    hint = f"; write {value} percent as {value / 100:.6g}" if is_percent else ""
    return f"{toml_key(name)} = {abbreviated(value)}: {error}{hint}"


def flattened(table: dict[str, Any], *above: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The values of nested tables by path; TOML reads a dotted name as a table."""
    for name, value in table.items():
        if isinstance(value, dict):
            yield from flattened(value, *above, name)
        else:
            yield (*above, name), value


def check_table(source: Source, name: str, value: Any) -> None:
    """Raise InputError unless the value of `name` is a table."""
    if not isinstance(value, dict):
        why = f"{name} = {abbreviated(value)}: expected a table, [{name}] followed by KEY = VALUE"
        raise source.error_at((name,), why)


def unknown_key(name: str, value: Any) -> str:
    """What to say of a key above the tables that is not known there."""
    if name in SETTINGS and not SETTINGS[name].portable:
        return f"'{name}' is machine-specific: give it as the option {SETTINGS[name].flag}"
    if name in CHANGES:
        return f"'{name}' belongs in the table [{FINETUNE}]"
    if isinstance(value, dict):
        return f"unknown table {_quoted(name)}: {expected_one_of(name, (FINETUNE, SPARSITY))}"
    return f"unknown key {_quoted(name)}: {expected_one_of(name, TOP)}"


def unknown_change(name: str) -> str:
    """What to say of a key in [finetune] that is not known there."""
    if name in TOP:
        return f"'{name}' does not belong in [{FINETUNE}]: move it above the tables"
    return f"unknown key {_quoted(name)} in [{FINETUNE}]: {expected_one_of(name, CHANGES)}"


def _line(name: str, value: Any) -> str:
    declared = SETTINGS[name]
    known = f": {declared.kind.values}" if declared.kind.values else ""
    comment = "" if declared.check else f"  # {declared.meaning}{known}"
    return f"{name} = {toml_value(value)}{comment}"


def _quoted(name: str) -> str:
    return f"'{shortened(name)}'"
