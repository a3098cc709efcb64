"""The key line: the keys that apply now, at the bottom of the screen; a click presses one."""

from collections.abc import Iterator
from itertools import chain

from textual import events

from tui.keys.key import Key
from tui.keys.main_keys import SEPARATOR, fitting
from tui.text.lines import Line, Span, width_of
from tui.widgets.lines import LinesWidget

GUTTER = 1
"""The blank cells before the first key."""


class KeyLine(LinesWidget):
    """The keys as one line of text.

    Textual's Footer mounts a widget for each key, and remounts them with every change: noticeably
    slow for the first screen, and when a job starts or ends.
    """

    _keys: tuple[Key, ...] = ()
    _shown: tuple[Key, ...] = ()

    def show(self, keys: tuple[Key, ...]) -> None:
        """Show as many of these keys as fit."""
        self._keys, width = keys, self.app.size.width
        with self.drawing():
            self._shown = fitting(keys, width - GUTTER)
            spans = chain.from_iterable(_spans(*pair) for pair in self._pairs())
            gutter, rest = (Span(" " * cells, "key-label") for cells in (GUTTER, width))
            self.lines = ((gutter, *spans, rest),)

    def on_resize(self) -> None:
        """Fill the line's new width."""
        self.show(self._keys)

    def tooltip_at(self, x: int, y: int) -> str | None:
        """What the key under the pointer does."""
        key = self._key_at(x)
        return key.tooltip if key else None

    def on_click(self, event: events.Click) -> None:
        """Press the key under the pointer."""
        if key := self._key_at(event.x):
            self.app.simulate_key(key.keys.partition(",")[0])

    def _key_at(self, x: int) -> Key | None:
        x -= GUTTER
        for before, key in self._pairs():
            x -= width_of(_spans(before, key))
            if x < 0:
                return key
        return None

    def _pairs(self) -> Iterator[tuple[Key | None, Key]]:
        """Each key after the one before it."""
        return zip((None, *self._shown), self._shown, strict=False)


def _spans(before: Key | None, key: Key) -> Line:
    """A key and its label, after what separates it from a key of another group."""
    apart = before is not None and before.group != key.group
    separator = (Span(SEPARATOR, "key-label"),) if apart else ()
    label = f" {key.label} " if key.label else " "
    return (*separator, Span(key.shown, "key"), Span(label, "key-label"))
