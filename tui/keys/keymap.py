"""The keys a person chooses in a settings file, checked; and the keys in force named in texts."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from core.errors import expected_one_of
from tui.keys import history_keys, main_keys, plot_keys, sweep_keys
from tui.keys.key import Key, shown_key

SCREENS: Mapping[str, tuple[Key, ...]] = {
    "": main_keys.KEYS,
    "history": history_keys.KEYS,
    "plot": plot_keys.KEYS,
    "sweep": sweep_keys.KEYS,
}
"""The keys of every screen, by its name; the main screen has none."""

_BY_ID = {key.full_id: key for keys in SCREENS.values() for key in keys}

RESERVED = ("ctrl+c", "ctrl+i", "ctrl+m", "ctrl+p", "ctrl+q", "ctrl+z", "tab", "shift+tab")
"""Keys of the whole program; Ctrl+I and Ctrl+M are Tab and Enter in a terminal."""

_NAMED = (
    "up", "down", "left", "right", "home", "end", "pageup", "pagedown", "insert", "delete",
    "backspace", "space", "enter", "escape", "tab", *(f"f{number}" for number in range(1, 25)),
)  # fmt: skip
_ALIASES = {"esc": "escape", "del": "delete", "return": "enter", "pgup": "pageup", "pgdn":
            "pagedown", "page up": "pageup", "page down": "pagedown"}  # fmt: skip
_NAMED_ACTION = re.compile(r"\{([a-z0-9.-]+)\}")
_MODIFIERS = ("alt", "ctrl", "shift")


@dataclass(frozen=True, slots=True)
class Refusal:
    """A line of a settings file that is not followed, and why.

    Attributes:
        place: the keys of its tables and its own.
    """

    place: tuple[str, ...]
    why: str


@dataclass(frozen=True, slots=True)
class Keymap:
    """The keys chosen, by the full name of their action, and what is not followed."""

    keys: Mapping[str, tuple[str, ...]]
    refused: tuple[Refusal, ...]


def read_keymap(table: Mapping[str, Any]) -> Keymap:
    """Check a table of keys by action; one inside it is of the screen that it is named after.

    A key with another action is refused, so that each keeps a key of its own.
    """
    chosen: dict[str, tuple[str, ...]] = {}
    places: dict[str, tuple[str, ...]] = {}
    refused: list[Refusal] = []
    for place, value in _flattened(table):
        name = ".".join(place)
        try:
            chosen[name], places[name] = _read(name, value), place
        except ValueError as error:
            refused.append(Refusal(place, str(error)))
    while clash := _clash(chosen):
        name, why = clash
        del chosen[name]
        refused.append(Refusal(places[name], why))
    return Keymap(chosen, tuple(refused))


def key_for(name: str) -> str:
    """The first key of an action as displayed, for texts.

    Examples:
        >>> f"press {key_for('fine-tune')} to fine-tune"
        'press f to fine-tune'
    """
    return shown_key(_BY_ID[name].keys.partition(",")[0])


def with_keys(text: str, mark: str = "") -> str:
    """A text with the keys of the actions that it names in braces, each between marks.

    Other braces stay.

    Examples:
        >>> with_keys("press {fine-tune} to fine-tune")
        'press f to fine-tune'
    """

    def key_of(match: re.Match[str]) -> str:
        return f"{mark}{key_for(match[1])}{mark}" if match[1] in _BY_ID else match[0]

    return _NAMED_ACTION.sub(key_of, text)


def _flattened(table: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from (((name, inner), item) for inner, item in value.items())
        else:
            yield (name,), value


def _read(name: str, value: Any) -> tuple[str, ...]:
    """The keys for an action; raises ValueError if they or the action are unknown."""
    if name not in _BY_ID:
        raise ValueError(f"unknown action '{name}': {expected_one_of(name, _BY_ID)}")
    if _BY_ID[name].is_fixed:
        raise ValueError(f"the keys of '{name}' cannot be changed")
    texts = value if isinstance(value, list) else [value]
    if not texts or not all(isinstance(text, str) for text in texts):
        raise ValueError('expected a key such as "f", "F5" or "ctrl+r", or a list of keys')
    return tuple(dict.fromkeys(map(key_named, texts)))


def key_named(text: str) -> str:
    """Textual's name of a key that a person names; raises ValueError if there is no such key.

    Examples:
        >>> [key_named(text) for text in ("f", "?", "Ctrl+R", "PgUp", "shift+up")]
        ['f', 'question_mark', 'ctrl+r', 'pageup', 'shift+up']
    """
    from textual.keys import _character_to_key

    if len(text) == 1 and text.isprintable() and text != " ":
        return str(_character_to_key(text))
    *modifiers, last = re.split(r"\+(?=.)", text.strip().lower())
    last = _ALIASES.get(last, last)
    has_letter = len(last) == 1 and last.isascii() and last.isalpha() and bool(modifiers)
    is_known = last in _NAMED or has_letter or _is_textual(last, modifiers)
    if not is_known or not set(modifiers) <= set(_MODIFIERS):
        raise ValueError(f'no key is called \'{text}\': write it as "f", "F5" or "ctrl+r"')
    if modifiers == ["shift"] and has_letter:
        return last.upper()
    key = "+".join((*sorted(set(modifiers)), last))
    if key in RESERVED:
        raise ValueError(f"{shown_key(key)} is reserved")
    return key


def _is_textual(name: str, modifiers: list[str]) -> bool:
    """Whether it is Textual's own name of a character, such as `question_mark`."""
    from textual.keys import KEY_NAME_REPLACEMENTS, key_to_character

    known = name in KEY_NAME_REPLACEMENTS.values() or key_to_character(name) is not None
    return len(name) > 1 and not modifiers and known


def _clash(chosen: Mapping[str, tuple[str, ...]]) -> tuple[str, str] | None:
    """A chosen key that has another action on its screen, the last in the file, and why."""
    for name in reversed([*chosen]):
        own = _BY_ID[name]
        for other in SCREENS[own.screen]:
            if other is own:
                continue
            theirs = chosen.get(other.full_id) or tuple(other.default_keys.split(","))
            if shared := set(chosen[name]) & set(theirs):
                advice = "choose another" if other.is_fixed else "give that action another key"
                taken = f"{shown_key(min(shared))} is already the key of '{other.full_id}'"
                return name, f"{taken}: {advice}"
    return None
