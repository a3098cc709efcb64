"""The keys of a sweep's screen."""

from tui.keys.key import Key, of_screen

TRIALS, GENERAL = "Trials", "General"

KEYS = of_screen("sweep",
    Key("up,k", "↑ k", "move(-1)", "up", "Select the trial above", TRIALS),
    Key("down,j", "↓ j", "move(1)", "down", "Select the trial below", TRIALS),
    Key("pageup", "Page Up", "page(-1)", "page up", "Move up one page", TRIALS),
    Key("pagedown", "Page Down", "page(1)", "page down", "Move down one page", TRIALS),
    Key("x", "x", "stop", "stop trial",
        "Stop the selected trial; the best epoch at the full plan is kept", TRIALS, footer=9),
    Key("X", "X", "stop_all", "stop all",
        "Stop the sweep (asks first); started again, it goes on after the last epochs", TRIALS,
        footer=7),
    Key("d", "d", "leave_running", "leave it running",
        "Stop watching: the sweep goes on, even without this program", TRIALS, footer=5,
        narrow="leave"),
    Key("question_mark,f1", "?", "help", "help", "Explain every key and column (also F1)", GENERAL,
        footer=3),
    Key("escape,q,G", "q", "leave", "back",
        "Back to the main screen, where the sweep is the job (also Esc and G)", GENERAL, footer=8),
)  # fmt: skip

OF_RUNNING = ("stop", "stop_all", "leave_running")
"""The actions that are offered only while the sweep runs."""
