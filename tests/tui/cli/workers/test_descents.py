"""The live table of trials side by side, and what stays in a log."""

from __future__ import annotations

from io import StringIO
from types import SimpleNamespace
from typing import Any

from rich.console import Console

from core.events import Accuracy, Batch, Epoch, Event, Notice, Progress, Stream
from core.executors.events import TrialBegan, TrialLabel, TrialLost, TrialOver, TrialReported
from core.lightest.trials import DescentStarted, PackingStarted, Trial, TrialFinished
from core.settings.settings import Settings
from tui.cli.workers.descents import Descents, drive_descents, lines

FIRST, SECOND = TrialLabel(1, "5.5x", 0), TrialLabel(2, "30.0x", 0)

NOTHING: Any = None
RESULT: Any = SimpleNamespace(accuracy=Accuracy(99.2, 99.1), run="0001")
TRIAL = Trial(1, 5.5, 2, Settings(), NOTHING, {}, RESULT, True, 7_000.0, True)

EVENTS: tuple[Event, ...] = (
    Progress("planning", 1, 4, "trials"),
    DescentStarted(0, "parameters", 99.0),
    TrialBegan(FIRST, "0001", 5.5, resumed=True),
    TrialBegan(SECOND, "0002", 30.0, resumed=False),
    TrialReported(SECOND, Batch(1, 2, 100, 100, 0.1, 90.0, 1.0)),
    TrialReported(FIRST, Epoch(1, 0.1, 98.5, 1.0, 0.9, True, 0)),
    TrialReported(SECOND, Notice("few images", warning=True)),
    TrialOver(FIRST),
    TrialFinished(TRIAL, "parameters"),
    TrialLost(SECOND, "killed"),
    TrialBegan(SECOND, "0002", 30.0, resumed=False),
    TrialReported(SECOND, PackingStarted()),
)


def shown(events: tuple[Event, ...]) -> list[str]:
    descents = Descents()
    for second, event in enumerate(events):
        descents = descents.after(event, float(second))
    return [line.plain.rstrip() for line in lines(descents, 100)]


def test_the_table_has_the_trials_in_progress_below_those_that_ended() -> None:
    assert shown(EVENTS[:1]) == ["planning 25%"]
    _, first, second = shown(EVENTS[:7])
    assert first.split() == ["5.5x", "1", "0", "98.50", "5.50x"]
    assert second.split() == ["30.0x", "2", "0", "1/2", "50%", "30.00x"]
    _, ended, _, last = shown(EVENTS)
    assert ended.split()[-2:] == ["passed", "0001"]
    assert last.split() == ["30.0x", "2", "0", "30.00x"]


def test_a_log_names_the_trial_of_every_line() -> None:
    def stream() -> Stream[None]:
        yield from EVENTS

    console = Console(file=StringIO(), width=100)
    drive_descents(stream(), console)
    assert console.file.getvalue().splitlines() == [
        "seed 0: the fewest parameters with at least 99.00 % on validation",
        "trial 1 (5.5x, seed 0) resumed, run 0001",
        "trial 2 (30.0x, seed 0), run 0002",
        "trial 1 (5.5x, seed 0): epoch 1: validation 98.50 %, 1.0 s",
        "trial 2 (30.0x, seed 0): warning: few images",
        "trial 1, seed 0: 5.5x, 7,000 parameters: 99.20 % on validation, passed",
        "trial 2 (30.0x, seed 0): lost its worker (killed); another one resumes it",
        "trial 2 (30.0x, seed 0), run 0002",
    ]
