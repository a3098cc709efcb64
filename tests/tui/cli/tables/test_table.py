"""What the command `table` prints."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console
from torch import nn

from core.measure.costs import Activity, NetActivity, cost_table
from core.nets.layers import prunable_layers
from tui.cli.commands.table import print_table
from tui.cli.main import main


def printed(activity: NetActivity) -> list[str]:
    layers = prunable_layers(nn.Sequential(nn.Linear(4, 2), nn.Linear(2, 2)))
    text = io.StringIO()
    table = cost_table("x", layers, {"0": 4, "1": 4}, activity, 16)
    print_table(table, "test", Console(file=text, width=200))
    return [" ".join(line.split()) for line in text.getvalue().splitlines()]


def test_a_table_of_all_images_names_them() -> None:
    does = {name: Activity(4.0, 2.0, 0.5, 1.0) for name in "01"}
    lines = printed(NetActivity(does, 3_000, 3_000))
    assert lines[1:4] == [
        "0 8 8 50.00 50.00 50.00",
        "1 4 8 50.00 100.00 100.00",
        "total 12 16 50.00 66.67 75.00",
    ]
    assert "on 3,000 test images; " in lines[-1]


def test_a_table_of_a_sample_has_intervals_and_says_what_the_total_holds_and_leaves_out() -> None:
    does = {name: Activity(4.0, 2.0, 0.5, 1.0, 0.012) for name in "01"}
    activity = NetActivity(does, 20, 3_000, 8.0, ("book (aten.cdist)", "mine.op"), 0.008)
    lines = printed(activity)
    assert lines[1] == "0 8 8 50.00 ±1.20 50.00 50.00"
    assert lines[3] == "not prunable – 16 – – 100.00"
    assert lines[4] == "partial total 12 32 50.00 ±0.80 66.67 87.50"
    text = "\n".join(lines)
    assert "on 20 of 3,000 test images drawn at random (95 % intervals; --images all" in text
    assert lines[-1].endswith("cannot count: book (aten.cdist), mine.op")


@pytest.mark.parametrize(
    ("goal", "measured"),
    [
        ((), False),
        (("--uniform", "0.5"), False),
        (("--ratio", "10"), False),
        (("--ratio", "10", "--allocate", "sensitivity"), True),
    ],
)
def test_a_table_measures_no_accuracy_that_it_does_not_need(
    goal: tuple[str, ...],
    measured: bool,
    data_dir: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    place = ("--data-dir", str(data_dir), "--experiment", str(tmp_path / "it"))
    assert main(("table", "--model", "lenet-300-100", *place, *goal)) == 0
    printed = capfd.readouterr().out
    assert ("dense: validation" in printed) == measured
    assert "lenet-300-100 on mnist\n" in printed
    assert "parameters: " in printed
