"""Sweeps in this process: what is recorded, skipped, stopped, resumed and retried."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from core.errors import InputError
from core.events import Accuracy, Batch, Epoch, Event, Notice, Stream, drain
from core.executors.driver import ATTEMPTS
from core.executors.events import TrialBegan, TrialLost, TrialReported
from core.executors.in_process import InProcess
from core.executors.packed import PackedNet, packed, unpacked
from core.executors.runner import TaskRunner
from core.executors.tasks import Executor, Failed, Lost, Message, Task
from core.executors.work.fine_tuning import FineTuning
from core.experiments.experiment import Experiment
from core.experiments.run_writer import RunWriter
from core.jobs import recorded_jobs
from core.jobs.dense_net import open_dense_net
from core.jobs.net import Net
from core.jobs.workbench import Workbench
from core.pruning.goals import Goal
from core.sweep.choices import PlanAxes
from core.sweep.driver import run_trials
from core.sweep.grid import Grid, Trial
from core.sweep.live.events import SweepResult, TrialEnded, TrialStopped, TrialStopping
from core.sweep.planning import PlannedTrial, plan_trials
from core.sweep.summary import group_results, known_seconds, sweep_report
from tests.benchmarks.sweep import scripted

pytestmark = [pytest.mark.usefixtures("one_thread"), pytest.mark.slow]

BASE = Net({}, Accuracy(99.0, 99.0), (), 0, digest="none")

GRID = Grid(PlanAxes((Goal("ratio", 10.0),)), {"seed": (0, 1)})


def trials_of(workbench: Workbench, grid: Grid = GRID, epochs: int = 2) -> tuple[Trial, ...]:
    changes = replace(workbench.settings.changes, epochs=epochs)
    settings = replace(workbench.settings, changes=changes)
    return grid.trials(lambda given: replace(settings, **given))


def planned(
    workbench: Workbench, trials: Sequence[Trial], experiment: Experiment
) -> tuple[PlannedTrial, ...]:
    return drain(plan_trials(workbench, trials, {}, experiment, lambda: False))


def sweep(
    workbench: Workbench,
    trials: Sequence[Trial],
    experiment: Experiment,
    executor: Executor | None = None,
) -> tuple[SweepResult, list[Event]]:
    events: list[Event] = []
    tasks = planned(workbench, trials, experiment)
    stream = run_trials(tasks, experiment, executor or InProcess(workbench))
    return drain(stream, events.append), events


def digests(experiment: Experiment) -> list[str | None]:
    return [run.record.weights for run in experiment.runs()]


class Packing:
    """An executor that packs all that goes and comes, as between processes; and loses workers.

    `losses` are the messages at which a worker is lost, one an attempt; after "node " it is lost
    with its node.
    """

    def __init__(self, losses: Sequence[str]) -> None:
        self._runner, self._losses = TaskRunner(), deque(losses)
        self._queue: deque[tuple[int, Message]] = deque()
        self.resumed_after: list[int] = []

    @property
    def places(self) -> int:
        return 1

    @property
    def room(self) -> int:
        return int(not self._queue)

    def submit(self, task: Task, base: Net) -> None:
        assert isinstance(task.work, FineTuning)
        resume = task.work.resume
        epochs = resume.json["epochs"] if resume else ()
        self.resumed_after.append(len(epochs))
        end = self._losses.popleft() if self._losses else ""
        lost = Lost("killed", with_node=end.startswith("node "))
        end = end.removeprefix("node ")
        stream = packed(self._runner.run(task, PackedNet.of(base)))
        for message in map(unpacked, stream):
            name = type(message).__name__
            if end in (name, f"{name} {getattr(message, 'epoch', None)}"):
                self._queue.append((task.number, lost))
                return
            self._queue.append((task.number, message))

    def stop(self, number: int) -> None:
        """Every task has ended by then."""

    def poll(self, seconds: float) -> Sequence[tuple[int, Message]]:
        return (self._queue.popleft(),) if self._queue else ()

    def close(self) -> None:
        self._queue.clear()


@pytest.fixture(scope="module")
def whole(
    workbench: Workbench, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Experiment, SweepResult, list[Event]]:
    """A sweep of two trials from start to end, which no test changes."""
    experiment = Experiment(tmp_path_factory.mktemp("whole"))
    return experiment, *sweep(workbench, trials_of(workbench), experiment)


Whole = tuple[Experiment, SweepResult, list[Event]]


def test_every_trial_becomes_the_run_that_the_command_run_would_record(
    workbench: Workbench, whole: Whole, tmp_path: Path
) -> None:
    experiment, result, events = whole
    trials = trials_of(workbench)
    assert [(o.run, o.is_new, o.error) for o in result.outcomes] == [
        ("0001", True, ""),
        ("0002", True, ""),
    ]
    assert not result.stopped
    assert sum(isinstance(event, TrialBegan) for event in events) == 2
    first = planned(workbench, trials, Experiment(tmp_path / "none"))[0]
    bench = workbench.with_settings(trials[0].settings)
    alone = Experiment(tmp_path / "run")
    work = first.task.work
    assert isinstance(work, FineTuning)
    drain(recorded_jobs.finetune(bench, first.base, work.plan, alone))
    theirs, own = experiment.runs()[0].record, alone.runs()[0].record
    assert theirs.weights == own.weights
    assert theirs.allocate == "lamp"
    assert replace(theirs, allocate=None, created=own.created, epochs=()) == replace(own, epochs=())


def test_a_sweep_reports_seeds_together(workbench: Workbench, whole: Whole) -> None:
    experiment, result, _ = whole
    (row,) = group_results(result.outcomes)
    assert (row.name, row.seeds, row.on_front) == ("10x lamp", 2, True)
    assert row.validation.low <= row.validation.mean <= row.validation.high
    report = sweep_report(result)
    assert [(run["seed"], run["run"]) for run in report["runs"]] == [(0, "0001"), (1, "0002")]
    assert "error" not in report
    seconds = sum(epoch.seconds or 0 for epoch in experiment.runs()[-1].record.epochs)
    assert known_seconds(trials_of(workbench), experiment.runs()) == 2 * seconds
    assert known_seconds(trials_of(workbench, epochs=3), experiment.runs()) is None


def test_the_same_sweep_again_runs_nothing(workbench: Workbench, whole: Whole) -> None:
    experiment, first, _ = whole
    result, events = sweep(workbench, trials_of(workbench), experiment)
    assert [(o.run, o.is_new) for o in result.outcomes] == [("0001", False), ("0002", False)]
    assert [o.record for o in result.outcomes] == [run.record for run in experiment.runs()]
    assert [row.ratio for row in group_results(result.outcomes)] == [
        row.ratio for row in group_results(first.outcomes)
    ]
    assert not any(isinstance(event, TrialBegan) for event in events)


def test_trials_that_do_the_same_are_one(workbench: Workbench, tmp_path: Path) -> None:
    grid = Grid(PlanAxes(uniform=(0.9,), sparsities={"*": (0.9, 0.8)}))
    tasks = planned(workbench, trials_of(workbench, grid), Experiment(tmp_path))
    assert [task.twin for task in tasks] == [None, 1, None]


def test_a_sweep_that_is_stopped_goes_on_after_the_last_epoch(
    workbench: Workbench, whole: Whole, tmp_path: Path
) -> None:
    trials, experiment = trials_of(workbench)[:1], Experiment(tmp_path)
    seen: list[Event] = []

    def stop() -> bool:
        reports = (event.event for event in seen if isinstance(event, TrialReported))
        batches = [event for event in reports if isinstance(event, Batch)]
        return bool(batches) and batches[-1].epoch == 2

    tasks = planned(workbench, trials, experiment)
    result = drain(run_trials(tasks, experiment, InProcess(workbench), stop), seen.append)
    assert result.stopped
    assert [trial.number for trial in result.unfinished] == [1]
    assert [run.status for run in experiment.runs()] == ["interrupted"]
    result, events = sweep(workbench, trials, experiment)
    began = [event for event in events if isinstance(event, TrialBegan)]
    assert [(event.run, event.resumed) for event in began] == [("0001", True)]
    assert digests(experiment) == digests(whole[0])[:1]
    assert not result.unfinished


def test_a_trial_that_is_stopped_keeps_its_best_epoch_and_the_others_go_on(
    workbench: Workbench, whole: Whole, tmp_path: Path
) -> None:
    grid = Grid(PlanAxes((Goal("ratio", 10.0),)), {"seed": (0, 1, 2)})
    trials, experiment = trials_of(workbench, grid), Experiment(tmp_path)
    seen: list[Event] = []

    def stops() -> set[int]:
        reports = [event for event in seen if isinstance(event, TrialReported)]
        ended = {r.trial.number for r in reports if isinstance(r.event, Epoch)}
        return (ended & {1}) | {3}  # the first one after its first epoch; the third never begins

    tasks = planned(workbench, trials, experiment)
    stream = run_trials(tasks, experiment, InProcess(workbench), stops=stops)
    result = drain(stream, seen.append)
    assert not result.stopped
    assert [trial.number for trial in result.unfinished] == [3]
    stopped, done = result.outcomes
    assert (stopped.stopped, done.stopped) == (True, False)
    assert stopped.record is not None
    assert len(stopped.record.epochs) == 1
    assert [run.status for run in experiment.runs()] == ["stopped", "done"]
    assert digests(experiment)[1] == digests(whole[0])[1]
    assert [e.trial.number for e in seen if isinstance(e, TrialStopping)] == [1]
    assert [e.trial.number for e in seen if isinstance(e, TrialStopped)] == [3]


def test_a_trial_whose_worker_is_lost_is_one_run_with_the_same_net(
    workbench: Workbench, whole: Whole, tmp_path: Path
) -> None:
    executor = Packing(losses=["Begun", "Begun", "node Begun", "Epoch 2", "Epoch 2"])
    experiment = Experiment(tmp_path)
    result, events = sweep(workbench, trials_of(workbench)[:1], experiment, executor)
    assert sum(isinstance(event, TrialLost) for event in events) == 5
    assert executor.resumed_after == [0, 0, 0, 0, 1, 1]
    began = [event for event in events if isinstance(event, TrialBegan)]
    assert [(event.run, event.resumed) for event in began] == [
        ("0001", False),
        ("0001", True),
        ("0001", True),
    ]
    assert digests(experiment) == digests(whole[0])[:1]
    assert [outcome.run for outcome in result.outcomes] == ["0001"]


def test_a_trial_that_kills_its_workers_fails_and_the_others_go_on(
    workbench: Workbench, tmp_path: Path
) -> None:
    trials, experiment = trials_of(workbench, epochs=1), Experiment(tmp_path)
    result, events = sweep(workbench, trials, experiment, Packing(losses=["Epoch"] * ATTEMPTS))
    assert [(outcome.error, outcome.run) for outcome in result.outcomes] == [
        ("its worker was lost 3 times: killed", None),
        ("", "0001"),
    ]
    assert [(run.record.seed, run.status) for run in experiment.runs()] == [(1, "done")]
    assert sweep_report(result)["error"].startswith("1 of 2 trials failed; trial 1 (10x lamp")
    assert sum(isinstance(event, TrialEnded) for event in events) == 2


def test_the_scripted_trials_of_the_benchmarks_are_recorded(
    workbench: Workbench, tmp_path: Path
) -> None:
    experiment = Experiment(tmp_path)
    result = drain(run_trials(scripted.planned(2), experiment, InProcess(workbench)))
    assert [outcome.error for outcome in result.outcomes] == ["", ""]
    assert [len(run.record.epochs) for run in experiment.runs()] == [scripted.SCRIPT.epochs] * 2


def test_a_goal_out_of_reach_names_its_trial(workbench: Workbench, tmp_path: Path) -> None:
    trials = trials_of(workbench, Grid(PlanAxes((Goal("ratio", 1e6),))))
    with pytest.raises(InputError, match="trial 1, 1000000x lamp: "):
        planned(workbench, trials, Experiment(tmp_path))


def test_an_error_in_a_worker_is_a_failure_on_one_line(workbench: Workbench) -> None:
    def broken() -> object:
        yield from ()
        raise ZeroDivisionError("division\nby zero")

    assert list(packed(broken())) == [Failed("ZeroDivisionError: division by zero")]  # type: ignore[arg-type]


def test_a_trial_that_runs_out_of_memory_in_this_process_fails_alone(workbench: Workbench) -> None:
    def broken(*_: object) -> Stream[None]:
        yield from ()
        raise torch.OutOfMemoryError("CUDA out of memory")

    executor = InProcess(workbench)
    work: Any = SimpleNamespace(run=broken)
    executor.submit(Task(1, {}, "", work), BASE)
    assert executor.poll(0.0) == ((1, Failed("OutOfMemoryError: CUDA out of memory")),)
    assert executor.room == 1


def test_the_net_to_start_from_arrives_bit_for_bit(workbench: Workbench) -> None:
    dense = drain(open_dense_net(workbench))
    net = replace(dense, dense_weights=dense.early)
    sent = net.weights, net.early, net.dense_weights
    for own, arrived in zip(sent, PackedNet.of(net).unpacked(), strict=True):
        assert own is not None
        assert arrived is not None
        assert all(torch.equal(arrived[name], own[name]) for name in own)


def test_a_trial_that_cannot_be_recorded_has_an_error(
    workbench: Workbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def finish(*_: object) -> None:
        raise InputError("no space left")

    monkeypatch.setattr(RunWriter, "finish", finish)
    result, events = sweep(workbench, trials_of(workbench, epochs=0)[:1], Experiment(tmp_path))
    (outcome,) = result.outcomes
    assert (outcome.run, outcome.error) == (None, "its run could not be recorded")
    notices = [e.event for e in events if isinstance(e, TrialReported)]
    said = [notice.text for notice in notices if isinstance(notice, Notice)]
    assert "the run could not be recorded: no space left" in said
    assert "1 of 1 trials failed" in sweep_report(result)["error"]
