"""Another criterion: the weights are ranked in a job, and everything shown follows from it."""

from __future__ import annotations

import pytest
from textual.widgets import Label

from core.settings.recipe_changes import RecipeChanges
from core.settings.settings import Settings
from tests.tui.conftest import idle, ready, settled, until
from tests.tui.history.test_rows import tuned
from tests.tui.scripted import Scripted
from tui.app import FeatherweightApp
from tui.plots.histogram import LABEL
from tui.state.recipe_form import ROWS
from tui.state.run_rows import differences
from tui.views.plot_data import histogram
from tui.widgets.lines import LinesWidget

TO_CRITERION = ("c", *["down"] * list(ROWS).index("criterion"), "right", "enter")


def label(app: FeatherweightApp) -> str:
    return histogram(app.state, 80).label


async def test_a_change_of_criterion_ranks_the_weights_and_undo_goes_back():
    backend = Scripted()
    app = FeatherweightApp(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("m", "enter", "p")
        await idle(pilot)
        plain = app.state
        assert plain.current is not None
        await pilot.press(*TO_CRITERION)
        await idle(pilot)
        ranked = app.state
        assert backend.started == ["prune", "rank by wanda, seed 0"]
        assert (label(app), ranked.recipe.criterion) == ("Importance by wanda", "wanda")
        assert ranked.what_ifs != plain.what_ifs
        assert ranked.planned == plain.planned
        assert ranked.current is None, "what was pruned by magnitude is another net"
        assert "by wanda" in app.main_screen.query_one("#title").lines[0][1].text
        await pilot.press("p")
        await idle(pilot)
        assert app.state.current is not None
        await pilot.press("u", "u")
        assert (label(app), app.state.what_ifs) == (LABEL, plain.what_ifs)
        assert app.state.current is not None
        await pilot.press("U")
        await idle(pilot)
        assert (label(app), app.state.what_ifs) == ("Importance by wanda", ranked.what_ifs)
        assert backend.started == ["prune", "rank by wanda, seed 0", "prune"], "it is known"


async def test_a_ranking_that_is_stopped_leaves_the_weights_in_order_and_says_so():
    backend = Scripted(pause_at=0, settings=Settings(changes=RecipeChanges(criterion="taylor")))
    app = FeatherweightApp(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda _: backend.paused.is_set())
        assert label(app) == f"{LABEL}, not ranked by taylor yet"
        before = app.state.planned
        await pilot.press("x", "right")
        backend.go.set()
        await idle(pilot)
        await settled(pilot)
        assert backend.started == ["rank by taylor, seed 0"], "it is not begun again"
        assert app.state.planned != before
        assert label(app) == f"{LABEL}, not ranked by taylor yet"


async def test_jobs_get_the_criterion():
    seen: list[str] = []

    class Noting(Scripted):
        def scan(self, base, settings, stop):
            seen.append(settings.finetuning().criterion)
            return super().scan(base, settings, stop)

        def prune(self, base, plan, settings, stop):
            seen.append(settings.finetuning().criterion)
            return super().prune(base, plan, settings, stop)

    app = FeatherweightApp(Noting(settings=Settings(changes=RecipeChanges(criterion="obs"))))
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await idle(pilot)
        for key in "sp":
            await pilot.press(key)
            await idle(pilot)
        assert seen == ["obs", "obs"]
        assert app.state.base_scan is not None
        await pilot.press("c", *["down"] * list(ROWS).index("criterion"), "backspace", "enter")
        await idle(pilot)
        assert app.state.base_scan is None, "the scan is by another criterion"


async def test_a_goal_by_another_criterion_ranks_the_weights_first_in_one_step_of_undo():
    backend = Scripted()
    app = FeatherweightApp(backend)
    async with app.run_test(size=(60, 20)) as pilot:
        await ready(pilot)
        before = app.state
        await pilot.press("g", "tab")
        await until(pilot, lambda app: "ranks the weights by wanda first" in preview(app))
        assert "ranked by wanda" in str(app.screen.query_one(".dialog--title", Label).render())
        await pilot.press("enter")
        await idle(pilot)
        assert backend.started == ["rank by wanda, seed 0"]
        assert app.state.recipe.criterion == "wanda"
        assert app.state.footprint.ratio == pytest.approx(60, rel=0.02)
        assert label(app) == "Importance by wanda"
        await pilot.press("g")
        await until(pilot, lambda app: "kept" in preview(app))
        await pilot.press("shift+tab", "enter")
        await idle(pilot)
        assert (app.state.recipe.criterion, label(app)) == ("magnitude", LABEL)
        await pilot.press("u", "u")
        assert (app.state.settings, app.state.planned) == (before.settings, before.planned)


def preview(app: FeatherweightApp) -> str:
    lines = app.screen.query_one("#preview", LinesWidget).lines
    return " ".join(span.text for line in lines for span in line)


def test_the_history_tells_runs_by_their_criterion():
    one, other = tuned(1, 12, 99.3), tuned(2, 12, 99.1, choices={"criterion": "obs"})
    assert differences(one, other) == (("criterion", "magnitude", "obs"),)
    assert one.recipe_and_method == "fast gradual"
    assert other.recipe_and_method == "fast gradual by obs"
