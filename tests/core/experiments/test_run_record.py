"""The record of a run: one format, read strictly to resume and leniently to list."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.errors import InputError
from core.events import Accuracy
from core.experiments.experiment import Experiment
from core.experiments.run_record import (
    EpochRecord,
    LayerRecord,
    RunRecord,
    StageAccuracies,
    read_record,
    record_json,
    report_json,
)
from core.experiments.runs import Run
from tests.core.experiments.recorded_runs import RUN, epochs, finished, interrupted

OLD = json.loads((Path(__file__).parent / "recorded_run.json").read_text(encoding="utf-8"))
"""A record in the original, untyped format."""


def test_an_old_run_is_read_and_written_unchanged() -> None:
    record, faults = read_record(OLD, RUN)
    assert faults == ()
    assert record_json(record) == OLD
    assert (record.model, record.seed, record.planned_epochs) == ("cnn5", 0, 1)
    assert record.layers[0] == LayerRecord("conv1", 800, 0.9, 80, record.layers[0].threshold)
    assert record.measured.keys() == {"dense", "pruned", "finetuned"}
    assert record.stage == "finetuned"
    trained = replace(record.accuracy, pruned=None, finetuned=None)
    assert replace(record, accuracy=trained).stage == "dense"
    assert [epoch.epoch for epoch in record.epoch_events] == [1]


def test_the_report_omits_status_and_state() -> None:
    record = replace(read_record(OLD, RUN)[0], state={"epoch": 1})
    expected = {key: value for key, value in OLD.items() if key != "status"}
    assert report_json(record) == expected


@pytest.mark.parametrize("kind", ["finetune", "train"])
def test_a_finished_run_writes_nulls_and_an_unfinished_one_omits_them(kind: Any) -> None:
    record = RunRecord(kind=kind)
    assert record_json(record) == {"kind": kind, "inputs": {}, "epochs": []}
    nulls = {key for key, value in record_json(replace(record, stopped=False)).items()
             if value is None}  # fmt: skip
    of_finetuning = {"dead", "nonzero_without_dead", "parameters_without_dead", "sizes"}
    assert nulls == {"ratio", "best"} | (of_finetuning if kind == "finetune" else set())


def changed(run: Run, **values: Any) -> Run:
    """The same run with other values in its file."""
    path = run.folder / RUN
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))
    return Experiment(run.folder.parent).find(run.id)


def test_a_damaged_value_is_dropped_when_listing_and_refused_when_resuming(tmp_path: Path) -> None:
    run = finished(Experiment(tmp_path), seed=3)
    assert run.checked() == run.record
    damaged = changed(run, seed="x", epochs=[{"epoch": 1, "validation": 101}])
    assert (damaged.status, damaged.record.seed) == ("done", None)
    assert damaged.record.epochs == (EpochRecord(1, None, None, None, None),)
    assert damaged.faults[0].startswith("run.json: seed: found 'x', expected a whole number from 0")
    assert damaged.faults[1] == "run.json: epochs[0].validation: found 101, expected a number " \
        "from 0 to 100"  # fmt: skip
    with pytest.raises(InputError, match=r"run 0001 of .*: run.json: seed: found 'x', expected a"):
        damaged.checked()
    with pytest.raises(InputError, match=r"run.json: seed: found nothing, expected"):
        damaged.required(damaged.record.seed, "seed")


def test_a_damaged_run_is_not_resumed(tmp_path: Path) -> None:
    experiment = Experiment(tmp_path)
    run = interrupted(experiment)
    (run.folder / "checkpoint.safetensors").unlink()
    damaged = changed(run, kind="distill")
    assert not damaged.resumable
    with pytest.raises(InputError, match="kind: found 'distill', expected one of finetune, train"):
        experiment.resume(damaged)


def test_an_incomplete_epoch_gives_no_curve() -> None:
    whole = RunRecord(epochs=epochs(2), best=2)
    assert [event.epoch for event in whole.epoch_events] == [1, 2]
    lacking = replace(whole, epochs=(*epochs(1), replace(epochs(2)[1], validation=None)))
    assert lacking.epoch_events == ()


def test_an_old_epoch_is_final_if_it_is_the_best() -> None:
    rows = tuple(replace(row, final=None) for row in epochs(2))
    events = RunRecord(epochs=rows, best=2).epoch_events
    assert [event.final for event in events] == [False, True]


def test_accuracies_are_from_0_to_100() -> None:
    data = {"accuracy": {"dense": {"validation": 99, "test": 98.5}, "pruned": {"validation": 1e9}}}
    record, faults = read_record(data, RUN)
    assert record.accuracy == StageAccuracies(dense=Accuracy(99.0, 98.5))
    assert len(faults) == 1
