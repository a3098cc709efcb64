"""Names that files may hold, and what a terminal must never get of them."""

from __future__ import annotations

import re

OSC, CSI, C1, BIDI, MARKUP, LINE = (
    "\x1b]0;owned\x07", "\x1b[2J", "\x9b31m", "\u202eevil", "[/red][bold]", "a\nb\r",
)  # fmt: skip

HOSTILE = f"{MARKUP}{OSC}{CSI}{C1}{BIDI}{LINE}"
"""A window title, a cleared screen, a color, reversed text, markup and line ends."""

SHOWN = "[/red][bold]?]0;owned??[2J?31m?evila b "
"""What people see of it."""

_OBEYED = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def assert_harmless(text: str) -> None:
    """Fail if a text has anything but printable characters in lines."""
    found = _OBEYED.search(text)
    assert found is None, (found[0], text[max(0, found.start() - 60) :][:120])
