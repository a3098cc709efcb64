"""The plots of a state with a base: which numbers each of them draws."""

from __future__ import annotations

from core.inference.timings import SPARSE, Amounts, Row
from core.measure.costs import cost_table
from core.pruning.curves import Point, Scan
from core.pruning.han2015 import PaperLayer
from tui.plots.accuracy import AccuracyData
from tui.plots.accuracy import draw as draw_accuracy
from tui.plots.costs import CostsData, CostsRow
from tui.plots.costs import draw as draw_costs
from tui.plots.drawing import canvas
from tui.plots.drawing.curves import Curve
from tui.plots.drawing.numbers import count as short
from tui.plots.files import draw as draw_files
from tui.plots.histogram import HistogramData, bins
from tui.plots.histogram import draw as draw_histogram
from tui.plots.parameters import ParametersData
from tui.plots.parameters import draw as draw_parameters
from tui.plots.predictions.confusion import ConfusionData
from tui.plots.predictions.confusion import draw as draw_confusion
from tui.plots.predictions.digits import Digit, DigitsData
from tui.plots.predictions.digits import draw as draw_digits
from tui.plots.sensitivity import SensitivityData
from tui.plots.sensitivity import draw as draw_sensitivity
from tui.plots.size import SizeData
from tui.plots.size import draw as draw_size
from tui.plots.speed import SpeedData
from tui.plots.speed import draw as draw_speed
from tui.state.results import Course, Wanted
from tui.state.state import State
from tui.text.format import count, gain, milliseconds, plural
from tui.text.lines import Lines
from tui.views.files import files


def bring_in() -> None:
    """Import what drawing needs, in the thread that calls."""
    canvas.bring_in()


def plot(state: State, name: str, width: int, height: int) -> Lines:
    """Draw the plot called `name`."""
    match name:
        case "accuracy":
            return draw_accuracy(_accuracy(state), width, height)
        case "histogram":
            return draw_histogram(_histogram(state, width), width, height)
        case "sensitivity":
            return draw_sensitivity(_sensitivity(state), width, height)
        case "digits":
            return draw_digits(_digits(state), width, height)
        case "confusion":
            return draw_confusion(_confusion(state), width, height, "looking at every test image")
        case "costs":
            return draw_costs(_costs(state), width, height)
        case "speed":
            return draw_speed(_speed(state), width, height)
        case "files":
            return draw_files(files(state), width, height)
        case "parameters":
            return draw_parameters(_parameters(state), width, height)
        case _:
            return draw_size(_size(state), width, height)


def _histogram(state: State, width: int) -> HistogramData:
    """The what-if; the fine-tuned weights where they are of this plan and this base."""
    profile, applied = state.profiles[state.chosen], state.cuts[state.chosen]
    name = profile.layer.name
    tuned = state.finetuned
    if tuned is not None and tuned.net is not None and state.is_current(tuned):
        profile = tuned.net.profiles[state.chosen]
        applied, name = profile.what_if(profile.floor), f"fine-tuned {name}"
    counted = profile.histogram(applied, bins(width))
    return HistogramData(
        layer=name,
        edges=counted.edges,
        counts_all=counted.before,
        counts_kept=counted.after,
        threshold=applied.threshold,
    )


def _sensitivity(state: State) -> SensitivityData:
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
        progress=_seen_so_far(scan),
        split=scan.split,
    )


def _points(points: tuple[Point, ...], images: int) -> tuple[tuple[float, float, float], ...]:
    """Sparsity, accuracy and half its interval; the accuracy itself where it is exact."""
    found = []
    for point in points:
        if point.accuracy is not None:
            middle, half = point.estimate
            exact = point.images == images
            found.append((point.sparsity, point.accuracy if exact else middle, (not exact) * half))
    return tuple(found)


def _seen_so_far(scan: Scan) -> str:
    if scan.exact:
        return ""
    most = max((point.images for point in scan.points()), default=0)
    return f"{count(most)} of {count(scan.images)} images"


def _digits(state: State) -> DigitsData:
    """The images that were seen last, and what both nets say."""
    sight = state.sight
    if sight is None:
        return DigitsData((), "looking at test images")
    compared, asked, net = sight.compared, sight.wanted.digits, _net(sight.wanted)
    before = "" if state.is_now(sight.wanted) else " (plan before)"
    found = (
        Digit(
            pixels,
            str(label),
            dense=(str(compared.dense.classes[at]), float(compared.dense.confidences[at])),
            pruned=(str(compared.pruned.classes[at]), float(compared.pruned.confidences[at])),
        )
        for at, (pixels, label) in enumerate(zip(compared.pixels, compared.labels, strict=True))
    )
    if asked is not None and asked.mode == "wrong":
        counted = compared.counted
        number = f"{count(counted.newly_wrong)} " if counted else ""
        caption = f"{number}newly wrong when {net}{before} · D more, d one of each"
    else:
        caption = f"test images{before} · D others, d the newly wrong"
    if asked != state.digits:
        caption = "looking at every test image" if state.digits.mode == "wrong" else "looking"
    return DigitsData(tuple(found), caption, net)


def _confusion(state: State) -> ConfusionData:
    counted = state.sight.compared.counted if state.sight else None
    if state.sight is None or counted is None:
        return ConfusionData(())
    classes = tuple(str(number) for number in range(state.sight.compared.classes))
    # While a job runs nothing newer may be known.
    split = "test" if state.is_now(state.sight.wanted) else "test (plan before)"
    net = _net(state.sight.wanted)
    return ConfusionData(classes, counted.dense, counted.pruned, split, counted.images, net)


def _net(wanted: Wanted) -> str:
    """What stands beside the dense net."""
    return "fine-tuned" if wanted.tuned else "pruned"


def _costs(state: State) -> CostsData:
    """The plan's shares at once, and with what was counted of the same net as soon as it is."""
    counts, parameters = state.counts, state.footprint.parameters
    known = counts is not None and state.is_now(counts.wanted)
    table = cost_table(
        state.settings.model,
        [profile.layer for profile in state.profiles],
        {
            profile.layer.name: cut.kept
            for profile, cut in zip(state.profiles, state.cuts, strict=True)
        },
        counts.counted.activities if counts and known else {},
        parameters,
    )
    paper = (*table.paper.layers, table.paper.total) if table.paper else ()
    rows = [
        CostsRow(
            row.name,
            row.weights,
            row.kept,
            row.flops if known else None,
            row.act,
            row.flops_kept if known else None,
            _printed(paper[place]) if paper else None,
        )
        for place, row in enumerate((*table.layers, table.total))
    ]
    caption = "counting ..."
    if counts and known:
        images = f"{count(counts.counted.images)} {counts.counted.split} images"
        caption = f"{_net(counts.wanted)}, {images}"
    return CostsData(tuple(rows[:-1]), rows[-1], state.chosen, caption)


def _printed(row: PaperLayer) -> tuple[str, str, str]:
    return f"{row.act}", f"{row.kept:g}", f"{row.flops_kept}"


def _speed(state: State) -> SpeedData:
    """The comparison that was made last, as far as it is."""
    timed = state.speed
    if timed is None:
        return SpeedData(hint="b times the net in every engine that is here")
    bench, cases = timed.bench, timed.bench.cases
    slowest_first = sorted(bench.rows, key=lambda row: (row.engine == SPARSE, -row.latency.median))
    engines = tuple(
        (engine.removeprefix("torch "), tuple(_time(bench.row(engine, *case)) for case in cases))
        for engine in dict.fromkeys(row.engine for row in slowest_first)
    )
    ours = [bench.row(SPARSE, *case) for case in cases]
    gains = [bench.gain(row) if row else None for row in ours]
    net = "fine-tuned" if timed.tuned else "pruned"
    return SpeedData(
        cases=tuple((f"batch {batch}", plural(threads, "thread")) for batch, threads in cases),
        engines=engines,
        against=tuple(gain(it) if it else "–" for it in gains),
        slower=tuple(it is not None and it < 1 for it in gains),
        amounts=(
            _amounts("MACs", bench.macs),
            _amounts("parameters", bench.parameters),
        ),
        caption=net if state.speed_is_now else f"{net} (plan before)",
    )


def _time(row: Row | None) -> str:
    return milliseconds(row.latency.median) if row else "–"


def _amounts(what: str, amounts: Amounts) -> str:
    smaller = amounts.compacted
    compacted = "" if smaller is None else f", {short(smaller)} in a smaller dense net"
    return f"{what}: {short(amounts.dense)}, {short(amounts.pruned)} nonzero{compacted}"


def _parameters(state: State) -> ParametersData:
    return ParametersData(
        layers=state.layer_names,
        dense=tuple(cost.parameters for cost in state.footprints),
        kept=tuple(cost.nonzero for cost in state.footprints),
        chosen=state.chosen,
    )


def _size(state: State) -> SizeData:
    return SizeData(
        layers=state.layer_names,
        dense_bytes=tuple(cost.dense_bytes for cost in state.footprints),
        pruned_bytes=tuple(cost.pruned_bytes for cost in state.footprints),
        chosen=state.chosen,
    )


def _accuracy(state: State) -> AccuracyData:
    course = state.course or Course(planned=state.settings.finetuning.epochs, finetuning=True)
    best = course.best
    compared = state.dense.accuracy.validation if state.dense and course.finetuning else None
    return AccuracyData(
        epochs=course.planned,
        validation=tuple((float(e.epoch), e.validation) for e in course.epochs),
        live=course.live,
        dense=compared,
        best=(float(best.epoch), best.validation) if best else None,
        not_final=tuple(float(e.epoch) for e in course.epochs if not e.final),
    )
