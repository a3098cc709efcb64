"""How accuracy falls as each layer is pruned alone."""

from core.pruning.curves import Point, Scan
from tui.plots.drawing.curves import Curve
from tui.plots.sensitivity import SensitivityData
from tui.state.state import State
from tui.text.format import count


def data(state: State, width: int) -> SensitivityData:
    """The scan with the plan and the tolerance."""
    scan, base = state.scan, state.base
    if scan is None or base is None:
        return SensitivityData(curves=(), chosen=state.chosen)
    dense, stale = base.accuracy.validation, state.scan_is_stale
    curves = (
        Curve(name, _points(scan.layers.get(name, ()), scan.images), state.planned[name])
        for name in state.layer_names
    )
    return SensitivityData(
        curves=tuple(curves),
        chosen=state.chosen,
        uniform=Curve("uniform", _points(scan.uniform, scan.images)) if scan.uniform else None,
        tolerance_line=dense - state.tolerance,
        tolerance=state.tolerance,
        dense=None if stale else dense,
        stale=stale,
        progress=_progress(scan),
        split=scan.split,
    )


def _points(points: tuple[Point, ...], images: int) -> tuple[tuple[float, float, float], ...]:
    """Sparsity, accuracy and the half-width of its interval, 0 if exact."""
    rows = []
    for point in points:
        if point.accuracy is not None:
            middle, half = point.estimate
            exact = point.images == images
            rows.append((point.sparsity, point.accuracy if exact else middle, (not exact) * half))
    return tuple(rows)


def _progress(scan: Scan) -> str:
    if scan.exact:
        return ""
    most = max((point.images for point in scan.points()), default=0)
    return f"{count(most)} of {count(scan.images)} images"
