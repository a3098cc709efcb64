"""Recipe files in the app: what is written and opened is the same plan."""

from __future__ import annotations

import pytest

from tests.tui.conftest import idle, ready
from tests.tui.features.test_exploring import said_in_dialog, typed
from tests.tui.scripted import Many, residual
from tui.app import FeatherweightApp

pytestmark = pytest.mark.slow


async def test_a_recipe_written_and_opened_is_the_same_plan_with_its_results(app, tmp_path):
    path = tmp_path / "mine.toml"
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        exact = {name: 0.9 + 1e-9 * place for place, name in enumerate(app.state.layer_names)}
        app.session.show(app.state.set_plan({**exact, "fc1": 1 - 841 / 147_456}))
        await pilot.press("p")
        await idle(pilot)
        before = app.state
        for key in ("w", "o"):
            await pilot.press(key)
            await typed(pilot, str(path))
            await pilot.press("enter")
        assert "\nconv1 = 0.9\nconv2 = 0.9\nconv3 = 0.9\nfc1 = 0.994297\n" in path.read_text()
        assert app.state.planned == before.planned
        assert app.state.is_current(app.state.pruned)
        assert len(app.state.past) == len(before.past)


async def test_a_group_in_a_recipe_file_works_as_in_the_table(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("[sparsity]\nlayer3 = 0.9\n'layer3.*.conv2' = 0.95\nlayr4 = 0.5\n")
    app = FeatherweightApp(Many(net=residual()))
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("o")
        await typed(pilot, str(path))
        await pilot.press("enter")
        assert "line 4: unknown layer 'layr4'" in said_in_dialog(app)
        assert "did you mean 'layer4'" in said_in_dialog(app)
        path.write_text(path.read_text().replace("layr4 = 0.5", ""))
        await typed(pilot, str(path))
        await pilot.press("enter")
        sparser = {f"layer3.{block}.conv2" for block in range(6)}
        assert app.state.planned == {
            name: 0.95 if name in sparser else 0.9 if name.startswith("layer3.") else 0.0
            for name in app.state.layer_names
        }
