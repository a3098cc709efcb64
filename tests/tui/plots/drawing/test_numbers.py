"""Numbers as short texts, and numbers that can be drawn."""

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.plots.drawing import numbers
from tui.plots.drawing.numbers import BYTES, COUNTS, Units, amounts, short, unit


def test_the_examples_in_docstrings_hold() -> None:
    failed, tried = doctest.testmod(numbers)
    assert (failed, tried > 0) == (0, True)


@given(st.floats(1, 1e12), st.sampled_from([COUNTS, BYTES]))
def test_a_number_has_at_least_one_of_its_unit(number: float, units: Units) -> None:
    size, name = unit(number, units)
    assert number >= size
    assert all(other <= size for other, _ in units if number >= other)
    assert (size, name) in units


@given(st.floats(0, 1e12))
def test_a_short_number_is_close_to_the_exact_one(number: float) -> None:
    text = short(number)
    factor = {"K": 1e3, "M": 1e6, "G": 1e9}.get(text[-1:], 1)
    value = float(text.rstrip("KMG").replace(",", "")) * factor
    assert value == pytest.approx(number, rel=0.06, abs=0.5)


@given(st.lists(st.floats()))
def test_amounts_are_numbers_that_a_plot_can_draw(values: list[float]) -> None:
    assert all(0 <= amount <= 1e15 for amount in amounts(values))
