"""Numbers as short texts, and numbers that can be drawn."""

import doctest

from hypothesis import given
from hypothesis import strategies as st

from tui.plots.drawing import numbers
from tui.plots.drawing.numbers import amounts


def test_the_examples_in_docstrings_hold() -> None:
    failed, tried = doctest.testmod(numbers)
    assert (failed, tried > 0) == (0, True)


@given(st.lists(st.floats()))
def test_amounts_are_numbers_that_a_plot_can_draw(values: list[float]) -> None:
    assert all(0 <= amount <= 1e15 for amount in amounts(values))
