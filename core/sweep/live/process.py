"""A sweep in a process of its own, which outlives the one that starts it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any

from core.errors import InputError, StoppedError, WorkError
from core.events import Progress, StopFlag, Stream
from core.sweep.live.folder import ERRORS, LOG, SweepFolder
from core.sweep.live.watching import LOOK, Pause

FOLDER = "FEATHERWEIGHT_SWEEP_FOLDER"
"""The environment variable that names the folder of a sweep to the process that runs it."""

BAD_INPUT, INTERRUPTED = 2, 128
"""Exit statuses: of an error of the input, and the least one of a signal."""

ENDING = 5.0
"""Seconds that a process has to end before it is killed."""


@dataclass(frozen=True)
class SweepProcess:
    """A process that runs a sweep."""

    process: subprocess.Popen[bytes]
    folder: SweepFolder

    @classmethod
    def start(cls, command: Sequence[str], folder: SweepFolder) -> SweepProcess:
        """Start a command, which reads `FOLDER` from its environment, in a session of its own."""
        with (folder.path / ERRORS).open("wb") as errors:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                env={**os.environ, FOLDER: str(folder.path)},
                **_apart(),
            )
        Thread(target=process.wait, daemon=True).start()  # so that no zombie stays
        return cls(process, folder)

    def begin(self, stop: StopFlag, pause: Pause, step: str = "starting") -> Stream[bool]:
        """Wait until the sweep begins, after its own checks; returns whether it was left before.

        `step` says what it does until then.

        Raises:
            InputError, WorkError: it ended instead, with that.
            StoppedError: the stop flag was raised before, or the process was stopped.
        """
        log = self.folder.path / LOG
        while not log.is_file():
            yield Progress(step)
            status = self.process.poll()
            if status is not None and not log.is_file():
                self._fail(status)
            if stop():
                self.end()
                self.folder.delete()
                raise StoppedError("stopped before the sweep began")
            if pause(LOOK):
                return True
        return False

    def end(self) -> None:
        """End it at once."""
        with suppress(OSError):
            self.process.terminate()  # it is being stopped: the second request ends it at once
        try:
            self.process.wait(ENDING)
        except subprocess.TimeoutExpired:
            self.process.kill()

    def _fail(self, status: int) -> None:
        """Raise the error that a process ended with before its sweep began."""
        lines = (self.folder.path / ERRORS).read_text(errors="replace").splitlines()
        error = next((line for line in reversed(lines) if line.strip()), f"exit status {status}")
        error = error.removeprefix("featherweight: ")
        self.folder.delete()
        if status == BAD_INPUT:
            raise InputError(error)
        if status >= INTERRUPTED:
            raise StoppedError(error)
        raise WorkError(error)


def given_folder(environment: Mapping[str, str]) -> SweepFolder | None:
    """The folder that this process was started to run a sweep in; None if it was not."""
    named = environment.get(FOLDER)
    return None if named is None else SweepFolder(Path(named))


def _apart() -> dict[str, Any]:
    """How a process gets a session of its own, so that no terminal ends it."""
    if sys.platform == "win32":
        flags = subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP
        return {"creationflags": flags}
    return {"start_new_session": True}
