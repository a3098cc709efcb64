"""`run --resume` on the command line: a killed run and a finished one."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from core.experiments.experiment import Experiment
from core.experiments.runs import DONE, INTERRUPTED
from tests.core.data.folders.drawn import fill, spotted
from tests.core.user_nets import write
from tests.terminal.conftest import Command
from tui.cli.main import main

pytestmark = pytest.mark.slow

KILLED_IN_ITS_FIRST_EPOCH = """
import os, signal, sys
from core.events import Batch
from core.jobs import recorded_jobs
from tui.cli.main import main

record_run = recorded_jobs.record_run

def kill_at_a_batch(stream):
    for event in stream:
        if isinstance(event, Batch):
            os.kill(os.getpid(), signal.SIGKILL)
        yield event

recorded_jobs.record_run = lambda stream, *rest: record_run(kill_at_a_batch(stream), *rest)
main(sys.argv[1:])
"""


def test_a_run_killed_in_its_first_epoch_starts_over_and_a_done_one_says_so(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pets = fill(tmp_path / "pets", 12, spotted, ("red", "green", "blue"))
    own = ("--model", f"{write(tmp_path)}:coloured")
    data = ("--dataset", f"folder:{pets}", "--threads", "1")
    training = ("--epochs", "3", "--precision", "fp32", "--uniform", "0.6", "--seed", "4")
    place = ("--experiment", str(tmp_path / "it"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    child = subprocess.run(
        [sys.executable, "-c", KILLED_IN_ITS_FIRST_EPOCH, "run", *own, *data, *training, *place],
        check=False,
        capture_output=True,
    )
    assert child.returncode == -signal.SIGKILL, child.stderr.decode()
    experiment = Experiment(tmp_path / "it")
    run = experiment.newest()
    assert (run.status, run.record.epochs, run.resumable) == (INTERRUPTED, (), True)

    resume = ("run", "--resume", f"{experiment.folder}:{run.id}")
    resumed = command(*resume, *own, "--json", "-")
    assert resumed.returncode == 0, resumed.stderr
    report = json.loads(resumed.stdout)
    assert (report["run"], report["seed"], len(report["epochs"])) == (run.id, 4, 3)
    assert {layer["sparsity"] for layer in report["layers"]} == {0.6}
    assert [recorded.id for recorded in experiment.runs()] == [run.id]

    process = command(*resume)
    assert (process.returncode, process.stderr) == (0, "")
    assert process.stdout.splitlines() == [
        f"run {run.id} of {experiment.folder} is done: there is nothing to resume"
    ]
    finished = command(*resume, "--json", "-")
    assert (finished.returncode, json.loads(finished.stdout)) == (0, report)


KILLED_IN_ITS_SECOND_TRIAL = """
import os, signal, sys
from core.jobs import recorded_jobs
from tui.cli.main import main

record_run, runs = recorded_jobs.record_run, []

def killing(stream, writer, *rest):
    runs.append(writer)
    stream = record_run(stream, writer, *rest)
    while True:
        try:
            event = next(stream)
        except StopIteration as end:
            return end.value
        if len(runs) == 2 and (writer.folder / "checkpoint.safetensors").exists():
            os.kill(os.getpid(), signal.SIGKILL)
        yield event

recorded_jobs.record_run = killing
main(sys.argv[1:])
"""


@pytest.fixture
def same_threads() -> Iterator[None]:
    """Let `--threads` in this process not change other tests."""
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


@pytest.mark.usefixtures("same_threads")
def test_the_way_to_the_lightest_net_goes_on_after_a_kill_and_ends_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    pets = fill(tmp_path / "pets", 12, spotted, ("red", "green", "blue"))
    own = ("--model", f"{write(tmp_path)}:coloured", "--dataset", f"folder:{pets}")
    training = ("--threads", "1", "--precision", "fp32", "--epochs", "2", "--batch-size", "16")
    search = ("lightest", *own, *training, "--max-drop", "100", "--start", "80", "--by", "macs")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def place(name: str) -> tuple[str, ...]:
        return ("--experiment", str(tmp_path / name), "--to", str(tmp_path / f"{name}.fw"))

    child = subprocess.run(
        [sys.executable, "-c", KILLED_IN_ITS_SECOND_TRIAL, *search, *place("killed")],
        check=False,
        capture_output=True,
    )
    assert child.returncode == -signal.SIGKILL, child.stderr.decode()
    experiment = Experiment(tmp_path / "killed")
    assert [run.status for run in experiment.runs()] == [DONE, INTERRUPTED]
    assert len(experiment.newest().record.epochs) == 1
    assert not (tmp_path / "killed.fw").exists()

    assert main((*search, *place("killed"))) == 0  # here: two more processes take four seconds
    said = capfd.readouterr().out
    assert "trial 1 is recorded already, as run 0001" in said
    assert "trial 2 continues run 0002 after epoch 1" in said
    assert main((*search, *place("whole"))) == 0
    assert (tmp_path / "killed.fw").read_bytes() == (tmp_path / "whole.fw").read_bytes()
    runs, others = experiment.runs(), Experiment(tmp_path / "whole").runs()
    assert 2 <= len(runs) <= 4, len(runs)
    assert [run.record.weights for run in runs] == [run.record.weights for run in others]


@pytest.mark.parametrize("damage", [{"seed": "x"}, {"choices": {"speed": 1}}])
def test_a_damaged_run_is_refused_with_its_file_key_and_what_was_expected(
    command: Command, damage: dict[str, object], tmp_path: Path
) -> None:
    folder = tmp_path / "0001"
    folder.mkdir()
    record = {"kind": "train", "status": "running", "model": "cnn5", "dataset": "mnist"}
    (folder / "run.json").write_text(json.dumps({**record, **damage}))
    process = command("run", "--resume", str(tmp_path))
    assert (process.returncode, process.stdout) == (2, "")
    (line,) = process.stderr.splitlines()
    assert "run.json: " in line
    assert next(iter(damage)) in line
    assert "expected" in line
