"""The sensitivity plot: accuracy with each layer pruned alone, and its highest sparsity.

Few layers are drawn as curves; curves of many would hide one another, so they are a heat map.
"""

import math
from dataclasses import dataclass

import numpy as np

from tui.plots import sensitivity_curves
from tui.plots.drawing.curves import Curve, CurvePath, Curves
from tui.plots.drawing.percents import percent_or_nan, percents, short_percent
from tui.plots.sensitivity_map import HeatMap, Map
from tui.text.format import percent, score_on, with_half
from tui.text.lines import Line, Lines, Span, blank, clean, cut_name, fits, header, note

MOST_CURVES = 8
"""The most layers that are drawn as curves."""


@dataclass(frozen=True, slots=True)
class SensitivityData:
    """Data of the sensitivity plot; accuracies are in percent.

    Attributes:
        uniform: The curve of all layers pruned to the same sparsity.
        tolerance_line: The lowest tolerated accuracy.
        tolerance: Its distance below the dense net, in points.
        dense: Accuracy before pruning, where every curve starts.
        images: The images of the split; 0 if unknown.
        stale: Whether the scan was made on different weights.
        progress: The progress of a running scan.
    """

    curves: tuple[Curve, ...]
    chosen: int
    uniform: Curve | None = None
    tolerance_line: float | None = None
    tolerance: float = 1.0
    dense: float | None = None
    images: int = 0
    stale: bool = False
    progress: str = ""
    split: str = ""


def draw(data: SensitivityData, width: int, height: int, hint: str = "") -> Lines:
    """Draw accuracies over sparsities, or a hint in the middle if there are none."""
    if not fits(width, height):
        return blank(width, height)
    rows = 2 if height >= 8 else 1
    if len(data.curves) > MOST_CURVES:
        return _draw_map(data, width, height, rows, hint)
    curves = _curves(data, data.curves)
    body = sensitivity_curves.draw(curves, width, height - rows, hint)
    title, marks = _title(curves, data.images, rows, width), _marks(curves)
    return header(title, _legend(data, bool(curves.drawn), marks), width, rows) + body


def _draw_map(data: SensitivityData, width: int, height: int, rows: int, hint: str) -> Lines:
    chosen = min(max(0, data.chosen), len(data.curves) - 1)
    curves = _curves(data, data.curves[chosen : chosen + 1])
    accuracies = percents([accuracy for curve in data.curves for _, accuracy, _ in curve.points])
    measured = bool(np.isfinite(accuracies).any())
    shown = Map(data.curves, chosen, data.uniform, curves.dense, curves.tolerance, data.stale)
    heat_map = HeatMap(shown, width, height - rows)
    title = _title(curves, data.images, rows, width)
    legend = _legend(data, measured, heat_map.legend())
    body = heat_map.lines() if measured else note(hint, width, height - rows)
    return header(title, legend, width, rows) + body


def _curves(data: SensitivityData, shown: tuple[Curve, ...]) -> Curves:
    dense = percent_or_nan(data.dense)
    paths = [CurvePath.of(curve, dense) for curve in shown]
    chosen = min(max(0, data.chosen), len(paths) - 1)
    return Curves(
        chosen=paths[chosen] if paths else None,
        uniform=CurvePath.of(data.uniform, dense) if data.uniform else None,
        others=tuple(path for index, path in enumerate(paths) if index != chosen),
        line=percent_or_nan(data.tolerance_line),
        tolerance=percent_or_nan(data.tolerance),
        dense=dense,
        stale=data.stale,
    )


def _title(curves: Curves, images: int, rows: int, width: int) -> Line:
    """Return the accuracy at the selected layer's sparsity, and its highest tolerated sparsity."""
    path = curves.chosen
    if path is None or not curves.drawn:
        return (Span("sensitivity: accuracy with one layer pruned alone", "title"),)
    name = cut_name(path.name, width // 2)
    if not path.is_measured:
        return (Span(f"{name}: not scanned", "title"),)
    planned = math.isfinite(path.planned)
    at = f" at {short_percent(path.planned)}" if planned else ""
    title = [Span(f"{name}{at}", "title")]
    if curves.stale and rows == 1:  # the legend may have no room
        title.append(Span(" (stale)", "threshold"))
    if planned:
        title.append(Span(f": {_accuracy(path)}", curves.role(path)))
    if math.isfinite(curves.line):
        title.append(Span(f", {_tolerated(path, curves.line)}", "threshold"))
    if math.isfinite(curves.dense):
        title.append(Span(f", base {score_on(curves.dense, images)} %", "dense"))
    return tuple(title)


def _accuracy(path: CurvePath) -> str:
    """Format the accuracy at the planned sparsity or, beyond the scan, at the nearest one."""
    place, accuracy, half = path.at(path.planned)
    text = f"{with_half(accuracy, half) if half else percent(accuracy)} %"
    return text if place == path.planned else f"{text} at {short_percent(place)}"


def _tolerated(path: CurvePath, line: float) -> str:
    end = path.sparsity_above(line)
    if math.isnan(end):
        return "below tolerance everywhere"
    if end >= path.scanned[1]:
        return f"within tolerance up to {short_percent(end)} or more"
    about = "about " if path.at(end)[2] else ""
    return f"within tolerance up to {about}{math.floor(end + 1e-6)} %"


def _marks(curves: Curves) -> Line:
    """What the marks among the curves mean."""
    marks: list[Span] = []
    if any(math.isfinite(path.planned) for path in curves.drawn):
        role = "muted" if curves.stale else "chosen"
        marks.append(Span(f"  {sensitivity_curves.PLANNED} plan", role))
        marks.append(Span(f", {sensitivity_curves.OTHERS} plans of other layers", "muted"))
        marks.append(Span(f", {sensitivity_curves.BELOW} below the plot", "muted"))
    if curves.chosen and curves.chosen.half.any():
        marks.append(Span(f"  {sensitivity_curves.INTERVAL} 95 % confidence", "label"))
    return tuple(marks)


def _legend(data: SensitivityData, drawn: bool, marks: Line) -> Line:
    if not drawn:
        return (Span(clean(data.progress), "hint"),) if data.progress else ()
    legend: list[Span] = []
    if data.stale:
        legend.append(Span("stale: weights changed; s to scan again", "threshold"))
    if data.progress:
        legend.append(Span(f"  {clean(data.progress)}", "hint"))
    legend += marks
    if data.split:
        legend.append(Span(f"  {clean(data.split)} accuracy", "label"))
    return tuple(span._replace(text=span.text.lstrip()) for span in legend[:1]) + tuple(legend[1:])
