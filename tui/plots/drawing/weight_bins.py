"""Histograms of weights: their bins, columns and axes."""

import math

import numpy as np
from numpy.typing import NDArray

from tui.plots.drawing.canvas import Canvas
from tui.plots.drawing.ticks import Axis, linear_ticks, nice_step, sqrt_ticks

_Floats = NDArray[np.float64]
# Counts take five characters at most, so the margin is the same for every layer.
NAME = "weight"


def bins(width: int, name: str = NAME) -> int:
    """Return how many bins fill a width, one per column, beside the name of the axis."""
    return max(1, width - len(name) - 1)


def are_bins(edges: _Floats) -> bool:
    """Whether edges increase, over a span that can be drawn."""
    if not (len(edges) > 1 and np.isfinite(edges).all() and (np.diff(edges) > 0).all()):
        return False
    return bool(max(1e-12, 1e-9 * np.abs(edges).max()) < edges[-1] - edges[0] < 1e12)


def weight_canvas(edges: _Floats, top: float, width: int, height: int, name: str = NAME) -> Canvas:
    """Return a canvas with weights on the bottom axis, and counts up to `top` as square roots."""
    lower, upper = float(edges[0]), float(edges[-1])
    # The most labels that fit: zero alone would not tell the scale.
    steps = (nice_step(upper - lower, width // cells) for cells in (12, 10, 8))
    ticks = max((linear_ticks(lower, upper, step) for step in steps), key=len)
    x = Axis(lower, upper, ticks, name)
    return Canvas(width, height, x, Axis(0, math.sqrt(top), sqrt_ticks(top, height - 2)))


def draw_counts(
    canvas: Canvas, edges: _Floats, counts: _Floats, top: float, ramp: str, role: str
) -> None:
    """Draw counts as bars up to `top`; with fewer columns than bins, no bin is lost."""
    columns = canvas.columns
    span = edges[-1] - edges[0]
    centers = edges[0] + (np.arange(columns) + 0.5) / columns * span
    shown: _Floats = counts[np.searchsorted(edges, centers).clip(1, len(counts)) - 1]
    places = ((edges[1:] + edges[:-1]) / 2 - edges[0]) / span * columns
    np.maximum.at(shown, places.astype(int).clip(0, columns - 1), counts)
    canvas.upright_bars(np.sqrt(shown / top).tolist(), ramp, role)
