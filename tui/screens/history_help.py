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
{ON_FRONT}         on the front: no other run beats
          it in both ratio and accuracy
{OFF_FRONT}         beaten by another run
{STOPPED_EARLY}         stopped early by a person
{DENSE}         a dense training
{MARKED}         marked, to be compared with
{HERE}         its net is on the main screen
search 3  the third trial of a search
vs dense  points of accuracy above the
          dense net it came from, for the
          accuracy that v chooses
3/5       epochs that are over, and all
apart     how far two runs are apart

Only accuracies of the same net, data and
protocol are compared: other runs are not
in the plot."""


class HistoryHelp(HelpScreen):
    """Every key and every sign of the history."""

    def compose(self) -> ComposeResult:
        """One scrolling text."""
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
