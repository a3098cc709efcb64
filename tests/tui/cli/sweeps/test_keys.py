"""Single keys from a terminal, which is as before afterwards."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tui.cli.sweeps.keys import Keys

termios = pytest.importorskip("termios")


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The other end of the terminal that is standard input."""
    own, theirs = os.openpty()
    with open(theirs, encoding="utf-8") as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        yield own
    os.close(own)


def test_keys_are_read_as_they_are_pressed(terminal: int, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setattr("tui.cli.sweeps.keys._in_foreground", lambda: True)
    pressed: list[str] = []
    keys = Keys(lambda key: bool(pressed.append(key)) or key == "d")
    before = termios.tcgetattr(sys.stdin)
    with keys.listening():
        assert keys.listens
        os.write(terminal, b"j\x1b[Ax\x1b[B\x1bOd\x1b[1;5d\x1bd")  # the last three have Ctrl or Alt
        assert not keys.pause(10.0)
        os.write(terminal, "é".encode() + b"d")
        assert keys.pause(10.0)
    assert [key for key in pressed if key and key[0] != "\x1b"] == ["j", "up", "x", "down", "d"]
    assert termios.tcgetattr(sys.stdin) == before


def test_a_terminal_that_is_gone_has_no_keys(
    terminal: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.cli.sweeps.keys._in_foreground", lambda: True)
    keys = Keys(lambda _: True)
    keys.take()
    monkeypatch.setattr("os.read", lambda *_: b"")
    os.write(terminal, b"d")
    assert not keys.pause(10.0)
    assert not keys.listens


def test_a_terminal_of_another_program_is_left_alone(terminal: int) -> None:
    keys = Keys(lambda _: True)
    with keys.listening():
        assert not keys.listens
        os.write(terminal, b"d")
        assert not keys.pause(0.0)
