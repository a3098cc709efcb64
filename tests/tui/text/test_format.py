"""Numbers as a person reads them."""

from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.events import Accuracy
from core.lightest.trials import Trial
from core.settings.settings import Settings
from tests.tui.scripted_nets import net
from tui.text import format as written


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59.4, "59 s"), (59.6, "1:00"), (187, "3:07"), (7509, "2:05:09")],
)
def test_a_duration_is_rounded_before_it_is_split(seconds: float, text: str) -> None:
    assert written.duration(seconds) == text


@given(st.integers(0, 10**7))
def test_a_duration_of_whole_seconds_can_be_read_back(seconds: int) -> None:
    text = written.duration(seconds)
    parts = [int(part) for part in text.removesuffix(" s").split(":")]
    assert sum(part * 60**place for place, part in enumerate(reversed(parts))) == seconds


@given(st.floats(1e-6, 1e3))
def test_milliseconds_have_three_digits_that_count(seconds: float) -> None:
    made = float(written.milliseconds(seconds).replace(",", ""))
    assert made == pytest.approx(1000 * seconds, rel=0.006)


@pytest.mark.parametrize(("value", "text"), [(36.876, "36.88x"), (math.inf, "∞x"), (1.0, "1.00x")])
def test_a_ratio_has_two_decimals_or_is_infinite(value: float, text: str) -> None:
    assert written.ratio(value) == text


@pytest.mark.parametrize(("value", "text"), [(2.04, "2.0x"), (1.0, "1.0x"), (0.5, "2.0x slower")])
def test_a_slower_engine_says_how_many_times(value: float, text: str) -> None:
    assert written.gain(value) == text


@pytest.mark.parametrize(
    ("images", "good", "text"),
    [
        (5_000, True, "5.0x, 1,200 bytes: 100.00 % on validation, passed"),
        (120, True, "5.0x, 1,200 bytes: 100 ±2 % on validation, passed"),
        (120, False, "5.0x, 1,200 bytes: 100 ±2 % on validation, too low"),
    ],
)
def test_a_trial_has_an_interval_on_few_images(images: int, good: bool, text: str) -> None:
    result = SimpleNamespace(accuracy=Accuracy(100.0, 99.0, (images, images)))
    trial = Trial(1, 5.0, 5, Settings(), net(), {}, result, good, 1200.0, good)
    assert written.trial_result(trial, "bytes") == text


def test_a_trial_that_is_no_lighter_or_has_no_file_says_so() -> None:
    result = SimpleNamespace(accuracy=Accuracy(99.0, 99.0))
    trial = Trial(1, 5.0, 5, Settings(), net(), {}, result, True, 1200.0, False)
    assert written.verdict(trial) == "no lighter"
    without = replace(trial, accurate=False, cost=None)
    assert written.trial_result(without, "bytes") == "5.0x: 99.00 % on validation, too low"


def test_counts_percentages_and_differences() -> None:
    assert written.count(228_010) == "228,010"
    assert written.percent(99.4) == "99.40"
    assert (written.difference(0.5), written.difference(-0.09)) == ("+0.50", "-0.09")
    assert (written.plural(1, "epoch"), written.plural(2, "epoch")) == ("1 epoch", "2 epochs")


def test_a_sample_says_of_how_many_and_a_share_how_exact_it_is() -> None:
    assert written.images_of(5_000, 5_000, "test") == "5,000 test images"
    assert written.images_of(200, 10_000, "test") == "200 of 10,000 test images"
    assert written.measured_share(None, None) == "–"
    assert written.measured_share(45.318, None) == "45.32"
    assert written.measured_share(45.318, 0.514) == "45.32 ±0.51"
