"""Bytes in the history: recorded sizes, and the files exported from a run."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.events import Accuracy
from core.experiments.experiment import Experiment
from core.experiments.exports import Export
from tests.tui.history.histories import (
    AGGRESSIVE,
    MODERATE,
    Host,
    clipped,
    finished,
    line,
    press,
    settled,
)
from tests.tui.history.histories import text as screen
from tests.tui.history.test_snapshots import PLACE
from tests.tui.pictures import running
from tui.state.run_rows import RunRow
from tui.views.history import about, sizes

pytestmark = pytest.mark.slow

SIZES = {"values": 24_732, "han2015": 45_209, "dense": 912_792, "zip": 34_642, "compact": 22_565}
SMALL = Export("/nets/small.fw", 5_512, "codebook", 12, Accuracy(99.2, 99.29))


@pytest.fixture
def three(tmp_path: Path) -> Experiment:
    """Runs with sizes, with sizes and a file, and without any."""
    experiment = Experiment(tmp_path / "it")
    finished(experiment, MODERATE, 99.38, 99.40)
    recorded = {"sizes": {**SIZES, "quantized": None}}
    heavier = {name: 2 * size for name, size in SIZES.items()}
    finished(experiment, MODERATE, 99.35, 99.36, sizes=heavier)
    run = finished(experiment, AGGRESSIVE, 99.30, 99.31, **recorded)
    experiment.add_export(run, SMALL)
    return experiment


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 36)])
async def test_a_line_says_what_the_net_of_a_run_takes(three, size):
    async with Host(three).run_test(size=size) as pilot:
        await settled(pilot)
        said = "bytes: 5,512 quantized (99.29 %) · 22,565 lossless"
        assert (said in screen(pilot)) == (size[1] > 20)
        assert not clipped(pilot)
        await press(pilot, "end")
        assert "bytes:" not in screen(pilot)


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 36)])
async def test_two_runs_show_their_bytes_side_by_side(three, size):
    async with Host(three).run_test(size=size) as pilot:
        await settled(pilot)
        await press(pilot, "space", "down")
        head = line(pilot, "ratio")
        assert "lossless" in head
        assert "45,130" in line(pilot, "◉ 0002")
        assert "22,565" in line(pilot, "◎ 0003")
        assert "×0.50" in line(pilot, "diff")
        assert ("quantized" in head) == (size[0] >= 80)
        assert not clipped(pilot)


def test_runs_without_sizes_say_nothing_of_them(three):
    row = RunRow.of(three.find("1"))
    assert sizes(row) == ""
    assert row.compact is None
    assert row.quantized is None


def test_a_note_and_the_sizes_have_a_line_each(three):
    three.annotate(three.find("3"), "light")
    lines = ["".join(span.text for span in one) for one in about(_row(three), None, 80, 3)]
    assert [part in lines[at] for at, part in enumerate(("0003", "bytes: ", "light"))] == [True] * 3


def test_invalid_sizes_are_not_shown(three):
    run = three.find("3")
    report = json.loads((run.folder / "run.json").read_text())
    report["sizes"] = {**SIZES, "zip": "small", "compact": -1}
    (run.folder / "run.json").write_text(json.dumps(report))
    (run.folder / "exports.json").write_text("[]")
    assert sizes(_row(three)) == (
        "bytes: 24,732 values only · 45,209 values + positions · 912,792 dense"
    )


async def test_sizes_look_as_drawn(pictures, three, monkeypatch):
    monkeypatch.setattr("tui.views.history.with_tilde", lambda _: PLACE)
    monkeypatch.setattr(
        "tui.state.run_rows._local", lambda _: datetime(2026, 11, 20, 9, 7, tzinfo=UTC)
    )
    monkeypatch.setattr("tui.views.run_table._now", lambda: datetime(2026, 11, 22, 20, tzinfo=UTC))
    async with running(Host(three)) as pilot:
        await settled(pilot)
        await pictures.compare(pilot, "runs")
        await press(pilot, "space", "down")
        await pictures.compare(pilot, "two-runs")


def _row(experiment: Experiment) -> RunRow:
    return RunRow.of(experiment.find("3"))
