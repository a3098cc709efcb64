"""What the screen of a sweep says before and without trials."""

from __future__ import annotations

import pytest

from tui.state.sweep.board import Board
from tui.views.sweep_view import table


@pytest.mark.parametrize(("over", "words"), [(False, "starting"), (True, "no trial was started")])
def test_a_sweep_without_trials_says_whether_it_is_over(over: bool, words: str) -> None:
    [line] = table(Board(over=over), 60, 10)
    assert "".join(span.text for span in line).strip() == words
