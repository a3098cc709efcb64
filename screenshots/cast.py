"""A program in a pseudo-terminal, recorded as an asciinema cast (version 2)."""

from __future__ import annotations

import codecs
import fcntl
import json
import os
import pty
import select
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

Output = tuple[float, str]
"""Something that was written, and when, in seconds from the start."""


@dataclass(frozen=True)
class Cast:
    """What a program wrote to a terminal of this size."""

    columns: int
    rows: int
    title: str
    output: tuple[Output, ...]

    def text(self) -> str:
        """As a file: a line of JSON for the terminal, then one for each output."""
        header = {
            "version": 2,
            "width": self.columns,
            "height": self.rows,
            "idle_time_limit": 2.0,
            "title": self.title,
            "env": {"TERM": "xterm-256color"},
        }
        events = ([round(at, 3), "o", text] for at, text in self.output)
        lines = [json.dumps(each, ensure_ascii=False) for each in (header, *events)]
        return "\n".join(lines) + "\n"

    @classmethod
    def of_text(cls, text: str) -> Cast:
        """Read a file's text."""
        header, *events = map(json.loads, text.rstrip("\n").split("\n"))
        output = tuple((at, data) for at, kind, data in events if kind == "o")
        return cls(header["width"], header["height"], header.get("title", ""), output)


def record(
    command: Sequence[str],
    columns: int,
    rows: int,
    title: str,
    environment: Mapping[str, str],
    keys: Callable[[str], str] = lambda _: "",
) -> Cast:
    """Run a command in a terminal until it ends; `keys` says what to type after each output."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    process = subprocess.Popen(
        command,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env={**environment, "TERM": "xterm-256color", "COLORTERM": "truecolor"},
        start_new_session=True,
    )
    os.close(slave)
    began, output = time.monotonic(), list[Output]()
    decode = codecs.getincrementaldecoder("utf-8")("replace").decode
    while data := _read(master, process):
        if text := decode(data):
            output.append((time.monotonic() - began, text))
            os.write(master, keys(text).encode())
    process.wait()
    os.close(master)
    return Cast(columns, rows, title, tuple(output))


def _read(master: int, process: subprocess.Popen[bytes]) -> bytes:
    """What was written next; nothing once the program has ended."""
    while process.poll() is None or select.select([master], [], [], 0)[0]:
        if select.select([master], [], [], 0.1)[0]:
            try:
                return os.read(master, 65536)
            except OSError:  # Linux: the other end is closed
                break
    return b""
