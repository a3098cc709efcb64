"""Descents with real fine-tunings on a few digits: bases, costs, files, and starting again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from core.data.batches import Splits
from core.errors import InputError
from core.events import DenseTrainingStarted, Event, Notice, Portion, Stream, drain
from core.experiments.experiment import Experiment
from core.experiments.run_record import TrialRecord
from core.formats.codec import decode
from core.jobs import goals
from core.jobs.dense_net import open_dense_net
from core.jobs.net import Net
from core.jobs.workbench import Workbench
from core.lightest.job import given, lightest
from core.lightest.report import lightest_report
from core.lightest.search import Search
from core.lightest.trials import DescentStarted, Lightest, TrialFinished, TrialStarted
from core.progress import Meter
from core.pruning.allocation import allocate
from core.pruning.masks import Masks
from core.pruning.plans import Plan
from core.settings.recipe_changes import RecipeChanges
from core.settings.settings import Settings
from tests.core.jobs.conftest import small
from tests.core.training_loops import of_type

pytestmark = [pytest.mark.usefixtures("one_thread"), pytest.mark.slow]

KEPT = 235_200 // 100 + 30_000 // 100 + 1_000 // 25 + 410
"""Nonzeros of the light net, biases included."""

ANY = Search(100.0)
"""Every net passes, down to one weight a layer."""


@pytest.fixture(scope="module")
def workbench(data_dir: Path) -> Iterator[Workbench]:
    whole, threads = Splits.of, torch.get_num_threads()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Splits, "of", lambda dataset, device: small(dataset, device, whole))
        yield Workbench(
            Settings(
                "lenet-300-100",
                data_dir=data_dir,
                precision="fp32",
                changes=RecipeChanges(epochs=1),
            )
        )
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def dense(workbench: Workbench) -> Net:
    return drain(open_dense_net(workbench))


@pytest.fixture(scope="module")
def light(workbench: Workbench, dense: Net) -> Net:
    """A pruned net, as by the key `a`."""
    plan = {"fc1": 0.99, "fc2": 0.99, "fc3": 0.96}
    weights = Masks.of(dense.weights, workbench.layers, plan).apply(dense.weights)
    return workbench.net_of(weights, dense.accuracy).pruned_from(dense)


def descended(
    workbench: Workbench,
    base: Net,
    search: Search,
    folder: Path,
    *,
    trials: int = 99,
    seeds: tuple[int, ...] = (0,),
    to: Path | None = None,
) -> tuple[Lightest, list[Event]]:
    """A descent that is stopped after so many trials; its result and its events."""
    events: list[Event] = []

    def stop() -> bool:
        return len(of_type(TrialFinished, events)) >= trials

    stream = lightest(workbench, given(base), search, Experiment(folder), seeds, to, stop)
    return drain(stream, events.append), events


def test_each_trial_starts_from_the_best_before_and_is_a_run(
    workbench: Workbench, light: Net, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    below = []

    def allocating(*args: Any, dense: float, **options: Any) -> Plan:
        below.append(dense)
        return allocate(*args, dense=dense, **options)

    monkeypatch.setattr(goals, "allocate", allocating)
    found, _ = descended(workbench, light, ANY, tmp_path, trials=2)
    assert below == 2 * [light.accuracy.validation], "the scan is of the net where all began"
    first, second = found.trials
    assert first.ratio == pytest.approx(2 * 266_610 / KEPT)
    assert first.base is light
    assert second.ratio == pytest.approx(2 * first.ratio)
    assert second.base.run == first.result.run == "0001"
    assert [trial.cost for trial in found.trials] == [KEPT // 2, KEPT // 4]
    assert (found.best, found.stopped, found.complete) == (second, True, False)
    least = found.descents[0].least
    said = [run.record.lightest for run in Experiment(tmp_path).runs()]
    assert said == [TrialRecord(n, least, "parameters") for n in (1, 2)]


def test_started_again_alike_it_repeats_no_trial_and_ends_the_same(
    workbench: Workbench, light: Net, tmp_path: Path
) -> None:
    whole, _ = descended(workbench, light, ANY, tmp_path / "whole")
    assert whole.complete
    assert whole.trials[-1].cost == 410 + 3
    descended(workbench, light, ANY, tmp_path / "parts", trials=2)
    found, events = descended(workbench, light, ANY, tmp_path / "parts")
    said = [event.text for event in of_type(Notice, events) if "recorded" in event.text]
    assert said == [f"trial {n} is recorded already, as run 000{n}" for n in (1, 2)]
    assert len(Experiment(tmp_path / "parts").runs()) == len(whole.trials)
    one, other = (
        lightest_report(workbench, result, Experiment(tmp_path / name))
        for name, result in (("whole", whole), ("parts", found))
    )
    for trial, same in zip(one["trials"], other["trials"], strict=True):
        for report in (trial, same):
            del report["created"]
            for epoch in report["epochs"]:
                del epoch["seconds"]
        assert trial == same
    assert one["front"] == other["front"]
    found, events = descended(workbench, light, ANY, tmp_path / "parts", seeds=(1,), trials=1)
    assert not of_type(Notice, events)
    assert found.trials[0].result.run == f"000{len(whole.trials) + 1}"


def test_by_bytes_the_best_file_is_written_and_recorded(
    workbench: Workbench, dense: Net, tmp_path: Path
) -> None:
    file, search = tmp_path / "best.fw", Search(60.0, "bytes", start=40)
    found, events = descended(workbench, dense, search, tmp_path / "runs", to=file, trials=2)
    best, written = found.best, found.file
    assert best is not None
    assert best.file is not None
    assert written is not None
    assert decode(best.file.data)
    assert file.read_bytes() == best.file.data
    assert best.cost == len(best.file.data) == written.bytes
    assert best.accuracy == written.accuracy
    assert best.accuracy.validation >= found.descents[0].least
    run = Experiment(tmp_path / "runs").find(best.result.run or "")
    assert {export.name: export.bytes for export in run.exports} == {
        "light.fw": written.bytes,
        "best.fw": written.bytes,
    }
    assert (run.folder / "light.fw").read_bytes() == best.file.data
    assert [event.number for event in of_type(TrialStarted, events)] == [1, 2]

    again, events = descended(workbench, dense, search, tmp_path / "runs", trials=2)
    assert not [event for event in of_type(Notice, events) if "values per layer" in event.text]
    assert [trial.cost for trial in again.trials] == [trial.cost for trial in found.trials]
    (run.folder / "light.fw").write_bytes(best.file.data[:-1])
    again, events = descended(workbench, dense, search, tmp_path / "runs", trials=2)
    assert [event for event in of_type(Notice, events) if "values per layer" in event.text]
    assert (run.folder / "light.fw").read_bytes() == best.file.data


@pytest.mark.parametrize(("epochs", "least", "most"), [(None, 0.0, 0.05), (40, 0.5, 0.7)])
def test_a_dense_net_that_is_trained_takes_its_share_of_the_whole(
    epochs: int | None, least: float, most: float, workbench: Workbench, light: Net, tmp_path: Path
) -> None:
    """Trials of one epoch, 47 of them at most as far as anyone can tell."""

    def opened(_: Workbench) -> Stream[Net]:
        if epochs is not None:
            yield DenseTrainingStarted(epochs)
        yield Portion(0.9, 1.0)
        return light

    meter, share = Meter(), 0.0
    stream = lightest(workbench, opened, ANY, Experiment(tmp_path), (0,))
    for event in stream:
        meter = meter.after(event, 0.0)
        if isinstance(event, DescentStarted):
            share = meter.done or 0.0
            break
    stream.close()
    assert least < share < most


def test_what_one_seed_found_outlives_a_stop_in_the_next(
    workbench: Workbench, light: Net, tmp_path: Path
) -> None:
    found, _ = descended(workbench, light, ANY, tmp_path, seeds=(0, 1), trials=4)
    assert [descent.seed for descent in found.descents] == [0, 1]
    assert [descent.complete for descent in found.descents] == [True, False]
    assert (found.complete, found.stopped) == (False, True)
    assert found.best is found.descents[0].best


def test_no_other_format_and_no_odd_start_is_taken(
    workbench: Workbench, dense: Net, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=r"ends in \.fw"):
        descended(workbench, dense, ANY, tmp_path, to=tmp_path / "net.pt")
    for start in (1.0, float("nan"), float("inf")):
        with pytest.raises(InputError, match="expected a ratio above 1"):
            Search(1.0, start=start)
