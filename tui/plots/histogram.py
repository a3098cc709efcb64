"""The weight histogram of a layer: all weights, kept weights, and the threshold."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tui.plots.drawing.canvas import Canvas
from tui.plots.drawing.numbers import amounts, count, percent
from tui.plots.drawing.ticks import Axis, linear_ticks, nice_step, sqrt_ticks
from tui.text.lines import Line, Lines, Span, blank, clean, fits, header, note

_Floats = NDArray[np.float64]
# Counts are five characters at most, so the margin stays the same from layer to layer.
_NAME = "weight"
_ALL, _KEPT, _THRESHOLD = "⣀⣤⣶⣿", "▁▂▃▄▅▆▇█", "┊"


@dataclass(frozen=True, slots=True)
class HistogramData:
    """What the histogram of a layer's weights shows.

    Attributes:
        layer: The layer's name.
        edges: Increasing bin edges, one more than bins.
        counts_all: Weights in each bin.
        counts_kept: Kept weights in each bin.
        threshold: Magnitude up to which weights are pruned.
    """

    layer: str
    edges: NDArray[np.float64]
    counts_all: NDArray[np.int64]
    counts_kept: NDArray[np.int64]
    threshold: float


def bins(width: int) -> int:
    """Return how many bins fill a histogram's width, one per column."""
    return max(1, width - len(_NAME) - 1)


def draw(data: HistogramData, width: int, height: int) -> Lines:
    """Draw counts on a square root scale, so that few kept weights are visible among many."""
    edges = np.asarray(data.edges, dtype=float)
    everything, kept = amounts(data.counts_all), amounts(data.counts_kept)
    if not fits(width, height):
        return blank(width, height)
    if not _is_drawable(edges, everything, kept):
        return note("no weights to show", width, height)
    rows = 2 if height >= 8 else 1
    top = _round_up(max(everything.max(), kept.max()))
    canvas = _canvas(edges, top, width, height - rows)
    for counts, ramp, role in ((everything, _ALL, "all"), (kept, _KEPT, "kept")):
        heights = np.sqrt(_per_column(edges, counts, canvas.columns) / top)
        canvas.upright_bars(heights.tolist(), ramp, role)
    for threshold in (-data.threshold, data.threshold):
        if edges[0] <= threshold <= edges[-1]:
            canvas.vertical(threshold, _THRESHOLD, "threshold")
    title = _title(clean(data.layer), everything.sum(), kept.sum())
    return header(title, _legend(data.threshold), width, rows) + canvas.lines()


def _canvas(edges: _Floats, top: float, width: int, height: int) -> Canvas:
    lower, upper = float(edges[0]), float(edges[-1])
    # Of the labels that there is room for, those that say the scale, not zero alone.
    steps = (nice_step(upper - lower, width // cells) for cells in (12, 10, 8))
    ticks = max((linear_ticks(lower, upper, step) for step in steps), key=len)
    x = Axis(lower, upper, ticks, _NAME)
    return Canvas(width, height, x, Axis(0, math.sqrt(top), sqrt_ticks(top, height - 2)))


def _title(layer: str, total: float, kept: float) -> Line:
    return (
        Span(f"{layer} weights: ", "title"),
        Span(f"{_ALL[-1]} {count(total)}", "all"),
        Span(f", {_KEPT[-1]} kept {count(kept)} ({percent(kept, total)})", "kept"),
    )


def _legend(threshold: float) -> Line:
    return (
        Span("count, √ scale", "label"),
        Span(f"  {_THRESHOLD} threshold ±{threshold:.3g}", "threshold"),
    )


def _is_drawable(edges: _Floats, everything: _Floats, kept: _Floats) -> bool:
    if not len(everything) or not len(everything) == len(kept) == len(edges) - 1:
        return False
    if not (np.isfinite(edges).all() and (np.diff(edges) > 0).all()):
        return False
    return bool(max(1e-12, 1e-9 * np.abs(edges).max()) < edges[-1] - edges[0] < 1e12)


def _per_column(edges: _Floats, counts: _Floats, columns: int) -> _Floats:
    """Return the count to show in each column, so that no bin is lost where they do not match."""
    span = edges[-1] - edges[0]
    centers = edges[0] + (np.arange(columns) + 0.5) / columns * span
    shown: _Floats = counts[np.searchsorted(edges, centers).clip(1, len(counts)) - 1]
    places = ((edges[1:] + edges[:-1]) / 2 - edges[0]) / span * columns
    np.maximum.at(shown, places.astype(int).clip(0, columns - 1), counts)
    return shown


def _round_up(number: float) -> float:
    """Round to two digits, so that the axis stays where it is while weights move a little."""
    unit: float = 10.0 ** max(0, math.floor(math.log10(max(1, number))) - 1)
    return max(1.0, math.ceil(number / unit) * unit)
