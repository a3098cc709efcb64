"""Each preference, declared once: the options, the settings file, its documentation follow."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from core.errors import expected_one_of
from core.experiments.experiment import experiment_folder
from core.fields.declaration import Setting, setting, settings_in
from core.fields.kinds import one_of, switch, text
from core.settings.settings import SETTINGS
from core.system.files import check_writable_folder
from tui.system.terminal_window import BELL, DESKTOP

OFF = "off"

NOTIFY = {
    OFF: "",
    BELL: "the terminal's bell",
    DESKTOP: "a desktop notification, in terminals that have them",
}
"""How the end of a long job is announced."""


def check_theme(name: str) -> None:
    """Raise InputError if there is no such theme."""
    from tui.looks import themes  # late: it loads Textual

    themes.check_theme(name)


def _check_experiment(name: str) -> None:
    check_writable_folder(experiment_folder(name, ""), "experiment")


@dataclass(frozen=True)
class Preferences:
    """What a person prefers where the command line does not say otherwise.

    Attributes:
        settings: those of `core.settings` that are set here, by name.
        keys: the keys chosen, by the full name of their action.
        problems: what is wrong in the environment or the file, a line each; it has its default.
    """

    theme: str | None = setting(
        None,
        text("`featherweight-dark`, `featherweight-light` or one of Textual's"),
        "color theme",
        unset="one that suits the terminal",
        check=check_theme,
    )
    ascii: bool | None = setting(
        None, switch(), "draw in ASCII only", unset="if the terminal needs it"
    )
    notify: str = setting(
        OFF, one_of(NOTIFY), "how to announce the end of a job of over 20 seconds"
    )
    tour: bool = setting(True, switch(), "show the tour at the first start")
    experiment: str | None = setting(
        None,
        text("a folder or a name"),
        "where runs are recorded",
        unset="`MODEL-DATASET` in the platform's data folder",
        check=_check_experiment,
    )
    settings: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    problems: tuple[str, ...] = ()


NO_PREFERENCES = Preferences()
"""The defaults of everything."""

OF_THE_PROGRAM = ("theme", "ascii", "notify", "tour")
"""Preferences that only the program itself has, and no command."""

PREFERENCES: Mapping[str, Setting] = settings_in(Preferences) | {
    name: SETTINGS[name] for name in ("threads", "precision", "device", "data_dir", "cache_budget")
}
"""Every preference by name."""

KEYS = "keys"
"""The table of keys in a settings file."""


def variable(name: str) -> str:
    """The environment variable of a preference."""
    return f"FEATHERWEIGHT_{name.upper()}"


def unknown(name: str) -> str:
    """Why a name is not that of a preference."""
    if name in SETTINGS:
        return f"'{name}' belongs in a recipe file, or in the option {SETTINGS[name].flag}"
    return f"unknown key '{name}': {expected_one_of(name, (*PREFERENCES, KEYS))}"
