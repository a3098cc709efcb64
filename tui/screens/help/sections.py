"""What the help says, in sections: about what has the focus, the plots, every key, every term."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from inspect import cleandoc
from itertools import groupby
from typing import Any

from textual.screen import Screen

from core.nets.footprint import SIZE_NOTE
from tui.keys.key import Key
from tui.keys.keymap import with_keys
from tui.keys.main_keys import KEYS
from tui.screens.help import texts
from tui.screens.help.prose import prose
from tui.screens.messages import MARKS, Message
from tui.state.state import State
from tui.text.format import count
from tui.text.lines import Line, Lines, Span
from tui.text.terms import TERMS
from tui.views.plot_registry import PLOTS

WIDEST_NAME = 24
"""The most cells for the names at the left of a section."""

NOTES = (
    ("size", SIZE_NOTE),
    ("±", "estimate from a sample, 95 % confidence interval"),
    ("about N?", "forecast from the scan, not measured"),
    ("▪ ▫", "locked (▫ in part): excluded from goals, presets and {copy-to-all}"),
    ("▸ ▾", "folded or open group: its row shows totals; keys on it act on its unlocked layers (│) "
     "in one undo step"),
    ("{find-layers}", "lists layers; keys on the heading act on all of them, goals and presets "
     "still on the whole net"),
    ("goal", "60x, 6000 kept, 28 KiB or 0.5 points (finds the lightest net)"),
    ("speed", "median ms per batch in float32; the engines take turns, and all give the same "
     "logits"),
    ("mouse", "click a layer, a group or a bar, or scroll; rest on a term to read what it means"),
    ("Ctrl+P", "a palette of all actions"),
    ("Ctrl+Z", "back to the shell, until fg"),
)  # fmt: skip
"""What else the screen shows or takes; keys in braces are those in force."""


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, and rows below it: a name and its meaning, or a text without a name."""

    title: str
    rows: tuple[tuple[str, str], ...]

    def lines(self, width: int) -> Lines:
        """The section in a width."""
        names = max(len(name) for name, _ in self.rows)
        room = min(names, WIDEST_NAME) + 2 if names else 0
        return ((Span(self.title, "title"),), *self._row_lines(room, max(width - 2 - room, 16)))

    def _row_lines(self, room: int, width: int) -> Iterable[Line]:
        for name, meaning in self.rows:
            for number, line in enumerate(prose(meaning, width)):
                left = name if number == 0 else ""
                yield (Span(f"  {left:<{room}}", "chosen"), *line)


def help_lines(sections: Iterable[Section], width: int) -> Lines:
    """The sections one below the other, a blank line between them."""
    lines: list[Line] = []
    for section in sections:
        lines += [(), *section.lines(width)]
    return tuple(lines[1:])


def context(screen: Screen[Any], plots: Iterable[str] = ()) -> tuple[Section, ...]:
    """What has the focus on a screen, the screen itself, and the plots on it, by their names."""
    focused = screen.focused
    nodes = focused.ancestors_with_self if focused else (screen,)
    explained = [_section(text) for node in nodes if (text := getattr(node, "HELP", None))]
    return (*explained, *(section for name in plots for section in help_of_plot(name)))


def help_of_plot(name: str) -> tuple[Section, ...]:
    """What a plot shows, if it is one of the main screen."""
    if name not in texts.PLOTS:
        return ()
    return (Section(f"Plot: {PLOTS[name].about}", (("", texts.PLOTS[name]),)),)


def _section(text: str) -> Section:
    """A widget's HELP: a heading, and text."""
    heading, _, body = cleandoc(text).partition("\n")
    return Section(heading.lstrip("# "), (("", " ".join(body.split())),))


def problem_sections(problems: Iterable[str]) -> tuple[Section, ...]:
    """What is wrong with the preferences, and what happens now."""
    what = tuple(("•", problem) for problem in problems)
    advice = "Everything else applies; these keep their defaults until you correct them."
    return (Section("Some of your preferences are not valid", (*what, ("", advice))),)


def message_sections(messages: Sequence[Message]) -> tuple[Section, ...]:
    """What was said, newest first, in full."""
    rows = tuple(
        (f"{message.time:%H:%M:%S}", f"{MARKS.get(message.role, '')}{message.text}")
        for message in reversed(messages)
    )
    return (Section("Newest first", rows or (("", "none so far"),)),)


def key_sections(keys: Iterable[Key]) -> tuple[Section, ...]:
    """The keys in force, by group."""
    groups = groupby(keys, lambda key: key.group)
    return tuple(
        Section(group, tuple((key.shown, key.tooltip) for key in of_group))
        for group, of_group in groups
    )


def main_help(state: State) -> tuple[Section, ...]:
    """Every key, then what the terms mean for the net and data in `state`."""
    terms = {**TERMS, **_splits(state)}
    notes = tuple((with_keys(name), text) for name, text in NOTES)
    return (*key_sections(KEYS), Section("What the terms mean", (*terms.items(), *notes)))


def _splits(state: State) -> dict[str, str]:
    """What the validation and test splits are, with their sizes once the data is loaded."""
    sizes = state.base.split_sizes if state.base else None
    validation, test = [f"{count(size)} images" for size in sizes] if sizes else 2 * ["images"]
    if state.settings.protocol == "reference":
        return {"validation": "the test images (reference protocol)", "test": test}
    return {
        "validation": f"{validation} used for all choices",
        "test": f"{test} used only for reporting",
    }
