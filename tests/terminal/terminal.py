"""The real program in a real pseudo-terminal: keys in, a screen out, every byte counted."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pyte

FEATHERWEIGHT = str(Path(sys.executable).with_name("featherweight"))

PATIENCE = 300.0
"""Seconds to wait for a step that takes a minute at most on an idle machine."""

OVERRIDES = ("COLORTERM", "NO_COLOR", "COLUMNS", "LINES")
"""Environment variables that override what a terminal reports about itself."""

KEYS = {
    "up": "\x1b[A",
    "down": "\x1b[B",
    "right": "\x1b[C",
    "left": "\x1b[D",
    "enter": "\r",
    "escape": "\x1b",
    "backspace": "\x7f",
    "tab": "\t",
}


PASTE, MODES = 2004, (1049, 1000, 1003, 1006, 1015, 1004)
"""Bracketed paste, which shells use, too; alternate screen, mouse reports, reports of focus."""


class Terminal:
    """A program in a terminal."""

    CONTROLLING = False

    def __init__(
        self,
        *arguments: str,
        columns: int = 80,
        rows: int = 24,
        command: str = FEATHERWEIGHT,
        cwd: str = "",
        **environment: str,
    ) -> None:
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self.written = 0
        self.raw = bytearray()
        self._master, slave = pty.openpty()
        self._slave = slave
        self._tell_size()
        self.before = termios.tcgetattr(slave)
        self._state = TemporaryDirectory()  # where it saves plans and logs errors
        env = {k: v for k, v in os.environ.items() if k not in OVERRIDES}
        self.process = subprocess.Popen(
            [command, *arguments],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=cwd or None,
            env={
                **env,
                "TERM": "xterm-256color",
                "LC_ALL": "C.UTF-8",
                "XDG_STATE_HOME": self._state.name,
                "FEATHERWEIGHT_TOUR": "false",
                **environment,
            },
            start_new_session=True,
            preexec_fn=self._take_over if self.CONTROLLING else None,
        )

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        os.close(self._slave)
        self.close()
        self._state.cleanup()

    def close(self) -> None:
        """Close the terminal, as closing its window does."""
        if self._master >= 0:
            os.close(self._master)
            self._master = -1

    def resize(self, columns: int, rows: int) -> None:
        """Give the terminal another size, and tell the program."""
        self.screen.resize(rows, columns)
        self._tell_size()
        os.killpg(self.process.pid, signal.SIGWINCH)

    def _tell_size(self) -> None:
        size = struct.pack("HHHH", self.screen.lines, self.screen.columns, 0, 0)
        fcntl.ioctl(self._slave, termios.TIOCSWINSZ, size)

    def press(self, *keys: str) -> None:
        """Type keys: names of `KEYS`, or text."""
        for key in keys:
            os.write(self._master, KEYS.get(key, key).encode())

    def read(self, seconds: float) -> int:
        """Read for `seconds`; returns the number of bytes the program wrote."""
        before, end = self.written, time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if select.select([self._master], [], [], left)[0]:
                self._take()
        return self.written - before

    def wait_for_quiet(self, seconds: float) -> None:
        """Read until the program has written nothing for `seconds`."""
        end = time.monotonic() + PATIENCE
        while self.read(seconds):
            assert time.monotonic() < end, f"never quiet:\n{self.text}"

    def wait_for(self, *texts: str, gone: tuple[str, ...] = (), seconds: float = PATIENCE) -> str:
        """Read until all texts are on the screen and none of `gone`; if not, fail and show it."""

        def reached() -> bool:
            shown = self.text
            return all(text in shown for text in texts) and not any(text in shown for text in gone)

        self.wait_until(reached, str(texts), seconds)
        return self.text

    def wait_until(self, reached: Callable[[], bool], what: str, seconds: float = PATIENCE) -> None:
        """Read until `reached`; if not in time, fail and show the screen."""
        end = time.monotonic() + seconds
        while not reached():
            left = end - time.monotonic()
            if left <= 0 or self.process.poll() is not None:
                status = self.process.poll()
                raise AssertionError(f"no {what} (status {status}) on:\n{self.text}")
            if select.select([self._master], [], [], min(left, 0.2))[0]:
                self._take()

    def wait(self, seconds: float = PATIENCE) -> int:
        """Read until the program ends; returns its exit status."""
        end = time.monotonic() + seconds
        while self.process.poll() is None:
            assert time.monotonic() < end, f"still running:\n{self.text}"
            if select.select([self._master], [], [], 0.02)[0]:
                self._take()
        while select.select([self._master], [], [], 0.05)[0]:
            self._take()
        return self.process.wait()

    @property
    def text(self) -> str:
        """The screen as a person sees it."""
        return "\n".join(line.rstrip() for line in self.screen.display)

    @property
    def restored(self) -> bool:
        """The terminal is as it was: its modes, no alternate screen, a cursor, no mouse reports."""
        return self.echoes and self.released and self._left(PASTE)

    @property
    def echoes(self) -> bool:
        """What is typed is shown and read as before the program started."""
        return bool(termios.tcgetattr(self._slave)[3] == self.before[3])

    @property
    def released(self) -> bool:
        """The app has left the screen: a shell may use it."""
        return self.shows_cursor and all(map(self._left, MODES))

    @property
    def shows_cursor(self) -> bool:
        """The cursor is visible again."""
        return self._at(b"\x1b[?25h") > self._at(b"\x1b[?25l")

    def _left(self, mode: int) -> bool:
        return self._at(b"\x1b[?%dl" % mode) > self._at(b"\x1b[?%dh" % mode)

    @staticmethod
    def _take_over() -> None:
        """Make standard input the terminal of this session."""
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    def _at(self, sequence: bytes) -> int:
        """Where the program wrote a sequence last; -1 if it has not."""
        return self.raw.rfind(sequence)

    def _take(self) -> None:
        try:
            data = os.read(self._master, 65536)
        except OSError:
            return
        self.written += len(data)
        self.raw += data
        self._stream.feed(data)


class Window(Terminal):
    """A terminal of a session's own, as in a window.

    It delivers the signals of keys to the program in the foreground, and SIGHUP when it is closed.
    """

    CONTROLLING = True
