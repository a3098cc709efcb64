"""The keys of the history."""

from __future__ import annotations

from textual.binding import BindingType

from tui.keys.keys import Key

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
