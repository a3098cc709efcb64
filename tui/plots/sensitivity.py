"""The sensitivity plot: accuracy with each layer pruned alone, and its highest sparsity.

Few layers are drawn as curves; curves of many would hide one another, so they are a heat map.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tui.keys.keymap import with_keys
from tui.plots import sensitivity_curves
from tui.plots.data_table import Column, DataTable
from tui.plots.drawing.canvas import BAND, BELOW
from tui.plots.drawing.curves import Curve, CurvePath, Curves
from tui.plots.drawing.heading import heading
from tui.plots.drawing.percents import percent_or_nan, percents, short_percent
from tui.plots.sensitivity_map import HeatMap, Map, map_table
from tui.plots.view import PLAIN, View
from tui.text.format import percent, score_on, with_half
from tui.text.lines import Line, Lines, Span, blank, clean, cut_name, fits, note

LABEL = "Sensitivity"
_LONGEST = 32
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


def draw(
    data: SensitivityData, width: int, height: int, hint: str = "", view: View = PLAIN
) -> Lines:
    """Draw accuracies over sparsities, or a hint in the middle if there are none."""
    if not fits(width, height):
        return blank(width, height)
    if len(data.curves) > MOST_CURVES:
        return _draw_map(data, width, height, hint, view)
    curves = _curves(data, data.curves)
    legend = _legend(data, bool(curves.drawn), _marks(curves))
    head = heading(title(data), legend, width, height, view)
    cursor = None
    if view.row is not None:
        numbers = table(data)
        cursor = numbers.number(view.row, 0), numbers.number(view.row, view.column)
    return head + sensitivity_curves.draw(curves, width, height - len(head), hint, cursor)


def title(data: SensitivityData) -> Line:
    """Return the accuracy at the selected layer's sparsity, and its highest tolerated sparsity."""
    shown = data.curves
    if len(shown) > MOST_CURVES:
        chosen = min(max(0, data.chosen), len(shown) - 1)
        shown = shown[chosen : chosen + 1]
    return _title(_curves(data, shown), data.images)


def table(data: SensitivityData) -> DataTable:
    """Return the accuracies by sparsity; of many layers, a row for each and each sparsity."""
    if len(data.curves) > MOST_CURVES:
        return map_table(_map(data))
    drawn = _curves(data, data.curves)
    curves = [*data.curves, *([data.uniform] if data.uniform else [])]
    paths = [CurvePath.of(curve, drawn.dense, index) for index, curve in enumerate(curves)]
    places = sorted({round(x, 4) for path in paths for x in path.x.tolist()})

    def cells(xs: NDArray[np.float64], ys: NDArray[np.float64]) -> tuple[float | None, ...]:
        known = {round(x, 4): y for x, y in zip(xs.tolist(), ys.tolist(), strict=True)}
        return tuple(known.get(place) for place in places)

    chosen = min(max(0, data.chosen), len(data.curves) - 1)
    series = [
        Column(path.name, cells(path.x, path.y), "%", 2, _role(drawn, path, index == chosen))
        for index, path in enumerate(paths)
    ]
    halves = [
        Column(f"{path.name} ±", cells(path.x, path.half), "points", 2, "label")
        for path in paths
        if path.half.any()
    ]
    sparsity = Column("sparsity", tuple(places), "%", 2)
    return DataTable((sparsity, *series, *halves), extras=len(halves))


def _role(curves: Curves, path: CurvePath, chosen: bool) -> str:
    return "chosen" if chosen and not curves.stale else curves.role(path)


def _draw_map(data: SensitivityData, width: int, height: int, hint: str, view: View) -> Lines:
    accuracies = percents([accuracy for curve in data.curves for _, accuracy, _ in curve.points])
    measured, shown = bool(np.isfinite(accuracies).any()), _map(data)
    sparsity = None
    if view.row is not None:
        numbers = map_table(shown)
        sparsity = numbers.number(view.row, 1)
        shown = shown._replace(chosen=view.row // max(1, numbers.across))
    # The heading's height is that of any legend.
    rows = height - len(heading(title(data), (), width, height, view))
    heat_map = HeatMap(shown, width, rows, sparsity)
    legend = _legend(data, measured, heat_map.legend())
    body = heat_map.lines() if measured else note(hint, width, rows)
    return heading(title(data), legend, width, height, view) + body


def _map(data: SensitivityData) -> Map:
    chosen = min(max(0, data.chosen), len(data.curves) - 1)
    dense, tolerance = percent_or_nan(data.dense), percent_or_nan(data.tolerance)
    return Map(data.curves, chosen, data.uniform, dense, tolerance, data.stale)


def _curves(data: SensitivityData, shown: tuple[Curve, ...]) -> Curves:
    dense = percent_or_nan(data.dense)
    paths = [CurvePath.of(curve, dense, index) for index, curve in enumerate(shown)]
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


def _title(curves: Curves, images: int) -> Line:
    path = curves.chosen
    if path is None or not curves.drawn:
        return (Span(f"{LABEL} · each layer pruned alone", "title"),)
    name = cut_name(path.name, _LONGEST)
    if not path.is_measured:
        return (Span(f"{LABEL} · {name} not scanned", "title"),)
    planned = math.isfinite(path.planned)
    at = _place(path) if planned else ""
    parts = [Span(f"{LABEL} · {name}{at}", "title")]
    if curves.stale:  # the legend may have no room
        parts.append(Span(" (stale)", "threshold"))
    if planned:
        parts.append(Span(f": {_accuracy(path)}", curves.role(path)))
    if math.isfinite(curves.line):
        parts.append(Span(f" · {_tolerated(path, curves.line)}", "threshold"))
    if math.isfinite(curves.dense):
        parts.append(Span(f" · base {score_on(curves.dense, images)} %", "dense"))
    return tuple(parts)


def _accuracy(path: CurvePath) -> str:
    """Format the accuracy at the planned sparsity or, beyond the scan, at the nearest one."""
    _, accuracy, half = path.at(path.planned)
    return f"{with_half(accuracy, half) if half else percent(accuracy)} %"


def _place(path: CurvePath) -> str:
    """The planned sparsity or, if it is beyond the scan, how far that goes."""
    place = path.at(path.planned)[0]
    if place == path.planned:
        return f" at {short_percent(place)}"
    return f" scanned {'to' if place < path.planned else 'from'} {short_percent(place)}"


def _tolerated(path: CurvePath, line: float) -> str:
    end = path.sparsity_above(line)
    if math.isnan(end):
        return "below tolerance everywhere"
    if end >= path.scanned[1]:
        return f"tolerated up to {short_percent(end)} or more"
    about = "about " if path.at(end)[2] else ""
    return f"tolerated up to {about}{math.floor(end + 1e-6)} %"


def _marks(curves: Curves) -> Line:
    """What the marks among the curves mean."""
    marks: list[Span] = []
    if any(math.isfinite(path.planned) for path in curves.drawn):
        role = "muted" if curves.stale else "chosen"
        marks.append(Span(f"  {sensitivity_curves.PLANNED} plan", role))
        marks.append(Span(f", {sensitivity_curves.OTHERS} plans of other layers", "muted"))
        marks.append(Span(f", {BELOW}«» beyond the plot", "muted"))
    if curves.chosen and curves.chosen.half.any():
        marks.append(Span(f"  {BAND} 95 % confidence", "band"))
    return tuple(marks)


def _legend(data: SensitivityData, drawn: bool, marks: Line) -> Line:
    if not drawn:
        return (Span(clean(data.progress), "hint"),) if data.progress else ()
    legend: list[Span] = []
    if data.stale:
        legend.append(Span(with_keys("stale: weights changed; {scan} to rescan"), "threshold"))
    if data.progress:
        legend.append(Span(f"  {clean(data.progress)}", "hint"))
    legend += marks
    if data.split:
        legend.append(Span(f"  {clean(data.split)} accuracy", "label"))
    return tuple(span._replace(text=span.text.lstrip()) for span in legend[:1]) + tuple(legend[1:])
