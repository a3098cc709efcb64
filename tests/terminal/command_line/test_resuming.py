"""`run --resume` on the command line: a killed run and a finished one."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from core.experiments.experiment import Experiment
from core.experiments.runs import INTERRUPTED
from tests.core.data.folders.drawn import fill, spotted
from tests.core.user_nets import write
from tests.terminal.conftest import Command

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
