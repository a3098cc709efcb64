"""The weights of one layer in two nets, on one scale: bars with a line over them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tui.plots.drawing.numbers import amounts, count, short
from tui.plots.drawing.weight_bins import are_bins, draw_counts, weight_canvas
from tui.text.lines import Line, Lines, Span, blank, clean, cut, cut_name, fits, header, note

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


def draw(data: TwoWeightsData, width: int, height: int) -> Lines:
    """Draw counts on a square root scale, so that small bins stay visible."""
    if not fits(width, height):
        return blank(width, height)
    edges = np.asarray(data.edges, dtype=float)
    bars, line = (_drawable(mark, edges) for mark in (data.bars, data.line))
    rows = 2 if height >= 8 else 1
    if not bars.any() and not line.any():
        missing = "; ".join(dict.fromkeys(filter(None, (data.bars.missing, data.line.missing))))
        body = note(clean(missing or "no nonzero weights"), width, height - rows)
        return header(_title(data, bars, line), (), width, rows) + body
    top = max(1.0, bars.max(initial=0), line.max(initial=0))
    canvas = weight_canvas(edges, top, width, height - rows)
    if len(bars):
        draw_counts(canvas, edges, bars, top, _RAMP, "chosen")
    if len(line):
        # Empty bins are gaps, not a line along the bottom.
        y = np.where(line > 0, np.sqrt(line), np.nan)
        canvas.line((edges[1:] + edges[:-1]) / 2, y, "compared")
    return header(_title(data, bars, line), _legend(data, width), width, rows) + canvas.lines()


def _drawable(mark: WeightsMark, edges: _Floats) -> _Floats:
    """Return counts that match the edges, or none."""
    counts = amounts(mark.counts)
    return counts if are_bins(edges) and len(counts) == len(edges) - 1 else np.zeros(0)


def _title(data: TwoWeightsData, bars: _Floats, line: _Floats) -> Line:
    return (
        Span(f"{cut_name(clean(data.layer), 30)} weights: ", "title"),
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
