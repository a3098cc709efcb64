"""Accuracies and sparsities in percent."""

import math

from hypothesis import given
from hypothesis import strategies as st

from tui.plots.drawing.percents import percent_axis, percent_or_nan, percent_rows


@given(st.none() | st.floats())
def test_a_percentage_is_in_range_or_missing(value: float | None) -> None:
    percentage = percent_or_nan(value)
    assert math.isnan(percentage) or 0 <= percentage <= 100
    assert math.isnan(percentage) == (value is None or not math.isfinite(value))


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


def test_rows_outside_are_dropped_the_others_sorted_and_missing_percentages_are_gaps() -> None:
    rows = percent_rows([(3, 99.5), (1, 98.0), (9, 97.0), (2, math.inf), (math.nan, 90.0)], 2, 5)
    assert rows[:, 0].tolist() == [1, 2, 3]
    assert rows[[0, 2], 1].tolist() == [98.0, 99.5]
    assert math.isnan(rows[1, 1])
