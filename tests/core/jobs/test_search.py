"""The search over the ratio, with trials of simulated accuracy."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError, StoppedError, WorkError
from core.events import Event, Notice, Stream
from core.jobs.search import (
    PRECISION,
    SearchResult,
    Trial,
    TrialFinished,
    TrialOutcome,
    TrialStarted,
    search,
)
from tests.core.training.loops import of_type, recorded

LEAST = 99.0


def trial(accuracy: float, *, stopped: bool = False, error: str = "", best: int | None = 1) -> Any:
    return SimpleNamespace(
        accuracy=SimpleNamespace(validation=accuracy), stopped=stopped, error=error, best=best
    )


def searched(
    accuracy: Callable[[float], float], **options: Any
) -> tuple[SearchResult, list[Event], list[tuple[float, Trial | None]]]:
    """A search: its result, its events, and the ratio and base of each trial."""
    asked: list[tuple[float, Trial | None]] = []

    def attempt(number: int, ratio: float, best: Trial | None) -> Stream[TrialOutcome]:
        asked.append((ratio, best))
        yield from ()
        return SimpleNamespace(), {"fc": 1 - 1 / ratio}, trial(accuracy(ratio))

    found, events = recorded(search(attempt, least=LEAST, **options))
    return found, events, asked


def up_to(limit: float) -> Callable[[float], float]:
    return lambda ratio: 99.5 if ratio <= limit else 98.5


@given(st.floats(1.1, 900), st.floats(1.2, 200))
def test_a_search_closes_in_on_the_lightest_good_net(limit: float, start: float) -> None:
    found, events, asked = searched(up_to(limit), most=500.0, start=start, trials=40)
    assert len(found.trials) == len(asked) == len(of_type(TrialStarted, events)) < 25
    ratios = [trial.ratio for trial in found.trials]
    assert len(set(ratios)) == len(ratios)
    assert all(1 < ratio <= 500 for ratio in ratios)
    assert not found.stopped
    if found.best is None:
        assert limit < min(ratios) <= 1.2
    else:
        assert found.best.ratio <= limit
        assert found.best.ratio * PRECISION >= min(limit, 500.0) / 1.0001
        assert found.best.plan == {"fc": 1 - 1 / found.best.ratio}


def test_the_bracket_narrows_from_both_sides() -> None:
    found, events, _ = searched(up_to(50.0), trials=6)
    brackets = [(event.ratio, event.good, event.bad) for event in of_type(TrialStarted, events)]
    assert brackets[:3] == [
        (30.0, None, None),
        (60.0, 30.0, None),
        (pytest.approx(42.43, abs=0.01), 30.0, 60.0),
    ]
    for before, after in pairwise(brackets[1:]):
        assert (after[1] or 0) >= (before[1] or 0)
        assert (after[2] or 1e9) <= (before[2] or 1e9)
    assert [event.trial for event in of_type(TrialFinished, events)] == list(found.trials)


def test_a_trial_goes_on_from_the_lightest_that_was_good() -> None:
    found, _, asked = searched(up_to(50.0), trials=5)
    assert asked[0][1] is None
    for at, (_, start) in enumerate(asked):
        good = [t for t in found.trials[:at] if t.good]
        expected = max(good, key=lambda t: t.ratio, default=None)
        assert start is expected


def test_a_search_makes_no_more_trials_than_asked_for() -> None:
    found, _, _ = searched(up_to(50.0), trials=2)
    assert [trial.good for trial in found.trials] == [True, False]
    assert found.best is found.trials[0]


def test_a_search_begins_at_the_lightest_ratio_there_is_at_most() -> None:
    found, _, asked = searched(up_to(1e6), most=20.0)
    assert [ratio for ratio, _ in asked] == [20.0]
    assert found.best is found.trials[0]


@given(st.floats(1.05, 400), st.floats(1.2, 200), st.floats(1.1, 900))
def test_no_trial_is_less_sparse_than_its_floor(floor: float, start: float, limit: float) -> None:
    found, _, asked = searched(up_to(limit), floor=floor, most=500.0, start=start, trials=40)
    assert asked[0][0] == max(start, floor)
    assert all(floor <= ratio <= 500 for ratio, _ in asked)
    if limit < floor:
        assert found.best is None


def test_with_nothing_left_to_prune_the_base_itself_is_tried() -> None:
    found, _, asked = searched(up_to(1e6), floor=30.0, most=25.0)
    assert [ratio for ratio, _ in asked] == [25.0]
    assert found.best is found.trials[0]


def test_a_search_without_a_good_trial_has_no_best() -> None:
    found, _, _ = searched(lambda _: 50.0)
    assert found.best is None
    assert all(not trial.good for trial in found.trials)
    assert min(trial.ratio for trial in found.trials) < 1.5


def test_a_trial_of_exactly_the_least_accuracy_is_good() -> None:
    found, _, _ = searched(lambda _: LEAST, trials=1)
    assert found.best is not None


@pytest.mark.parametrize("how", ["in a trial", "with a half-made net"])
def test_a_stopped_search_gives_the_trials_so_far(how: str) -> None:
    def attempt(number: int, ratio: float, _: Trial | None) -> Stream[TrialOutcome]:
        yield from ()
        if number == 3 and how == "in a trial":
            raise StoppedError("stopped")
        return SimpleNamespace(), {}, trial(up_to(50)(ratio), stopped=number == 3)

    found, _ = recorded(search(attempt, least=LEAST))
    assert found.stopped
    assert len(found.trials) == 2
    assert found.best is found.trials[0]


def test_a_search_stopped_between_trials_keeps_the_last_one() -> None:
    found, _, asked = searched(up_to(50.0), stop=lambda: True)
    assert (found.stopped, len(found.trials), len(asked)) == (True, 1, 1)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"trials": 0}, "0 trials: expected at least 1"),
        ({"start": 1.0}, "1.0x: expected a ratio above 1"),
        ({"start": float("nan")}, "expected a ratio above 1"),
    ],
)
def test_trials_and_starts_out_of_range_are_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        searched(up_to(50.0), **options)


def test_a_trial_that_diverges_counts_as_one_that_is_not_good() -> None:
    def attempt(number: int, ratio: float, _: Trial | None) -> Stream[TrialOutcome]:
        yield from ()
        if ratio > 50:
            raise WorkError("fine-tuning diverged")
        return SimpleNamespace(), {}, trial(99.5)

    found, events = recorded(search(attempt, least=LEAST, trials=4))
    assert [event.number for event in of_type(TrialStarted, events)] == [1, 2, 3, 4]
    assert found.best is not None
    assert found.best.ratio > 40
    assert len(of_type(Notice, events)) == 2


@pytest.mark.parametrize(("accuracy", "best"), [(99.5, 3), (50.0, 3), (99.5, None)])
def test_a_trial_that_an_error_ends_counts_if_an_epoch_ended_at_the_full_plan(
    accuracy: float, best: int | None
) -> None:
    def attempt(number: int, ratio: float, _: Trial | None) -> Stream[TrialOutcome]:
        yield from ()
        late = {"stopped": True, "error": "out of luck", "best": best}
        return SimpleNamespace(), {}, trial(accuracy, **(late if number == 2 else {"best": 1}))

    found, events = recorded(search(attempt, least=LEAST))
    assert found.error == "out of luck"
    assert len(of_type(TrialStarted, events)) == 2
    assert [event.trial for event in of_type(TrialFinished, events)] == list(found.trials)
    assert [t.good for t in found.trials] == [accuracy > LEAST] * (1 if best is None else 2)
    assert (found.best and found.best.number) == (max(t.number for t in found.trials)
                                                  if accuracy > LEAST else None)  # fmt: skip
