"""The weights of one layer in two nets, on one scale: bars with a line over them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tui.plots.data_table import Column, DataTable
from tui.plots.drawing.heading import heading
from tui.plots.drawing.numbers import amounts, count
from tui.plots.drawing.weight_bins import are_bins, draw_counts, weight_canvas
from tui.plots.view import PLAIN, View
from tui.text.lines import Line, Lines, Span, blank, clean, cut, cut_name, fits, note
from tui.text.units import short

LABEL = "Weights"
_Floats = NDArray[np.float64]
_RAMP, _LINE = "▁▂▃▄▅▆▇█", "⠒"


@dataclass(frozen=True, slots=True)
class WeightsMark:
    """The weights of one net.

    Attributes:
        counts: Weights in each bin; empty if unavailable.
        missing: Why they are unavailable.
    """

    label: str
    counts: NDArray[np.int64]
    missing: str = ""


@dataclass(frozen=True, slots=True)
class TwoWeightsData:
    """A layer's weights in two nets, drawn as bars and as a line; one edge more than bins."""

    layer: str
    edges: NDArray[np.float64]
    bars: WeightsMark
    line: WeightsMark


def draw(
    data: TwoWeightsData, width: int, height: int, hint: str = "", view: View = PLAIN
) -> Lines:
    """Draw counts on a square root scale, so that small bins stay visible."""
    if not fits(width, height):
        return blank(width, height)
    edges = np.asarray(data.edges, dtype=float)
    bars, line = (_drawable(mark, edges) for mark in (data.bars, data.line))
    head = heading(title(data), _legend(data, width), width, height, view)
    if not bars.any() and not line.any():
        missing = "; ".join(dict.fromkeys(filter(None, (data.bars.missing, data.line.missing))))
        head = heading(title(data), (), width, height, view)
        return head + note(
            clean(missing or hint or "no nonzero weights"), width, height - len(head)
        )
    top = max(1.0, bars.max(initial=0), line.max(initial=0))
    canvas = weight_canvas(edges, top, width, height - len(head))
    if len(bars):
        draw_counts(canvas, edges, bars, top, _RAMP, "chosen")
    if len(line):
        # Empty bins are gaps, not a line along the bottom.
        y = np.where(line > 0, np.sqrt(line), np.nan)
        canvas.line((edges[1:] + edges[:-1]) / 2, y, "compared")
    if view.row is not None:
        numbers = table(data)
        low, high = (numbers.number(view.row, column) for column in (0, 1))
        canvas.cursor((low + high) / 2, max(0.0, numbers.number(view.row, view.column)) ** 0.5)
    return head + canvas.lines()


def title(data: TwoWeightsData) -> Line:
    """Return the layer, and how many of its weights each net keeps."""
    edges = np.asarray(data.edges, dtype=float)
    return _title(data, _drawable(data.bars, edges), _drawable(data.line, edges))


def table(data: TwoWeightsData) -> DataTable:
    """Return the counts of each bin."""
    edges = np.asarray(data.edges, dtype=float)
    if not are_bins(edges):
        return DataTable()
    series = []
    for mark, role in ((data.bars, "chosen"), (data.line, "compared")):
        counts = _drawable(mark, edges)
        cells = counts.tolist() if len(counts) else [None] * (len(edges) - 1)
        series.append(Column(mark.label, cells, role=role))
    places = Column("from", edges[:-1].tolist(), "", 4), Column("to", edges[1:].tolist(), "", 4)
    return DataTable((*places, *series), keys=2)


def _drawable(mark: WeightsMark, edges: _Floats) -> _Floats:
    """Return counts that match the edges, or none."""
    counts = amounts(mark.counts)
    return counts if are_bins(edges) and len(counts) == len(edges) - 1 else np.zeros(0)


def _title(data: TwoWeightsData, bars: _Floats, line: _Floats) -> Line:
    return (
        Span(f"{LABEL} · {cut_name(clean(data.layer), 30)}: ", "title"),
        Span(f"{_RAMP[-1]} {_summary(data.bars, bars)}", "chosen"),
        Span(f"  {_LINE} {_summary(data.line, line)}", "compared"),
    )


def _summary(mark: WeightsMark, counts: _Floats) -> str:
    label = cut(clean(mark.label), 20)
    if not len(counts):
        return f"{label} –"
    total = float(counts.sum())
    return f"{label} {count(total) if total < 1e5 else short(total)} kept"


def _legend(data: TwoWeightsData, width: int) -> Line:
    missing = next((mark.missing for mark in (data.bars, data.line) if mark.missing), "")
    if missing:
        return (Span(cut(clean(missing), width), "hint"),)
    return (Span("count, √ scale, zeros omitted", "label"),)
