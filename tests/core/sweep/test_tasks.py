"""What a worker sends, and what it leaves out."""

from __future__ import annotations

import pytest
import torch

from core.events import Batch, Stream
from core.executors.packed import PackedCheckpoint, packed
from core.executors.tasks import Done
from core.experiments.run_record import RunRecord
from core.jobs.recorded_jobs import RecordedTrial
from core.training.checkpoints import Checkpoint

EPOCH = 10.0
"""Seconds that an epoch takes."""


class Clock:
    """The clock of a worker, which goes on as it is told."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        patch.setattr("core.executors.packed.monotonic", lambda: self.now)

    def trial(self, epochs: int) -> Stream[RecordedTrial]:
        """A trial with a batch and a checkpoint for each epoch."""
        for epoch in range(1, epochs + 1):
            self.now += EPOCH
            yield Batch(epoch, epochs, 1, 1, 0.5, 90.0, self.now)
            yield Checkpoint.of({"epoch": epoch, "weight": torch.zeros(3)})
        return RecordedTrial({"weight": torch.zeros(3)}, RunRecord())

    def stored(self, epochs: int, seconds: float) -> list[int]:
        """The epochs whose checkpoints a driver gets that takes so long for each."""
        found = []
        for message in packed(self.trial(epochs)):
            if isinstance(message, PackedCheckpoint):
                self.now += seconds
                found.append(message.unpacked().state()["epoch"])
        assert isinstance(message, Done)
        return found


@pytest.mark.parametrize("seconds", [0.0, 0.05 * EPOCH])
def test_a_driver_that_keeps_up_gets_every_checkpoint(
    seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Clock(monkeypatch).stored(20, seconds) == list(range(1, 21))


def test_a_driver_that_does_not_gets_fewer_and_costs_little_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock(monkeypatch)
    stored = clock.stored(100, seconds=EPOCH)
    assert stored[0] == 1
    assert 5 <= len(stored) <= 7
    assert clock.now <= 1.08 * 100 * EPOCH
