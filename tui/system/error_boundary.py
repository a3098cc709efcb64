"""The error boundary: confines an error to the panel or key it occurs in.

Textual ends the program at the first error in a handler and has no hook to prevent that. The
methods overridden here are private to Textual; of other files only `tui.screens.paced` overrides
one. What widgets draw is made harmless on the way, see `tui.text.outside`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any

from rich.segment import Segment
from textual import events
from textual.css.query import NoMatches
from textual.dom import NoScreen
from textual.strip import Strip
from textual.worker import WorkerFailed, get_current_worker

from tui.system.error_log import log_error
from tui.text.outside import printable

if TYPE_CHECKING:
    from textual.app import App
    from textual.dom import DOMNode
    from textual.geometry import Region
    from textual.message import Message
    from textual.widget import Widget

SILENCE = 10.0
"""Seconds before the same error is shown again."""

Dispatch = Callable[["Message"], Awaitable[None]]
Render = Callable[["Region"], list[Strip]]


class Boundary:
    """Logs an error in an app or one of its widgets, shows it on one line, and continues.

    Before the app is mounted nothing can continue, so an error ends the program.

    Attributes:
        fatal: the line for the error that ended the program; empty if none did.
    """

    def __init__(self, app: App[Any]) -> None:
        self.fatal = ""
        self._app = app
        self._mounted = False
        self._shown: dict[str, float] = {}
        _override(app, "_handle_exception", lambda _: self.contain)
        _override(app, "_dispatch_message", self._app_dispatch)
        _override(app, "_register_child", self._register)

    def contain(self, error: Exception) -> None:
        """Log an error and show it; end the program if it cannot continue."""
        if isinstance(error, WorkerFailed) and isinstance(error.error, Exception):
            if self._is_closed(get_current_worker().node):
                return  # its result is no longer needed
            error = error.error
        line, now = log_error(error), monotonic()
        if not self._mounted:
            self.fatal = self.fatal or line
            self._app.exit(return_code=1)
        elif now - self._shown.get(line, -SILENCE) >= SILENCE:
            self._shown[line] = now
            self._tell(line)

    def _tell(self, line: str) -> None:
        """Show an error in the activity lines or, if these cannot be drawn, above them."""
        from textual.app import App

        try:
            self._app.notify(line, severity="error", markup=False)
        except Exception as error:
            log_error(error)
            App.notify(self._app, line, severity="error", markup=False)

    def _is_closed(self, node: DOMNode) -> bool:
        """Whether the screen of a worker or a widget is closed; workers of the app have none."""
        try:
            return node is not self._app and node.screen not in self._app.screen_stack
        except NoScreen:
            return True

    def _app_dispatch(self, dispatch: Dispatch) -> Dispatch:
        async def dispatched(message: Message) -> None:
            try:
                await dispatch(message)
            except Exception as error:
                if not self._mounted:
                    raise
                self.contain(error)
            self._mounted = self._mounted or isinstance(message, events.Mount)

        return dispatched

    def _register(self, register: Callable[..., None]) -> Callable[..., None]:
        def registered(parent: Widget, child: Widget, *place: int | None) -> None:
            register(parent, child, *place)
            _override(child, "_dispatch_message", partial(self._dispatch, child))
            _override(child, "render_lines", _render)

        return registered

    def _dispatch(self, widget: Widget, dispatch: Dispatch) -> Dispatch:
        async def dispatched(message: Message) -> None:
            try:
                await dispatch(message)
            except NoMatches as error:
                if not self._is_closed(widget):  # its widgets go before its last messages
                    self.contain(error)
            except Exception as error:
                self.contain(error)

        return dispatched


def _render(render: Render) -> Render:
    def rendered(crop: Region) -> list[Strip]:
        try:
            return [_shown(strip) for strip in render(crop)]
        except Exception as error:
            line = Strip([Segment(log_error(error))]).adjust_cell_length(crop.width)
            return [line, *[Strip.blank(crop.width)] * crop.height][: crop.height]

    return rendered


def _shown(strip: Strip) -> Strip:
    """A line in which nothing is an instruction to the terminal, whatever a name in it holds."""
    if strip.text.isprintable():
        return strip
    segments = [Segment(printable(text), style, control) for text, style, control in strip]
    return Strip(segments).adjust_cell_length(strip.cell_length)


def _override(owner: object, name: str, wrap: Callable[[Any], object]) -> None:
    setattr(owner, name, wrap(getattr(owner, name)))
