"""The speed table: milliseconds in each engine, and the sparse one vs. the best dense one."""

from collections.abc import Sequence
from dataclasses import dataclass

from tui.plots.data_table import Column, DataTable
from tui.plots.drawing.heading import title_only
from tui.plots.drawing.table import column_widths, table_cell, table_row
from tui.plots.view import PLAIN, View
from tui.text.format import milliseconds, plural
from tui.text.lines import Line, Lines, Span, blank, clean, cut, fits, note, width_of

LABEL = "Speed"
_NAME = 14


@dataclass(frozen=True, slots=True)
class SpeedData:
    """Data of the speed table.

    Attributes:
        cases: The images in a batch and the threads, for each column.
        engines: A name, and the latency in seconds in each case, None if it was not measured; the
            sparse one is last, the first are dropped first.
        against: The sparse engine vs. the best dense one, for each case.
        slower: Whether it is slower there.
        amounts: The net's cost, one line each.
        caption: The benchmarked net.
    """

    cases: tuple[tuple[int, int], ...] = ()
    engines: tuple[tuple[str, tuple[float | None, ...]], ...] = ()
    against: tuple[str, ...] = ()
    slower: tuple[bool, ...] = ()
    amounts: tuple[str, ...] = ()
    caption: str = ""


def draw(data: SpeedData, width: int, height: int, hint: str = "", view: View = PLAIN) -> Lines:
    """Draw the cases that fit, always with the sparse engine, and the net's cost below."""
    if not fits(width, height):
        return blank(width, height)
    if not data.cases:
        return note(clean(hint), width, height)
    latencies = [(name, [_latency(each) for each in cells]) for name, cells in data.engines]
    cases = (
        [f"batch {batch}" for batch, _ in data.cases],
        [plural(threads, "thread") for _, threads in data.cases],
    )
    rows = (*(cells for _, cells in latencies), data.against, *cases)
    widths = column_widths(zip(*rows, strict=True), width - _NAME)

    def line(name: str, cells: Sequence[str], role: str) -> Line:
        name = cut(clean(name), _NAME).ljust(_NAME)
        return table_row(name, map(clean, cells), widths, role, width)

    heads = [line("", cells, "label") for cells in cases]
    at = -1 if view.row is None else view.row // len(data.cases)
    roles = ["chosen" if place == at else "plain" for place in range(len(data.engines))]
    *engines, ours = (line(*engine, role) for engine, role in zip(latencies, roles, strict=True))
    if roles[-1] == "plain":
        ours = (ours[0]._replace(role="sparse-engine"),)
    last = [ours, _against(data, widths, width)]
    head = title_only(title(data), width, view)
    room = max(height - len(head) - len(last) - len(heads), 0)
    above = [*heads, *engines[max(len(engines) - room, 0) :]]
    amounts = [table_row(clean(text), (), (), "label", width) for text in data.amounts]
    lines = (*head, *above, *last, *amounts)[:height]
    return (*lines, *blank(width, height - len(lines)))


def title(data: SpeedData) -> Line:
    """Return the unit, and the benchmarked net."""
    caption = (Span(f" · {clean(data.caption)}", "label"),) if data.caption else ()
    return Span(f"{LABEL} · latency in ms", "title"), *caption


def table(data: SpeedData) -> DataTable:
    """Return the latency of each engine in each case."""
    rows = [
        (name, batch, threads, None if seconds is None else 1000 * seconds)
        for name, latencies in data.engines
        for (batch, threads), seconds in zip(data.cases, latencies, strict=True)
    ]
    engines, batches, threads, latencies = zip(*rows, strict=True) if rows else ((),) * 4
    columns = (
        Column("engine", engines),
        Column("batch", batches),
        Column("threads", threads),
        Column("latency", latencies, "ms", 4),
    )
    return DataTable(columns, across=max(1, len(data.cases)))


def _latency(seconds: float | None) -> str:
    return "-" if seconds is None else milliseconds(seconds)


def _against(data: SpeedData, widths: Sequence[int], width: int) -> Line:
    """Return the line that compares the sparse engine with the best dense one, in color."""
    spans = [Span("vs. best dense".ljust(_NAME), "label")]
    for text, is_slower, cells in zip(data.against, data.slower, widths, strict=False):
        spans.append(Span(table_cell(clean(text), cells), "wrong" if is_slower else "right"))
    used = width_of(spans)
    if used > width:
        return table_row("".join(span.text for span in spans), (), (), "label", width)
    return (*spans, Span(" " * (width - used), "plain"))
