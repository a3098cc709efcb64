"""A screen that skips frames a slow terminal could not show in time."""

from typing import TypeVar

from textual.geometry import Size
from textual.screen import Screen

from tui.widgets.lines import RoleApp

RETRY_SECONDS = 0.02
"""How soon to look again whether the terminal has taken the last frame."""

Result = TypeVar("Result")


class PacedScreen(Screen[Result]):
    """Draws a frame once the terminal has taken the one before; changes meanwhile share it.

    Otherwise Textual queues frames until it blocks, and keys wait for all of them.

    Attributes:
        strip_rows: rows at the bottom that are not the screen's own, such as the demo's caption.
    """

    strip_rows = 0
    _is_waiting = False

    @property
    def room(self) -> Size:
        """The size without the strip at the bottom."""
        return self.size - (0, self.strip_rows)

    def _compositor_refresh(self) -> None:
        """Draw what changed: now, or, while the terminal is behind, a little later."""
        app = self.app
        if not (isinstance(app, RoleApp) and app.is_behind and self is app.screen):
            super()._compositor_refresh()
        elif not self._is_waiting:
            self._is_waiting = True
            self.set_timer(RETRY_SECONDS, self._retry)

    def _retry(self) -> None:
        self._is_waiting = False
        self._compositor_refresh()
