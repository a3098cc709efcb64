"""The only bridge from a core stream to the screen: a thread that runs it and posts messages."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from textual.message import Message

from core.events import Batch, Event, Progress, StopFlag, Stream


class JobEvent(Message):
    """A job reported something."""

    def __init__(self, job: Job, event: Event) -> None:
        super().__init__()
        self.job, self.event = job, event

    def can_replace(self, message: Message) -> bool:
        """Whether a waiting message can be replaced by a newer one of the same kind."""
        if not isinstance(message, JobEvent) or message.job is not self.job:
            return False
        mine, other = self.event, message.event
        if isinstance(mine, Progress) and isinstance(other, Progress):
            return mine.step == other.step
        return isinstance(mine, Batch) and isinstance(other, Batch) and mine.epoch == other.epoch


class JobEnded(Message):
    """A job's own last message: the result of its stream, or the error it raised."""

    def __init__(self, job: Job, value: Any = None, error: BaseException | None = None) -> None:
        super().__init__()
        self.job, self.value, self.error = job, value, error


class Job:
    """A stream in its own thread; the app passes its messages to `follow` and `end`.

    It is a daemon thread, so quitting never waits for it: it is abandoned at its next event, and if
    it is stuck in native code, the process exits without it.

    Args:
        start: returns the stream.
        post: called with each message, in the job's thread.

    Attributes:
        end: called with the last message, in the app's thread.
        follow: called with each event, there too.
    """

    def __init__(
        self,
        start: Callable[[StopFlag], Stream[Any]],
        post: Callable[[Message], object],
        end: Callable[[JobEnded], None],
        follow: Callable[[Event], None] = lambda _: None,
    ) -> None:
        self.end, self.follow = end, follow
        self._start_stream = start
        self._post = post
        self._stop = threading.Event()
        self._abandoned = threading.Event()
        self._thread = threading.Thread(target=self._run, name="job", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Request an early end with a result, within one batch."""
        self._stop.set()

    @property
    def stopping(self) -> bool:
        """Whether an early end has been requested."""
        return self._stop.is_set()

    def wait(self) -> None:
        """Wait for its end."""
        self._thread.join()

    def abandon(self, seconds: float) -> None:
        """Drop the stream at its next event, without a result; waits up to `seconds` for that."""
        self._abandoned.set()
        self._stop.set()
        self._thread.join(seconds)

    def _run(self) -> None:
        try:
            ended = JobEnded(self, self._drive(self._start_stream(self._stop.is_set)))
        except BaseException as error:
            _clear_frames(error)
            ended = JobEnded(self, error=error)
        self._send(ended)

    def _send(self, message: Message) -> None:
        if not self._abandoned.is_set():
            with suppress(RuntimeError):  # the app's event loop may be closing
                self._post(message)

    def _drive(self, stream: Stream[Any]) -> Any:
        while not self._abandoned.is_set():
            try:
                event = next(stream)
            except StopIteration as end:
                return end.value
            self._send(JobEvent(self, event))
        stream.close()
        return None


def _clear_frames(error: BaseException | None) -> None:
    """Release what the frames of an error hold, such as a net, while the error itself lives on.

    The error and the frame that caught it would otherwise keep each other alive until the next
    garbage collection.
    """
    pending, seen = [error], set[int]()
    while pending:
        error = pending.pop()
        if error is not None and id(error) not in seen:  # an error may be its own cause
            seen.add(id(error))
            traceback.clear_frames(error.__traceback__)
            pending += [error.__cause__, error.__context__]
