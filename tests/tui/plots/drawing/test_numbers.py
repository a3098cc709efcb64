"""Numbers as short texts, and numbers that can be drawn."""

from hypothesis import given
from hypothesis import strategies as st

from tui.plots.drawing.numbers import amounts


@given(st.lists(st.floats()))
def test_amounts_are_numbers_that_a_plot_can_draw(values: list[float]) -> None:
    assert all(0 <= amount <= 1e15 for amount in amounts(values))
