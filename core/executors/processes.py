"""Tasks in processes of this machine, as many at once as there are workers.

Each worker runs one task after another and keeps the images. It answers through a pipe; a worker
that is gone closes it. Nothing is stored, so nothing is left when a worker is killed.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from core.executors.local_worker import Stop, work
from core.executors.packed import PackedNet, PackedNets, unpacked
from core.executors.tasks import Done, Failed, Lost, Message, Task, on_worker
from core.jobs.net import Net

_SPAWN = multiprocessing.get_context("spawn")
"""Forking would copy torch's threads, half-way through what they do."""

LEAVING = 2.0
"""Seconds that a worker has to end before it is killed."""


@dataclass
class _Worker:
    """A process, the task it runs, and the digest of the last net it got."""

    process: BaseProcess
    pipe: Connection
    number: int | None = None
    base: str = ""


class Processes:
    """An `Executor` that runs tasks in processes, which are started when they are needed.

    Args:
        workers: how many tasks run at once.
        threads: of each, unless the settings say.
    """

    def __init__(self, workers: int, threads: int) -> None:
        self._count, self._threads = workers, threads
        self._workers: list[_Worker] = []
        self._bases: PackedNets[PackedNet] = PackedNets(lambda net: net)
        self._lost: list[tuple[int, Message]] = []

    @property
    def places(self) -> int:
        """The number of workers."""
        return self._count

    @property
    def room(self) -> int:
        """How many workers have nothing to do."""
        return self._count - sum(worker.number is not None for worker in self._workers)

    def submit(self, task: Task, base: Net) -> None:
        """Give a task to a worker that has nothing to do; starts one if there is none."""
        idle = [worker for worker in self._workers if worker.number is None]
        worker = idle[0] if idle else self._start()
        worker.number = task.number
        packed_base = None if task.base == worker.base else self._bases.of(task.base, base)
        worker.base = task.base
        try:
            worker.pipe.send((on_worker(task, self._threads), packed_base))
        except OSError:
            self._lost += self._drop(worker)

    def stop(self, number: int) -> None:
        """Tell the worker of a task."""
        for worker in self._workers:
            if worker.number == number:
                with suppress(OSError):  # it is gone, which `poll` notices
                    worker.pipe.send(Stop(number))

    def poll(self, seconds: float) -> Sequence[tuple[int, Message]]:
        """What workers have sent, one message from each."""
        lost, self._lost = self._lost, []
        if lost:
            return lost
        pipes = {w.pipe: w for w in self._workers if w.number is not None}
        ready = wait(list(pipes), timeout=seconds)
        return [said for pipe in ready for said in self._receive(pipes[pipe])]  # type: ignore[index]

    def close(self) -> None:
        """Kill the workers."""
        for worker in self._workers:
            worker.pipe.close()
            worker.process.terminate()
        for worker in self._workers:
            _await_end(worker.process)
        self._workers.clear()

    def _receive(self, worker: _Worker) -> list[tuple[int, Message]]:
        assert worker.number is not None
        try:
            message = worker.pipe.recv()
        except (EOFError, OSError):
            return self._drop(worker)
        number = worker.number
        if isinstance(message, Done | Failed):
            worker.number = None
        if isinstance(message, Failed):
            worker.base = ""  # it may have failed before it had the net
        return [(number, unpacked(message))]

    def _drop(self, worker: _Worker) -> list[tuple[int, Message]]:
        """Forget a worker that is gone, and say so of its task."""
        self._workers.remove(worker)
        worker.pipe.close()
        _await_end(worker.process)
        number, code = worker.number, worker.process.exitcode
        how = f"signal {-code}" if code is not None and code < 0 else f"exit status {code}"
        return [] if number is None else [(number, Lost(f"its process ended with {how}"))]

    def _start(self) -> _Worker:
        own, theirs = _SPAWN.Pipe()
        process = _SPAWN.Process(target=work, args=(theirs,), daemon=True)
        with _interrupts_blocked():
            process.start()
        theirs.close()
        worker = _Worker(process, own)
        self._workers.append(worker)
        return worker


def _await_end(process: BaseProcess) -> None:
    """Wait for the end of a process that is about to end; kill it if it does not."""
    process.join(LEAVING)
    if process.is_alive():
        process.kill()
        process.join()


@contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """Let no Ctrl+C reach a process that starts before it can ignore it."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
