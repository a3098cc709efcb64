"""Tells a pasted or piped text that arrives as single keys from keys that a person presses."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from textual import events
from textual.widgets import Input

if TYPE_CHECKING:
    from textual.app import App
    from textual.timer import Timer

KEYS, WITHIN = 100, 0.2
"""So many keys within so many seconds are a text; a slow connection delays fewer."""

GAP = 0.05
"""Seconds without a key that end the text."""


class KeyBurst:
    """Collects such a text and pastes it into the open input line; without one it is dropped.

    Attributes:
        timer: ends the text; None while no text is arriving.
    """

    def __init__(self, app: App[Any]) -> None:
        self.timer: Timer | None = None
        self._app = app
        self._times: deque[float] = deque(maxlen=KEYS)
        self._text: list[str] = []
        self._inside = False

    def takes(self, event: events.Event) -> bool:
        """Whether an event is a key of a text, which must do nothing by itself."""
        if not isinstance(event, events.Key) or event.is_forwarded or not self._is_text(event.time):
            return False
        self._text.append(event.character or "")
        if self.timer is None:
            self.timer = self._app.set_timer(2 * GAP, self._end)
        else:
            self.timer.reset()
        return True

    def _is_text(self, time: float) -> bool:
        times = self._times
        goes_on = bool(times) and time - times[-1] < GAP
        begins = len(times) == KEYS and time - times[0] < WITHIN
        self._inside = begins or (self._inside and goes_on)
        times.append(time)
        return self._inside

    def _end(self) -> None:
        """Paste the text."""
        self.timer, text, self._text = None, "".join(self._text), []
        app = self._app
        if not app.screen_stack:  # the program is closing
            return
        if isinstance(app.focused, Input):
            app.post_message(events.Paste(text))
        else:
            app.notify(f"ignored a pasted text of {len(text):,} characters", markup=False)
