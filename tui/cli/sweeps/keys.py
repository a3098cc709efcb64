"""Single keys from the terminal, while something is shown in it."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from time import sleep

KEYS: Mapping[bytes, str] = {b"\x1b[A": "up", b"\x1bOA": "up", b"\x1b[B": "down", b"\x1bOB": "down"}
"""The escape sequences of keys that do something."""

_KEY = re.compile(rb"\x1b[\[O][0-?]*[ -/]*[@-~]|\x1b?.", re.DOTALL)
"""An escape sequence (ECMA-48, section 5.4), a key with Alt, or a byte."""


class Keys:
    """The keys of the terminal that standard input is; none if it is not one.

    Args:
        press: called with each key that is pressed; returns whether to leave.
    """

    def __init__(self, press: Callable[[str], bool]) -> None:
        self._press = press
        self._listening = False

    @property
    def listens(self) -> bool:
        """Whether keys do something now."""
        return self._listening

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Get keys as they are pressed, and do not show them; Ctrl+C and Ctrl+Z stay signals."""
        self.take()
        try:
            yield
        finally:
            self.release()

    def take(self) -> None:
        """Take the terminal, if there is one and this program is in its foreground."""
        if not _in_foreground():
            return
        import termios
        import tty

        self._before = termios.tcgetattr(sys.stdin)
        tty.setcbreak(sys.stdin, termios.TCSANOW)
        self._listening = True

    def release(self) -> None:
        """Give it back as it was."""
        if self._listening:
            import termios

            self._listening = False
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, self._before)

    def pause(self, seconds: float) -> bool:
        """Wait for keys for at most so many seconds; returns whether one of them leaves."""
        if not self._listening:
            sleep(seconds)
            return False
        import select

        ready, _, _ = select.select([sys.stdin], [], [], seconds)
        return bool(ready) and any(map(self._press, self._pressed()))

    def _pressed(self) -> Iterator[str]:
        text = b""
        with suppress(OSError):
            text = os.read(sys.stdin.fileno(), 1024)
        if not text:  # the terminal is gone
            self._listening = False
        for key in _KEY.findall(text):
            yield KEYS.get(key) or key.decode("ascii", "ignore")


def _in_foreground() -> bool:
    """Whether standard input is a terminal that this program may change."""
    if sys.platform == "win32":
        return False
    with suppress(OSError, ValueError, AttributeError):
        return os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    return False
