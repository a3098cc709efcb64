"""How long the app takes to handle a key with a net of 500 layers.

The real app at 120x36 with 500 layers of 20,000 weights in groups of ten and a hundred. The time
includes all that a key does before the next one is read: the new plan, the table, the totals and,
as after a pause, both plots.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from statistics import median
from time import perf_counter

import numpy as np

from core.jobs.net import Net
from core.nets.layers import Layer
from core.pruning.what_if import Profile
from tests.benchmarks.support.figures import Figure
from tests.tui.conftest import ready
from tests.tui.scripted import Many
from tests.tui.scripted_nets import DENSE
from tui.app import FeatherweightApp
from tui.widgets.plot import PlotPanel

LAYERS, WEIGHTS = 500, 20_000
TURNS = 25
KEYS: dict[str, Callable[[FeatherweightApp], None]] = {
    "down": lambda app: app.planning.choose(1),
    "one layer": lambda app: app.planning.nudge(1),
    "all layers": lambda app: app.planning.copy_to_listed(),
    "fold all": lambda app: app.layer_list.fold_all(),
}


def figures(wanted: tuple[str, ...]) -> list[Figure]:
    seconds = asyncio.run(_keys())
    detail = {f"{key} ms": 1000 * median(times) for key, times in seconds.items()}
    return [
        Figure(
            key="many_layers_ms",
            what=f"a key with {LAYERS} layers, plots included, median of the slowest key",
            value=max(detail.values()),
            unit=" ms",
            limit=50,
            at_least=False,
            detail=detail,
        )
    ]


async def _keys() -> dict[str, list[float]]:
    """Seconds of each press, by key."""
    app = FeatherweightApp(Many(net=_net()))
    seconds: dict[str, list[float]] = {key: [] for key in KEYS}
    async with app.run_test(size=(120, 36)) as pilot:
        await ready(pilot)
        folded = replace(app.state, listing=app.state.listing.fold_all())
        app.session.show(folded.choose(200))
        for turn in range(TURNS):
            for key, times in seconds.items():
                start = perf_counter()
                KEYS[key](app)
                _draw_plots(app)
                times.append(perf_counter() - start)
            await pilot.pause()
            folded = replace(app.state, listing=app.state.listing.fold_all())
            app.session.show(folded.choose(200 + turn))
    return seconds


def _draw_plots(app: FeatherweightApp) -> None:
    """Draw all plots at once; the screen would draw one after the other."""
    panels, names = app.main_screen.query(PlotPanel), app.main_screen.visible_plots(app.state)
    for panel, name in zip(panels, names, strict=False):
        panel.show(app.state, name)


def _net() -> Net:
    rng = np.random.default_rng(0)
    profiles = []
    for index in range(LAYERS):
        name = f"layer{index // 100}.{index // 10 % 10}.conv{index % 10}"
        layer = Layer(name, (WEIGHTS // 10, 10), WEIGHTS, WEIGHTS, kind="convolution")
        profiles.append(Profile.of(layer, rng.normal(size=WEIGHTS).astype(np.float32)))
    return Net({}, DENSE, tuple(profiles), 0)
