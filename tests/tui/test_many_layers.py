"""Nets with many layers, and with large ones: everything stays on the screen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from core.events import StopFlag, Stream
from core.layers import Layer
from core.whatif import Profile
from core.workbench import Net
from tests.tui.conftest import ready
from tests.tui.scripted import DENSE, Scripted
from tests.tui.test_app import shown
from tui.app import FeatherweightApp
from tui.state import State
from tui.views.table import table

WEIGHTS = np.linspace(-1, 1, 64, dtype=np.float32)


def many(count: int) -> Net:
    layers = (Layer(f"features.{at}.conv", (8, 8), 64, 72) for at in range(count))
    return Net({}, DENSE, tuple(Profile.of(layer, WEIGHTS) for layer in layers), 0)


@dataclass
class Many(Scripted):
    """A net with so many layers."""

    count: int = 16

    def open(self, stop: StopFlag) -> Stream[Net]:
        yield from ()
        return many(self.count)


@pytest.mark.parametrize("count", [16, 500])
@pytest.mark.parametrize("size", [(80, 24), (60, 20), (120, 36)])
async def test_the_plot_the_totals_and_the_keys_stay_in_sight(count, size):
    app = FeatherweightApp(Many(count=count))
    async with app.run_test(size=size) as pilot:
        await ready(pilot)
        width, height = size
        assert app.explore.query_one("#keys").region.bottom == height
        assert app.explore.query_one("#plot-0").size.height >= 5
        assert app.explore.max_scroll_y == 0
        for keys in ((), ("end",), ("down",) * 14):
            await pilot.press(*keys)
            rows = shown(app, "#table").splitlines()
            assert len(rows) == app.explore.query_one("#table").size.height >= 6
            assert any(row.startswith("▶") for row in rows)
        assert app.state.chosen == 14
        assert width == app.size.width


def test_large_numbers_keep_their_distance():
    layer = Layer("classifier.0", (4096, 25_088), 102_760_448, 102_764_544)
    magnitudes = np.array([0.1, 0.2], np.float32)
    profile = Profile(layer, magnitudes, magnitudes, zeros=102_760_444)
    state = State().with_dense(Net({}, DENSE, (profile,), 0))
    for width in (60, 80, 120):
        head, row = ("".join(s.text for s in line) for line in table(state, width, 3))
        assert len(head) == len(row) <= width
        assert " 102,764,544 " in row
