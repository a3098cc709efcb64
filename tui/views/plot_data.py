"""The data of the main screen's plots, taken from the state.

Each function prepares the data of the plot of that name; `tui.plots` draws it without the state.
This module loads NumPy, which the first screen must not wait for.
"""

import math
from itertools import zip_longest

from core.experiments.exports import Export, newest_compact
from core.inference.benchmark_result import SPARSE, Amounts, Row
from core.measure.costs import NOTHING_MEASURED, cost_table
from core.nets.footprint import Footprint, Sizes
from core.pruning.curves import Point, Scan
from tui.keys.keymap import with_keys
from tui.plots.accuracy import AccuracyData
from tui.plots.costs import CostsData, CostsRow
from tui.plots.drawing.curves import Curve
from tui.plots.drawing.numbers import count as short
from tui.plots.drawing.weight_bins import NAME, bins
from tui.plots.files import FilesData, FilesRow
from tui.plots.histogram import LABEL, HistogramData
from tui.plots.layer_bars import PARAMETERS, SIZE, LayerBarsData
from tui.plots.predictions.confusion import ConfusionData
from tui.plots.predictions.images import ImagePredictions, PredictionsData
from tui.plots.sensitivity import SensitivityData
from tui.plots.speed import SpeedData
from tui.state.measurement import Comparison
from tui.state.state import State
from tui.state.training_curve import TrainingCurve
from tui.state.undo import RESULTS
from tui.text.format import UNPRUNABLE, count, gain, half_width, images_of, plural, score

_TUNE, _WRITE = "press {fine-tune} or {export}", "press {export}"


def histogram(state: State, width: int) -> HistogramData:
    """The selected layer's weights under the plan, or those of the net made for it."""
    profile, applied = state.profiles[state.chosen], state.what_ifs[state.chosen]
    name, (label, axis) = profile.layer.name, _ranked(state)
    if state.net is not None:
        label, axis = LABEL, NAME
        profile = state.net.profiles[state.chosen]
        applied, name = profile.what_if(profile.floor), f"{state.stage} {name}"
    bars = profile.histogram(applied, bins(width, axis))
    counts = (bars.edges, bars.before, bars.after)
    return HistogramData(name, *counts, applied.threshold, profile.zeros, label, axis)


def _ranked(state: State) -> tuple[str, str]:
    """What the thresholds are of, in words and as an axis: weights, or their importances."""
    if state.base is None or not state.order:
        return LABEL, NAME
    by = state.recipe.criterion
    if state.rankings.lack(state.base, state.order):
        return f"{LABEL}, not ranked by {by} yet", NAME
    return f"Importance by {by}", "importance"


def accuracy(state: State, width: int) -> AccuracyData:
    """The curve of the current or the last training; empty before the first."""
    curve = state.curve or TrainingCurve(planned=state.recipe.epochs, finetuning=True)
    best = curve.best
    return AccuracyData(
        epochs=curve.planned,
        validation=tuple((float(e.epoch), e.validation) for e in curve.epochs),
        live=curve.live,
        dense=state.dense.accuracy.validation if state.dense and curve.finetuning else None,
        best=(float(best.epoch), best.validation) if best else None,
        not_final=tuple(float(e.epoch) for e in curve.epochs if not e.final),
        images=state.base.accuracy.images[0] if state.base else 0,
        expected=state.dense.accuracy.validation if state.dense and state.dense.trained else None,
        highest_rate=curve.highest_rate,
        prunes=curve.finetuning,
    )


def sensitivity(state: State, width: int) -> SensitivityData:
    """The scan with the plan and the tolerance."""
    scan, base = state.scan, state.base
    if scan is None or base is None:
        return SensitivityData(curves=(), chosen=state.chosen)
    dense, stale = base.accuracy.validation, state.base_scan is None
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
        images=scan.images,
        stale=stale,
        progress=_progress(scan),
        split=scan.split,
    )


def _points(points: tuple[Point, ...], images: int) -> tuple[tuple[float, float, float], ...]:
    """Sparsity, accuracy and the half-width of its interval, 0 if it needs none; NaN: unknown."""
    return tuple((point.sparsity, *_estimate(point, images)) for point in points)


def _estimate(point: Point, images: int) -> tuple[float, float]:
    if point.accuracy is None:
        return math.nan, 0.0
    if point.images == images:
        return point.accuracy, half_width(point.accuracy, images)
    return point.estimate


def _progress(scan: Scan) -> str:
    if scan.exact:
        return ""
    done = sum(all(point.images for point in points) for points in scan.layers.values())
    if done < len(scan.layers):
        return f"{done} of {plural(len(scan.layers), 'layer')}"
    most = max((point.images for point in scan.points()), default=0)
    return f"{count(most)} of {count(scan.images)} images"


def parameters(state: State, width: int) -> LayerBarsData:
    """The parameters of each layer, and how many the plan keeps."""
    dense = tuple(cost.parameters for cost in state.footprints)
    kept = tuple(cost.nonzero for cost in state.footprints)
    return LayerBarsData(PARAMETERS, state.layer_names, dense, kept, state.chosen)


def size(state: State, width: int) -> LayerBarsData:
    """The bytes of each layer, dense and pruned to the plan."""
    dense = tuple(cost.dense_bytes for cost in state.footprints)
    pruned = tuple(cost.pruned_bytes for cost in state.footprints)
    return LayerBarsData(SIZE, state.layer_names, dense, pruned, state.chosen)


def files(state: State, width: int) -> FilesData:
    """The sizes of the plan's result or, failing that, of the previous plan's."""
    results, footprint = [getattr(state, name) for name in RESULTS], state.footprint
    result = state.current or next((one for one in results if one and one.sizes), None)
    if result is None:
        return FilesData(_counted_files(footprint), footprint.dense_bytes, "the plan")
    current = state.is_current(result)
    net = result.stage
    caption = f"{net}, test {score(result.accuracy)} %" if current else _previous(net)
    if result.sizes:
        rows = _measured_files(result.sizes, result.exports)
    else:
        rows = _counted_files(result.footprint)
    return FilesData(rows, footprint.dense_bytes, caption, stale=not current)


def _counted_files(footprint: Footprint) -> tuple[FilesRow, ...]:
    """The sizes that follow from the plan alone."""
    tune = with_keys(_TUNE)
    return (
        FilesRow("dense file", None, tune),
        FilesRow("dense file, zipped", None, tune),
        FilesRow("values + positions", None, tune, file=False),
        FilesRow("values only", footprint.pruned_bytes, file=False),
        FilesRow("compact, lossless", None, tune),
        FilesRow("compact, quantized", None, with_keys(_WRITE)),
    )


def _measured_files(sizes: Sizes, exports: tuple[Export, ...]) -> tuple[FilesRow, ...]:
    lossless = newest_compact(exports, exact=True)
    return (
        _file("dense file", sizes.dense),
        _file("dense file, zipped", sizes.zip),
        FilesRow("values + positions", sizes.han2015, file=False),
        FilesRow("values only", sizes.values, file=False),
        _file("compact, lossless", lossless.bytes if lossless else sizes.compact, _WRITE),
        _quantized_file(newest_compact(exports, exact=False)),
    )


def _file(name: str, size: int | None, otherwise: str = "not measured: too large") -> FilesRow:
    return FilesRow(name, size, "" if size else with_keys(otherwise))


def _quantized_file(export: Export | None) -> FilesRow:
    """The size with the accuracy measured after reading the file back."""
    if export is None:
        return FilesRow("compact, quantized", None, with_keys(_WRITE))
    how = export.values if export.levels is None else f"{export.levels} levels"
    return FilesRow(f"compact, {how}", export.bytes, f"{score(export.accuracy)} %")


def speed(state: State, width: int) -> SpeedData:
    """The last benchmark, complete or not."""
    timed = state.speed
    if timed is None:
        return SpeedData()
    benchmark, cases = timed.benchmark, timed.benchmark.cases
    rows = sorted(benchmark.rows, key=lambda row: (row.engine == SPARSE, -row.latency.median))
    engines = tuple(
        (name.removeprefix("torch "), tuple(_latency(benchmark.row(name, *case)) for case in cases))
        for name in dict.fromkeys(row.engine for row in rows)  # the slowest first
    )
    ours = [benchmark.row(SPARSE, *case) for case in cases]
    gains = [benchmark.gain(row) if row else None for row in ours]
    net = timed.stage
    return SpeedData(
        cases=cases,
        engines=engines,
        against=tuple(gain(factor) if factor else "-" for factor in gains),
        slower=tuple(factor is not None and factor < 1 for factor in gains),
        amounts=(_amounts("MACs", benchmark.macs), _amounts("parameters", benchmark.parameters)),
        caption=net if state.speed_is_current else _previous(net),
    )


def _latency(row: Row | None) -> float | None:
    return row.latency.median if row else None


def _amounts(what: str, amounts: Amounts) -> str:
    smaller = amounts.compacted
    compacted = "" if smaller is None else f", {short(smaller)} w/o dead units"
    return f"{what}: {short(amounts.dense)}, {short(amounts.pruned)} nonzero{compacted}"


def costs(state: State, width: int) -> CostsData:
    """The fractions kept by the plan, and the measured activity once available."""
    activity = state.layer_activity if state.is_current(state.layer_activity) else None
    table = cost_table(
        state.settings.model,
        [profile.layer for profile in state.profiles],
        {name: w.kept for name, w in zip(state.layer_names, state.what_ifs, strict=True)},
        activity.result.activity if activity else NOTHING_MEASURED,
        state.footprint.parameters,
    )
    paper = (*table.paper.layers, table.paper.total) if table.paper else ()
    rows = [
        CostsRow(
            row.name,
            row.weights,
            row.kept,
            row.flops if activity else None,
            row.act,
            row.flops_kept if activity else None,
            (str(printed.act), f"{printed.kept:g}", str(printed.flops_kept)) if printed else None,
            row.within,
        )
        for row, printed in zip_longest((*table.layers, table.total), paper)
    ]
    if flops := table.unprunable_flops:
        rows.insert(-1, CostsRow(UNPRUNABLE, None, None, flops, flops_kept=100.0))
    caption, left_out = state.measuring or "measuring activations", ""
    if activity:
        measured = activity.result.activity
        images = images_of(measured.images, measured.of, activity.result.split)
        caption = f"{activity.request.net_name}, {images}"
        if measured.uncounted:
            left_out = f", without {', '.join(measured.uncounted)}"
    return CostsData(tuple(rows[:-1]), rows[-1], state.chosen, caption, left_out)


def predictions(state: State, width: int) -> PredictionsData:
    """The last predicted test images, with both nets' predictions."""
    comparison = state.comparison
    if comparison is None:
        return PredictionsData(())
    result, request = comparison.result, comparison.request
    names = _class_names(comparison)
    images = (
        ImagePredictions(
            pixels,
            names[label],
            dense=(names[result.dense.classes[at]], float(result.dense.confidences[at])),
            pruned=(names[result.pruned.classes[at]], float(result.pruned.confidences[at])),
        )
        for at, (pixels, label) in enumerate(zip(result.pixels, result.labels, strict=True))
    )
    net = request.net_name
    before = _of_before(state, comparison)
    if request.images != state.images:
        waiting = "predicting every test image" if state.images.mode == "wrong" else "predicting"
        caption = state.measuring or waiting
    elif state.images.mode == "wrong":
        number = f"{count(result.counts.newly_wrong)} " if result.counts else ""
        caption = f"{number}newly wrong when {net}{before}"
        caption += " · {more-predictions}: next ten, {predictions}: one per class"
    else:
        caption = (
            f"test images{before} · {{more-predictions}}: next ten, {{predictions}}: newly wrong"
        )
    return PredictionsData(tuple(images), with_keys(caption), net)


def confusion(state: State, width: int) -> ConfusionData:
    """The predictions of all test images by both nets, once they are known."""
    comparison = state.comparison
    counts = comparison.result.counts if comparison else None
    if comparison is None or counts is None:
        return ConfusionData(())
    caption = f"test images{_of_before(state, comparison)}"
    pruned = None if comparison.request.is_dense else counts.pruned
    net = comparison.request.net_name
    classes = _class_names(comparison)
    return ConfusionData(classes, counts.dense, pruned, caption, counts.images, net)


def _class_names(comparison: Comparison) -> tuple[str, ...]:
    """The name of each class the nets distinguish, or its number."""
    known, number = comparison.request.dense.class_names, comparison.result.classes
    return (*known[:number], *map(str, range(len(known), number)))


def _previous(caption: str) -> str:
    return f"{caption} (previous plan)"


def _of_before(state: State, comparison: Comparison) -> str:
    """A note on a comparison of a net that is no longer on the screen; empty if it still is."""
    if not state.is_current(comparison):
        return " (previous plan)"
    return "" if comparison.request.net is state.net else " (previous net)"
