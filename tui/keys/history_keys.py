"""The keys of the history, and which of them make sense now."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from textual.binding import BindingType

from core.experiments.runs import INTERRUPTED
from tui.keys.keys import Key
from tui.state.browsing import Browsing
from tui.state.runs import SPLITS

RUNS, COMPARE, LEAVE = "The runs", "Compare", "Leave"

KEYS = (
    Key("up,k", "↑ k", "move(-1)", "up", "Choose the run above", RUNS),
    Key("down,j", "↓ j", "move(1)", "down", "Choose the run below", RUNS),
    Key("pageup", "page up", "page(-1)", "page up", "Choose a run further up", RUNS),
    Key("pagedown", "page down", "page(1)", "page down", "Choose a run further down", RUNS),
    Key("home", "home", "to(0)", "first", "Choose the first run", RUNS),
    Key("end", "end", "to(-1)", "last", "Choose the last run", RUNS),
    Key("enter", "enter", "open", "go on", "Go on from its net, or resume it",
        RUNS, footer=True),
    Key("n", "n", "note", "note", "Type a note about the run", RUNS, footer=True),
    Key("x,delete", "x", "delete", "delete", "Delete the run (asks first)", RUNS, footer=True),
    Key("s", "s", "sort", "sort", "Sort by the next column", RUNS, footer=True),
    Key("S", "S", "turn_round", "turn round", "Sort the other way round", RUNS),
    Key("space", "space", "mark", "mark", "Mark it, to see others beside it", COMPARE,
        footer=True),
    Key("v", "v", "look_on", "view", "The next view, or the other accuracy",
        COMPARE, footer=True),
    Key("left_square_bracket,left", "[ ←", "layer(-1)", "layer above", "Compare the layer above",
        COMPARE),
    Key("right_square_bracket,right", "] →", "layer(1)", "layer", "Compare the layer below",
        COMPARE, footer=True),
    Key("question_mark,f1", "?", "help", "help", "All keys and signs (F1 too)", LEAVE, footer=True),
    Key("escape,q,h", "q", "leave", "back", "Back (escape and h too)", LEAVE,
        footer=True),
)  # fmt: skip

TYPING = (
    Key("enter", "enter", "", "save the note", "Save the note", RUNS),
    Key("escape", "escape", "", "leave it as it was", "Leave the note as it was", RUNS),
)
"""The keys for the bottom line while a note is typed, which has them itself."""

BINDINGS: list[BindingType] = [binding for key in KEYS for binding in key.bindings()]

IMPORTANCE = ("enter", "q", "space", "n", "x", "v", "?", "s", "] →")
"""The keys of the bottom line as they are shown, those that give way to narrow screens last."""


def offered(browsing: Browsing, all_views: bool, width: int) -> tuple[Key, ...]:
    """The keys for the bottom line, called by what they would do now, as many as fit."""
    sensible = {key.shown: key for key in _sensible(browsing, all_views)}
    room, fitted = width, set()
    for shown in IMPORTANCE:
        if (key := sensible.get(shown)) is not None:
            room -= len(key.shown) + len(key.label) + 2
            if room < 0:
                break
            fitted.add(shown)
    return tuple(key for shown, key in sensible.items() if shown in fitted)


def _sensible(browsing: Browsing, all_views: bool) -> Iterable[Key]:
    row = browsing.chosen
    for key in (key for key in KEYS if key.footer):
        match key.name:
            case "help" | "leave":
                yield key
            case _ if row is None:
                continue
            case "open" if row.openable:
                yield replace(key, label="resume" if row.status == INTERRUPTED else "go on")
            case "open":
                continue
            case "mark":
                yield replace(key, label="unmark" if browsing.marked else "mark")
            case "look_on" if browsing.compared is None:
                other = next(split for split in SPLITS if split != browsing.split)
                yield replace(key, label=other)
            case "look_on" if all_views:
                continue
            case "layer" if browsing.compared is None:
                continue
            case _:
                yield key
