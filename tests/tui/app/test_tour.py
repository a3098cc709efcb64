"""The tour: five cards that fit in 60x20; it opens only where it is asked to."""

from __future__ import annotations

import pytest

from tests.tui.conftest import ready, until
from tests.tui.scripted import Scripted
from tui.app import FeatherweightApp
from tui.keys.key import use_keys
from tui.preferences.first_start import is_first_start
from tui.screens.help.screen import HelpScreen
from tui.screens.help.tour import CARDS, ROWS, WIDTH, TourScreen, card_lines
from tui.screens.question import Choice
from tui.text.lines import width_of


@pytest.mark.parametrize("keys", [{}, {"find-layers": ("ctrl+f",), "predictions": ("f12",)}])
@pytest.mark.parametrize("at", range(len(CARDS)))
def test_every_card_fits(at: int, keys: dict):
    use_keys(keys)
    try:
        lines = card_lines(at)
    finally:
        use_keys({})
    assert len(CARDS) == 5
    assert len(lines) == ROWS
    assert max(map(width_of, lines)) <= WIDTH


async def test_the_tour_comes_first_and_questions_after_it():
    app = FeatherweightApp(Scripted())
    app.shows_tour = True
    assert is_first_start()
    async with app.run_test(size=(60, 20)) as pilot:
        await ready(pilot)
        assert isinstance(app.screen, TourScreen)
        card = app.screen.query_one("#card")
        assert card.region.right <= 60
        assert card.region.bottom <= 20
        await pilot.press("enter", "left", "enter", "enter")
        assert app.screen.at == 2
        taken: list[str] = []
        app.session.ask(
            Choice("What comes next?", [("this", "", "the question waits")]), taken.append
        )
        await pilot.press("enter")
        assert isinstance(app.screen, TourScreen)
        await pilot.press("enter", "enter")
        await until(pilot, lambda app: isinstance(app.screen, Choice))
        await pilot.press("enter")
        assert taken == ["this"]
        assert app.screen is app.main_screen
        assert not is_first_start()


async def test_without_a_wish_there_is_no_tour_and_the_help_opens_it():
    app = FeatherweightApp(Scripted())
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("n", "M", "t")
        assert isinstance(app.screen, HelpScreen), "the messages are no help"
        await pilot.press("escape", "question_mark")
        assert isinstance(app.screen, HelpScreen)
        await pilot.press("t")
        assert isinstance(app.screen, TourScreen)
        await pilot.press("escape")
        assert app.screen is app.main_screen
