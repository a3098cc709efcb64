"""The message shown when a job has ended."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from core.errors import InputError, StoppedError
from core.events import Accuracy
from core.lightest.trials import Descent, Lightest
from tests.tui.scripted_nets import AGGRESSIVE, PRUNED, TUNED, net, residual, scanned
from tests.tui.scripted_results import timed
from tui.state.results import Result
from tui.state.state import State
from tui.views import job_outcomes
from tui.views.activity import activity

STATE = State().with_dense(net()).set_plan(AGGRESSIVE)
RESULT = Result(STATE.planned, STATE.base, PRUNED, STATE.footprint)


def test_an_opened_net_says_what_to_do_next_or_what_is_wrong() -> None:
    assert "99.41 % on test" in job_outcomes.opened(net(), None).text
    assert "fold" in job_outcomes.opened(residual(), None).detail
    interrupted = job_outcomes.opened(net(), "0003", ("no GPU",))
    assert "0003" in interrupted.detail
    assert interrupted.warnings == ("no GPU",)


@pytest.mark.parametrize(
    ("trained", "at_chance", "unclear", "said", "role"),
    [
        (True, False, False, "ready: dense net, ", "good"),
        (True, True, False, "dense net at chance, ", "warning"),
        (True, True, True, "dense net perhaps at chance (few images), ", "warning"),
        (False, True, False, "untrained net, ", "warning"),
    ],
)
def test_only_a_trained_net_that_is_better_than_chance_is_ready_in_green(
    trained: bool, at_chance: bool, unclear: bool, said: str, role: str
) -> None:
    opened = replace(net(), trained=trained, at_chance=at_chance, unclear=unclear)
    outcome = job_outcomes.opened(opened, None)
    assert outcome.text.startswith(said)
    assert outcome.role == role


@pytest.mark.parametrize(("threads", "role"), [((1,), "good"), ((2,), "warning")])
def test_a_sparse_engine_that_is_slower_is_a_warning(threads: tuple[int, ...], role: str) -> None:
    assert job_outcomes.benchmarked(timed((1,), threads)).role == role


@pytest.mark.parametrize(
    ("stopped", "diverged", "error", "role"),
    [
        (False, False, "", "good"),
        (True, False, "", "warning"),
        (False, True, "", "warning"),
        (True, False, "the net failed", "warning"),
    ],
)
def test_a_fine_tuning_that_ended_early_is_a_warning(
    stopped: bool, diverged: bool, error: str, role: str
) -> None:
    ended = {"reconstructed": None, "stopped": stopped, "diverged": diverged, "error": error}
    tuned = SimpleNamespace(accuracy=TUNED, pruned=PRUNED, best=5, revived=0, **ended)
    outcome = job_outcomes.finetuned(RESULT, tuned, net())  # type: ignore[arg-type]
    assert outcome.role == role
    assert error in outcome.detail
    assert "11.35 → 99.31 %" in outcome.text
    assert "(-0.10 vs. dense 99.41 %)" in outcome.text


def test_on_few_images_the_advice_keeps_its_line_and_differences_their_decimals() -> None:
    few = {"images": (18, 18)}
    dense = replace(net(), accuracy=Accuracy(100.0, 100.0, **few))
    before, after = Accuracy(33.3, 33.3, **few), Accuracy(94.4, 94.4, **few)
    ended = {
        "reconstructed": None,
        "stopped": False,
        "diverged": False,
        "error": "",
        "best": 5,
        "revived": 0,
    }
    tuned = SimpleNamespace(accuracy=after, pruned=before, **ended)
    result = replace(RESULT, accuracy=after, seconds=3_000.0)
    outcome = job_outcomes.finetuned(result, tuned, dense)  # type: ignore[arg-type]
    assert "(-6 vs. dense)" in outcome.text
    assert "to adopt" in "".join(span.text for span in activity(outcome, 80)[1])


def test_a_fine_tuning_stopped_before_the_full_plan_has_to_start_over() -> None:
    ended = {
        "reconstructed": None,
        "stopped": True,
        "diverged": False,
        "error": "",
        "best": 0,
        "revived": 0,
    }
    tuned = SimpleNamespace(accuracy=TUNED, pruned=PRUNED, **ended)
    outcome = job_outcomes.finetuned(RESULT, tuned, net())  # type: ignore[arg-type]
    assert outcome.detail == "the rest of the plan was pruned without training; f to start over"


def test_a_scan_without_images_has_to_be_started_again() -> None:
    assert job_outcomes.scanned(scanned(0), 1.0).role == "warning"
    assert job_outcomes.scanned(scanned(5_000), 1.0).role == "good"


def nothing_found(*, stopped: bool) -> Lightest:
    return Lightest("parameters", 0.5, (0,), (Descent(0, 98.5, (), not stopped),), stopped)


def test_a_descent_stopped_in_its_first_trial_speaks_of_no_net() -> None:
    outcome = job_outcomes.found_lightest(nothing_found(stopped=True))
    assert outcome.role == "warning"
    assert outcome.text == "stopped before the first trial ended"


def test_a_descent_without_a_result_names_the_least_accuracy() -> None:
    outcome = job_outcomes.found_lightest(nothing_found(stopped=False))
    assert outcome.role == "warning"
    assert "98.50 %" in outcome.text


@pytest.mark.parametrize(
    ("error", "role"), [(StoppedError("stopped"), "warning"), (InputError("no such file"), "error")]
)
def test_a_failure_says_how_to_go_on(error: Exception, role: str) -> None:
    outcome = job_outcomes.failed(error, is_open=False)
    assert (outcome.text, outcome.role) == (str(error), role)
    assert "retry" in outcome.detail
    assert "retry" not in job_outcomes.failed(error, is_open=True).detail
