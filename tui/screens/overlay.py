"""Screens over the main one: each closes once, and only while it is on top."""

from typing import TypeVar

from textual.await_complete import AwaitComplete
from textual.screen import ModalScreen, Screen

Result = TypeVar("Result")


class Overlay(Screen[Result]):
    """A screen over another one."""

    @property
    def is_pushed(self) -> bool:
        """It is not closed yet: its own work may end later than that."""
        return self in self.app.screen_stack

    def dismiss(self, result: Result | None = None) -> AwaitComplete:
        """Close with a result.

        Keys that arrive together may ask twice; the second would close the screen below.
        """
        return super().dismiss(result) if self.is_current else AwaitComplete()


class Dialog(ModalScreen[Result], Overlay[Result]):
    """An overlay that leaves the screen below visible."""
