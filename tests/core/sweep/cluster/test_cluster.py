"""Trials on a cluster: the same nets as here, whoever is killed and whichever node goes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from signal import SIGKILL
from time import monotonic

import pytest

from core.errors import InputError
from core.events import Event, drain, never
from core.executors.events import TrialBegan
from core.executors.in_process import InProcess
from core.executors.ray_cluster.connection import connect
from core.executors.ray_cluster.executor import RayCluster, Share
from core.executors.tasks import Executor
from core.experiments.experiment import Experiment
from core.jobs.workbench import Workbench
from core.pruning.goals import Goal
from core.settings.settings import Settings
from core.sweep.choices import PlanAxes
from core.sweep.driver import TrialStops, run_trials
from core.sweep.grid import Grid
from core.sweep.live.events import SweepResult
from core.sweep.planning import plan_trials
from tests.core.sweep.cluster.local_cluster import ROOT, LocalCluster
from tests.core.sweep.faults import Faults, kill_one
from tests.core.sweep.own_net import Place, nets, vars_of

pytestmark = pytest.mark.slow

ON_MNIST = {
    "model": "lenet-300-100",
    "precision": "fp32",
    "threads": 1,
    "batch_size": 1000,
    "epochs": 2,
}
"""A net of 267,000 parameters, trained on all of MNIST: 3 s of a processor."""

SEEDS = {"seed": (0, 1)}

PROGRAM = "import sys; from tui.cli.main import main; sys.exit(main())"

KILLED = """
import os, signal, sys
from tui.cli.main import main

class Output:
    def __getattr__(self, name):
        return getattr(sys.__stdout__, name)

    def write(self, text):
        if "epoch 2: " in text:
            os.kill(os.getpid(), signal.SIGKILL)
        return sys.__stdout__.write(text)

sys.stdout = Output()
main()
"""
"""The program, which gets a SIGKILL as a trial ends its second epoch."""


def sweep(
    settings: dict[str, object],
    executor: Callable[[Workbench], Executor],
    folder: Path,
    axes: Mapping[str, tuple[int, ...]] = SEEDS,
    sink: Callable[[Event], object] = lambda event: None,
    stops: TrialStops = tuple,
) -> tuple[Experiment, SweepResult]:
    """Prune 10x with every value of the lists."""
    workbench, experiment = Workbench(Settings.of(settings)), Experiment(folder)
    trials = Grid(PlanAxes((Goal("ratio", 10.0),)), axes).trials(
        lambda given: Settings.of({**settings, **given})
    )
    planned = drain(plan_trials(workbench, trials, {}, experiment, never))
    stream = run_trials(planned, experiment, executor(workbench), never, stops)
    return experiment, drain(stream, sink)


@pytest.mark.usefixtures("mnist_dir", "one_thread")
def test_a_cluster_makes_the_same_nets_while_workers_and_nodes_come_and_go(
    cluster: LocalCluster,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nodes that lack MNIST get it from the driver, also one that joins later."""
    # so that what is killed is not done yet
    monkeypatch.setattr("core.executors.ray_cluster.executor.AHEAD", 1)
    here, _ = sweep(ON_MNIST, InProcess, tmp_path / "here")
    for home in ("one", "two"):
        cluster.join(home=home)
    executor = RayCluster(connect(cluster.address), Share())
    assert executor.room == 3

    def replace_nodes() -> None:
        cluster.kill_nodes()
        cluster.join()

    faults = Faults(lambda: kill_one(cluster.workers()), replace_nodes)
    there, result = sweep(ON_MNIST, lambda _: executor, tmp_path / "there", sink=faults)
    assert [outcome.error for outcome in result.outcomes] == ["", ""]
    assert nets(there) == nets(here)
    assert faults.lost >= 2
    for home in ("one", "two", "bare"):
        files = (cluster.folder / home).rglob("*-ubyte")
        assert len({path.name for path in files}) == 4
    assert capfd.readouterr().out == ""


@pytest.mark.usefixtures("one_thread")
def test_a_sweep_goes_on_after_its_driver_was_killed(
    place: Place, cluster: LocalCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A net and images that only the driver has."""
    monkeypatch.setenv("HOME", str(place.folder))
    own = {"model": "~/own.py:Net", "dataset": "folder:~/images"}
    settings = {**vars_of(place.settings), **own}
    here, _ = sweep(settings, InProcess, tmp_path / "here")
    cluster.join_if_alone()
    options = {name: value for name, value in settings.items() if name != "weights"}
    command = ["sweep", "--ratio", "10", "--seeds", "0,1", "--on", "auto"]
    command += ["--experiment", str(tmp_path / "there"), "--weights", str(settings["weights"])]
    for name, value in options.items():
        command += [f"--{name.replace('_', '-')}", str(value)]
    driver = [sys.executable, "-c", KILLED, *command]
    assert subprocess.run(driver, cwd=ROOT, stdout=subprocess.PIPE).returncode == -SIGKILL
    began: list[TrialBegan] = []

    def note(event: Event) -> None:
        began.extend([event] if isinstance(event, TrialBegan) else [])

    executor = RayCluster(connect(cluster.address), Share())
    there, result = sweep(settings, lambda _: executor, tmp_path / "there", sink=note)
    assert any(trial.resumed for trial in began)  # whichever begins first
    assert [outcome.error for outcome in result.outcomes] == ["", ""]
    assert nets(there) == nets(here)
    assert {(run.record.model, run.record.dataset) for run in there.runs()} == {
        ("~/own.py:Net", "folder:~/images")
    }
    sent = list((cluster.folder / "bare" / "cache" / "featherweight" / "sent").glob("*/images"))
    assert len(sent) == 1


@pytest.mark.usefixtures("one_thread")
def test_a_trial_on_a_cluster_is_stopped_alone(
    place: Place, cluster: LocalCluster, tmp_path: Path
) -> None:
    cluster.join_if_alone()
    executor = RayCluster(connect(cluster.address), Share())
    stops = set[int]()

    def sink(event: Event) -> None:
        stops.update({1} if isinstance(event, TrialBegan) and event.trial.number == 1 else ())

    axes = {"epochs": (10_000, 1)}  # the first would take an hour, half of it to the full plan
    settings = vars_of(place.settings)
    _, result = sweep(settings, lambda _: executor, tmp_path, axes, sink, lambda: stops)
    assert [(o.trial.number, o.stopped, o.error) for o in result.outcomes] == [(2, False, "")]
    assert [trial.number for trial in result.unfinished] == [1]
    assert not result.stopped


@pytest.mark.usefixtures("one_thread")
def test_a_trial_without_enough_memory_fails(
    place: Place, cluster: LocalCluster, tmp_path: Path
) -> None:
    """Ray's memory monitor ends it three times."""
    executor = connect(cluster.address)
    node = cluster.join(
        cpus=2, home="small", RAY_memory_usage_threshold="0.0", RAY_memory_monitor_refresh_ms="100"
    )
    settings = vars_of(place.settings)
    _, result = sweep(settings, lambda _: RayCluster(executor, Share(cpus=2)), tmp_path, {})
    cluster.kill(node)
    (outcome,) = result.outcomes
    assert outcome.error.startswith("its worker was lost 3 times: OutOfMemoryError: ")
    assert not result.stopped


@pytest.mark.usefixtures("one_thread")
def test_nodes_with_other_versions_are_named(
    place: Place, cluster: LocalCluster, tmp_path: Path
) -> None:
    """Also one that joins later; nothing more runs."""
    ray = connect(cluster.address)
    with pytest.raises(InputError, match="no node of the cluster has 2 CPUs and 0 GPUs"):
        RayCluster(ray, Share(cpus=2))
    other = tmp_path / "torch-0.0.1.dist-info"
    other.mkdir()
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: torch\nVersion: 0.0.1\n")
    node = cluster.join(cpus=2, home="other", PYTHONPATH=str(tmp_path))
    named = f"node .* has torch 0.0.1 where the sweep has {version('torch')}"
    with pytest.raises(InputError, match=named):
        sweep(
            vars_of(place.settings),
            lambda _: RayCluster(ray, Share(cpus=2)),
            tmp_path / "experiment",
        )
    with pytest.raises(InputError, match=named):
        connect(cluster.address)
    cluster.kill(node)


def test_a_driver_without_the_token_is_refused_in_seconds(cluster: LocalCluster) -> None:
    environment = {**os.environ, "RAY_AUTH_TOKEN": "0" * 64}
    command = [sys.executable, "-c", PROGRAM, "sweep", "--ratio", "10", "--on", "auto"]
    began = monotonic()
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert monotonic() - began < 60
    assert done.returncode == 2
    assert "the cluster asks for a token" in done.stderr.splitlines()[-1]
