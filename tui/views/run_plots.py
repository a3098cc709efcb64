"""The lower half of the history: accuracy against size, or two runs side by side."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from core.experiments.runs import STOPPED
from tui.plots.data_table import DataTable
from tui.plots.drawing.weight_bins import bins
from tui.plots.runs import pareto, training_curves, two_weights
from tui.plots.runs.pareto import ParetoData, RunMark
from tui.plots.runs.training_curves import RunCurve, TrainingCurvesData
from tui.plots.runs.two_weights import TwoWeightsData, WeightsMark
from tui.plots.subject import PlotSubject
from tui.plots.view import View
from tui.state.run_list import RunList
from tui.state.run_rows import RunRow, accuracy_on, plot_point
from tui.text.lines import Line, Lines, beside
from tui.views.run_comparison import ONE, OTHER, sparsities, views

if TYPE_CHECKING:
    from core.pruning.what_if import Profile

Weights = Mapping[tuple[str, str], "Profile | str"]
"""By run and layer: the weights, or why they are unavailable."""

D = TypeVar("D", contravariant=True)

PLOT_VIEWS = ("curves", "weights")
"""The views of two runs that are plots."""

_TITLE_WIDTH = 80
_READING = "reading the weights…"
_GAP, _LEFT = 2, 0.56


def runs_title(run_list: RunList, dense: float | None) -> Line:
    """The title of the plot of all runs."""
    return pareto.title(runs(run_list, dense))


def lower_half(
    run_list: RunList,
    dense: float | None,
    weights: Weights,
    width: int,
    height: int,
    framed: bool = False,
) -> Lines:
    """What the history shows below its table.

    `dense` is the dense net's validation accuracy, for runs that do not record their own; `weights`
    are those read so far. A frame shows the title of the plot of all runs.
    """
    one, other = run_list.selected, run_list.compared
    if one is None or height < 1:
        return ()
    if other is None:
        view = View(header=not framed)
        return pareto.draw(runs(run_list, dense), width, height, "no accuracies recorded yet", view)
    reference = _dense(one, "validation", dense)

    def draw_curves(width: int, height: int) -> Lines:
        return training_curves.draw(_curves(one, other, reference), width, height)

    def draw_weights(width: int, height: int) -> Lines:
        data = _weights(one, other, run_list, weights, width)
        return two_weights.draw(data, width, height)

    drawers: dict[str, Callable[[int, int], Lines]] = {
        "sparsities": partial(sparsities, one, other, run_list.layers, run_list.layer_at),
        "curves": draw_curves,
        "weights": draw_weights,
    }
    first, *others = (drawers[name] for name in views(run_list, width, height))
    if not others:
        return first(width, height)
    left = round(width * _LEFT)
    right = (draw(width - left - _GAP, height // len(others)) for draw in others)
    return beside(first(left, height), tuple(chain.from_iterable(right)), width)


def run_subject(run_list: RunList, dense: float | None, weights: Weights, name: str) -> PlotSubject:
    """The plot of all runs or, while two are compared, one of `PLOT_VIEWS`, for the whole screen.

    `weights` are those read so far.
    """
    one, other = run_list.selected, run_list.compared
    if one is None or other is None:
        return _subject("runs", run_list, lambda _: runs(run_list, dense), pareto, scales=True)
    if name == "curves":
        curves = _curves(one, other, _dense(one, "validation", dense))
        return _subject("trainings", run_list, lambda _: curves, training_curves)
    known = len(weights)
    return _subject(
        "two-weights",
        (run_list, known),
        lambda width: _weights(one, other, run_list, weights, width),
        two_weights,
    )


class _Plot(Protocol[D]):
    """The module of a plot."""

    def title(self, data: D) -> Line: ...

    def draw(self, data: D, width: int, height: int, hint: str = "", view: View = ...) -> Lines: ...

    def table(self, data: D) -> DataTable: ...


def _subject(
    name: str, version: object, data: Callable[[int], D], plot: _Plot[D], scales: bool = False
) -> PlotSubject:
    return PlotSubject(
        name,
        (name, version),
        lambda: plot.title(data(_TITLE_WIDTH)),
        lambda width, height, view: plot.draw(data(width), width, height, view=view),
        lambda width: plot.table(data(width)),
        scales,
    )


def runs(run_list: RunList, dense: float | None) -> ParetoData:
    """The runs comparable with the selected one, by ratio and accuracy."""
    selected = run_list.selected
    rows = [row for row in run_list.rows or () if plot_point(row, run_list.split) is not None]
    group = selected.group if selected in rows and selected else (rows[0].group if rows else None)
    marks = (_mark(row, run_list) for row in rows if row.group == group)
    mixed = any(row.group != group for row in rows)
    split = run_list.split
    if group is not None and group.protocol == "reference":
        split = f"reference protocol: {split}"
    if group is not None and mixed:
        inputs = f" {group.inputs}" if group.inputs else ""
        split = f"{group.model or '–'} on {group.dataset or '–'}{inputs}, {split}"
    images = selected.images(run_list.split) if selected else 0
    return ParetoData(tuple(marks), split, _dense(selected, run_list.split, dense), images)


def _mark(row: RunRow, run_list: RunList) -> RunMark:
    ratio, score = plot_point(row, run_list.split) or (math.nan, math.nan)
    kind = "stopped" if row.status == STOPPED else "finetuned"
    selected = row.id == run_list.at
    return RunMark(
        label=row.id,
        ratio=ratio,
        accuracy=score,
        kind="dense" if row.trained else kind,
        chosen=selected,
        compared=row.id == run_list.marked and not selected,
    )


def _dense(row: RunRow | None, split: str, fallback: float | None) -> float | None:
    """The dense accuracy to compare a run with."""
    own = None if row is None else accuracy_on(row.dense, split)
    return fallback if own is None and split == "validation" else own


def _curves(one: RunRow, other: RunRow, dense: float | None) -> TrainingCurvesData:
    curves = (_run_curve(one, ONE, "chosen"), _run_curve(other, OTHER, "compared"))
    return TrainingCurvesData(curves, "validation", dense, one.images("validation"))


def _run_curve(row: RunRow, sign: str, role: str) -> RunCurve:
    epochs = ((at, math.nan if score is None else score) for at, score in row.epochs)
    return RunCurve(row.id, tuple(epochs), row.record.best, sign, role)


def _weights(
    one: RunRow, other: RunRow, run_list: RunList, weights: Weights, width: int
) -> TwoWeightsData:
    layer = run_list.layers[run_list.layer_at][0].name if run_list.layers else ""
    loaded = [weights.get((row.id, layer), _READING) for row in (one, other)]
    if not layer:
        loaded = ["neither run recorded its layers"] * 2
    reach = max((p.largest for p in loaded if not isinstance(p, str)), default=0.0) or 1.0
    edges = np.linspace(-reach, reach, bins(width) + 1)
    marks = [_weights_mark(row.id, p, edges) for row, p in zip((one, other), loaded, strict=True)]
    return TwoWeightsData(layer, edges, *marks)


def _weights_mark(label: str, loaded: Profile | str, edges: NDArray[np.float64]) -> WeightsMark:
    if isinstance(loaded, str):
        return WeightsMark(label, np.zeros(0, dtype=np.int64), loaded)
    right = np.searchsorted(loaded.positive, np.clip(edges, 0, None).astype(np.float32), "right")
    left = np.searchsorted(loaded.negative, np.clip(-edges, 0, None).astype(np.float32), "right")
    return WeightsMark(label, np.asarray(np.diff(right) - np.diff(left), dtype=np.int64))
