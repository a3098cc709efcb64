"""Axes: where values lie on them, and round ticks that do not run into each other."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.plots.drawing.ticks import (
    Axis,
    epoch_axis,
    linear_ticks,
    nice_step,
    sqrt_ticks,
    unit_ticks,
)
from tui.text.units import BYTES, COUNTS, Units


@given(st.floats(-1e9, 1e9), st.integers(1, 80))
def test_a_value_lies_in_a_cell_of_the_axis(value: float, cells: int) -> None:
    cell = Axis(0.0, 1.0).cell(value, cells)
    assert 0 <= cell < cells
    if 0 <= value < 1:
        assert cell <= value * cells < cell + 1 + 1e-6


@given(st.floats(1e-6, 1e9), st.integers(1, 20))
def test_a_nice_step_is_the_smallest_round_one_of_few_enough_parts(span: float, parts: int) -> None:
    step = nice_step(span, parts)
    assert span / step <= parts * (1 + 1e-9)
    digit = f"{step:e}"[0]
    assert digit in "125"
    smaller = {"1": 0.5, "2": 0.5, "5": 0.4}[digit] * step
    assert span / smaller > parts * (1 - 1e-9)


@given(st.floats(0.01, 1e5), st.integers(1, 10))
def test_linear_ticks_are_a_step_apart_and_have_different_texts(upper: float, parts: int) -> None:
    step = nice_step(upper, parts)
    ticks = linear_ticks(0, upper, step)
    assert len(ticks) >= 2 or step > upper
    assert len({tick.text for tick in ticks}) == len(ticks)
    for one, other in pairwise(ticks):
        assert other.at - one.at == pytest.approx(step, rel=1e-6)


@given(st.floats(1, 1e12), st.integers(1, 10), st.sampled_from([COUNTS, BYTES]))
def test_ticks_of_a_unit_begin_at_zero_and_stay_on_the_axis(
    upper: float, parts: int, units: Units
) -> None:
    ticks = unit_ticks(upper, parts, units)
    assert ticks[0] == (0, "0", "label")
    assert all(tick.at <= upper * (1 + 1e-6) for tick in ticks)


@given(st.floats(1, 1e9), st.integers(2, 40))
def test_square_root_ticks_have_rows_of_their_own(upper: float, rows: int) -> None:
    ticks = sqrt_ticks(upper, rows)
    places = sorted(tick.at / math.sqrt(upper) * rows for tick in ticks)
    assert places[0] == 0
    assert all(other - one >= 1 - 1e-9 for one, other in pairwise(places))


@given(st.floats(1, 1e6), st.integers(20, 200))
def test_an_epoch_has_one_label_at_most(epochs: float, width: int) -> None:
    axis = epoch_axis(epochs, width)
    assert all(tick.at == int(tick.at) for tick in axis.ticks)
    assert len(axis.ticks) <= width // 5 + 1
