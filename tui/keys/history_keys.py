"""The keys of the history."""

from tui.keys.key import Key, of_screen

RUNS, COMPARE, GENERAL = "Runs", "Compare", "General"

KEYS = of_screen("history",
    Key("up,k", "↑ k", "move(-1)", "up", "Select the run above", RUNS),
    Key("down,j", "↓ j", "move(1)", "down", "Select the run below", RUNS),
    Key("pageup", "Page Up", "page(-1)", "page up", "Move up one page", RUNS),
    Key("pagedown", "Page Down", "page(1)", "page down", "Move down one page", RUNS),
    Key("home", "Home", "to(0)", "first", "Select the first run", RUNS),
    Key("end", "End", "to(-1)", "last", "Select the last run", RUNS),
    Key("enter", "Enter", "open", "continue", "Continue from its net, or resume the run",
        RUNS, footer=9),
    Key("n", "n", "note", "note", "Write a note about the run", RUNS, footer=6),
    Key("delete,backspace", "Delete", "delete", "delete",
        "Delete the run (asks first; also Backspace)", RUNS, footer=5),
    Key("s", "s", "sort", "sort", "Sort by the next column", RUNS, footer=2),
    Key("S", "S", "reverse", "reverse", "Reverse the sort order", RUNS),
    Key("space", "Space", "mark", "mark", "Mark the run, to compare another with it", COMPARE,
        footer=7),
    Key("v", "v", "next_view", "view", "Show the next view, or switch between validation and test",
        COMPARE, footer=4),
    Key("left_square_bracket,left", "[ ←", "layer(-1)", "layer above", "Compare the layer above",
        COMPARE),
    Key("right_square_bracket,right", "] →", "layer(1)", "layer below", "Compare the layer below",
        COMPARE, footer=1),
    Key("F", "F", "full_screen", "full screen",
        "Show the plot on the whole screen: read out its points, export it", COMPARE),
    Key("question_mark,f1", "?", "help", "help", "Explain every key and symbol (also F1)", GENERAL,
        footer=3),
    Key("escape,q,h", "q", "leave", "back", "Go back (also Esc and h)", GENERAL, footer=8),
)  # fmt: skip

TYPING = (
    Key("enter", "Enter", "", "save the note", "Save the note", RUNS),
    Key("escape", "Esc", "", "cancel", "Leave the note unchanged", RUNS),
)
"""The footer while a note is typed; the note's input line handles these keys."""
