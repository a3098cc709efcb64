"""A scripted sweep that waits for the test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from time import sleep

from core.events import StopFlag, Stream
from core.sweep.live.events import SweepResult, TrialStopping
from core.sweep.live.folder import SweepFolder
from tests.tui.scripted import Scripted
from tests.tui.scripted_sweeps import DONE, EVENTS, RESULT, THIRD
from tui.jobs.backend import Backend


@dataclass
class Sweeping(Scripted):
    """A backend whose sweep waits until a trial, or all, are to stop.

    Attributes:
        commands: what would start each sweep; None for one that runs already.
    """

    commands: list[Sequence[str] | None] = field(default_factory=list)

    def new_sweep(self) -> SweepFolder:
        """The files of a sweep, made as ever."""
        return Backend.new_sweep(self)

    def sweep(
        self, command: Sequence[str] | None, folder: SweepFolder, leaves: StopFlag, stop: StopFlag
    ) -> Stream[SweepResult | None]:
        """Two trials, a third one in progress, and a fourth one that never begins."""
        self.commands.append(command)
        yield from EVENTS
        while not leaves():
            every, numbers = folder.stops()
            if THIRD.number in numbers:
                yield TrialStopping(THIRD)
                yield DONE
            if numbers:
                self._fail()
            if every or stop() or numbers:
                return replace(RESULT, stopped=not numbers)
            sleep(0.01)
        return None
