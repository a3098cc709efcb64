"""A recipe file: settings and sparsities as a small TOML file, for sharing.

Settings that are specific to a machine (device, threads, where data and weights are) are not part
of it. Options win over the file, and the file wins over the defaults: a `Config` holds only what
the file gives. The order of the keys, comments and all that TOML allows are the writer's choice.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from core.errors import InputError
from core.fields.declaration import Setting, settings_in
from core.fields.kinds import number
from core.pruning.plans import Plan, check_sparsity
from core.settings.choices import Choices
from core.settings.settings import DEFAULTS, SETTINGS, Settings
from core.settings.toml import key, line_of, parsed, printable, read_text, shortened, shown, written
from core.system.files import write_text

FINETUNE = "finetune"
SPARSITY = "sparsity"

_HEADER = "# Featherweight: what a run is to do. Use it with: featherweight run --config FILE"

CHANGES = settings_in(Choices)
"""The keys of the table [finetune]."""

TOP = {name: it for name, it in SETTINGS.items() if it.portable and name not in CHANGES}
"""The keys above the tables."""

_FRACTION = number(0, 1)
"""The values of the table [sparsity]."""


@dataclass(frozen=True, slots=True)
class _Source:
    path: Path
    text: str

    def refusal(self, keys: Sequence[str], why: str) -> InputError:
        """What is wrong with the value that `keys` lead to, with its line."""
        line = line_of(self.text, keys)
        where = self.path if line is None else f"{self.path} line {line}"
        return InputError(printable(f"{where}: {why}"))


@dataclass(frozen=True, slots=True)
class Config:
    """What a file gives, each value checked by itself; `read_config` makes it.

    Attributes:
        given: fields of `Settings`, `Inputs` and `Choices` by their names, no defaults among them.
        plan: sparsities by the names in the file, not yet compared with a net; None where the
            file has no table of them.
    """

    given: Mapping[str, Any]
    plan: Plan | None
    _source: _Source = field(repr=False)
    _places: Mapping[str, tuple[str, ...]] = field(repr=False)

    @property
    def settings(self) -> Settings:
        """The file over the defaults; raises InputError where its choices contradict."""
        return self.merged_with({})

    def merged_with(self, options: Mapping[str, Any]) -> Settings:
        """The options over the file, the file over the defaults.

        Args:
            options: fields of `Settings` (but `choices` and `inputs`), of `Inputs` and of `Choices`
                by their names.

        Raises:
            InputError: an option is not what is expected, or choices contradict each other: that
                is looked at here, since an option may mend it.
        """
        options = {name: SETTINGS[name].read(value) for name, value in options.items()}
        try:
            return Settings.of({**self.given, **options})
        except InputError as error:
            beside = " and the options" if options.keys() & (TOP.keys() | CHANGES.keys()) else ""
            raise InputError(f"{self._source.path}{beside}: {error}") from error

    def checked_plan(self, layers: Sequence[str]) -> Plan | None:
        """The plan for a net with these layers, in their order; those not named are left at 0.

        Raises:
            InputError: the file names a layer that the net does not have.
        """
        if self.plan is None:
            return None
        for name in self.plan:
            if name not in layers:
                why = f"unknown layer {_named(name)}: {_expected(name, layers)}"
                raise self._source.refusal(self._places[name], why)
        return {layer: self.plan.get(layer, 0.0) for layer in layers}


def read_config(path: Path) -> Config:
    """Read and check a file.

    Raises:
        InputError: it cannot be read, is not TOML, or has a key or a value that is not one of
            those expected; the message has the file and, where it is known, the line.
    """
    text = read_text(path)
    try:
        return _config(_Source(path, text), parsed(path, text))
    except RecursionError as error:
        raise InputError(f"{path}: nested too deeply") from error


def config_text(settings: Settings, plan: Plan | None) -> str:
    """What `write_config` writes; raises InputError for a sparsity that is not in [0, 1].

    The sparsities are exact. What the settings leave to the recipe or to the machine is left out.
    """
    top = {name: getattr(settings, name) for name in settings_in(Settings) if name in TOP}
    if settings.precision == DEFAULTS.precision:
        del top["precision"]
    top |= settings.inputs.given()
    lines = [_HEADER, *(_line(name, value) for name, value in top.items())]
    changes = settings.choices.given()
    if changes:
        lines += ["", f"[{FINETUNE}]  # changes to the recipe; the rest is as the recipe says"]
        lines += [_line(name, value) for name, value in changes.items()]
    if plan is not None:
        lines += ["", f"[{SPARSITY}]  # fraction of zeros in each layer"]
        lines += [f"{key(name)} = {float(check_sparsity(s, name))!r}" for name, s in plan.items()]
    return "\n".join(lines) + "\n"


def write_config(path: Path, settings: Settings, plan: Plan | None) -> None:
    """Write a file that `read_config` reads, whole or not at all.

    Raises:
        InputError: the folder is missing, not writable or full, or a sparsity is not in [0, 1].
    """
    write_text(path, config_text(settings, plan))


def _config(source: _Source, table: dict[str, Any]) -> Config:
    given: dict[str, Any] = {}
    for name, value in table.items():
        if name in TOP:
            given[name] = _value(source, (name,), value, TOP[name])
        elif name == FINETUNE:
            given |= _changes(source, value)
        elif name != SPARSITY:
            raise source.refusal((name,), _unknown(name, value))
    if SPARSITY not in table:
        return Config(given, None, source, {})
    return Config(given, *_plan(source, table[SPARSITY]))


def _changes(source: _Source, table: Any) -> dict[str, Any]:
    _check_table(source, FINETUNE, table)
    given = {}
    for name, value in table.items():
        if name not in CHANGES:
            raise source.refusal((FINETUNE, name), _unknown_change(name))
        given[name] = _value(source, (FINETUNE, name), value, CHANGES[name])
    return given


def _value(source: _Source, place: Sequence[str], value: Any, declared: Setting) -> Any:
    try:
        taken = declared.kind.read(value)
    except InputError as error:
        raise source.refusal(place, f"{declared.name} = {shown(value)}: {error}") from error
    try:
        if declared.check is not None:
            declared.check(taken)
    except InputError as error:
        raise source.refusal(place, str(error)) from error
    return taken


def _plan(source: _Source, table: Any) -> tuple[Plan, _Source, dict[str, tuple[str, ...]]]:
    _check_table(source, SPARSITY, table)
    plan: Plan = {}
    places: dict[str, tuple[str, ...]] = {}
    for path, value in _leaves(table):
        name, place = ".".join(path), (SPARSITY, *path)
        if name in plan:
            raise source.refusal(place, f"layer {_named(name)} is given twice: name it once")
        try:
            plan[name], places[name] = _FRACTION.read(value), place
        except InputError as error:
            why = f"{key(name)} = {shown(value)}: {error}{_percent_hint(value)}"
            raise source.refusal(place, why) from error
    return plan, source, places


def _leaves(table: dict[str, Any], *above: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The values of a table and of those in it: to TOML, a name with a dot is a table."""
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _leaves(value, *above, name)
        else:
            yield (*above, name), value


def _check_table(source: _Source, name: str, value: Any) -> None:
    if not isinstance(value, dict):
        why = f"{name} = {shown(value)}: expected a table, [{name}] followed by KEY = VALUE"
        raise source.refusal((name,), why)


def _percent_hint(value: Any) -> str:
    is_percent = type(value) in (int, float) and 1 < value <= 100
    return f"; write {value} percent as {value / 100:.6g}" if is_percent else ""


def _unknown(name: str, value: Any) -> str:
    """What is said about a name that is not expected outside the tables."""
    if name in SETTINGS and not SETTINGS[name].portable:
        return f"'{name}' is machine-specific: give it as the option {SETTINGS[name].flag}"
    if name in CHANGES:
        return f"'{name}' belongs in the table [{FINETUNE}]"
    if isinstance(value, dict):
        return f"unknown table {_named(name)}: {_expected(name, (FINETUNE, SPARSITY))}"
    return f"unknown key {_named(name)}: {_expected(name, TOP)}"


def _unknown_change(name: str) -> str:
    if name in TOP:
        return f"'{name}' does not belong in [{FINETUNE}]: move it above the tables"
    return f"unknown key {_named(name)} in [{FINETUNE}]: {_expected(name, CHANGES)}"


def _expected(given: str, known: Collection[str]) -> str:
    names = {name.lower(): name for name in known}
    close = get_close_matches(given[:100].lower(), names, n=1)
    meant = f"; did you mean '{names[close[0]]}'?" if close else ""
    return f"expected one of {', '.join(known)}{meant}"


def _line(name: str, value: Any) -> str:
    declared = SETTINGS[name]
    comment = "" if declared.check else f"  # {declared.summary}"
    return f"{name} = {written(value)}{comment}"


def _named(name: str) -> str:
    return f"'{shortened(name)}'"
