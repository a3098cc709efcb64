"""Runs of other processes: ids are unique, states correct, kills harmless."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import InputError
from core.experiments import runs
from core.experiments.experiment import Experiment
from core.system import locks
from tests.core.experiments.recorded_runs import RECORD, filled, finished, interrupted, python

CLAIM = """
import sys
from pathlib import Path
from core.experiments.experiment import Experiment
from core.experiments.run_record import RunRecord

print("ready", flush=True)
sys.stdin.readline()
experiment = Experiment(Path(sys.argv[1]))
writers = [experiment.begin(RunRecord(model=sys.argv[2])) for _ in range(20)]
print(*(writer.id for writer in writers))
"""


def test_two_processes_never_claim_the_same_id(experiment: Experiment) -> None:
    processes = [python(CLAIM, experiment.folder, name) for name in "ab"]
    for process in processes:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    ids = [process.communicate()[0].split() for process in processes]
    assert sorted(ids[0] + ids[1]) == [f"{number:04d}" for number in range(1, 41)]
    for name, claimed in zip("ab", ids, strict=True):
        assert {experiment.find(run_id).record.model for run_id in claimed} == {name}


HOLD = """
import sys, time
from pathlib import Path
from core.experiments.experiment import Experiment
from core.experiments.run_record import RunRecord

writer = Experiment(Path(sys.argv[1])).begin(RunRecord(model="cnn5"))
print(writer.id, flush=True)
time.sleep(600)
"""


def test_a_run_is_running_while_its_process_lives(experiment: Experiment) -> None:
    with python(HOLD, experiment.folder) as process:
        assert process.stdout
        assert process.stdout.readline() == "0001\n"
        run = experiment.newest()
        assert (run.status, run.record.model) == ("running", "cnn5")
        with pytest.raises(InputError, match=r"run 0001 of .* is running: stop it first"):
            experiment.delete(run)
        with pytest.raises(InputError, match="running; nothing to resume"):
            experiment.resume(run)
        assert finished(experiment).id == "0002"
        assert experiment.find("1") == run
        process.kill()
    assert experiment.find("1") == replace(run, status="interrupted")
    experiment.delete(run)
    assert [run.id for run in experiment.runs()] == ["0002"]


def test_many_readers_may_check_a_lock_at_once(experiment: Experiment) -> None:
    run = interrupted(experiment)
    seen: list[str] = []

    def look() -> None:
        seen.extend(experiment.find("1").status for _ in range(200))

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(20):
        experiment.resume(run).close()
    for thread in threads:
        thread.join()
    assert set(seen) <= {"interrupted", "running"}
    assert experiment.newest() == run


def test_a_reader_sees_an_ending_run_as_running_or_done(
    experiment: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer, is_held = experiment.begin(RECORD), locks.is_held

    def ends_before(lock: Path) -> bool:
        writer.finish(filled(1), RECORD)
        return is_held(lock)

    monkeypatch.setattr(runs, "is_held", ends_before)
    assert experiment.newest().status == "done"


def test_without_shared_locks_a_lock_is_tried(experiment: Experiment) -> None:
    writer = experiment.begin(RECORD)
    lock = writer.folder / "lock"
    assert locks.is_held(lock)
    assert locks.is_held_by_trial(lock)
    writer.checkpoint(filled(1))
    writer.close()
    assert not locks.is_held(lock)
    assert not locks.is_held_by_trial(lock)


def test_a_lock_never_released_is_reported(
    experiment: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = finished(experiment)
    monkeypatch.setattr(locks, "LOCK_TIMEOUT", 0.1)
    with locks.locked(experiment.folder), pytest.raises(InputError, match="another program has"):
        experiment.delete(run)
    assert experiment.runs() == (run,)


@pytest.mark.slow
def test_a_kill_at_any_moment_leaves_runs_intact(experiment: Experiment) -> None:
    code = "import sys; from tests.core.experiments.killing import kill; kill(sys.argv[1])"
    assert python(code, experiment.folder).communicate()[0] == "whole\n"
