"""The data each plot takes from the state."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from core.events import Batch, Epoch
from core.experiments.exports import Export
from core.measure.costs import Activity, ActivityMeasured, NetActivity
from core.pruning.curves import SPARSITIES, Point, Scan
from tests.tui.scripted import timed
from tests.tui.scripted_nets import (  # fmt: skip
    AGGRESSIVE,
    DENSE,
    SHAPES,
    SIZES,
    TUNED,
    course,
    net,
    scanned,
)
from tests.tui.scripted_results import compared
from tui.state.measurement import (
    Comparison,
    ImageSelection,
    LayerActivity,
    MeasurementRequest,
)  # fmt: skip
from tui.state.results import Result, Speed
from tui.state.state import State
from tui.state.training_curve import TrainingCurve
from tui.views import plot_data

STATE = State().with_dense(net()).set_plan(AGGRESSIVE)

LAYERS = tuple(SHAPES)


def request(images: ImageSelection | None = None) -> MeasurementRequest:
    """A measurement of the plan, pruned in one shot."""
    assert STATE.base is not None
    return MeasurementRequest(STATE.base, STATE.base, STATE.planned, None, False, images, True)


@pytest.mark.parametrize(("images", "half"), [(120, 2.2), (5_000, 0.0)])
def test_points_on_all_of_few_images_have_intervals(images: int, half: float) -> None:
    points = (Point(0.5, images - images // 120, images),)
    scan = Scan("validation", images, {"conv1": points}, points, "fp32", True, False)
    data = plot_data.sensitivity(STATE.with_scan(net().digest, scan), 78)
    ((_, accuracy, measured),) = data.curves[0].points
    assert (data.images, round(accuracy, 1)) == (images, 99.2)
    assert measured == pytest.approx(half, abs=0.05)
    assert data.uniform is not None
    assert data.uniform.points == data.curves[0].points


def test_a_histogram_has_a_bin_for_each_column_and_the_plans_threshold() -> None:
    data = plot_data.histogram(STATE.choose(1), 78)
    assert data.layer == "conv2"
    assert len(data.edges) == len(data.counts_all) + 1 == len(data.counts_kept) + 1
    assert data.counts_all.sum() == 25_600
    assert data.counts_kept.sum() == STATE.what_ifs[1].kept
    assert data.threshold == STATE.what_ifs[1].threshold


def test_a_histogram_shows_the_fine_tuned_weights_once_there_are_any() -> None:
    assert STATE.base is not None
    tuned = net(AGGRESSIVE)
    result = Result(STATE.planned, STATE.base, TUNED, STATE.footprint, tuned)
    data = plot_data.histogram(STATE.with_finetuned(result, STATE.undo_point).choose(1), 78)
    assert data.layer == "fine-tuned conv2"
    assert data.counts_kept.sum() == STATE.what_ifs[1].kept


def test_accuracies_are_those_of_the_training_and_early_epochs_are_not_final() -> None:
    curve = TrainingCurve(5, finetuning=True)
    assert plot_data.accuracy(STATE, 78).validation == ()
    events = course()
    for event in events:
        curve = curve.after(event)
    data = plot_data.accuracy(replace(STATE, curve=curve), 78)
    epochs = [event for event in events if isinstance(event, Epoch)]
    assert data.validation == tuple((epoch.epoch, epoch.validation) for epoch in epochs)
    assert len(data.live) == sum(isinstance(event, Batch) for event in events)
    assert data.dense == DENSE.validation
    assert data.best == (5, epochs[-1].validation)
    assert data.not_final == (1, 2)


def test_a_sample_has_an_interval_and_a_whole_split_has_none() -> None:
    assert plot_data.sensitivity(STATE, 78).curves == ()
    for images, exact in ((1_000, False), (5_000, True)):
        data = plot_data.sensitivity(STATE.with_scan(net().digest, scanned(images)), 78)
        assert [curve.name for curve in data.curves] == list(LAYERS)
        assert [curve.planned for curve in data.curves] == [AGGRESSIVE[name] for name in LAYERS]
        assert data.tolerance_line == DENSE.validation - STATE.tolerance
        halves = [half for curve in data.curves for _, _, half in curve.points]
        assert all((half == 0) == exact for half in halves)
        assert data.progress == ("" if exact else "1,000 of 5,000 images")


def test_a_scan_that_has_just_begun_knows_its_sparsities_and_counts_layers() -> None:
    scan = scanned(1_000)
    layers = {name: tuple(map(Point, SPARSITIES)) for name in LAYERS}
    begun = replace(scan, layers=layers | {"conv1": scan.layers["conv1"]})
    data = plot_data.sensitivity(STATE.with_scan(net().digest, begun), 78)
    assert data.progress == "1 of 5 layers"
    assert {tuple(point[0] for point in curve.points) for curve in data.curves} == {SPARSITIES}
    assert [math.isnan(curve.points[0][1]) for curve in data.curves] == [False, *[True] * 4]


def test_bars_are_each_layers_parameters_and_bytes() -> None:
    parameters, size = plot_data.parameters(STATE, 78), plot_data.size(STATE, 78)
    assert parameters.layers == size.layers == LAYERS
    assert sum(parameters.pruned) == STATE.footprint.nonzero
    assert sum(size.dense) == STATE.footprint.dense_bytes
    assert sum(size.pruned) == STATE.footprint.pruned_bytes


def test_the_sparse_engine_is_compared_with_the_best_dense_one() -> None:
    assert plot_data.speed(STATE, 78).cases == ()
    bench = timed((1, 64), (1, 2))
    state = replace(STATE, speed=Speed(request().key, None, bench))
    data = plot_data.speed(state, 78)
    assert data.cases[:2] == ((1, 1), (64, 1))
    assert data.engines[-1][0] == "sparse"
    assert data.slower == (False, False, True, True)
    assert data.caption == "pruned"
    assert plot_data.speed(state.nudge(-1), 78).caption == "pruned (previous plan)"


def test_an_engine_that_was_not_reached_has_a_dash() -> None:
    bench = timed((1,), (1,))
    partial = replace(bench, rows=(*bench.rows, replace(bench.rows[0], batch=64)))
    data = plot_data.speed(replace(STATE, speed=Speed(request().key, None, partial)), 78)
    assert [cells[1] for name, cells in data.engines if name == "sparse"] == [None]
    assert data.against[1] == "-"


def test_flops_are_unknown_until_activations_are_counted() -> None:
    before = plot_data.costs(STATE, 78)
    assert [row.name for row in before.rows] == list(LAYERS)
    assert before.total.flops is None
    activities = {name: Activity(1_000.0, 100.0, 0.5, 0.5) for name in LAYERS}
    counted = ActivityMeasured(NetActivity(activities, 5_000, 5_000), "validation")
    state = replace(STATE, layer_activity=LayerActivity(request(), counted))
    after = plot_data.costs(state, 78)
    assert after.total.flops == 2 * 1_000 * len(LAYERS)
    assert after.caption == "pruned, 5,000 validation images"
    assert plot_data.costs(state.nudge(-1), 78).total.flops is None


def test_costs_of_a_sample_have_intervals_and_say_what_no_plan_saves_and_what_is_left_out() -> None:
    does = {name: Activity(1_000.0, 100.0, 0.5, 0.5, 0.01) for name in LAYERS}
    activity = NetActivity(does, 200, 5_000, 500.0, ("book (aten.cdist)",), 0.002)
    counted = ActivityMeasured(activity, "validation")
    state = replace(STATE, layer_activity=LayerActivity(request(), counted))
    data = plot_data.costs(state, 78)
    assert data.caption == "pruned, 200 of 5,000 validation images"
    assert data.left_out == ", without book (aten.cdist)"
    *layers, unprunable = data.rows
    assert [(row.name, row.within) for row in layers] == [(name, 1.0) for name in LAYERS]
    assert (unprunable.name, unprunable.flops, unprunable.kept) == ("not prunable", 1_000, None)
    assert data.total.name == "partial total"
    assert data.total.flops == 2 * 1_000 * len(LAYERS) + 1_000
    assert (data.total.act, data.total.within) == (50.0, pytest.approx(0.2))


@pytest.mark.parametrize(("mode", "caption"), [("chosen", "test images"), ("wrong", "2,000 newly")])
def test_the_caption_says_which_images_are_shown(mode: str, caption: str) -> None:
    assert plot_data.predictions(STATE, 78).images == ()
    images = ImageSelection(mode)  # type: ignore[arg-type]
    comparison = Comparison(request(images), compared(counted=True))
    data = plot_data.predictions(replace(STATE, images=images, comparison=comparison), 78)
    assert len(data.images) == 10
    assert data.images[8].dense == ("8", 100.0)
    assert data.images[8].pruned == ("1", 55.0)
    assert data.caption.startswith(caption)
    others = replace(STATE, images=images.toggled(), comparison=comparison)
    assert plot_data.predictions(others, 78).caption.startswith("predicting")


def test_confusions_need_the_predictions_of_all_images() -> None:
    assert plot_data.confusion(STATE, 78).classes == ()
    sampled = replace(STATE, comparison=Comparison(request(), compared(counted=False)))
    assert plot_data.confusion(sampled, 78).classes == ()
    named = replace(request(), dense=replace(net(), class_names=("cat", "dog")))
    state = replace(STATE, comparison=Comparison(named, compared(counted=True)))
    assert plot_data.predictions(state, 78).images[9].pruned[0] == "dog"
    assert plot_data.confusion(state, 78).classes == ("cat", "dog", *"23456789")
    state = replace(STATE, comparison=Comparison(request(), compared(counted=True)))
    data = plot_data.confusion(state, 78)
    assert (len(data.classes), data.images, data.caption) == (10, 10_000, "test images")
    assert plot_data.confusion(state.nudge(-1), 78).caption == "test images (previous plan)"
    assert state.base is not None
    fine_tuned = Result(state.planned, state.base, TUNED, state.footprint, net(AGGRESSIVE))
    later = state.with_finetuned(fine_tuned, state.undo_point)
    assert plot_data.confusion(later, 78).caption == "test images (previous net)"


def test_the_plot_of_files_says_what_is_not_known_and_what_is_of_another_plan() -> None:
    dense, tuned = net(), net(AGGRESSIVE)
    state = State().with_dense(dense).set_plan(AGGRESSIVE)
    rows = {row.name: row for row in plot_data.files(state, 80).rows}
    assert rows["values only"].bytes == state.footprint.pruned_bytes
    assert [row.note for row in rows.values() if row.bytes is None] == [
        *["press f or e"] * 4,
        "press e",
    ]
    result = Result(state.planned, dense, TUNED, state.footprint, tuned, sizes=SIZES)
    state = state.with_finetuned(result, state.undo_point)
    export = Export("/net.fw", 5_512, "codebook", 12, TUNED)
    written = state.with_result_replaced(result, result.with_new_export(export, SIZES))
    assert not plot_data.files(written, 80).stale
    assert [row.bytes for row in plot_data.files(state, 80).rows] == [
        912_616,
        58_211,
        31_020,
        24_732,
        24_100,
        None,
    ]
    assert plot_data.files(written, 80).rows[-1].bytes == 5_512
    assert plot_data.files(written, 80).rows[-1].note == "99.31 %"
    other = plot_data.files(written.nudge(-1), 80)
    assert other.stale
    assert other.rows == plot_data.files(written, 80).rows
