"""Frames around panels: a box, a rule above, or none where rows are scarce."""

from __future__ import annotations

from itertools import islice
from typing import Literal

from tui.text.lines import Line, Lines, Span, whole_parts, width_of

Frame = Literal["box", "rule", "none"]

_GUTTER = 1
"""Blank cells between a box and its content, on either side."""


def inner_size(frame: Frame, width: int, height: int) -> tuple[int, int]:
    """The width and height that a frame leaves for its content.

    Examples:
        >>> inner_size("box", 40, 12), inner_size("rule", 40, 12)
        ((36, 10), (40, 11))
    """
    sides = 2 * (1 + _GUTTER) if frame == "box" else 0
    return max(0, width - sides), max(0, height - frame_rows(frame))


def inner_start(frame: Frame) -> tuple[int, int]:
    """The cell, as x and y, at which the content starts."""
    return {"box": (1 + _GUTTER, 1), "rule": (0, 1), "none": (0, 0)}[frame]


def frame_rows(frame: Frame) -> int:
    """The rows that a frame takes."""
    return {"box": 2, "rule": 1, "none": 0}[frame]


def framed(
    frame: Frame,
    content: Lines,
    title: Line,
    width: int,
    height: int,
    footer: Line = (),
    focused: bool = False,
) -> Lines:
    """Content with a title and, in a box, a footer; both are cut to the frame.

    Examples:
        >>> for line in framed("box", ((Span("12", "plain"),),), (Span("Bits", "title"),), 11, 3):
        ...     print("".join(span.text for span in line))
        ╭─ Bits ──╮
        │ 12      │
        ╰─────────╯
    """
    role = "frame-focused" if focused else "frame"
    if frame == "none":
        return content
    if frame == "rule":
        return (_edge("──", title, "──", width, role), *content)
    inside, rows = inner_size(frame, width, height)
    side = Span("│", role)
    blank = Span(" " * _GUTTER, "plain")
    lines = (*islice(content, rows), *((),) * max(0, rows - len(content)))
    return (
        _edge("╭─", title, "─╮", width, role),
        *((side, blank, *_fitted(line, inside), blank, side) for line in lines),
        _edge("╰─", footer, "─╯", width, role),
    )


def _edge(start: str, text: Line, end: str, width: int, role: str) -> Line:
    """An edge of a frame, with a text set into it."""
    room = width - len(start) - len(end) - 2
    if not text or room < 1:
        middle = (Span("─" * max(0, width - len(start) - len(end)), role),)
        return (Span(start, role), *middle, Span(end, role))
    text = whole_parts(text, room)
    rest = "─" * (room - width_of(text))
    return (Span(f"{start} ", role), *text, Span(f" {rest}{end}", role))


def _fitted(line: Line, width: int) -> Line:
    line = _cut(line, width)
    return (*line, Span(" " * (width - width_of(line)), "plain"))


def _cut(line: Line, width: int) -> Line:
    """A line without what is beyond a width."""
    fitting: list[Span] = []
    for span in line:
        fitting.append(Span(span.text[: max(0, width)], span.role))
        width -= len(span.text)
    return tuple(span for span in fitting if span.text)
