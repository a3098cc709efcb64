"""Which background measurement a state needs, and what its events change."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.events import Notice, Progress
from core.measure.comparison import ComparisonUpdated
from core.measure.costs import NOTHING_MEASURED, ActivityMeasured
from core.pruning.curves import Sample, SampleUpdated
from tests.tui.scripted_nets import MODERATE, PRUNED, net
from tests.tui.scripted_results import compared
from tui.state.next_measurement import request_for, with_event
from tui.state.results import Result
from tui.state.state import State

START = State().with_dense(net())
PLANNED = START.set_plan(MODERATE)


def test_nothing_is_measured_without_a_net_or_of_the_dense_one() -> None:
    assert request_for(State(), ("images", "matrix", "costs")) is None
    assert request_for(START, ()) is None


@pytest.mark.parametrize(
    ("needs", "measured"),
    [
        ((), (True, False, False, False)),
        (("images",), (True, True, False, False)),
        (("matrix",), (True, True, True, False)),
        (("costs",), (True, False, False, True)),
    ],
)
def test_a_new_plan_needs_its_accuracy_and_what_the_plots_show(needs, measured) -> None:
    request = request_for(PLANNED, needs)
    assert (request.accuracy, request.images is not None, request.matrix, request.costs) == measured


def test_complete_results_are_not_requested_again() -> None:
    request = request_for(PLANNED, ("matrix", "costs"))
    state = with_event(PLANNED, request, SampleUpdated(Sample(4_900, 5_000, 5_000)))
    state = with_event(state, request, ComparisonUpdated(compared(counted=True)))
    state = with_event(state, request, ActivityMeasured(NOTHING_MEASURED, "validation"))
    assert request_for(state, ("images", "matrix", "costs")) is None
    assert request_for(state.nudge(1), ()).accuracy


def test_a_partial_estimate_is_shown_and_completed() -> None:
    request = request_for(PLANNED, ())
    state = with_event(PLANNED, request, SampleUpdated(Sample(243, 250, 5_000)))
    assert state.estimate.sample.images == 250
    assert request_for(state, ()) == request


def test_a_pruned_result_needs_no_estimate() -> None:
    result = Result(MODERATE, PLANNED.base, PRUNED, PLANNED.footprint)
    assert request_for(replace(PLANNED, pruned=result), ()) is None


def test_progress_is_shown_and_other_events_change_nothing() -> None:
    request = request_for(PLANNED, ())
    assert with_event(PLANNED, request, Progress("a", 1, 2_000, "b")).measuring == "a: 1 of 2,000 b"
    assert with_event(PLANNED, request, Progress("a")).measuring == "a"
    assert with_event(PLANNED, request, Notice("a")) is PLANNED
