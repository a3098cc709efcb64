"""The activity lines."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.events import Batch, Epoch, Event, Notice, Portion, Progress
from core.lightest.trials import DescentStarted
from core.reconstruction.tasks import LayerReconstructed, layer_notice
from tui.state.training_curve import TrainingCurve
from tui.text.lines import Lines, Span, width_of
from tui.views.activity import JobProgress, Outcome, Said, activity


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


def test_the_batch_accuracy_is_that_of_the_accuracy_plot() -> None:
    job, curve = progress(), TrainingCurve(5, finetuning=True)
    for accuracy in (98.5, 90.0, 100.0):
        batch = replace(HALF, accuracy=accuracy)
        job, curve = job.after(batch), curve.after(batch)
    assert f"batch {curve.live[-1][1]:.1f} %" in text(activity(job, 80, now=60.0))[1]


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


LEAD = "the fine-tuned net beats the dense one by 1.2 ±0.4 points on validation: the dense net is "
LEAD += "probably undertrained; more epochs may help it"


@pytest.mark.parametrize("width", [60, 80, 100])
def test_a_warning_is_readable_in_full_while_a_job_runs_and_after_it(width: int) -> None:
    running = activity(progress(HALF, Notice(LEAD, warning=True)), width, now=60.0)
    ended = activity(Outcome("fine-tuned", "a to adopt it", warnings=(LEAD,)), width)
    for lines in (running, ended):
        assert all(width_of(line) <= width for line in lines)
    assert LEAD[:80] in " ".join(line.strip() for line in text(running))
    assert LEAD[:80] in " ".join(line.strip() for line in text(ended))
    if width > 60:
        assert LEAD in " ".join(line.strip() for line in text(ended))


HELD_OUT = "imgs has no test split: held out 10 of 120 images, every twelfth of each class (seed 0)"


def test_only_a_warning_takes_rows_from_the_plots_while_a_job_runs() -> None:
    step = Progress("measuring the dense net on test", 2_000, 10_000, "images")
    for events in ((Notice(HELD_OUT),), (Notice(HELD_OUT), step)):
        _, detail = text(activity(progress(*events), 80, now=60.0))
        assert detail.startswith("  imgs has no test sp")
        assert ("2,000 of 10,000 images" in detail) == (step in events)
        assert len(detail) <= 80
    waits = Said("prune has to wait: fine-tuning to 36.88x is running, x stops it", "plain", 61.0)
    lead = Notice(LEAD, warning=True)
    outcomes = (Outcome("done", "next"), Outcome("done", warnings=(LEAD, LEAD)))
    for shown in (progress(HALF), progress(HALF, lead), *outcomes):
        before = activity(shown, 60, now=60.0)
        lines = text(activity(replace(shown, said=waits), 60, now=60.0))
        assert len(lines) == len(before), "a message moves nothing"
        assert "prune has to wait" in "".join(lines)
        assert "x stops it" in " ".join(line.strip() for line in lines)


def test_the_error_of_a_layer_is_readable_beside_the_step_that_follows() -> None:
    layer = LayerReconstructed("layer2.conv2", 2, 5, 1_280, 0.6213, 0.0541)
    step = Progress("layer2.conv3 (3 of 5): choosing weights", 39, 300, "steps")
    job = progress(layer_notice(layer), step)
    whole = f"layer2.conv2: output error 5.41 % (62.1 % by magnitude) · {step.step}"
    short = f"layer2.conv2: error 62.1 → 5.41 % · {step.step}"
    shown = {width: text(activity(job, width, now=60.0))[1].strip() for width in (120, 100, 80)}
    assert shown == {120: f"{whole} 39 of 300 steps", 100: whole, 80: short}


def test_one_of_many_trainings_does_not_say_how_long_all_of_them_take() -> None:
    one, many = progress(HALF), progress(DescentStarted(0, "parameters", 99.0), HALF)
    assert text(activity(one, 80, now=60.0))[0].endswith("20 s left")
    assert not text(activity(many, 80, now=60.0))[0].endswith("left")


def test_what_does_not_fit_says_where_it_is() -> None:
    many = Outcome("fine-tuned", "a to adopt it", warnings=(LEAD, LEAD))
    shown = text(activity(many, 60))
    assert len(shown) == 4
    assert shown[-1].endswith("… (M: all messages)")


def test_a_message_takes_the_second_line_for_a_moment() -> None:
    said = Said("prune has to wait", "plain", until=61.0)
    for shown in (replace(progress(HALF), said=said), Outcome("done", "next", said=said)):
        lines, later = text(activity(shown, 80, now=60.0)), text(activity(shown, 80, now=61.0))
        assert lines[0] == text(activity(replace(shown, said=None), 80, now=60.0))[0]
        assert lines[1].strip() == "prune has to wait"
        assert later[1] != lines[1]
    (alone,) = text(activity(Outcome("", said=said), 80, now=60.0))
    assert alone.strip() == "prune has to wait"


def test_a_job_that_stops_drops_its_estimate_and_says_what_it_waits_for() -> None:
    job = replace(progress(Portion(0.0, 0.9), HALF), recipe="fast").stop(now=60.0)
    headline, detail = text(activity(job, 100, now=62.0))
    assert headline.startswith("  stopping: fine-tune")
    assert headline.endswith("  2 s")
    assert "left" not in headline
    assert "fast" not in headline, "the recipe no longer matters"
    assert "%" not in headline
    assert detail.strip() == "waiting for the current batch to end"
    step = Progress("measuring the fine-tuned net on test", 2_500, 10_000, "images")
    for event in (HALF, Portion(0.9, 1.0), step):
        job = job.after(event)
    headline, detail = text(activity(job, 100, now=62.0))
    assert " 25 %" in headline
    assert detail.strip() == "measuring the fine-tuned net on test 2,500 of 10,000 images"


def test_the_recipe_of_a_training_is_shown_if_there_is_room() -> None:
    job = JobProgress("fine-tuning to 36.88x", 0.0, recipe="fast")
    for width, shown in ((80, True), (30, False)):
        spans = activity(job, width, 1.0)[0]
        assert (Span(" fast ", "chip") in spans) == shown
        assert width_of(spans) <= width
