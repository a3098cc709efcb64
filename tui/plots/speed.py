"""The speed table: milliseconds in each engine, and the sparse one vs. the best dense one."""

from collections.abc import Sequence
from dataclasses import dataclass

from tui.plots.drawing.table import column_widths, table_cell, table_row
from tui.text.lines import Line, Lines, Span, blank, clean, cut, fits, header, note, width_of

_NAME = 14


@dataclass(frozen=True, slots=True)
class SpeedData:
    """Data of the speed table.

    Attributes:
        cases: Two headings for each column, such as `batch 64` and `1 thread`.
        engines: A name, and a text for each case; the sparse one is last, the first are dropped
            first.
        against: The sparse engine vs. the best dense one, for each case.
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
    """Draw the cases that fit, always with the sparse engine, and the net's cost below."""
    if not fits(width, height):
        return blank(width, height)
    if not data.cases:
        return note(clean(hint), width, height)
    rows = (*(cells for _, cells in data.engines), data.against, *zip(*data.cases, strict=True))
    widths = column_widths(zip(*rows, strict=True), width - _NAME)

    def line(name: str, cells: Sequence[str], role: str) -> Line:
        name = cut(clean(name), _NAME).ljust(_NAME)
        return table_row(name, map(clean, cells), widths, role, width)

    heads = [line("", [case[at] for case in data.cases], "label") for at in (0, 1)]
    *engines, ours = (line(*engine, "plain") for engine in data.engines)
    last = [(ours[0]._replace(role="sparse-engine"),), _against(data, widths, width)]
    title = header([Span("latency, ms", "title")], [Span(clean(data.caption), "label")], width, 1)
    room = max(height - len(title) - len(last) - len(heads), 0)
    above = [*heads, *engines[max(len(engines) - room, 0) :]]
    amounts = [table_row(clean(text), (), (), "label", width) for text in data.amounts]
    lines = (*title, *above, *last, *amounts)[:height]
    return (*lines, *blank(width, height - len(lines)))


def _against(data: SpeedData, widths: Sequence[int], width: int) -> Line:
    """Return the line that compares the sparse engine with the best dense one, in color."""
    spans = [Span("vs. best dense".ljust(_NAME), "label")]
    for text, is_slower, cells in zip(data.against, data.slower, widths, strict=False):
        spans.append(Span(table_cell(clean(text), cells), "wrong" if is_slower else "right"))
    used = width_of(spans)
    if used > width:
        return table_row("".join(span.text for span in spans), (), (), "label", width)
    return (*spans, Span(" " * (width - used), "plain"))
