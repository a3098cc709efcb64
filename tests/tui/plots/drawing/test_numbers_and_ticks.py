"""Numbers that fit beside an axis, and round places on it that do not run into each other."""

from __future__ import annotations

import doctest
import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.plots.drawing import numbers, percents, ticks
from tui.plots.drawing.numbers import BYTES, COUNTS, Units, amounts, short, unit
from tui.plots.drawing.percents import percent_axis, percent_or_nan
from tui.plots.drawing.ticks import linear_ticks, nice_step, sqrt_ticks, unit_ticks

ANYTHING = st.floats(allow_nan=True, allow_infinity=True)


@pytest.mark.parametrize("module", [numbers, percents, ticks])
def test_the_examples_in_docstrings_hold(module: object) -> None:
    failed, tried = doctest.testmod(module)
    assert (failed, tried > 0) == (0, True)


@given(st.floats(1, 1e12), st.sampled_from([COUNTS, BYTES]))
def test_a_number_has_at_least_one_of_its_unit(number: float, units: Units) -> None:
    size, name = unit(number, units)
    assert number >= size
    assert all(other <= size for other, _ in units if number >= other)
    assert (size, name) in units


@given(st.floats(0, 1e12))
def test_a_short_number_is_near_what_it_stands_for(number: float) -> None:
    text = short(number)
    factor = {"K": 1e3, "M": 1e6, "G": 1e9}.get(text[-1:], 1)
    value = float(text.rstrip("KMG").replace(",", "")) * factor
    assert value == pytest.approx(number, rel=0.06, abs=0.5)


@given(st.lists(ANYTHING))
def test_amounts_are_numbers_that_a_plot_can_draw(values: list[float]) -> None:
    assert all(0 <= it <= 1e15 for it in amounts(values))


@given(st.none() | ANYTHING)
def test_a_percentage_is_within_its_range_or_nothing(value: float | None) -> None:
    made = percent_or_nan(value)
    assert math.isnan(made) or 0 <= made <= 100
    assert math.isnan(made) == (value is None or not math.isfinite(value))


@given(st.floats(1e-6, 1e9), st.integers(1, 20))
def test_a_nice_step_is_the_smallest_round_one_of_few_enough_parts(span: float, parts: int) -> None:
    step = nice_step(span, parts)
    assert span / step <= parts * (1 + 1e-9)
    digit = f"{step:e}"[0]
    assert digit in "125"
    smaller = {"1": 0.5, "2": 0.5, "5": 0.4}[digit] * step
    assert span / smaller > parts * (1 - 1e-9)


@given(st.floats(0, 100), st.floats(0, 100), st.integers(2, 40))
def test_an_axis_of_percentages_holds_them_with_a_row_for_each_label(
    one: float, other: float, rows: int
) -> None:
    low, high = min(one, other), max(one, other)
    axis = percent_axis(low, high, rows)
    assert 0 <= axis.lower <= low + 1e-4
    assert high - 1e-4 <= axis.upper <= 100
    assert axis.lower < axis.upper
    assert len(axis.ticks) <= rows
    assert all(axis.lower - 1e-6 <= tick.at <= axis.upper + 1e-6 for tick in axis.ticks)


@given(st.floats(0.01, 1e5), st.integers(1, 10))
def test_linear_ticks_rise_by_a_step_and_are_told_apart(upper: float, parts: int) -> None:
    step = nice_step(upper, parts)
    made = linear_ticks(0, upper, step)
    assert len(made) >= 2 or step > upper
    assert len({tick.text for tick in made}) == len(made)
    for one, other in pairwise(made):
        assert other.at - one.at == pytest.approx(step, rel=1e-6)


@given(st.floats(1, 1e12), st.integers(1, 10), st.sampled_from([COUNTS, BYTES]))
def test_ticks_of_a_unit_begin_at_zero_and_stay_on_the_axis(
    upper: float, parts: int, units: Units
) -> None:
    made = unit_ticks(upper, parts, units)
    assert made[0] == (0, "0", "label")
    assert all(tick.at <= upper * (1 + 1e-6) for tick in made)


@given(st.floats(1, 1e9), st.integers(2, 40))
def test_square_root_ticks_have_rows_of_their_own(upper: float, rows: int) -> None:
    made = sqrt_ticks(upper, rows)
    places = sorted(tick.at / math.sqrt(upper) * rows for tick in made)
    assert places[0] == 0
    assert all(other - one >= 1 - 1e-9 for one, other in pairwise(places))
