"""Faults in the middle of a sweep."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence

from core.events import Epoch, Event
from core.executors.events import TrialLost, TrialReported


class Faults:
    """Does one thing after another, each when a trial ends its second epoch.

    By then its first checkpoint is stored. `lost` counts the trials that went on elsewhere.
    """

    def __init__(self, *faults: Callable[[], object]) -> None:
        self._faults, self.lost = list(faults), 0

    def __call__(self, event: Event) -> None:
        self.lost += isinstance(event, TrialLost)
        reported = event.event if isinstance(event, TrialReported) else None
        if isinstance(reported, Epoch) and reported.epoch == 2 and self._faults:
            self._faults.pop(0)()


def kill_one(pids: Sequence[int]) -> None:
    os.kill(pids[0], signal.SIGKILL)
