"""The title line."""

from __future__ import annotations

from dataclasses import replace

from core.settings.recipe_changes import RecipeChanges
from core.settings.settings import Settings
from tests.tui.scripted_nets import net
from tui.state.state import State
from tui.views.panels.title import title

START = State().with_dense(net())


def test_the_title_says_what_the_base_is():
    def text(state: State) -> str:
        return "".join(span.text for span in title(state, 120)[0])

    assert "cnn5 on mnist · base: dense · recipe fast, 5 epochs" in text(START)
    untrained = State().with_dense(replace(net(), trained=False))
    assert "base: dense, untrained" in text(untrained)
    mine = Settings(model="tests/core/user_nets.py:SOURCE", dataset="folder:tests")
    assert "user_nets.SOURCE on tests" in text(replace(START, settings=mine))


def test_a_changed_recipe_has_an_asterisk():
    def text(changes: RecipeChanges) -> str:
        state = replace(START, settings=replace(START.settings, changes=changes))
        return "".join(span.text for span in title(state, 120)[0])

    assert "recipe fast*, one-shot, 5 epochs" in text(RecipeChanges(method="one-shot"))
    assert "recipe fast*, 1 epoch" in text(RecipeChanges(epochs=1))
