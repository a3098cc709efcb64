"""Accuracy over sparsity, cleaned for drawing, with queries."""

import math
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from tui.plots.drawing.percents import percent_or_nan, percent_rows, percents
from tui.text.lines import clean

_Floats = NDArray[np.float64]
_SERIES = ("series-1", "series-2", "series-3", "series-4")
"""The roles of curves of other layers, in turn."""


@dataclass(frozen=True, slots=True)
class Curve:
    """Accuracies with one layer pruned, or all layers pruned to the same sparsity.

    Attributes:
        points: Sparsity as a fraction, accuracy in percent, and the half-width of its interval in
            points, 0 if exact; NaN is a gap.
        planned: The planned sparsity as a fraction.
    """

    name: str
    points: tuple[tuple[float, float, float], ...] = ()
    planned: float | None = None


class CurvePath(NamedTuple):
    """A curve as arrays by increasing sparsity, all in percent.

    Attributes:
        x: Sparsities, starting at 0 if the dense accuracy is known.
        y: Accuracies, NaN for gaps.
        half: Half-widths of their intervals, in points.
        planned: The planned sparsity, or NaN.
        scanned: The lowest and the highest measured sparsity, or NaN.
        place: Its place among the layers, which gives it a color of its own.
    """

    name: str
    x: _Floats
    y: _Floats
    half: _Floats
    planned: float
    scanned: tuple[float, float]
    place: int = 0

    @classmethod
    def of(cls, curve: Curve, dense: float, place: int = 0) -> Self:
        """Read a curve; it starts at the dense net's accuracy if that is known."""
        x, y, half = percent_rows(curve.points, 3, 1).T
        x, half = 100 * x, percents(half)
        known = x[np.isfinite(y)].tolist()
        if known and x[0] > 0 and math.isfinite(dense):
            x, y, half = np.insert(x, 0, 0), np.insert(y, 0, dense), np.insert(half, 0, 0)
        planned = math.nan if curve.planned is None else percent_or_nan(100 * curve.planned)
        scanned = (known[0], known[-1]) if known else (math.nan, math.nan)
        return cls(clean(curve.name), x, y, np.nan_to_num(half), planned, scanned, place)

    @property
    def is_measured(self) -> bool:
        """Whether it has been measured anywhere."""
        return math.isfinite(self.scanned[0])

    def at(self, sparsity: float) -> tuple[float, float, float]:
        """Return the nearest measured sparsity, its accuracy and the half-width of its interval."""
        known = np.isfinite(self.y)
        x = self.x[known]
        place = float(np.clip(sparsity, x[0], x[-1]))
        y, half = (float(np.interp(place, x, row[known])) for row in (self.y, self.half))
        return place, y, half

    def sparsity_above(self, line: float) -> float:
        """Return the sparsity up to which it stays above a line; NaN if it starts below."""
        known = np.isfinite(self.y)
        x, y = self.x[known], self.y[known]
        below = np.flatnonzero(y < line)
        if not len(below):
            return float(x[-1])
        ends = [below[0], below[0] - 1]
        return float(np.interp(line, y[ends], x[ends])) if below[0] else math.nan


class Curves(NamedTuple):
    """The drawable curves, and what they are compared with, NaN if unknown.

    Attributes:
        chosen: The selected layer's curve, drawn in front.
        uniform: The curve of all layers pruned to the same sparsity.
        line: The lowest tolerated accuracy.
        tolerance: Its distance below the dense net, in points.
        stale: Whether they belong to different weights.
    """

    chosen: CurvePath | None
    uniform: CurvePath | None
    others: tuple[CurvePath, ...]
    line: float
    tolerance: float
    dense: float
    stale: bool

    @property
    def drawn(self) -> tuple[CurvePath, ...]:
        """The measured curves, from back to front."""
        last = (path for path in (self.uniform, self.chosen) if path is not None)
        return tuple(path for path in (*self.others, *last) if path.is_measured)

    def role(self, path: CurvePath) -> str:
        """Return the role of a curve."""
        if self.stale:
            return "muted"
        if path is self.chosen:
            return "chosen"
        return "uniform" if path is self.uniform else _SERIES[path.place % len(_SERIES)]
