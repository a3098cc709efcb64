"""What the command `run` prints."""

from __future__ import annotations

import pytest

from core.experiments.run_record import RecalibrationRecord, RunRecord
from tui.cli.commands.run import recalibrated


@pytest.mark.parametrize(
    ("record", "text"),
    [
        (RunRecord(), ""),
        (
            RunRecord(recalibrate="off"),
            "pruned: measured with the running statistics from before (not recalibrated)",
        ),
        (
            RunRecord(recalibrate="on", recalibration=RecalibrationRecord(20, 1000, 0)),
            "pruned: measured with running statistics of 1,000 training images (recalibrated)",
        ),
    ],
)
def test_a_run_says_whether_its_pruned_net_was_recalibrated(record: RunRecord, text: str) -> None:
    assert recalibrated(record) == text
