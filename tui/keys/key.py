"""A key with its action, and the keys in force: those declared, or those a person chose instead.

The keys in force are like a language: chosen once, before the program starts, and the same for all
that it shows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # plots name keys, and load no Textual
    from textual.binding import Binding
    from textual.dom import DOMNode

_chosen: dict[str, tuple[str, ...]] = {}
"""The keys a person chose, by the full name of their action."""


@dataclass(frozen=True, slots=True)
class Key:
    """One or more keys with the same action.

    Attributes:
        default_keys: Textual's names, separated by commas.
        default_shown: these keys as displayed.
        action: a method of a feature and its arguments, such as `planning.nudge(-1)`, or an action
            of a screen, such as `move(-1)`; `{key}` stands for the pressed key.
        label: the action in a word or two, for the footer and the palette.
        tooltip: the action in a sentence.
        group: the heading in the help.
        footer: priority in the footer, which may not have room for all; 0 to leave it out.
        narrow: the label where room is short in a footer; empty for none where it is narrow, None
            for the same.
        id: the action's name in a settings file and in texts; the label unless declared.
        screen: the screen whose key it is; empty for the main one.
    """

    default_keys: str
    default_shown: str
    action: str
    label: str
    tooltip: str
    group: str
    footer: int = 0
    narrow: str | None = None
    id: str = ""
    screen: str = ""

    def __post_init__(self) -> None:
        if not self.id:
            object.__setattr__(self, "id", self.label.replace(" ", "-"))

    @property
    def full_id(self) -> str:
        """The name of the action among those of all screens."""
        return f"{self.screen}.{self.id}" if self.screen else self.id

    @property
    def keys(self) -> str:
        """Textual's names of the keys in force, separated by commas."""
        chosen = _chosen.get(self.full_id)
        return ",".join(chosen) if chosen else self.default_keys

    @property
    def shown(self) -> str:
        """The keys in force as displayed."""
        chosen = _chosen.get(self.full_id)
        return " ".join(map(shown_key, chosen)) if chosen else self.default_shown

    @property
    def is_fixed(self) -> bool:
        """Whether nothing else can take its place, as for the digits of a number."""
        return "{key}" in self.action

    @property
    def name(self) -> str:
        """The action without its arguments."""
        return self.action.partition("(")[0]

    @property
    def textual_action(self) -> str:
        """The action for Textual: the app's `action_key` calls the methods of features."""
        if "." not in self.name:
            return self.action
        arguments = self.action[len(self.name) + 1 : -1]
        return f"key('{self.name}'{arguments and f', {arguments}'})"

    def narrowed(self) -> Key:
        """The key with its label for a narrow footer."""
        return self if self.narrow is None else replace(self, label=self.narrow)

    @property
    def width(self) -> int:
        """Width in the footer, in cells."""
        return len(self.shown) + len(self.label) + 1 + bool(self.label)

    def bindings(self) -> list[Binding]:
        """The keys as Textual bindings."""
        from textual.binding import Binding

        return [
            Binding(
                key,
                self.textual_action.format(key=key),
                self.label,
                show=self.footer > 0 and index == 0,
                key_display=self.shown,
                tooltip=self.tooltip,
                id=f"{self.full_id}-{index}",
            )
            for index, key in enumerate(self.keys.split(","))
        ]


def of_screen(screen: str, *keys: Key) -> tuple[Key, ...]:
    """The keys of a screen other than the main one."""
    return tuple(replace(key, screen=screen) for key in keys)


def use_keys(chosen: Mapping[str, Sequence[str]]) -> None:
    """Put the chosen keys in force, by the full name of their action; the rest have their own."""
    _chosen.clear()
    _chosen.update({name: tuple(keys) for name, keys in chosen.items()})


def bind(node: DOMNode, keys: Iterable[Key]) -> None:
    """Bind the keys in force in an app or a screen, beside the keys of its class.

    Textual's own keymap would take a key that two actions share, such as Esc, from both of them.
    """
    from textual.binding import BindingsMap

    bindings = BindingsMap(binding for key in keys for binding in key.bindings())
    node._bindings = BindingsMap.merge([node._bindings, bindings])


_SHOWN = {
    "up": "↑", "down": "↓", "left": "←", "right": "→", "pageup": "Page Up",
    "pagedown": "Page Down", "escape": "Esc", "space": "Space", "enter": "Enter",
    "delete": "Delete", "backspace": "Backspace",
}  # fmt: skip


def shown_key(name: str) -> str:
    """A key as displayed.

    Examples:
        >>> [shown_key(name) for name in ("f", "question_mark", "shift+left", "ctrl+r", "f5")]
        ['f', '?', 'Shift+←', 'Ctrl+R', 'F5']
    """
    from textual.keys import format_key

    *modifiers, key = name.split("+")
    if key not in _SHOWN and not modifiers and len(character := format_key(key)) == 1:
        return character
    last = _SHOWN.get(key, key.title())
    return "+".join((*(modifier.title() for modifier in modifiers), last))
