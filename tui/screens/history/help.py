"""The help of the history: every key and every symbol."""

from tui.keys.history_keys import KEYS
from tui.screens.help.sections import Section, key_sections
from tui.views.run_table import DENSE, HERE, MARKED, OFF_FRONT, ON_FRONT, STOPPED_EARLY

SYMBOLS = (
    (ON_FRONT, "on the Pareto front: no other run beats it in both size and accuracy"),
    (OFF_FRONT, "beaten by another run"),
    (STOPPED_EARLY, "stopped early, by you or by an error"),
    (DENSE, "dense training"),
    (MARKED, "marked for comparison"),
    (HERE, "its net is on the main screen"),
    ("trial 3", "third trial on the way to the lightest net"),
    ("vs. dense", "accuracy minus its dense net's, in points (validation or test; {history.view} "
     "switches)"),
    ("3/5", "epochs done of epochs planned"),
    ("diff", "selected run minus the marked one; ×1.31: 1.31 times smaller"),
    ("the plot", "shows only runs with the same net, data and protocol as the selected one: other "
     "accuracies are not comparable"),
)  # fmt: skip


def history_help() -> tuple[Section, ...]:
    """Every key, then every symbol."""
    return (*key_sections(KEYS), Section("What the symbols mean", SYMBOLS))
