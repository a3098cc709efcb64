"""The live table of a sweep, and the lines of a log."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from core.events import Accuracy, Epoch, Event, Notice, Stream
from core.executors.events import TrialBegan, TrialLabel, TrialLost, TrialReported
from core.experiments.run_record import FINETUNE, RunRecord, StageAccuracies
from core.pruning.goals import Goal
from core.settings.settings import Settings
from core.sweep.choices import PlanAxes
from core.sweep.grid import Grid
from core.sweep.live.events import (
    SweepPlanned,
    SweepProgress,
    SweepResult,
    TrialEnded,
    TrialOutcome,
    TrialProgress,
)
from core.sweep.live.folder import SweepFolder
from core.sweep.summary import group_results
from tui.cli.sweeps.board import front_text, lines
from tui.cli.sweeps.printing import drive_in_log
from tui.cli.sweeps.watcher import Watcher
from tui.state.sweep.board import Board

GRID = Grid(PlanAxes((Goal("ratio", 10.0), Goal("ratio", 20.0))), {"seed": (0, 1)})
TRIALS = tuple(trial.label for trial in GRID.trials(Settings.of))
FIRST, SECOND, *REST = TRIALS
RECORD = RunRecord(
    kind=FINETUNE, ratio=10.0, accuracy=StageAccuracies(finetuned=Accuracy(99.2, 99.3))
)
DONE = TrialOutcome(FIRST, RECORD, "0001", is_new=True)
EVENTS: tuple[Event, ...] = (
    SweepProgress(step="planning", done=0.25),
    SweepPlanned(TRIALS, recorded=1),
    TrialBegan(FIRST, "0001", 10.0, resumed=True),
    TrialBegan(SECOND, "0002", 10.0, resumed=False),
    SweepProgress((TrialProgress(SECOND, 0.5, 1, 2),)),
    TrialReported(SECOND, Epoch(1, 0.1, 98.5, 1.0, 0.9, True, 0)),
    TrialReported(SECOND, Notice("few images", warning=True)),
    TrialEnded(DONE),
    TrialLost(SECOND, "killed"),
    TrialBegan(SECOND, "0002", 10.0, resumed=False),
    TrialEnded(TrialOutcome(SECOND, None, None, is_new=True, error="out of memory")),
    TrialEnded(TrialOutcome(REST[0], RECORD, "0007")),
)
RESULT = SweepResult((DONE,), tuple(REST), stopped=False)


def board_of(events: tuple[Event, ...]) -> Board:
    board = Board()
    for second, event in enumerate(events):
        board = board.after(event, float(second))
    return board


def shown(events: tuple[Event, ...], width: int = 80, height: int = 24) -> list[str]:
    board = board_of(events)
    return [line.plain.rstrip() for line in lines(board, width, height, len(events))]


def test_the_table_shows_trials_in_progress_and_those_that_ended() -> None:
    assert shown(EVENTS[:1]) == ["planning 25%"]
    assert shown(EVENTS[:2]) == ["0 of 4 trials done, waiting for a worker"]
    assert shown(EVENTS[:6]) == [
        "plan        trial  seed  epoch  progress  validation %   ratio",
        "> 10x lamp      1     0                                 10.00x",
        "  10x lamp      2     1    1/2       50%         98.50  10.00x",
        "0 of 4 trials done, 35 s left",
    ]
    assert shown(EVENTS) == [
        "plan      trial  seed  epoch  progress  validation %   ratio",
        "10x lamp      1     0             done         99.20  10.00x",
        "10x lamp      2     1           failed",
        "2 of 4 trials done, 1 failed, waiting for a worker",
    ]


@pytest.mark.parametrize("width", range(20, 90))
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    rows = [line for line in shown(EVENTS[:6], width) if not line.startswith("not shown")]
    assert max(map(len, rows[:-1])) <= max(width, 20)


def test_a_lost_trial_leaves_the_table_until_it_begins_again() -> None:
    assert len(shown(EVENTS[:9])) == len(shown(EVENTS[:10])) - 1


def job() -> Stream[SweepResult]:
    yield from EVENTS
    return RESULT


def test_a_log_has_a_line_for_what_lasts() -> None:
    console = Console(file=StringIO(), width=100)
    assert drive_in_log(job(), console) is RESULT
    second = "trial 2 (10x lamp, seed 1)"
    assert console.file.getvalue().splitlines() == [
        "1 of 4 trials already recorded",
        "trial 1 (10x lamp, seed 0) resumed, run 0001",
        f"{second}, run 0002",
        f"{second}: epoch 1: validation 98.50 %, 1.0 s",
        f"{second}: warning: few images",
        "trial 1 (10x lamp, seed 0): 10.00x, validation 99.20 %, test 99.30 %",
        f"{second}: lost its worker (killed); another one resumes it",
        f"{second}, run 0002",
        f"{second}: failed: out of memory",
    ]


def test_a_terminal_has_the_lines_that_its_table_does_not_show() -> None:
    console = Console(file=StringIO(), width=100, force_terminal=True, color_system=None)
    watcher = Watcher(SweepFolder(Path("unused")), is_new=True)
    assert watcher.drive(job(), console) is RESULT
    text = console.file.getvalue()
    assert "epoch 1" not in text
    assert "trial 2 (10x lamp, seed 1): failed: out of memory" in text


def test_keys_select_and_stop_trials_and_leave(tmp_path: Path) -> None:
    board = board_of(EVENTS[:4])
    assert (board.chosen, board.select_active(-1).chosen) == (board.active[0], board.active[0])
    below = board.select_active(1)
    assert below.chosen == below.select_active(1).chosen == board.active[1]
    (row,) = [line.plain for line in lines(below, 80, 24, 0.0, keys=True) if ">" in line.plain]
    assert row.split()[:4] == [">", "10x", "lamp", "2"]
    keys = lines(below, 80, 24, 0.0, keys=True)[-1].plain
    assert keys == "up/down select, x stop trial 2, d leave running, Ctrl+C stop all"
    assert lines(below, 60, 24, 0.0, keys=True)[-1].plain.endswith("d leave, Ctrl+C stop")
    folder = SweepFolder.claim(tmp_path)
    watcher = Watcher(folder, is_new=True)
    watcher.drive(stream_of(EVENTS[:4]), Console(file=StringIO(), force_terminal=True))
    assert [watcher.press(key) for key in ("j", "x", "d")] == [False, False, True]
    assert folder.stops() == (False, {2})


def stream_of(events: tuple[Event, ...]) -> Stream[None]:
    yield from events


def test_a_low_terminal_shows_the_trials_around_the_selected_one() -> None:
    many = tuple(TrialBegan(TrialLabel(n, "10x", n), None, 10.0, resumed=False) for n in range(40))
    board = board_of((SweepPlanned(TRIALS), *many)).select_active(30)
    table = [line.plain for line in lines(board, 80, 20, 0.0, keys=True)]
    assert len(table) <= 20
    assert any(line.split()[:4] == [">", "10x", "30", "30"] for line in table)


def test_the_front_is_of_plans_not_of_trials() -> None:
    def outcome(place: int, ratio: float, validation: float) -> TrialOutcome:
        accuracy = StageAccuracies(finetuned=Accuracy(validation, 90.0))
        return TrialOutcome(TRIALS[place], replace(RECORD, ratio=ratio, accuracy=accuracy))

    rows = group_results([outcome(0, 10, 99.0), outcome(1, 10, 97.0), outcome(2, 20, 98.5)])
    assert [(row.name, row.seeds, row.validation.mean, row.on_front) for row in rows] == [
        ("10x lamp", 2, 98.0, False),
        ("20x lamp", 1, 98.5, True),
    ]
    board = Board(TRIALS, outcomes={1: outcome(0, 10, 99.0), 2: outcome(1, 20, 98.5)})
    assert front_text(board) == "front: 10x lamp 98.75 %"
    assert front_text(Board(TRIALS)) == ""
    assert (rows[0].validation.low, rows[0].validation.high) == (97.0, 99.0)
