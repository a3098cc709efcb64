"""The weight histogram of a layer: all weights, kept weights, and the threshold."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tui.plots.data_table import Column, DataTable
from tui.plots.drawing.heading import heading
from tui.plots.drawing.numbers import amounts, count, percent
from tui.plots.drawing.weight_bins import NAME, are_bins, draw_counts, weight_canvas
from tui.plots.view import PLAIN, View
from tui.text.lines import Line, Lines, Span, blank, clean, cut_name, fits, note

LABEL = "Weights"
_LONGEST = 32
_ALL, _KEPT, _THRESHOLD = "⣀⣤⣶⣿", "▁▂▃▄▅▆▇█", "┊"


@dataclass(frozen=True, slots=True)
class HistogramData:
    """Data of the histogram of a layer's weights.

    Attributes:
        edges: Increasing bin edges, one more than bins.
        counts_all, counts_kept: Weights in each bin.
        threshold: Magnitude up to which weights are pruned.
        zeros: Weights that are zero already, which the counts leave out.
        label: What is counted: weights, or their importances with their signs.
        axis: One of them, in a word.
    """

    layer: str
    edges: NDArray[np.float64]
    counts_all: NDArray[np.int64]
    counts_kept: NDArray[np.int64]
    threshold: float
    zeros: int = 0
    label: str = LABEL
    axis: str = NAME


def draw(data: HistogramData, width: int, height: int, hint: str = "", view: View = PLAIN) -> Lines:
    """Draw counts on a square root scale, so that a few kept weights stay visible among many."""
    edges = np.asarray(data.edges, dtype=float)
    everything, kept = amounts(data.counts_all), amounts(data.counts_kept)
    if not fits(width, height):
        return blank(width, height)
    if not (are_bins(edges) and len(everything) == len(kept) == len(edges) - 1):
        return note(hint or "no weights to show", width, height)
    head = heading(title(data), _legend(data, everything, kept), width, height, view)
    top = _round_up(max(everything.max(), kept.max()))
    canvas = weight_canvas(edges, top, width, height - len(head), data.axis)
    draw_counts(canvas, edges, everything, top, _ALL, "removed")
    draw_counts(canvas, edges, kept, top, _KEPT, "kept")
    for x in (-data.threshold, data.threshold):
        if data.threshold > 0 and edges[0] <= x <= edges[-1]:
            canvas.vertical(x, _THRESHOLD, "threshold")
    if view.row is not None:
        numbers = table(data)
        low, high = (numbers.number(view.row, column) for column in (0, 1))
        canvas.cursor((low + high) / 2, math.sqrt(max(0, numbers.number(view.row, view.column))))
    return head + canvas.lines()


def title(data: HistogramData) -> Line:
    """Return the layer, and how many of its weights are kept."""
    total, kept = (float(amounts(counts).sum()) for counts in (data.counts_all, data.counts_kept))
    total += data.zeros
    parts = [
        Span(f"{data.label} · {cut_name(clean(data.layer), _LONGEST)}", "title"),
        Span(f" · kept {count(kept)} ({percent(kept, total)})", "kept"),
    ]
    if data.threshold > 0:
        parts.append(Span(f" · {_THRESHOLD} threshold ±{data.threshold:.3g}", "threshold"))
    return tuple(parts)


def table(data: HistogramData) -> DataTable:
    """Return the counts of each bin."""
    edges = np.asarray(data.edges, dtype=float)
    everything, kept = amounts(data.counts_all), amounts(data.counts_kept)
    if not len(everything) == len(kept) == len(edges) - 1:
        return DataTable()
    columns = (
        Column("from", edges[:-1].tolist(), "", 4),
        Column("to", edges[1:].tolist(), "", 4),
        Column("weights", everything.tolist(), role="removed"),
        Column("kept", kept.tolist(), role="kept"),
    )
    return DataTable(columns, keys=2)


def _legend(data: HistogramData, total: NDArray[np.float64], kept: NDArray[np.float64]) -> Line:
    removed = float(total.sum() - kept.sum()) + data.zeros
    return (
        Span(f"{_ALL[-1]} removed {count(removed)}", "removed"),
        Span(f"  {_KEPT[-1]} kept {count(float(kept.sum()))}", "kept"),
        Span("  count, √ scale", "label"),
        Span(", zeros omitted", "label"),
    )


def _round_up(number: float) -> float:
    """Round up to two digits, so that small changes do not move the axis."""
    unit: float = 10.0 ** max(0, math.floor(math.log10(max(1, number))) - 1)
    return max(1.0, math.ceil(number / unit) * unit)
