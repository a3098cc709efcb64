"""The stream that the program draws to: it writes what changes, and knows if it is behind."""

from typing import Any, TextIO

from tui.system.painting import Painter


class Output:
    """A stream that writes only what changes, and knows whether it is still busy with it.

    Textual writes in a thread of its own, which flushes once nothing more waits. On a slow link
    that thread waits for the terminal, and whoever draws on can only fill its queue.

    Attributes:
        busy: something written has not reached the terminal yet.
    """

    def __init__(self, stream: TextIO | Any) -> None:
        self.busy = False
        self._stream = stream
        self._painter = Painter()

    def write(self, text: str) -> int:
        """Write a text or, of a frame, what changes."""
        self.busy = True
        if changes := self._painter.changes(text):
            self._stream.write(changes)
        return len(text)

    def flush(self) -> None:
        """Wait until the terminal has taken everything."""
        self._stream.flush()
        self.busy = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
