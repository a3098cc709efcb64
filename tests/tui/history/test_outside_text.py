"""What records and notes of runs say is drawn as it is, in every view of the history."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.experiments.experiment import Experiment
from tests.tui.conftest import until
from tests.tui.history.histories import outcome, record, tuning, weights
from tests.tui.hostile import HOSTILE, MARKUP
from tests.tui.looks.test_outside_text import NAME, drawn
from tests.tui.scripted import Scripted
from tui.app import FeatherweightApp
from tui.screens.history.screen import HistoryScreen

pytestmark = pytest.mark.usefixtures("soon")

SHAPES = {f"{NAME}{place}": (4, 6) for place in range(3)}
PLAN = dict.fromkeys(SHAPES, 0.5)
TEXTS = dict.fromkeys(("model", "dataset", "recipe", "device", "error"), HOSTILE)


@pytest.fixture
def hostile(tmp_path: Path) -> Experiment:
    """Two runs of nets and notes from elsewhere, and two damaged records."""
    experiment = Experiment(tmp_path / "[b]\x1b[31m")
    for _ in range(2):
        facts = tuning(PLAN, SHAPES, **TEXTS, base={"run": HOSTILE, "weights": HOSTILE})
        ended = outcome(98.1, 98.2, stopped=True)
        run = experiment.begin(record(facts)).finish(
            weights(PLAN, SHAPES), record({**facts, **ended})
        )
        experiment.annotate(run, HOSTILE)
    for text in (HOSTILE, json.dumps({"kind": HOSTILE, "status": HOSTILE})):
        damaged = experiment.begin(record(tuning(PLAN, SHAPES)))
        damaged.finish(weights(PLAN, SHAPES), record(tuning(PLAN, SHAPES)))
        (experiment.find(damaged.id).folder / "run.json").write_text(text, encoding="utf-8")
    return experiment


async def test_runs_of_any_text_are_drawn_in_every_view(hostile: Experiment) -> None:
    app = FeatherweightApp(Scripted())
    async with app.run_test(size=(140, 40)) as pilot:
        history = HistoryScreen(hostile, current=None, dense=99.18)
        app.push_screen(history)

        async def rests() -> str:
            await until(
                pilot,
                lambda _: history.run_list.rows is not None and not (history.busy or history.stale),
            )
            return await drawn(pilot)

        seen = []
        for key in ("home", "down", "end", "v", "space", "up", "space", "v", "v", "v"):
            await pilot.press(key)
            seen.append(await rests())
        for key in ("n", "escape", "delete", "escape"):
            await pilot.press(key)
            seen.append(await drawn(pilot))
        assert sum(MARKUP in text for text in seen) == len(seen)
        assert any("[/a]?[1m" in text for text in seen)
