"""Screens over the main one: each closes once, and only while it is on top."""

from typing import TypeVar

from textual.await_complete import AwaitComplete
from textual.binding import Binding
from textual.command import CommandPalette
from textual.screen import ModalScreen, Screen

Result = TypeVar("Result")


class Overlay(Screen[Result]):
    """A screen over another one."""

    @property
    def is_pushed(self) -> bool:
        """Whether it is still open: its own work may end later than that."""
        return self in self.app.screen_stack

    def dismiss(self, result: Result | None = None) -> AwaitComplete:
        """Close with a result.

        Keys that arrive together may ask twice; the second would close the screen below.
        """
        return super().dismiss(result) if self.is_current else AwaitComplete()

    def action_leave(self) -> None:
        """Close without a result."""
        self.dismiss(None)


class Dialog(ModalScreen[Result], Overlay[Result]):
    """An overlay that leaves the screen below visible; escape closes it."""

    BINDINGS = [Binding("escape", "leave", "leave")]


class Palette(CommandPalette, Overlay[None]):
    """Textual's command palette, closing once."""
