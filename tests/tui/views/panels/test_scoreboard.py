"""The scoreboard: how light, how good."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.nets.footprint import DeadUnits, Sizes
from core.pruning.curves import Sample
from tests.tui.scripted_nets import AGGRESSIVE, PRUNED, RECONSTRUCTED, TUNED, net, scanned
from tui.state.measurement import Estimate
from tui.state.results import Result, ResultKey
from tui.state.state import State
from tui.text.frames import Frame
from tui.text.lines import width_of
from tui.views.panels.scoreboard import ROWS, headline, scoreboard

STATE = State().with_dense(net()).set_plan(AGGRESSIVE)
RESULT = Result(STATE.planned, STATE.base, PRUNED, STATE.footprint)


FRAMES: tuple[Frame, ...] = ("box", "rule", "none")


def text(state: State, width: int = 120, frame: Frame = "none") -> list[str]:
    return ["".join(span.text for span in line) for line in scoreboard(state, frame, width)]


def measured(state: State = STATE) -> State:
    """With the plan's results, pruned and fine-tuned."""
    pruned = state.with_pruned(RESULT, state.undo_point)
    tuned = replace(RESULT, accuracy=TUNED, net=net(AGGRESSIVE))
    return pruned.with_finetuned(tuned, pruned.undo_point)


@pytest.mark.parametrize("frame", FRAMES)
def test_it_always_takes_as_many_lines(frame: Frame) -> None:
    dead = replace(RESULT, dead=DeadUnits({"conv1": 3}, 3, 100))
    for state in (State(), STATE, measured(), STATE.with_pruned(dead, STATE.undo_point)):
        assert len(text(state, 80, frame)) == ROWS[frame]


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("width", [54, 60, 80, 100, 120, 200])
def test_a_reconstructed_net_has_its_place_before_the_fine_tuned_one(
    frame: Frame, width: int
) -> None:
    start = replace(RESULT, accuracy=RECONSTRUCTED)
    for state in (STATE, measured(), measured().set_sparsity([0], 0.9)):
        state = replace(state, reconstructed=start)
        lines = scoreboard(state, frame, width)
        assert len(lines) == ROWS[frame]
        assert all(width_of(line) <= width for line in lines if frame != "box" and width >= 60)
        shown = " ".join(text(state, width, frame))
        if width > 60 or state.net is not None:  # else there is no room for one of another plan
            assert shown.index("pruned") < shown.index("recon") < shown.index("tuned")
            assert "98.09" in shown


def test_the_size_and_the_dense_accuracies_are_known_at_once() -> None:
    size, test, validation = text(STATE)
    cost = STATE.footprint
    assert f"36.88x lighter · {cost.nonzero:,} of {cost.parameters:,} · 24.2 KiB" in size
    assert "dense 99.18" in validation
    assert "dense 99.41" in test
    assert "lighter" not in text(State().with_dense(net()))[0]


def test_a_rule_says_the_size_in_its_title() -> None:
    title = "".join(span.text for span in headline(STATE, "rule", 60))
    assert title == "Result · 36.88x lighter · 6,183 of 228,010 · 24.2 KiB"
    assert headline(STATE, "box", 60)[0].text == "Result"
    assert headline(STATE, "none", 60) == headline(State(), "rule", 60)


@pytest.mark.parametrize(
    ("width", "said"),
    [(160, " · 5,900 without 212 dead units"), (79, " · 212 dead units"), (72, " · 212 dead")],
)
def test_dead_units_are_told_as_far_as_there_is_room(width: int, said: str) -> None:
    dead = replace(RESULT, dead=DeadUnits({"conv1": 212}, RESULT.footprint.nonzero - 5_900, 500))
    state = STATE.with_pruned(dead, STATE.undo_point)
    line = "".join(span.text for span in headline(state, "rule", width))
    assert said in line
    assert len(line) <= width - 6
    assert (
        " · 212 dead" in text(state, width, "box")[1]
        or "without 212" in text(state, width, "box")[1]
    )


def test_the_size_of_a_file_is_shown_once_it_is_known() -> None:
    sizes = Sizes(24_732, 30_000, 912_000, 40_000, 12_345)
    tuned = replace(RESULT, accuracy=TUNED, net=net(AGGRESSIVE), sizes=sizes)
    state = STATE.with_finetuned(tuned, STATE.undo_point)
    assert "12.1 KiB file" in text(state)[0]
    assert "file" not in text(state.nudge(-1))[0]


@pytest.mark.parametrize("width", [60, 80, 110, 160])
@pytest.mark.parametrize("frame", FRAMES)
def test_differences_and_notes_that_do_not_fit_are_dropped(width: int, frame: Frame) -> None:
    for line in scoreboard(measured(), frame, width):
        assert width_of(line) <= width


def test_differences_from_the_dense_net_have_their_sign() -> None:
    test, validation = text(measured(), 110, "rule")
    assert "pruned 11.35 (-88.06)" in test
    assert "fine-tuned 99.31 (-0.10)" in test
    assert "fine-tuned 99.26 (+0.08)" in validation
    rows = [line.split() for line in text(measured(), 52, "box")]
    assert rows[-3:] == [
        ["dense", "99.41", "99.18"],
        ["pruned", "11.35", "-88.06", "11.24", "-87.94"],
        ["fine-tuned", "99.31", "-0.10", "99.26", "+0.08"],
    ]


def test_a_result_of_another_plan_says_of_which() -> None:
    state = STATE.with_pruned(RESULT, STATE.undo_point)
    assert "pruned 11.35" in text(state)[1]
    assert "at " not in text(state)[1]
    ratio = f"{STATE.footprint.ratio:.2f}x"
    assert f"at {ratio}" in text(state.nudge(-1))[1]
    assert f"at {ratio}" in text(state.nudge(-1), 60, "box")[-2]


def estimated(state: State) -> State:
    """With a sampled accuracy of the plan on the screen."""
    assert state.base is not None
    key = ResultKey.of(state.base, state.planned)
    return replace(state, last_estimate=Estimate(key, Sample(300, 1_000, 5_000)))


def test_an_estimate_is_of_the_plan_on_the_screen() -> None:
    state = estimated(measured().nudge(-1))
    _, test, validation = text(state, 80)
    assert "pruned 11.35 at 36.88x" in test
    assert "pruned 30.1 ±2.5   fine-tuned 99.26 at 36.88x" in validation.replace(" (+0.08)", "")
    pruned, tuned = text(state, 54, "box")[-2:]
    first = text(estimated(STATE), 54, "box")[-2]
    assert first.index("30.1 ±2.5") + 9 == tuned.index("99.26") + 5
    assert pruned.split() == ["pruned", "11.35", "at", "36.88x", "30.1", "±2.5"]
    assert tuned.split() == ["fine-tuned", "99.31", "99.26", "at", "36.88x"]


@pytest.mark.parametrize(
    ("frame", "width"), [("none", 60), ("rule", 60), ("rule", 80), ("box", 54)]
)
def test_results_of_another_plan_fit_the_smallest_panels(frame: Frame, width: int) -> None:
    other = measured().nudge(-1)
    for state in (other, estimated(other), other.nudge(-400)):
        lines = text(state, width, frame)
        assert max(map(len, lines)) <= width
        for number in ("99.41", "99.18", "11.35", "99.31", "99.26"):
            assert any(number in line for line in lines)
    if width == 60:
        assert "tuned was 99.31" in text(other, width, frame)[-2]


def test_an_estimate_replaces_the_scans_forecast_and_a_result_both() -> None:
    forecast = STATE.with_scan(net().digest, scanned(5_000))
    assert "about " in text(forecast)[2]
    assert STATE.base is not None
    key = ResultKey.of(STATE.base, STATE.planned)
    sampled = replace(forecast, last_estimate=Estimate(key, Sample(100, 250, 5_000)))
    assert "±" in text(sampled)[2]
    assert "about " not in text(sampled)[2]
    assert "±" not in text(sampled.with_pruned(RESULT, STATE.undo_point))[2]


def test_an_estimate_on_all_of_few_images_keeps_its_interval() -> None:
    key = ResultKey.of(STATE.base, STATE.planned)
    few, many = (
        text(replace(STATE, last_estimate=Estimate(key, Sample(images // 2, images, images))))[2]
        for images in (120, 5_000)
    )
    assert "pruned 50 ±9" in few
    assert "pruned 50.00" in many
