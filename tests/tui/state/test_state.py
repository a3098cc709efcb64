"""The state's rules: floors, undo and redo, what is current."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.events import Accuracy
from core.jobs.net import Net
from tests.tui.scripted_nets import AGGRESSIVE, DENSE, PRUNED, SHAPES, net
from tui.state.results import Result
from tui.state.state import State
from tui.state.training_curve import TrainingCurve

START = State().with_dense(net())
BASE = net(AGGRESSIVE)

moves = st.lists(
    st.one_of(
        st.tuples(st.just("nudge"), st.integers(-120, 120)),
        st.tuples(st.just("choose"), st.integers(-3, 9)),
        st.tuples(st.just("set"), st.floats(-1, 2)),
        st.tuples(st.sampled_from(["copy_to_listed", "undo", "redo"]), st.none()),
    ),
    max_size=30,
)


def play(state: State, steps: list[tuple[str, object]]) -> State:
    for name, value in steps:
        match name:
            case "nudge":
                state = state.nudge(value)
            case "choose":
                state = state.choose(value)
            case "set":
                state = state.set_sparsity((state.chosen,), value)
            case _:
                state = getattr(state, name)()
    return state


@given(moves)
def test_no_move_leaves_the_range_between_floor_and_one(steps):
    state = play(State().with_dense(BASE), steps)
    for profile in state.profiles:
        assert profile.floor <= state.planned[profile.layer.name] <= 1
    assert 0 <= state.chosen < len(SHAPES)


@given(moves)
def test_undo_takes_back_everything_and_redo_brings_it_again(steps):
    state = play(START, steps)
    undone = state
    while undone.past:
        undone = undone.undo()
    assert undone.planned == START.planned
    while undone.future:
        undone = undone.redo()
    redone = state
    while redone.future:
        redone = redone.redo()
    assert undone.planned == redone.planned


def test_the_aggressive_preset_costs_what_the_reference_says():
    state = START.set_plan(dict(AGGRESSIVE))
    assert state.footprint.nonzero == 6_183
    assert state.footprint.parameters == 228_010
    assert round(state.footprint.ratio, 2) == 36.88


def test_a_change_that_changes_nothing_leaves_nothing_to_undo():
    state = START.set_sparsity((0,), -1.0)
    assert state is START


def test_a_new_change_forgets_what_was_undone():
    state = START.nudge(5).undo().nudge(7)
    assert not state.future
    assert state.redo() is state


def test_a_new_base_lifts_the_plan_to_its_floor_and_undo_brings_back_the_old_one():
    state = START.nudge(1)
    lifted = state.with_dense(BASE)
    floors = {profile.layer.name: profile.floor for profile in BASE.profiles}
    assert lifted.planned == floors
    assert lifted.set_sparsity((0,), 0.0) is lifted
    undone = lifted.undo()
    assert (undone.base, undone.planned) == (START.base, state.planned)


def test_adopting_and_going_back_loses_no_plan():
    tuned = Result(dict(AGGRESSIVE), START.base, DENSE, START.footprint, net=BASE)
    chosen = replace(START.nudge(1).set_plan(dict(AGGRESSIVE)), finetuned=tuned)
    there = chosen.adopt()
    back = there.revert()
    assert there.adopted
    assert not back.adopted
    assert back.plan == chosen.plan
    assert back.undo().base is BASE
    assert back.undo().undo().base is START.base
    assert back.undo().undo().undo().planned["conv1"] == 0.01


def result(accuracy: float, net: Net | None = None) -> Result:
    return Result(dict(AGGRESSIVE), START.base, Accuracy(accuracy, accuracy), START.footprint, net)


def test_undo_takes_back_a_prune_and_a_fine_tuning():
    chosen = START.set_plan(dict(AGGRESSIVE))
    pruned = chosen.with_pruned(result(11.0), chosen.undo_point)
    course = TrainingCurve(planned=1, finetuning=True)
    running = replace(pruned, pruned=result(12.0), curve=course)
    tuned = running.with_finetuned(result(99.0, BASE), pruned.undo_point)
    assert tuned.finetuned.accuracy.test == 99.0
    undone = tuned.undo()
    assert (undone.finetuned, undone.curve) == (None, None)
    assert undone.pruned.accuracy.test == 11.0
    assert undone.undo().pruned is None
    assert undone.undo().undo().planned == START.planned
    assert undone.redo().finetuned is tuned.finetuned
    assert undone.redo().curve is course


def test_changes_made_during_fine_tuning_stay():
    chosen = START.set_plan(dict(AGGRESSIVE))
    moved = chosen.nudge(-3)
    tuned = moved.with_finetuned(result(99.0, BASE), chosen.undo_point)
    assert tuned.planned == moved.planned
    assert tuned.undo().planned == moved.planned
    assert tuned.undo().undo().planned == chosen.planned


def test_undo_drops_its_oldest_steps_to_save_memory(monkeypatch):
    size = START.footprint.parameters
    monkeypatch.setattr("tui.state.undo.UNDO_PARAMETERS", 3 * size)
    state = START
    for number in range(9):
        state = state.with_finetuned(result(float(number), net()), state.undo_point).nudge(1)
    kept = {net for moment in state.past for net in moment.nets}
    assert len(kept) <= 3
    assert state.undo().finetuned.accuracy.test == 8.0
    while state.past:
        state = state.undo()
    assert state.finetuned.accuracy.test > 4


def test_undo_steps_of_one_net_share_its_memory(monkeypatch):
    monkeypatch.setattr("tui.state.undo.UNDO_PARAMETERS", START.footprint.parameters // 2)
    state = START
    for _ in range(5):
        state = state.nudge(1)
    for _ in range(5):
        state = state.undo()
    assert state.planned == START.planned


def test_bulk_changes_skip_locked_layers():
    state = START.choose(1).nudge(5).toggle_lock().choose(3).nudge(9)
    assert state.locked == {"conv2"}
    spread = state.copy_to_listed()
    assert spread.planned == {**dict.fromkeys(SHAPES, 0.09), "conv2": 0.05}
    assert state.choose(1).nudge(1).planned["conv2"] == pytest.approx(0.06)
    assert state.choose(1).toggle_lock().locked == frozenset()


def test_without_a_net_no_key_changes_the_state():
    empty = State()
    assert empty.nudge(5) is empty
    assert empty.copy_to_listed() is empty
    assert empty.undo() is empty
    assert empty.adopt() is empty
    assert empty.revert() == empty
    assert empty.footprint.parameters == 0


def test_a_result_is_current_for_every_plan_that_drops_the_same_weights():
    state = START.choose(0).set_sparsity((0,), 0.5)
    found = Result(state.planned, START.base, PRUNED, state.footprint)
    assert state.is_current(found)
    assert state.set_sparsity((0,), 0.5004).is_current(found), "400 of 800 weights too"
    assert not state.set_sparsity((0,), 0.51).is_current(found)
    assert not replace(state, base=BASE).is_current(found)
    assert not state.is_current(None)
    assert not State().is_current(found)
