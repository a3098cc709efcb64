"""The activity lines."""

from __future__ import annotations

import pytest

from core.events import Batch, Epoch, Event, Notice, Progress
from tui.text.lines import Lines, width_of
from tui.views.activity import JobProgress, Outcome, activity


def progress(*events: Event) -> JobProgress:
    job = JobProgress("fine-tune", since=0.0)
    for event in events:
        job = job.after(event)
    return job


def text(lines: Lines) -> list[str]:
    return ["".join(span.text for span in line) for line in lines]


HALF = Batch(3, 5, 27_500, 55_000, 0.25, 98.5, 20.0)


def test_a_training_shows_its_fraction_speed_and_time_left() -> None:
    headline, detail = text(activity(progress(HALF), 120, now=60.0))
    assert "fine-tune  epoch 3 of 5" in headline
    assert " 50 %" in headline
    assert "6,875 images/s" in headline
    assert headline.endswith("20 s left")
    assert "loss 0.2500 · batch 98.5 %" in detail


def test_a_step_shows_how_much_of_it_is_done() -> None:
    step = Progress("measure", 2_500, 10_000, "images")
    headline, detail = text(activity(progress(step), 80, now=65.0))
    assert " 25 %" in headline
    assert headline.endswith("1:05")
    assert detail.strip() == "measure 2,500 of 10,000 images"


def test_an_epoch_stays_and_a_warning_is_kept() -> None:
    epoch = Epoch(2, 0.1, 98.7, 18.0, 0.97, True, 12)
    job = progress(epoch, Notice("the loss is high", warning=True), HALF)
    assert job.warnings == ("the loss is high",)
    detail = text(activity(job, 120, now=60.0))[1]
    assert detail.strip().startswith("the loss is high")
    assert "validation 98.70 % · sparsity 97.00 % · revived 12" in detail


@pytest.mark.parametrize("width", [20, 40, 60, 200])
def test_the_bar_is_dropped_before_the_time_left(width: int) -> None:
    headline = activity(progress(HALF), width, now=60.0)[0]
    assert headline[-1].text.endswith("left")
    assert width < 60 or width_of(headline) <= width


def test_only_an_error_takes_more_lines_than_there_are() -> None:
    long = "no such file " * 20
    assert len(activity(Outcome(long, "press r", "good"), 40)) > 2
    assert text(activity(Outcome("done", "next"), 40)) == ["  done", "  next"]
    assert text(activity(Outcome(long, "press r", "error"), 40))[-1] == "  press r"
    assert text(activity(Outcome(long, "press r", "good"), 40))[-1] != "  press r"
