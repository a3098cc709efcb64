"""Small area charts below a plot, on its bottom axis: what changes along with its values."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tui.plots.drawing.canvas import Canvas
from tui.text.lines import Line, Lines, Span, cut

_RAMP = "▁▂▃▄▅▆▇█"
# The least rows that a plot keeps, and those from which a strip is drawn in several rows.
_LEAST, _TALL = 7, 20
_HIGH = 3


class Strip(NamedTuple):
    """Values from 0 to `top` over the plot's bottom axis; `label` stands at their top."""

    xs: NDArray[np.float64]
    ys: NDArray[np.float64]
    top: float
    label: str
    role: str


def strip_rows(strips: int, height: int) -> int:
    """The rows of strips below a plot that has a height for both; 0 if there is no room."""
    each = _HIGH if height >= _TALL + _HIGH * strips else 1
    return strips * each if height - strips * each >= _LEAST else 0


def draw_strips(strips: Sequence[Strip], canvas: Canvas, width: int, rows: int) -> Lines:
    """Draw strips in so many rows in all; nothing without rows."""
    each = rows // len(strips) if strips else 0
    return tuple(line for strip in strips for line in _draw(strip, canvas, width, each))


def _draw(strip: Strip, canvas: Canvas, width: int, rows: int) -> list[Line]:
    steps = rows * len(_RAMP)
    shares = np.nan_to_num(_by_column(strip, canvas), nan=-1.0)
    levels = np.where(shares < 0, 0, np.maximum(1, np.ceil(shares * steps))).astype(int)
    lines: list[Line] = []
    for row in range(rows - 1, -1, -1):
        parts = np.clip(levels - row * len(_RAMP), 0, len(_RAMP)).tolist()
        bars = "".join(f" {_RAMP}"[part] for part in parts)
        label = cut(strip.label, canvas.margin) if row == rows - 1 else ""
        name, axis = Span(label.rjust(canvas.margin), "label"), Span("┤" if label else "│", "axis")
        lines.append((name, axis, Span(bars.ljust(width - canvas.margin - 1), strip.role)))
    return lines


def _by_column(strip: Strip, canvas: Canvas) -> NDArray[np.float64]:
    """The last value in each column, from 0 to 1, and between columns the one before; NaN: none."""
    known = np.isfinite(strip.xs) & np.isfinite(strip.ys)
    shares: NDArray[np.float64] = np.full(canvas.columns, np.nan)
    if not known.any() or strip.top <= 0:
        return shares
    columns = (canvas.x.scale(strip.xs[known]) * canvas.columns).astype(int)
    shares[columns] = np.clip(strip.ys[known] / strip.top, 0, 1)
    first, last = columns[0], columns[-1]
    filled = np.maximum.accumulate(np.where(np.isnan(shares), 0, np.arange(canvas.columns)))
    shares[first : last + 1] = shares[filled[first : last + 1]]
    return shares
