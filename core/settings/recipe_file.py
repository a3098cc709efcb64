"""A small TOML file that says what a run is to do: settings and sparsities, for sharing.

What belongs to the machine (device, threads, where data and weights are) is no part of it.
Options win over the file, and the file wins over the defaults: a `Config` keeps what the file
really gives. The order of the keys, comments and all that TOML allows are the writer's to choose.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

from core.data import check_name
from core.data.inputs import Inputs
from core.errors import InputError
from core.pruning.plans import Plan, check_sparsity
from core.settings.choices import MEANINGS, Choices
from core.settings.settings import DEFAULTS, PROTOCOLS, Settings
from core.settings.toml import key, line_of, parsed, printable, read_text, shortened, shown, written
from core.system.files import write_text
from core.training.recipes import LOSSES, METHODS, OPTIMIZERS, RECIPES

FINETUNE = "finetune"
SPARSITY = "sparsity"

_HEADER = "# Featherweight: what a run is to do. Take it with: featherweight run --config FILE"


class _Kind(NamedTuple):
    expected: str
    types: tuple[type, ...]  # exactly these: a bool is an int to Python, not to people


_TEXT = _Kind("text in quotes", (str,))
_WHOLE = _Kind("a whole number", (int,))
_NUMBER = _Kind("a number", (int, float))
_NUMBERS = _Kind("a number, or a list of them", (int, float, list))
_SWITCH = _Kind("true or false", (bool,))

SETTINGS: dict[str, _Kind] = {
    "model": _TEXT,
    "dataset": _TEXT,
    "protocol": _TEXT,
    "recipe": _TEXT,
    "precision": _TEXT,
    "seed": _WHOLE,
}
"""The fields of `Settings` that a file may give, in the order in which they are written."""

INPUTS: dict[str, _Kind] = {
    "image_size": _WHOLE,
    "channels": _WHOLE,
    "mean": _NUMBERS,
    "std": _NUMBERS,
}
"""The fields of `Inputs`, which stand beside those."""

CHOICES: dict[str, _Kind] = {
    "epochs": _WHOLE,
    "lr": _NUMBER,
    "method": _TEXT,
    "rounds": _WHOLE,
    "scale_dropout": _SWITCH,
    "l1": _NUMBER,
    "l2": _NUMBER,
    "rewind": _SWITCH,
    "optimizer": _TEXT,
    "batch_size": _WHOLE,
    "loss": _TEXT,
    "smoothing": _NUMBER,
}
"""The fields of `Choices`: the keys of the table [finetune]."""

MACHINE = ("device", "threads", "data_dir", "weights", "cache_budget")
"""The fields of `Settings` that another machine would have otherwise: options only."""

_COMMENTS = {
    "protocol": " or ".join(PROTOCOLS),
    "recipe": " or ".join(RECIPES),
    **MEANINGS,
    "method": f"{MEANINGS['method']}: {', '.join(METHODS)}",
    "loss": f"{MEANINGS['loss']}: {', '.join(LOSSES)}",
    "optimizer": f"{MEANINGS['optimizer']}: {', '.join(OPTIMIZERS)}",
}


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
        return self.overlaid({})

    def overlaid(self, options: Mapping[str, Any]) -> Settings:
        """The options over the file, the file over the defaults.

        Args:
            options: fields of `Settings` (but `choices` and `inputs`), of `Inputs` and of `Choices`
                by their names.

        Raises:
            InputError: an option is not what is expected, or choices contradict each other: that
                is looked at here, since an option may mend it.
        """
        values = {**self.given, **options}
        choices = Choices(**{name: values.pop(name) for name in CHOICES if name in values})
        inputs = {name: values.pop(name) for name in INPUTS if name in values}
        settings = Settings(**values)
        try:
            return replace(settings, choices=choices, inputs=Inputs(**inputs))
        except InputError as error:
            mended_by = {"recipe", *CHOICES, *INPUTS}
            beside = " and the options" if options.keys() & mended_by else ""
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
    names = [name for name in SETTINGS if name != "precision" or settings.precision != "auto"]
    lines = [_HEADER, *(_line(name, getattr(settings, name)) for name in names)]
    lines += [_line(name, value) for name, value in settings.inputs.given().items()]
    choices = settings.choices.given()
    if choices:
        lines += ["", f"[{FINETUNE}]  # changes to the recipe; what is not here is the recipe's"]
        lines += [_line(name, value) for name, value in choices.items()]
    if plan is not None:
        lines += ["", f"[{SPARSITY}]  # zeros over elements of each layer, as fractions"]
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
        if name in SETTINGS:
            given[name] = _checked(source, (name,), value, SETTINGS[name], _check_setting)
        elif name in INPUTS:
            given[name] = _checked(source, (name,), value, INPUTS[name], _check_input)
        elif name == FINETUNE:
            given |= _choices(source, value)
        elif name != SPARSITY:
            raise source.refusal((name,), _unknown(name, value))
    if SPARSITY not in table:
        return Config(given, None, source, {})
    return Config(given, *_plan(source, table[SPARSITY]))


def _choices(source: _Source, table: Any) -> dict[str, Any]:
    _check_table(source, FINETUNE, table)
    given = {}
    for name, value in table.items():
        if name not in CHOICES:
            raise source.refusal((FINETUNE, name), _unknown_choice(name))
        given[name] = _checked(source, (FINETUNE, name), value, CHOICES[name], _check_choice)
    return given


def _plan(source: _Source, table: Any) -> tuple[Plan, _Source, dict[str, tuple[str, ...]]]:
    _check_table(source, SPARSITY, table)
    plan: Plan = {}
    places: dict[str, tuple[str, ...]] = {}
    for path, value in _leaves(table):
        name, place = ".".join(path), (SPARSITY, *path)
        if name in plan:
            raise source.refusal(place, f"layer {_named(name)} is given twice: name it once")
        plan[name] = _checked(source, place, value, _NUMBER, _check_layer, name)
        places[name] = place
    return plan, source, places


def _leaves(table: dict[str, Any], *above: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The values of a table and of those in it: to TOML, a name with a dot is a table."""
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _leaves(value, *above, name)
        else:
            yield (*above, name), value


def _checked(
    source: _Source,
    place: tuple[str, ...],
    value: Any,
    kind: _Kind,
    check: Callable[[str, Any], object],
    name: str | None = None,
) -> Any:
    """A value of the type expected that passes `check`; `name` is the last of `place`."""
    name = place[-1] if name is None else name
    parts = value if type(value) is list and list in kind.types else [value]
    if not parts or not all(type(part) in kind.types and type(part) is not list for part in parts):
        why = f"{key(name)} = {shown(value)}: expected {kind.expected}"
        raise source.refusal(place, why)
    for part in parts:  # too long to compute with, or to show
        if isinstance(part, int) and part.bit_length() > 64:
            raise source.refusal(place, f"{key(name)}: expected a number of at most 64 bits")
    if kind is _NUMBER or kind is _NUMBERS:
        parts = [float(part) for part in parts]
    taken = tuple(parts) if kind is _NUMBERS else parts[0]
    try:
        check(name, value if kind is _NUMBER else taken)
    except InputError as error:
        raise source.refusal(place, str(error)) from error
    return taken


def _check_table(source: _Source, name: str, value: Any) -> None:
    if not isinstance(value, dict):
        why = f"{name} = {shown(value)}: expected a table: [{name}] and below it KEY = VALUE"
        raise source.refusal((name,), why)


def _check_setting(name: str, value: Any) -> None:
    if name == "dataset":
        check_name(value)
    replace(DEFAULTS, **{name: value})


def _check_input(name: str, value: Any) -> None:
    Inputs(**{name: value})


def _check_choice(name: str, value: Any) -> None:
    Choices(**{name: value})


def _check_layer(name: str, value: float) -> None:
    try:
        check_sparsity(value, printable(name))
    except InputError as error:
        if not 1 < value <= 100:
            raise
        raise InputError(f"{error}; write {value} percent as {value / 100:.6g}") from error


def _unknown(name: str, value: Any) -> str:
    """What is said about a name that is not expected outside the tables."""
    if name in MACHINE:
        flag = "--" + name.replace("_", "-")
        return f"'{name}' is for each machine to say: give it as the option {flag}"
    if name in CHOICES:
        return f"unknown key '{name}': it belongs below [{FINETUNE}]"
    if isinstance(value, dict):
        return f"unknown table {_named(name)}: {_expected(name, (FINETUNE, SPARSITY))}"
    return f"unknown key {_named(name)}: {_expected(name, (*SETTINGS, *INPUTS))}"


def _unknown_choice(name: str) -> str:
    if name in SETTINGS or name in INPUTS:
        return f"unknown key '{name}' in [{FINETUNE}]: it belongs above the tables"
    return f"unknown key {_named(name)} in [{FINETUNE}]: {_expected(name, CHOICES)}"


def _expected(given: str, known: Collection[str]) -> str:
    names = {name.lower(): name for name in known}
    close = get_close_matches(given[:100].lower(), names, n=1)
    meant = f"; did you mean '{names[close[0]]}'?" if close else ""
    return f"expected one of {', '.join(known)}{meant}"


def _line(name: str, value: Any) -> str:
    comment = f"  # {_COMMENTS[name]}" if name in _COMMENTS else ""
    return f"{name} = {written(value)}{comment}"


def _named(name: str) -> str:
    return f"'{shortened(name)}'"
