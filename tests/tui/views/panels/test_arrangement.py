"""How panels share the screen."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from tests.tui.scripted_nets import net, residual
from tui.state.state import State
from tui.text.frames import frame_rows
from tui.views.panels.arrangement import AROUND, PLOT_ROWS, Arrangement
from tui.views.panels.scoreboard import ROWS

STATE = State().with_dense(net())


@given(st.integers(20, 300), st.integers(8, 120))
def test_panels_fit_every_terminal(width: int, height: int) -> None:
    for state in (State(), STATE):
        arranged = Arrangement.of(state, width, height)
        assert arranged.plots >= 1
        scoreboard = ROWS[arranged.frame] + frame_rows(arranged.frame)
        below = height - AROUND - scoreboard - arranged.table
        if arranged.left:
            assert arranged.left < width - 20 * arranged.columns
            assert not arranged.left_plot or below >= PLOT_ROWS
        elif height >= 20:
            assert below >= 4


def test_large_screens_show_more_plots() -> None:
    sizes = ((60, 20), (80, 24), (120, 36), (160, 45), (200, 60))
    plots = [Arrangement.of(STATE, *size).plots for size in sizes]
    assert plots == [1, 1, 3, 5, 7]


def test_a_table_of_many_layers_gets_the_rows_of_the_plot_below() -> None:
    many = 30
    listing = STATE.listing.of(STATE.listing.layers * many)
    arranged = Arrangement.of(State(listing=listing), 120, 36)
    assert not arranged.left_plot
    assert arranged.table == 0
    assert arranged.plots == 2


def test_a_folded_table_leaves_its_rows_to_the_plot_below_if_it_can_scroll() -> None:
    folded = State().with_dense(residual())
    assert len(folded.listing.groups) > 6
    unfolded = replace(folded, listing=replace(folded.listing, folded=frozenset()))
    low, high = (Arrangement.of(folded, *size) for size in ((120, 36), (200, 60)))
    assert not low.left_plot
    assert high.table == 1 + len(folded.listing.rows) + frame_rows("box")
    whole = Arrangement.of(unfolded, 200, 60)
    assert whole.table == 60 - AROUND - whole.scoreboard - PLOT_ROWS, "more rows scroll"
    assert high.plots == whole.plots == 7, "no plot moves when a group is unfolded"
