"""Plotext's color codes turned back into roles."""

import re

from tui.text.lines import ROLES, Line, Lines, Span

# Codes below 16 are the terminal's own colors, which plotext uses for its defaults.
_FIRST = 16
_SGR = re.compile(r"\x1b\[([\d;]*)m")
_FOREGROUND = re.compile(r"38;5;(\d+)")


def code(role: str) -> int:
    """Return the color number that stands for a role inside plotext."""
    return _FIRST + ROLES.index(role)


def parse(ansi: str) -> Lines:
    """Turn plotext's ANSI text into lines of spans."""
    return tuple(_parse_line(line) for line in ansi.splitlines())


def _parse_line(line: str) -> Line:
    spans: list[Span] = []
    role = "plain"
    # Splitting at a pattern with one group alternates text and codes.
    for index, part in enumerate(_SGR.split(line)):
        if index % 2:
            role = _role(part, role)
        elif part and spans and spans[-1].role == role:
            spans[-1] = Span(spans[-1].text + part, role)
        elif part:
            spans.append(Span(part, role))
    return tuple(spans)


def _role(codes: str, current: str) -> str:
    if codes in ("", "0"):
        return "plain"
    match = _FOREGROUND.fullmatch(codes)
    index = int(match[1]) - _FIRST if match else -1
    return ROLES[index] if 0 <= index < len(ROLES) else current
