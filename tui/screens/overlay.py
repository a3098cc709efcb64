"""Screens over the main one: each closes once, and only while it is on top."""

from collections.abc import Callable
from typing import TypeVar

from textual.await_complete import AwaitComplete
from textual.binding import Binding
from textual.screen import ModalScreen

from tui.screens.paced import PacedScreen

Result = TypeVar("Result")

DIALOG_ROLES = {f"role--{role}" for role in ("plain", "muted", "chosen", "kept", "error")}
"""The component classes of a dialog with lines, which are on its own background."""


class Overlay(PacedScreen[Result]):
    """A screen over another one.

    In a low terminal it has the class `-compact`. The main screen has no use for the class, and
    setting it would restyle every widget before the first frame.
    """

    VERTICAL_BREAKPOINTS = [(0, "-compact"), (24, "-roomy")]

    @property
    def is_pushed(self) -> bool:
        """Whether it is still open; its background work may end later."""
        return self in self.app.screen_stack

    def dismiss(self, result: Result | None = None) -> AwaitComplete:
        """Close with a result.

        Two such keys may arrive together; the second would close the screen below. A screen with
        another over it stays: the other would be popped in its place.
        """
        return super().dismiss(result) if self.is_active else AwaitComplete()

    def say(self, _text: str, _role: str) -> bool:
        """Show a message in lines of its own; whether it has any."""
        return False

    def action_leave(self) -> None:
        """Close without a result."""
        self.dismiss(None)


class Dialog(ModalScreen[Result], Overlay[Result]):
    """An overlay that leaves the screen below visible; Esc closes it, F1 and ? explain it.

    Attributes:
        is_unfilled: whether it waits for its lines, whose width follows from the layout.
    """

    BINDINGS = [
        Binding("escape", "leave", "close"),
        Binding("question_mark,f1", "app.explain", "help", show=False),
    ]
    is_unfilled = False

    def fill_by(self, show: Callable[[], object]) -> None:
        """Call `show` once the layout is known; until then, no frame is drawn.

        Over SSH, a frame without lines costs as much as one with them.
        """
        self.is_unfilled = True
        self.call_after_refresh(self._fill, show)

    def _fill(self, show: Callable[[], object]) -> None:
        self.is_unfilled = False
        show()
        self.refresh()

    def _compositor_refresh(self) -> None:
        if not self.is_unfilled:
            super()._compositor_refresh()
