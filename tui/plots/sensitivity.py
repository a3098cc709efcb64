"""The sensitivity plot: accuracy with each layer pruned alone, and its highest sparsity."""

import math
from dataclasses import dataclass

from tui.plots import sensitivity_curves
from tui.plots.drawing.curves import Curve, CurvePath, Curves
from tui.plots.drawing.percents import percent_or_nan, short_percent
from tui.text.lines import Line, Lines, Span, blank, clean, fits, header


@dataclass(frozen=True, slots=True)
class SensitivityData:
    """Data of the sensitivity plot; accuracies are in percent.

    Attributes:
        uniform: The curve of all layers pruned to the same sparsity.
        tolerance_line: The lowest tolerated accuracy.
        tolerance: Its distance below the dense net, in points.
        dense: Accuracy before pruning, where every curve starts.
        stale: Whether the scan was made on different weights.
        progress: The progress of a running scan.
    """

    curves: tuple[Curve, ...]
    chosen: int
    uniform: Curve | None = None
    tolerance_line: float | None = None
    tolerance: float = 1.0
    dense: float | None = None
    stale: bool = False
    progress: str = ""
    split: str = ""


def draw(data: SensitivityData, width: int, height: int, hint: str = "") -> Lines:
    """Draw accuracies over sparsities, or a hint in the middle if there are none."""
    if not fits(width, height):
        return blank(width, height)
    rows = 2 if height >= 8 else 1
    curves = _curves(data)
    body = sensitivity_curves.draw(curves, width, height - rows, hint)
    return header(_title(curves, rows), _legend(curves, data), width, rows) + body


def _curves(data: SensitivityData) -> Curves:
    dense = percent_or_nan(data.dense)
    paths = [CurvePath.of(curve, dense) for curve in data.curves]
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


def _title(curves: Curves, rows: int) -> Line:
    """Return the accuracy at the selected layer's sparsity, and its highest tolerated sparsity."""
    path = curves.chosen
    if path is None or not curves.drawn:
        return (Span("sensitivity: accuracy with one layer pruned alone", "title"),)
    if not path.is_measured:
        return (Span(f"{path.name}: not scanned", "title"),)
    planned = math.isfinite(path.planned)
    at = f" at {short_percent(path.planned)}" if planned else ""
    title = [Span(f"{path.name}{at}", "title")]
    if curves.stale and rows == 1:  # the legend may have no room
        title.append(Span(" (stale)", "threshold"))
    if planned:
        title.append(Span(f": {_accuracy(path)}", curves.role(path)))
    if math.isfinite(curves.line):
        title.append(Span(f", {_tolerated(path, curves.line)}", "threshold"))
    if math.isfinite(curves.dense):
        title.append(Span(f", base {curves.dense:.2f} %", "dense"))
    return tuple(title)


def _accuracy(path: CurvePath) -> str:
    """Format the accuracy at the planned sparsity or, beyond the scan, at the nearest one."""
    place, accuracy, half = path.at(path.planned)
    text = f"{accuracy:.1f} ±{half:.1f} %" if half else f"{accuracy:.2f} %"
    return text if place == path.planned else f"{text} at {short_percent(place)}"


def _tolerated(path: CurvePath, line: float) -> str:
    end = path.sparsity_above(line)
    if math.isnan(end):
        return "below tolerance everywhere"
    if end >= path.scanned[1]:
        return f"within tolerance up to {short_percent(end)} or more"
    about = "about " if path.at(end)[2] else ""
    return f"within tolerance up to {about}{math.floor(end + 1e-6)} %"


def _legend(curves: Curves, data: SensitivityData) -> Line:
    if not curves.drawn:
        return (Span(clean(data.progress), "hint"),) if data.progress else ()
    legend: list[Span] = []
    if data.stale:
        legend.append(Span("stale: weights changed; s to scan again", "threshold"))
    if data.progress:
        legend.append(Span(f"  {clean(data.progress)}", "hint"))
    if any(math.isfinite(path.planned) for path in curves.drawn):
        role = "muted" if data.stale else "chosen"
        legend.append(Span(f"  {sensitivity_curves.PLANNED} plan", role))
        legend.append(Span(f", {sensitivity_curves.OTHERS} plans of other layers", "muted"))
        legend.append(Span(f", {sensitivity_curves.BELOW} below the plot", "muted"))
    if curves.chosen and curves.chosen.half.any():
        legend.append(Span(f"  {sensitivity_curves.INTERVAL} 95 % confidence", "label"))
    if data.split:
        legend.append(Span(f"  {clean(data.split)} accuracy", "label"))
    return tuple(span._replace(text=span.text.lstrip()) for span in legend[:1]) + tuple(legend[1:])
