"""Points, their confidence intervals, and scans."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError
from core.pruning.curves import SPARSITIES, UNIFORM_SPARSITIES, Point, Scan, wilson
from core.pruning.plans import parse_sparsities


def test_the_default_sparsities_are_the_references() -> None:
    assert SPARSITIES == (0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)
    assert UNIFORM_SPARSITIES[-2:] == (0.95, 1.0)


@pytest.mark.parametrize(
    ("correct", "images", "expected"),
    [  # Newcombe 1998, "Two-sided confidence intervals for the single proportion", table I
        (81, 263, (0.2553, 0.3662)),
        (15, 148, (0.0624, 0.1605)),
        (0, 20, (0.0, 0.1611)),
        (1, 29, (0.0061, 0.1718)),
    ],
)
def test_an_interval_is_wilsons(correct: int, images: int, expected: tuple[float, float]) -> None:
    assert wilson(correct, images) == pytest.approx(expected, abs=1e-4)


@given(st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_95_percent_of_the_intervals_hold(sample: tuple[int, int]) -> None:
    correct, images = sample
    low, high = wilson(correct, images)
    assert 0 <= low <= correct / images + 1e-12
    assert correct / images - 1e-12 <= high <= 1
    mirrored = wilson(images - correct, images)
    assert mirrored == pytest.approx((1 - high, 1 - low))


@given(st.integers(10, 1000), st.integers(2, 20))
def test_more_images_narrow_the_interval(images: int, times: int) -> None:
    few, many = Point(0.5, images // 3, images), Point(0.5, images // 3 * times, images * times)
    assert many.estimate[1] < few.estimate[1]


def test_stopping_when_the_interval_is_narrow_keeps_the_confidence() -> None:
    """A quick scan checks repeatedly; 95 % of its intervals still hold."""
    random, whole, step, held = np.random.default_rng(0), 10_000, 250, []
    for share in (0.11, 0.6, 0.9, 0.97, 0.98, 0.99, 0.995):
        right = np.arange(whole) < round(share * whole)
        for _ in range(60):
            seen = random.permutation(right).cumsum()[step - 1 :: step]
            points = (Point(0.5, int(k), step * (i + 1)) for i, k in enumerate(seen))
            first = next(point for point in points if point.estimate[1] <= 1.5)
            held.append(first.interval[0] <= 100 * share <= first.interval[1])
    assert np.mean(held) >= 0.95


def test_a_point_without_images_has_no_accuracy() -> None:
    point = Point(0.5)
    assert point.accuracy is None
    assert point.interval == (0.0, 100.0)
    assert wilson(0, 0) == (0.0, 1.0)
    assert not math.isnan(point.estimate[0])


def test_a_scan_is_exact_if_every_point_saw_every_image() -> None:
    whole, part = Point(0.5, 9, 10), Point(0.5, 4, 5)

    def scan(layer: Point, uniform: Point) -> Scan:
        return Scan("test", 10, {"fc": (layer,)}, (uniform,), "fp32", traced=True, stopped=False)

    assert scan(whole, whole).exact
    assert not scan(part, whole).exact
    assert not scan(whole, part).exact


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0.5", (0.5,)),
        ("0.4, 0.9,1", (0.4, 0.9, 1.0)),
        ("0.40:0.95:0.05", SPARSITIES),
        ("0:1:0.1", tuple(place / 10 for place in range(11))),
        ("0.5:0.5:0.1", (0.5,)),
        ("0.5:0.99:0.2", (0.5, 0.7, 0.9)),
    ],
)
def test_sparsities_are_read_from_a_list_or_a_range(text: str, expected: tuple[float, ...]) -> None:
    assert parse_sparsities(text) == pytest.approx(expected)


@pytest.mark.parametrize(
    "text",
    ["", "a", "0.5,", "1.5", "0.1:0.9", "0.9:0.1:0.1", "0:1:0", "nan", "0:1:1e-6", "0.5,0.50"],
)
def test_sparsities_that_are_neither_list_nor_range_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="expected"):
        parse_sparsities(text)
