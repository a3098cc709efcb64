"""The totals below the table."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.nets.footprint import DeadUnits
from core.pruning.curves import Sample
from tests.tui.scripted import AGGRESSIVE, PRUNED, TUNED, net, scanned
from tui.state.measurement import Estimate
from tui.state.results import Result, ResultKey
from tui.state.state import State
from tui.text.lines import width_of
from tui.views.totals import totals

STATE = State().with_dense(net()).set_plan(AGGRESSIVE)
RESULT = Result(STATE.planned, STATE.base, PRUNED, STATE.footprint)


def text(state: State, width: int = 120) -> list[str]:
    return ["".join(span.text for span in line) for line in totals(state, width)]


def test_without_a_net_there_are_no_totals() -> None:
    assert totals(State(), 80) == ()


def test_the_size_and_the_dense_accuracies_are_known_at_once() -> None:
    size, validation, test = text(STATE)
    assert f"kept {STATE.footprint.nonzero:,} of {STATE.footprint.parameters:,}" in size
    assert "dense 99.18" in validation
    assert "dense 99.41" in test


@pytest.mark.parametrize("width", [60, 80, 110, 160])
def test_totals_that_do_not_fit_are_dropped(width: int) -> None:
    dead = DeadUnits({"conv1": 3}, 3, 100)
    state = STATE.with_pruned(replace(RESULT, dead=dead), STATE.undo_point)
    assert width_of(totals(state, width)[0]) <= width


def test_a_result_of_another_plan_says_of_which() -> None:
    state = STATE.with_pruned(RESULT, STATE.undo_point)
    assert "pruned 11.35" in text(state)[2]
    assert "at " not in text(state)[2]
    ratio = f"{STATE.footprint.ratio:.2f}x"
    assert f"pruned 11.35 at {ratio}" in text(state.nudge(-1))[2]
    tuned = replace(RESULT, accuracy=TUNED, net=net(AGGRESSIVE))
    assert "fine-tuned 99.31" in text(STATE.with_finetuned(tuned, STATE.undo_point))[2]


def test_an_estimate_replaces_the_scans_forecast_and_a_result_both() -> None:
    forecast = STATE.with_scan(net().digest, scanned(5_000))
    assert "about " in text(forecast)[1]
    assert STATE.base is not None
    key = ResultKey.of(STATE.base, STATE.planned)
    sampled = replace(forecast, last_estimate=Estimate(key, Sample(100, 250, 5_000)))
    assert "±" in text(sampled)[1]
    assert "about " not in text(sampled)[1]
    assert "±" not in text(sampled.with_pruned(RESULT, STATE.undo_point))[1]


def test_an_estimate_on_all_of_few_images_keeps_its_interval() -> None:
    key = ResultKey.of(STATE.base, STATE.planned)
    few, many = (
        text(replace(STATE, last_estimate=Estimate(key, Sample(images // 2, images, images))))[1]
        for images in (120, 5_000)
    )
    assert "pruned 50 ±9" in few
    assert "pruned 50.00" in many
