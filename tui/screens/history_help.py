"""Every key and every sign of the history."""

from __future__ import annotations

from itertools import groupby

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from tui.keys.history_keys import KEYS
from tui.screens.help import HelpScreen
from tui.views.run_table import DENSE, HERE, MARKED, OFF_FRONT, ON_FRONT, STOPPED_EARLY

MEANINGS = f"""\
{ON_FRONT}         on the Pareto front: no other run
          beats it in both size and accuracy
{OFF_FRONT}         beaten by another run
{STOPPED_EARLY}         stopped early by the user
{DENSE}         a dense training
{MARKED}         marked for comparison
{HERE}         its net is on the main screen
search 3  third trial of a search
vs dense  accuracy points above or below its
          dense net (validation or test,
          switched with v)
3/5       epochs done, of those planned
diff      difference between the two runs

The plot shows only runs of the same net,
data and protocol, whose accuracies can be
compared."""


class HistoryHelp(HelpScreen):
    """Every key and every sign of the history."""

    def compose(self) -> ComposeResult:
        """Lay out one scrolling text."""
        with VerticalScroll(classes="dialog dialog--wide"):
            yield Static(help_text(), markup=False)


def help_text() -> str:
    """The keys by group, then the signs."""
    width = max(len(key.shown) for key in KEYS)
    parts = [
        "\n".join([group, *(f"  {key.shown:<{width}}  {key.tooltip}" for key in keys)])
        for group, keys in groupby(KEYS, lambda key: key.group)
    ]
    meanings = "\n".join(f"  {line}" for line in MEANINGS.splitlines())
    return "\n\n".join([*parts, f"What the signs mean\n{meanings}", "escape closes this"])
