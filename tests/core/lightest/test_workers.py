"""Descents whose trials run side by side, or in another process: the same nets as here."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.events import Event, drain
from core.executors.events import TrialBegan, TrialOver, TrialReported
from core.executors.processes import Processes
from core.executors.tasks import Executor
from core.experiments.experiment import Experiment
from core.jobs.dense_net import open_dense_net
from core.jobs.workbench import Workbench
from core.lightest.job import lightest
from core.lightest.search import Search
from core.lightest.trials import Lightest, TrialFinished
from core.nets.weights import weights_digest
from tests.core.executors.places import Places, bench
from tests.core.training_loops import of_type

pytestmark = pytest.mark.slow

__all__ = ["bench"]

ANY = Search(100.0, start=150.0)
"""Every net passes."""


def descended(
    bench: Workbench,
    folder: Path,
    executor: Executor | None = None,
    *,
    search: Search = ANY,
    seeds: tuple[int, ...] = (0,),
    trials: int = 99,
) -> tuple[Lightest, list[Event]]:
    """What is found by a search that is stopped after so many trials, and its events."""
    events: list[Event] = []

    def stop() -> bool:
        return len(of_type(TrialFinished, events)) >= trials

    experiment = Experiment(folder)
    stream = lightest(
        bench, open_dense_net, search, experiment, seeds, stop=stop, executor=executor
    )
    return drain(stream, events.append), events


def nets(found: Lightest) -> list[tuple[int, int, float, str]]:
    """What each trial is, and the digest of its net."""
    return [
        (t.settings.seed, t.number, t.ratio, weights_digest(t.result.weights)) for t in found.trials
    ]


def test_seeds_side_by_side_find_what_they_find_in_turn(bench: Workbench, tmp_path: Path) -> None:
    alone, events = descended(bench, tmp_path / "alone", seeds=(0, 1))
    assert not of_type(TrialReported, events)
    executor = Places(bench, 2)
    found, events = descended(bench, tmp_path / "both", executor, seeds=(0, 1))
    assert executor.most == 2
    assert found.complete
    assert nets(found) == nets(alone)
    assert len(of_type(TrialBegan, events)) == len(of_type(TrialOver, events)) == len(nets(alone))
    assert {event.trial.seed for event in of_type(TrialReported, events)} == {0, 1}


def test_places_try_several_ratios_from_one_net_and_a_stopped_search_goes_on(
    bench: Workbench, tmp_path: Path
) -> None:
    whole, _ = descended(bench, tmp_path / "whole", Places(bench, 2))
    one, two, three, four = whole.trials[:4]
    assert (two.ratio, four.ratio) == (pytest.approx(one.ratio**2), pytest.approx(2 * two.ratio))
    assert one.base is two.base
    assert three.base is four.base
    assert three.base.run == two.result.run
    descended(bench, tmp_path / "parts", Places(bench, 2), trials=3)
    again, events = descended(bench, tmp_path / "parts", Places(bench, 2))
    assert again.complete
    assert nets(again) == nets(whole)
    runs = Experiment(tmp_path / "parts").runs()
    assert len(runs) == len(whole.trials)
    assert len(of_type(TrialBegan, events)) < len(whole.trials)


def test_a_process_finds_the_same_nets_and_files(bench: Workbench, tmp_path: Path) -> None:
    search = Search(100.0, "bytes", start=200.0)
    alone, _ = descended(bench, tmp_path / "alone", search=search, trials=2)
    executor = Processes(1, threads=1)
    found, events = descended(bench, tmp_path / "worker", executor, search=search, trials=2)
    assert nets(found) == nets(alone)
    assert [t.file and t.file.data for t in found.trials] == [
        t.file and t.file.data for t in alone.trials
    ]
    assert all(trial.file for trial in found.trials)
    assert not of_type(TrialReported, events)
    assert executor._workers == []
