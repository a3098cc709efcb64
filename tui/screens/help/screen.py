"""The help screen, which scrolls."""

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll

from tui.screens.help.sections import Section, help_lines
from tui.screens.help.tour import TourScreen
from tui.screens.overlay import Dialog
from tui.widgets.lines import LinesWidget


class HelpScreen(Dialog[None]):
    """Help that scrolls.

    Args:
        tour: whether `t` shows the tour instead.
    """

    COMPONENT_CLASSES = {f"role--{role}" for role in ("title", "chosen", "plain", "muted", "error")}
    is_unfilled = True
    BINDINGS = [
        Binding("question_mark,f1,q", "leave", "close"),
        Binding("j", "app.simulate_key('down')", show=False),
        Binding("k", "app.simulate_key('up')", show=False),
        Binding("t", "tour", "tour"),
    ]

    def __init__(
        self, sections: Sequence[Section], title: str = "Help", *, tour: bool = True
    ) -> None:
        super().__init__()
        self._sections, self._title, self._tour = sections, title, tour

    def compose(self) -> ComposeResult:
        """Lay out the sections."""
        with VerticalScroll(classes="dialog dialog--wide") as scroll:
            yield LinesWidget(id="help")
        scroll.border_title = self._title
        tour = "t tour · " if self._tour else ""
        scroll.border_subtitle = f"↑↓ scroll · {tour}Esc close"

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool:
        """Whether an action is available: the tour is, where its key is named."""
        return action != "tour" or self._tour

    def on_resize(self) -> None:
        """Fit the lines to the width."""
        self.fill_by(self._show)

    def _show(self) -> None:
        if self.is_pushed:
            widget = self.query_one("#help", LinesWidget)
            widget.lines = help_lines(self._sections, widget.size.width)
            widget.styles.height = len(widget.lines)

    def action_tour(self) -> None:
        """Show the tour instead."""
        self.app.switch_screen(TourScreen())
