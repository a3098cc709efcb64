"""The stream that the program draws to: it writes what changes, and knows if it is behind."""

from time import monotonic
from typing import Any, TextIO

from tui.system.painting import Painter

SLOW_SECONDS = 0.05
"""How long a terminal may take for what was written; on a fast link it takes far less."""


class Output:
    """A stream that writes only what changes, and knows whether the terminal keeps up.

    Textual writes in a thread of its own, which flushes once nothing more waits. On a slow link
    that thread waits for the terminal, and whoever draws on can only fill its queue.
    """

    def __init__(self, stream: TextIO | Any) -> None:
        self._busy_since: float | None = None
        self._stream = stream
        self._painter = Painter()

    @property
    def is_behind(self) -> bool:
        """Whether something written has not reached the terminal for a while."""
        since = self._busy_since
        return since is not None and monotonic() - since > SLOW_SECONDS

    def write(self, text: str) -> int:
        """Write a text or, of a frame, what changes."""
        if self._busy_since is None:
            self._busy_since = monotonic()
        if changes := self._painter.changes(text):
            self._stream.write(changes)
        return len(text)

    def resize(self, columns: int, rows: int) -> None:
        """Write nothing beyond the terminal's size from now on."""
        self._painter.columns, self._painter.rows = columns, rows

    def flush(self) -> None:
        """Wait until the terminal has taken everything."""
        self._stream.flush()
        self._busy_since = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
