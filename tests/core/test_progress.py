"""How far an operation is as a whole: the bar never falls, and the time left is for all of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.events import Batch, Event, Portion, Progress, Stream, drain, portions, within
from core.progress import Meter

COSTS = st.lists(st.floats(0, 100), min_size=1, max_size=6)


@given(COSTS)
def test_portions_follow_one_another_and_end_at_the_whole(costs: list[float]) -> None:
    parts = portions(*costs)
    assert parts[0].start == 0.0
    assert [part.start for part in parts[1:]] == [part.end for part in parts[:-1]]
    assert parts[-1].end == pytest.approx(float(sum(costs) > 0))


def steps(costs: list[float], depth: int) -> Stream[int]:
    """An operation of steps, each of which is one like it or, at last, counts to four."""
    for part in portions(*costs):
        if depth:
            yield from within(part, steps(costs, depth - 1))
            continue
        yield part
        for done in range(5):
            yield Progress("step", done, 4, "images")
    return depth


@given(COSTS, st.integers(0, 2))
def test_the_bar_of_nested_operations_never_falls_and_stays_within_the_whole(
    costs: list[float], depth: int
) -> None:
    meter, shares = Meter(), []

    def follow(event: Event) -> None:
        nonlocal meter
        meter = meter.after(event, float(len(shares)))
        shares.append(meter.done or 0.0)

    assert drain(steps(costs, depth), follow) == depth
    assert shares == sorted(shares)
    assert shares[0] == 0.0
    assert shares[-1] <= 1 + 1e-9


def after(*timed: tuple[float, Event], meter: Meter | None = None) -> Meter:
    meter = meter or Meter()
    for now, event in timed:
        meter = meter.after(event, now)
    return meter


def batch(done: float, epochs: int = 4) -> Batch:
    """The batch after which this fraction of a training is done."""
    epoch, seen = divmod(round(1_000 * epochs * done), 1_000)
    return Batch(epoch + 1, epochs, seen, 1_000, 0.1, 99.0, 1.0)


OPENING, TRAINING, CLOSING = Portion(0.0, 0.1), Portion(0.1, 0.9), Portion(0.9, 1.0)


def test_the_time_left_is_for_the_whole_at_the_pace_of_the_work() -> None:
    meter = after((0, OPENING), (0, Progress("a", 0, 10)), (2, Progress("a", 5, 10)))
    assert (meter.done, meter.left(2)) == (pytest.approx(0.05), pytest.approx(38))
    meter = after((4, TRAINING), (4, batch(0)), (4.5, batch(0.01)), meter=meter)
    assert meter.left(4.5) is None, "too early to tell"
    meter = after((14, batch(0.25)), meter=meter)
    assert meter.left(14) == pytest.approx(10 / 0.2 * 0.7)
    assert meter.left(19) == pytest.approx(10 / 0.2 * 0.7 - 5)


def test_validating_between_epochs_does_not_move_the_bar_of_a_training() -> None:
    meter = after((0, TRAINING), (0, batch(0)), (9, batch(0.5)))
    assert after((10, Progress("validating", 1, 5)), meter=meter).done == meter.done
    closing = after((20, CLOSING), (20, Progress("measuring", 1, 2)), meter=meter)
    assert closing.done == pytest.approx(0.95)


def test_a_resumed_training_takes_its_earlier_epochs_for_granted() -> None:
    meter = after((0, TRAINING), (1, batch(0.75)), (11, batch(0.875)))
    assert meter.done == pytest.approx(0.8)
    assert meter.left(11) == pytest.approx(11 / 0.1 * 0.2)


def test_stopping_forgets_the_old_estimate_and_counts_what_is_left() -> None:
    meter = after((0, TRAINING), (0, batch(0)), (9, batch(0.5))).stop()
    meter = after((9.1, batch(0.51)), (9.2, Progress("validating", 1, 5)), meter=meter)
    assert (meter.done, meter.left(10)) == (None, None)
    meter = after((10, CLOSING), (10, Progress("m", 0, 4)), (12, Progress("m", 1, 4)), meter=meter)
    assert (meter.done, meter.left(12)) == (pytest.approx(0.25), pytest.approx(6))


def test_without_portions_each_step_has_a_bar_of_its_own() -> None:
    meter = after((0, Progress("a", 9, 10)), (1, Progress("b", 1, 10)))
    assert meter.done == pytest.approx(0.1)
    assert after((2, Progress("c")), meter=meter).done is None


def test_a_step_before_the_first_portion_leaves_no_trace() -> None:
    meter = after((0, Progress("a", 10, 10)), (1, Portion(0.0, 0.5)))
    assert meter.done == 0.0


def test_an_operation_after_another_starts_a_new_bar() -> None:
    meter = after((0, Portion(0.5, 1.0)), (9, Progress("fetching", 9, 9)), (9, OPENING))
    assert meter.done == 0.0
    assert after((10, Progress("a", 1, 2)), meter=meter).left(10) == pytest.approx(19)
