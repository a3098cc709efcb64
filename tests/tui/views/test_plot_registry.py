"""The registry of plots: every one can be drawn, and has its place in the order."""

from __future__ import annotations

import pytest

from tests.tui.scripted_nets import net
from tui.keys.keymap import with_keys
from tui.state.state import State
from tui.views.plot_registry import PLOTS, from_plot, needs_of

STATE = State().with_dense(net())


def test_a_state_begins_with_the_first_plot():
    assert State().plot == next(iter(PLOTS))


def test_the_order_goes_round_both_ways():
    first, *_, last = PLOTS
    assert from_plot(last, 1) == (first,)
    assert from_plot(first, -1, number=2) == (last, first)
    assert from_plot(first, len(PLOTS), number=len(PLOTS)) == tuple(PLOTS)


@pytest.mark.parametrize("plot", PLOTS.values(), ids=PLOTS)
def test_every_plot_fills_its_area_before_anything_is_measured(plot):
    lines = plot.draw(STATE, 80, 12)
    assert {sum(len(span.text) for span in line) for line in lines} == {80}
    assert len(lines) == 12
    assert with_keys(plot.hint) in "".join(span.text for line in lines for span in line)
    assert plot.draw(State(), 80, 12) == ()


def test_a_plot_has_to_be_drawn_again_only_where_its_part_of_the_state_changes():
    moved = STATE.choose(2)
    assert PLOTS["histogram"].inputs(moved) != PLOTS["histogram"].inputs(STATE)
    assert PLOTS["speed"].inputs(moved) == PLOTS["speed"].inputs(STATE)


def test_only_visible_plots_have_anything_measured_for_them():
    assert needs_of(("histogram", "size")) == frozenset()
    assert needs_of(("costs", "confusion")) == {"costs", "matrix"}
