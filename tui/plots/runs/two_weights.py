"""The weights of one layer in two nets, on one scale: bars with a line over them."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tui.plots.drawing.canvas import Canvas
from tui.plots.drawing.numbers import amounts, count, short
from tui.plots.drawing.ticks import Axis, linear_ticks, nice_step, sqrt_ticks
from tui.text.lines import Line, Lines, Span, blank, clean, cut, fits, header, note

_Floats = NDArray[np.float64]
_NAME = "weight"
_RAMP, _LINE = "▁▂▃▄▅▆▇█", "⠒"


@dataclass(frozen=True, slots=True)
class WeightsMark:
    """The weights of one net.

    Attributes:
        label: Short name of the net.
        counts: Weights in each bin; empty if unavailable.
        missing: Why they are unavailable.
    """

    label: str
    counts: NDArray[np.int64]
    missing: str = ""


@dataclass(frozen=True, slots=True)
class TwoWeightsData:
    """What the plot of the weights of a layer in two nets shows.

    Attributes:
        layer: The layer's name.
        edges: The bins' edges, one more than there are bins, increasing.
        bars: Drawn as bars.
        line: Drawn as a line.
    """

    layer: str
    edges: NDArray[np.float64]
    bars: WeightsMark
    line: WeightsMark


def bins(width: int) -> int:
    """Return how many bins fill a width, one per column."""
    return max(1, width - len(_NAME) - 1)


def draw(data: TwoWeightsData, width: int, height: int) -> Lines:
    """Draw counts on a square root scale, so that few weights are visible among many."""
    if not fits(width, height):
        return blank(width, height)
    edges = np.asarray(data.edges, dtype=float)
    bars, line = (_drawable(mark, edges) for mark in (data.bars, data.line))
    rows = 2 if height >= 8 else 1
    if not bars.any() and not line.any():
        missing = "; ".join(dict.fromkeys(filter(None, (data.bars.missing, data.line.missing))))
        body = note(clean(missing or "no weights left"), width, height - rows)
        return header(_title(data, bars, line), (), width, rows) + body
    top = max(1.0, bars.max(initial=0), line.max(initial=0))
    canvas = _canvas(edges, top, width, height - rows)
    if len(bars):
        heights = np.sqrt(_per_column(edges, bars, canvas.columns) / top)
        canvas.upright_bars(heights.tolist(), _RAMP, "chosen")
    if len(line):
        # Nothing is no line along the bottom, it is no line.
        y = np.where(line > 0, np.sqrt(line), np.nan)
        canvas.line((edges[1:] + edges[:-1]) / 2, y, "all")
    return header(_title(data, bars, line), _legend(data, width), width, rows) + canvas.lines()


def _drawable(mark: WeightsMark, edges: _Floats) -> _Floats:
    """Return counts that match the edges, or none."""
    counts = amounts(mark.counts)
    good = len(counts) == len(edges) - 1 and np.isfinite(edges).all() and (np.diff(edges) > 0).all()
    return counts if good and 1e-12 < edges[-1] - edges[0] < 1e12 else np.zeros(0)


def _canvas(edges: _Floats, top: float, width: int, height: int) -> Canvas:
    lower, upper = float(edges[0]), float(edges[-1])
    # Of the labels that there is room for, those that say the scale, not zero alone.
    steps = (nice_step(upper - lower, width // cells) for cells in (12, 10, 8))
    ticks = max((linear_ticks(lower, upper, step) for step in steps), key=len)
    x = Axis(lower, upper, ticks, _NAME)
    return Canvas(width, height, x, Axis(0, math.sqrt(top), sqrt_ticks(top, height - 2)))


def _per_column(edges: _Floats, counts: _Floats, columns: int) -> _Floats:
    if len(counts) == columns:
        return counts
    centers = edges[0] + (np.arange(columns) + 0.5) / columns * (edges[-1] - edges[0])
    shown: _Floats = counts[np.searchsorted(edges, centers).clip(1, len(counts)) - 1]
    return shown


def _title(data: TwoWeightsData, bars: _Floats, line: _Floats) -> Line:
    return (
        Span(f"{cut(clean(data.layer), 30)} weights: ", "title"),
        Span(f"{_RAMP[-1]} {_worth(data.bars, bars)}", "chosen"),
        Span(f"  {_LINE} {_worth(data.line, line)}", "all"),
    )


def _worth(mark: WeightsMark, counts: _Floats) -> str:
    label = cut(clean(mark.label), 20)
    if not len(counts):
        return f"{label} –"
    total = float(counts.sum())
    return f"{label} {count(total) if total < 1e5 else short(total)} left"


def _legend(data: TwoWeightsData, width: int) -> Line:
    missing = next((mark.missing for mark in (data.bars, data.line) if mark.missing), "")
    if missing:
        return (Span(cut(clean(missing), width), "hint"),)
    return (Span("count, √ scale, zeros omitted", "label"),)
