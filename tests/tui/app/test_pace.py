"""A slow terminal gets fewer frames, never fewer keys."""

from __future__ import annotations

import io

import pytest

from tests.tui.conftest import idle, ready, until
from tui.app import FeatherweightApp
from tui.system.output import Output


class Frames:
    """Counts the frames of an app."""

    def __init__(self, app: FeatherweightApp) -> None:
        self.count = 0
        app.post_display_hook = self._add  # type: ignore[method-assign]

    def _add(self) -> None:
        self.count += 1


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.system.output.SLOW_SECONDS", -1)


def test_an_output_is_behind_until_it_is_flushed() -> None:
    output = Output(io.StringIO())
    assert not output.is_behind
    output.write("a frame")
    assert output.is_behind
    output.flush()
    assert not output.is_behind


async def test_keys_act_while_the_terminal_is_behind_and_share_its_next_frame(
    app: FeatherweightApp,
) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await idle(pilot)
        app.output = Output(io.StringIO())
        app.output.write("a frame that the terminal has not taken")
        frames = Frames(app)
        before = app.state.planned["conv1"]
        await pilot.press(*["right"] * 8, "question_mark")
        await pilot.pause(0.1)
        assert frames.count == 0
        await pilot.press("escape")
        assert app.state.planned["conv1"] == pytest.approx(before + 0.08)
        app.output.flush()
        await until(pilot, lambda app: not app.screen._compositor._dirty_regions)
        assert 0 < frames.count < 8
