"""What `lightest` prints: trials, the front over seeds, the answer and its file."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from core.events import Accuracy, Batch, Stream
from core.lightest.trials import (
    By,
    Descent,
    DescentStarted,
    Lightest,
    PackingStarted,
    Trial,
    TrialFinished,
    TrialStarted,
)
from tui.cli.commands.lightest import print_lightest
from tui.cli.progress import drive

NOTHING: Any = None


def trial(number: int, accuracy: float, cost: float | None, *, passed: bool = True) -> Trial:
    result: Any = SimpleNamespace(accuracy=Accuracy(accuracy, accuracy + 0.1), run=f"000{number}")
    accurate = accuracy >= 99.0
    settings = NOTHING
    return Trial(number, 40.0, 5, settings, NOTHING, {}, result, accurate, cost, passed)


def found(by: By = "parameters", seeds: int = 1) -> Lightest:
    descents = tuple(
        Descent(
            seed,
            99.0,
            (trial(1, 99.3, 7_000 - seed), trial(2, 99.05, 3_500 - seed), trial(3, 98.0, None)),
        )
        for seed in range(seeds)
    )
    return Lightest(by, 0.4, tuple(range(seeds)), descents, False)


def printed(result: Lightest) -> str:
    out = StringIO()
    print_lightest(result, Console(file=out, width=200))
    return out.getvalue()


def test_one_seed_lists_its_trials_the_front_and_the_answer() -> None:
    text = printed(found())
    assert "seed" not in text
    assert " 3,500 " in text
    assert "passed  0001" in text
    assert "the front: the fewest parameters for each drop in validation accuracy" in text
    answer = text.splitlines()[-1]
    assert answer == (
        "lightest net with at least 99.00 % on validation: 3,500 parameters, 40.0x, "
        "validation 99.05 %, test 99.15 %"
    )


def test_several_seeds_have_a_column_and_the_front_a_range() -> None:
    text = printed(found(seeds=2))
    assert "mean (range) of 2 seeds" in text
    assert "3,500 (3,499 to 3,500)" in text
    assert [line.split()[:2] for line in text.splitlines()[1:7]] == [
        [seed, number] for seed in "01" for number in "123"
    ]
    assert "at most 0.4 points below dense" in text


def test_times_are_in_milliseconds() -> None:
    one = found("ms")
    times = replace(one.descents[0], trials=(trial(1, 99.5, 218_000.0),))
    text = printed(replace(one, descents=(times,)))
    assert "lightest net with at least 99.00 % on validation: 0.218 ms" in text


@pytest.mark.parametrize(
    ("stopped", "error", "how"),
    [(True, "", "stopped early"), (False, "no", "stopped early"), (False, "", "time is up")],
)
def test_an_early_end_says_why(stopped: bool, error: str, how: str) -> None:
    one = found()
    descent = replace(one.descents[0], trials=(), complete=False, error=error)
    text = printed(replace(one, descents=(descent,), stopped=stopped))
    assert text.endswith(f"no trial has ended; {how}\n")
    low = replace(descent, trials=(trial(1, 98.0, 7_000.0, passed=False),))
    text = printed(replace(one, descents=(low,), stopped=stopped))
    assert text.endswith(f"no trial reached at least 99.00 % on validation; {how}\n")


def test_the_file_is_named_with_its_size_and_values() -> None:
    file: Any = SimpleNamespace(
        path=Path("light.fw"), bytes=1_553, levels=8, accuracy=Accuracy(99.0, 99.1)
    )
    last = printed(replace(found("bytes"), file=file)).splitlines()[-1]
    assert last == "light.fw: 1,553 bytes, 8 values a layer, validation 99.00 %, test 99.10 %"


def descending() -> Stream[None]:
    yield DescentStarted(7, "bytes", 99.0)
    for number in (1, 2):
        yield TrialStarted(number, 40.0, 5)
        yield Batch(1, 5, 500, 1_000, 0.25, 90.0, 1.0)
        yield PackingStarted()
        yield TrialFinished(trial(number, 99.3, 7_000.0 / number, passed=number == 1), "bytes")


def test_a_log_has_two_lines_for_a_trial() -> None:
    console = Console(file=StringIO(), width=100)
    drive(descending(), console)
    assert console.file.getvalue().splitlines() == [
        "seed 7: the fewest bytes with at least 99.00 % on validation",
        "trial 1: 40.0x, 5 epochs",
        "40.0x, 7,000 bytes: 99.30 % on validation, passed",
        "trial 2: 40.0x, 5 epochs",
        "40.0x, 3,500 bytes: 99.30 % on validation, no lighter",
    ]


def test_a_terminal_has_a_table_of_the_trials_above_the_bar() -> None:
    console = Console(file=StringIO(), width=100, force_terminal=True, color_system=None)
    drive(descending(), console)
    drawn = console.file.getvalue()
    assert "bytes  validation %  test %" in drawn
    assert "passed" in drawn.split("validation %  test %")[-1]
