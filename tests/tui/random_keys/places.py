"""Where a user of the app is: the screen, its plots and the open input line."""

from __future__ import annotations

from collections.abc import Iterator

from tui.app import FeatherweightApp
from tui.screens.help.screen import HelpScreen
from tui.screens.history.screen import HistoryScreen


def places(app: FeatherweightApp) -> Iterator[str]:
    """The names of the screen, the visible plots and the open line."""
    screen = app.screen
    yield type(screen).__name__
    if screen is app.main_screen:
        yield from app.main_screen.visible_plots(app.state)
        yield type(app.main_screen.line).__name__
    if isinstance(screen, HelpScreen) and isinstance(app.screen_stack[-2], HistoryScreen):
        yield "history help"
    if isinstance(screen, HistoryScreen) and screen.typing:
        yield "NoteInput"
