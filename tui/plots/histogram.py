"""The weight histogram of a layer: all weights, kept weights, and the threshold."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tui.plots.drawing.numbers import amounts, count, percent
from tui.plots.drawing.weight_bins import are_bins, draw_counts, weight_canvas
from tui.text.lines import Line, Lines, Span, blank, clean, cut_name, fits, header, note

_ALL, _KEPT, _THRESHOLD = "⣀⣤⣶⣿", "▁▂▃▄▅▆▇█", "┊"


@dataclass(frozen=True, slots=True)
class HistogramData:
    """Data of the histogram of a layer's weights.

    Attributes:
        edges: Increasing bin edges, one more than bins.
        counts_all, counts_kept: Weights in each bin.
        threshold: Magnitude up to which weights are pruned.
    """

    layer: str
    edges: NDArray[np.float64]
    counts_all: NDArray[np.int64]
    counts_kept: NDArray[np.int64]
    threshold: float


def draw(data: HistogramData, width: int, height: int) -> Lines:
    """Draw counts on a square root scale, so that a few kept weights stay visible among many."""
    edges = np.asarray(data.edges, dtype=float)
    everything, kept = amounts(data.counts_all), amounts(data.counts_kept)
    if not fits(width, height):
        return blank(width, height)
    if not (are_bins(edges) and len(everything) == len(kept) == len(edges) - 1):
        return note("no weights to show", width, height)
    rows = 2 if height >= 8 else 1
    top = _round_up(max(everything.max(), kept.max()))
    canvas = weight_canvas(edges, top, width, height - rows)
    draw_counts(canvas, edges, everything, top, _ALL, "removed")
    draw_counts(canvas, edges, kept, top, _KEPT, "kept")
    for x in (-data.threshold, data.threshold):
        if edges[0] <= x <= edges[-1]:
            canvas.vertical(x, _THRESHOLD, "threshold")
    title = _title(cut_name(clean(data.layer), width // 2), everything.sum(), kept.sum())
    threshold = f"  {_THRESHOLD} threshold ±{data.threshold:.3g}"
    legend = (
        Span("count, √ scale", "label"),
        Span(", zeros omitted", "label"),
        Span(threshold, "threshold"),
    )
    return header(title, legend, width, rows) + canvas.lines()


def _title(layer: str, total: float, kept: float) -> Line:
    return (
        Span(f"{layer} weights: ", "title"),
        Span(f"{_ALL[-1]} {count(total)}", "removed"),
        Span(f", {_KEPT[-1]} kept {count(kept)} ({percent(kept, total)})", "kept"),
    )


def _round_up(number: float) -> float:
    """Round up to two digits, so that small changes do not move the axis."""
    unit: float = 10.0 ** max(0, math.floor(math.log10(max(1, number))) - 1)
    return max(1.0, math.ceil(number / unit) * unit)
