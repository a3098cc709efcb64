"""The lower half of the history: accuracy against size, or two runs side by side."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.experiments.runs import STOPPED
from tui.plots.drawing.weight_bins import bins
from tui.plots.runs import pareto, training_curves, two_weights
from tui.plots.runs.pareto import ParetoData, RunMark
from tui.plots.runs.training_curves import RunCurve, TrainingCurvesData
from tui.plots.runs.two_weights import TwoWeightsData, WeightsMark
from tui.state.run_list import RunList
from tui.state.run_rows import RunRow, accuracy_on, plot_point
from tui.text.lines import Lines, beside
from tui.views.run_comparison import ONE, OTHER, sparsities, views

if TYPE_CHECKING:
    from core.pruning.what_if import Profile

Weights = Mapping[tuple[str, str], "Profile | str"]
"""By run and layer: the weights, or why they are unavailable."""

_READING = "reading the weights…"
_GAP, _LEFT = 2, 0.56


def lower_half(
    run_list: RunList, dense: float | None, weights: Weights, width: int, height: int
) -> Lines:
    """What the history shows below its table.

    `dense` is the dense net's validation accuracy, for runs that do not record their own; `weights`
    are those read so far.
    """
    one, other = run_list.selected, run_list.compared
    if one is None or height < 1:
        return ()
    if other is None:
        return pareto.draw(runs(run_list, dense), width, height, "no accuracies recorded yet")
    drawers = {
        "sparsities": partial(sparsities, one, other, run_list.layers, run_list.layer_at),
        "curves": partial(_curves, one, other, _dense(one, "validation", dense)),
        "weights": partial(_weights, one, other, run_list, weights),
    }
    first, *others = (drawers[name] for name in views(run_list, width, height))
    if not others:
        return first(width, height)
    left = round(width * _LEFT)
    right = (draw(width - left - _GAP, height // len(others)) for draw in others)
    return beside(first(left, height), tuple(chain.from_iterable(right)), width)


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


def _curves(one: RunRow, other: RunRow, dense: float | None, width: int, height: int) -> Lines:
    curves = (_run_curve(one, ONE, "chosen"), _run_curve(other, OTHER, "compared"))
    data = TrainingCurvesData(curves, "validation", dense, one.images("validation"))
    return training_curves.draw(data, width, height)


def _run_curve(row: RunRow, sign: str, role: str) -> RunCurve:
    epochs = ((at, math.nan if score is None else score) for at, score in row.epochs)
    return RunCurve(row.id, tuple(epochs), row.record.best, sign, role)


def _weights(
    one: RunRow, other: RunRow, run_list: RunList, weights: Weights, width: int, height: int
) -> Lines:
    layer = run_list.layers[run_list.layer_at][0].name if run_list.layers else ""
    loaded = [weights.get((row.id, layer), _READING) for row in (one, other)]
    if not layer:
        loaded = ["neither run recorded its layers"] * 2
    reach = max((p.largest for p in loaded if not isinstance(p, str)), default=0.0) or 1.0
    edges = np.linspace(-reach, reach, bins(width) + 1)
    marks = [_weights_mark(row.id, p, edges) for row, p in zip((one, other), loaded, strict=True)]
    return two_weights.draw(TwoWeightsData(layer, edges, *marks), width, height)


def _weights_mark(label: str, loaded: Profile | str, edges: NDArray[np.float64]) -> WeightsMark:
    if isinstance(loaded, str):
        return WeightsMark(label, np.zeros(0, dtype=np.int64), loaded)
    right = np.searchsorted(loaded.positive, np.clip(edges, 0, None).astype(np.float32), "right")
    left = np.searchsorted(loaded.negative, np.clip(-edges, 0, None).astype(np.float32), "right")
    return WeightsMark(label, np.asarray(np.diff(right) - np.diff(left), dtype=np.int64))
