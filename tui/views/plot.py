"""The plots of a state with a base: which numbers each of them draws."""

from __future__ import annotations

from tui.lines import Lines
from tui.plots import canvas
from tui.plots.accuracy import AccuracyData
from tui.plots.accuracy import draw as draw_accuracy
from tui.plots.histogram import HistogramData, bins
from tui.plots.histogram import draw as draw_histogram
from tui.plots.parameters import ParametersData
from tui.plots.parameters import draw as draw_parameters
from tui.plots.size import SizeData
from tui.plots.size import draw as draw_size
from tui.state import Course, State


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
        applied, name = profile.cut(profile.floor), f"fine-tuned {name}"
    counted = profile.histogram(applied, bins(width))
    return HistogramData(
        layer=name,
        edges=counted.edges,
        counts_all=counted.before,
        counts_kept=counted.after,
        threshold=applied.threshold,
    )


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
