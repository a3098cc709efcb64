"""The stream that the program draws to, and whether the terminal takes what is drawn."""

from typing import Any, TextIO


class Output:
    """A stream that knows whether it is still busy with what was written.

    Textual writes in a thread of its own, which flushes once nothing more waits. On a slow link
    that thread waits for the terminal, and whoever draws on can only fill its queue.

    Attributes:
        busy: something written has not reached the terminal yet.
    """

    def __init__(self, stream: TextIO | Any) -> None:
        self.busy = False
        self._stream = stream

    def write(self, text: str) -> int:
        """Write a text."""
        self.busy = True
        written: int = self._stream.write(text)
        return written

    def flush(self) -> None:
        """Wait until the terminal has taken everything."""
        self._stream.flush()
        self.busy = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
