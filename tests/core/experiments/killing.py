"""A process that records runs, killed at any moment; what it reported as stored must be there.

A child makes a run and deletes another. It is killed before the n-th thing that it does to the
disk, for every n, and then after as many milliseconds as chance will have it. Where the system
cannot fork, a child takes seconds to start, and fewer of them are killed.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import sys
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

import torch

from core.experiments.experiment import Experiment
from core.experiments.run_record import RunRecord
from core.experiments.run_writer import RunWriter
from core.experiments.runs import DONE, INTERRUPTED, Run
from core.nets.weights import Weights
from tests.core.experiments.recorded_runs import epochs, values

EPOCHS = 2
KILLED = 99
"""Exit status of a child that killed itself."""

FORKS = "fork" in multiprocessing.get_all_start_methods()
STRIDE, KILLS = (1, 15) if FORKS else (15, 2)
"""Steps from one kill to the next, and the number of random kills."""

CHANGES = ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "fcntl.flock", "msvcrt.locking")
"""Python's audit events for changes to the disk other than writing files."""

Report = tuple[str, int | str]
"""A run, and what is stored of it: an epoch, or everything."""


def kill(folder: str) -> None:
    """Kill children working in the experiment `folder`; prints `whole` if nothing is damaged."""
    multiprocessing.set_start_method("fork" if FORKS else "spawn")
    torch.set_num_threads(1)
    random.seed(0)
    experiment = Experiment(Path(folder))
    make(experiment.begin(RunRecord()))
    step = 1
    while (status := child(experiment, step)) == KILLED:
        mend(experiment)
        step += STRIDE
    assert status == 0, status
    assert step > 30, step
    for _ in range(KILLS):
        child(experiment)
        mend(experiment)
    for run in experiment.runs():
        experiment.delete(run)
    left = os.listdir(folder)
    assert left == [".lock"], left
    print("whole")


def child(experiment: Experiment, step: int | None = None) -> int | None:
    """Run a child, killed before its n-th step or at random; returns its exit status."""
    receiver, sender = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.Process(target=work, args=(experiment.folder, step, sender))
    process.start()
    sender.close()
    assert receiver.recv() == "ready"
    if step is None:
        time.sleep(random.uniform(0, 0.03))
        process.kill()
    process.join()
    check(experiment, last_report(receiver))
    return process.exitcode


def work(folder: Path, step: int | None, sender: Connection) -> None:
    """Record a run and delete another; reports what is stored."""
    experiment = Experiment(folder)
    sender.send("ready")
    if step is not None:
        kill_before(step)
    make(experiment.begin(RunRecord()), report=lambda *parts: sender.send(parts))
    experiment.delete(experiment.runs()[0])


def kill_before(step: int) -> None:
    """Kill this process, without cleanup, just before its n-th step."""
    count = 0

    def hook(event: str, args: tuple[object, ...]) -> None:
        nonlocal count
        flags = args[2] if event == "open" else 0
        assert isinstance(flags, int)
        if event in CHANGES or flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            count += 1
            if count == step:
                os._exit(KILLED)

    sys.addaudithook(hook)


def make(
    writer: RunWriter, epoch: int = 0, report: Callable[[str, int | str], None] = lambda *_: None
) -> None:
    """Record the remaining epochs and finish."""
    report(writer.id, epoch)
    for now in range(epoch + 1, EPOCHS + 1):
        writer.checkpoint(filled(now), epochs(now))
        report(writer.id, now)
    writer.finish(filled(EPOCHS), RunRecord(epochs=epochs(EPOCHS)))
    report(writer.id, DONE)


def filled(epoch: int) -> Weights:
    return {"a": torch.full((5_000,), float(epoch)), "b": torch.tensor(float(epoch))}


def last_report(receiver: Connection) -> Report | None:
    last = None
    while True:
        try:
            last = receiver.recv()
        except (EOFError, OSError):  # it was killed, maybe in the middle of a message
            return last


def check(experiment: Experiment, last: Report | None) -> None:
    """Check that everything reported as stored is there and undamaged."""
    if last:
        run_id, epoch = last
        run = experiment.find(run_id)
        assert run.status == DONE or (epoch != DONE and len(run.record.epochs) >= epoch), run
    for run in experiment.runs():
        check_run(run)


def check_run(run: Run) -> None:
    epoch = len(run.record.epochs)
    if run.status == DONE:
        assert epoch == EPOCHS, run
        assert values(run.weights()) == {float(EPOCHS)}, run
        return
    assert run.status == INTERRUPTED, run
    saved = run.checkpoint()
    if saved is None:
        assert epoch == 0, run
    else:
        assert len(saved.record.epochs) == epoch, run
        assert values(saved.tensors) == {float(epoch)}, run


def mend(experiment: Experiment) -> None:
    """Resume some of the unfinished runs, then delete all but the last three."""
    for run in experiment.runs():
        if run.status == INTERRUPTED and random.random() < 0.5:
            make(experiment.resume(run), len(run.record.epochs))
    for run in experiment.runs()[:-3]:
        experiment.delete(run)
