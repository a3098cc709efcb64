"""The speed table: milliseconds in each engine, and sparse against the best dense one."""

from collections.abc import Sequence
from dataclasses import dataclass

from tui.text.lines import Line, Lines, Span, blank, clean, cut, fits, header, note, width_of

_GAP = 2
_NAME = 13


@dataclass(frozen=True, slots=True)
class SpeedData:
    """Data of the speed table.

    Attributes:
        cases: Two heads for each column, such as `batch 64` and `1 thread`.
        engines: A name, and a text for each case; ours comes last, the first are dropped first.
        against: Ours against the best dense engine, for each case.
        slower: Whether it is slower there.
        amounts: The net's cost, one line each.
        caption: The benchmarked net.
    """

    cases: tuple[tuple[str, str], ...] = ()
    engines: tuple[tuple[str, tuple[str, ...]], ...] = ()
    against: tuple[str, ...] = ()
    slower: tuple[bool, ...] = ()
    amounts: tuple[str, ...] = ()
    caption: str = ""


def draw(data: SpeedData, width: int, height: int, hint: str = "") -> Lines:
    """Draw the cases that fit, always with ours, and the net's cost below."""
    if not fits(width, height):
        return blank(width, height)
    if not data.cases:
        return note(clean(hint), width, height)
    widths = _widths(data, width)
    heads = [_line("", [case[at] for case in data.cases], widths, "label", width) for at in (0, 1)]
    engines = [_line(name, cells, widths, "plain", width) for name, cells in data.engines[:-1]]
    name, cells = data.engines[-1]
    ours = [_line(name, cells, widths, "sparse-engine", width), _against(data, widths, width)]
    title = header([Span("latency, ms", "title")], [Span(clean(data.caption), "label")], width, 1)
    room = max(height - len(title) - len(ours) - len(heads), 0)
    above = [*heads, *engines[max(len(engines) - room, 0) :]]
    amounts = [_text(line, "label", width) for line in data.amounts]
    lines = (*title, *above, *ours, *amounts)[:height]
    return (*lines, *blank(width, height - len(lines)))


def _widths(data: SpeedData, width: int) -> tuple[int, ...]:
    """Return the widths of the columns that fit; the last cases are dropped first."""
    rows = (*(cells for _, cells in data.engines), data.against, *zip(*data.cases, strict=True))
    widths = [max(len(row[at]) for row in rows) for at in range(len(data.cases))]
    while len(widths) > 1 and _NAME + sum(_GAP + cells for cells in widths) > width:
        del widths[-1]
    return tuple(widths)


def _against(data: SpeedData, widths: Sequence[int], width: int) -> Line:
    """Return the line that compares ours with the best dense engine, in color."""
    spans = [Span("vs. best dense".ljust(_NAME), "label")]
    for text, is_slower, cells in zip(data.against, data.slower, widths, strict=False):
        spans.append(Span(" " * _GAP + clean(text).rjust(cells), "wrong" if is_slower else "right"))
    used = width_of(spans)
    if used > width:
        return _text("".join(span.text for span in spans), "label", width)
    return (*spans, Span(" " * (width - used), "plain"))


def _line(name: str, cells: Sequence[str], widths: Sequence[int], role: str, width: int) -> Line:
    text = cut(clean(name), _NAME).ljust(_NAME)
    for cell, wide in zip(cells, widths, strict=False):
        text += " " * _GAP + clean(cell).rjust(wide)
    return _text(text, role, width)


def _text(text: str, role: str, width: int) -> Line:
    return (Span(cut(clean(text), width).ljust(width), role),)
