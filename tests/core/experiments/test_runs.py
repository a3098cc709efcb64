"""A run: recorded, released and resumed; what is stored is read back unchanged."""

from __future__ import annotations

import json
import os
import re
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from core.data.batches import Images
from core.data.inputs import Inputs
from core.errors import InputError
from core.events import Accuracy
from core.experiments.experiment import Experiment, environment
from core.experiments.run_record import (
    BaseRecord,
    EpochRecord,
    LayerRecord,
    RunRecord,
    StageAccuracies,
    report_json,
)
from core.experiments.run_writer import RunWriter
from core.nets.architectures import Cnn5
from core.nets.footprint import Sizes
from core.nets.weights import weights_digest
from core.settings.recipe_changes import RecipeChanges
from core.system.locks import delete_tree
from core.training.checkpoints import Checkpoint
from core.training.loop import Trainer
from core.training.recipes import RECIPES, recipe_named
from tests.core.experiments.recorded_runs import (
    CHECKPOINT,
    RECORD,
    RUN,
    WEIGHTS,
    epochs,
    filled,
    finished,
    interrupted,
    values,
)

# Recording


def test_a_run_is_running_then_done_with_its_weights(experiment: Experiment) -> None:
    assert experiment.runs() == ()
    writer = experiment.begin(RECORD)
    (run,) = experiment.runs()
    assert (run.id, run.status, run.record.model) == ("0001", "running", "cnn5")
    assert run.checkpoint() is None
    writer.checkpoint(filled(1), epochs(1))
    writer.checkpoint(filled(2), epochs(2))
    run = experiment.find("0001")
    assert (run.status, run.record.epochs, run.record.model) == ("running", epochs(2), "cnn5")
    result = replace(RECORD, epochs=epochs(3), layers=(LayerRecord("fc"),))
    done = writer.finish(filled(3), result)
    assert done == experiment.newest() == experiment.find("1")
    assert (done.status, done.note, done.problem) == ("done", "", None)
    assert done.record == replace(
        result,
        status="done",
        weights=weights_digest(filled(3)),
        created=run.record.created,
        environment=environment(),
    )
    assert values(done.weights()) == {3.0}
    assert done.checkpoint() is None
    assert sorted(os.listdir(done.folder)) == ["run.json", "weights.safetensors"]


def test_a_run_records_when_and_on_what_it_ran(experiment: Experiment) -> None:
    before = datetime.now(UTC)
    run = finished(experiment)
    written = json.loads((run.folder / RUN).read_text(encoding="utf-8"))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", written["created"])
    assert run.record.created is not None
    assert abs(run.record.created - before) < timedelta(seconds=60)
    assert run.record.environment == environment()


def test_a_run_can_end_early(experiment: Experiment) -> None:
    run = finished(experiment, stopped=True)
    assert (run.status, run.finished) == ("stopped", True)
    assert "status" not in report_json(run.record)


def test_tensors_are_read_back_unchanged(experiment: Experiment) -> None:
    tensors = {
        "none": torch.empty(0, 3),
        "halves": torch.arange(4.0, dtype=torch.bfloat16),
        "flags": torch.tensor([True, False]),
        "spread": torch.arange(6.0).reshape(2, 3).T,
        "number": torch.tensor(7),
    }
    writer = experiment.begin(RECORD)
    writer.checkpoint(tensors)
    saved = experiment.newest().checkpoint()
    run = writer.finish(tensors, RECORD)
    assert saved is not None
    for weights in (saved.tensors, run.weights()):
        assert weights.keys() == tensors.keys()
        assert all(torch.equal(weights[name], tensors[name]) for name in tensors)
        assert all(weights[name].dtype == tensors[name].dtype for name in tensors)


IMAGES = Images(torch.zeros(24, 1, 28, 28, dtype=torch.uint8), torch.arange(24) % 10, 0.1, 0.3)


@pytest.mark.parametrize("recipe", list(RECIPES))
def test_a_training_state_survives_a_checkpoint(recipe: str, experiment: Experiment) -> None:
    phase = recipe_named(recipe).finetune
    net = Cnn5()
    trainer = Trainer(net, IMAGES, phase, seed=0, precision="fp32")
    sum(parameter.sum() for parameter in net.parameters()).backward()  # type: ignore[union-attr]
    trainer.optimizer.step()
    checkpoint = Checkpoint.of(trainer.state())
    with experiment.begin(RECORD) as writer:
        writer.checkpoint(checkpoint.tensors, state=checkpoint.json)
    saved = experiment.newest().checkpoint()
    assert saved is not None
    assert saved.record.state == json.loads(json.dumps(checkpoint.json))
    state = Checkpoint(saved.tensors, saved.record.state or {}).state()
    again = Trainer(Cnn5(), IMAGES, phase, seed=1, precision="fp32")
    again.resume(state)
    assert all(
        torch.equal(a, b) for a, b in zip(net.parameters(), again.model.parameters(), strict=True)
    )


texts, percents, counts = st.text(max_size=20), st.floats(0, 100), st.integers(0, 10**12)
fractions, accuracies = st.floats(0, 1), st.none() | st.builds(Accuracy, percents, percents)
finite = st.floats(allow_nan=False, allow_infinity=False)
plain = st.none() | st.booleans() | st.integers() | texts | finite
objects = st.dictionaries(
    texts,
    st.recursive(plain, lambda of: st.lists(of) | st.dictionaries(texts, of), max_leaves=8),
    max_size=4,
)
some_epochs = st.lists(
    st.builds(
        EpochRecord,
        st.integers(1, 100),
        st.none() | finite,
        st.none() | percents,
        st.none() | st.floats(0, 1e9),
        st.none() | fractions,
        st.none() | st.booleans(),
    ),
    max_size=3,
).map(tuple)
some_layers = st.lists(
    st.builds(
        LayerRecord,
        st.text(min_size=1, max_size=20),
        st.none() | counts,
        st.none() | fractions,
        st.none() | counts,
        st.none() | finite,
    ),
    max_size=3,
).map(tuple)
records = st.builds(
    RunRecord,
    kind=st.sampled_from([None, "train", "finetune"]),
    model=st.none() | texts,
    inputs=st.sampled_from([Inputs(), Inputs(image_size=32, channels=3, mean=(0.5,))]),
    threads=st.none() | st.integers(1, 64),
    seed=st.none() | st.integers(0, 2**63 - 1),
    choices=st.none() | st.builds(RecipeChanges, epochs=st.integers(1, 9), rewind=st.booleans()),
    finetuning=st.none() | objects,
    base=st.none() | st.builds(BaseRecord, st.none() | texts, texts, st.booleans()),
    parameters=st.none() | counts,
    layers=some_layers,
    accuracy=st.builds(StageAccuracies, dense=accuracies, finetuned=accuracies),
    epochs=some_epochs,
    dead=st.none() | st.dictionaries(texts, counts, max_size=3),
    best=st.none() | st.integers(1, 100),
    stopped=st.none() | st.booleans(),
    sizes=st.none() | st.builds(Sizes, *[st.integers(1, 1 << 50)] * 2, *[st.none()] * 3),
)


@settings(max_examples=40, deadline=None)
@given(records, records, objects)
def test_any_record_is_read_back_unchanged(
    early: RunRecord, late: RunRecord, state: dict[str, Any]
) -> None:
    with TemporaryDirectory() as folder:
        experiment = Experiment(Path(folder))
        with experiment.begin(early) as writer:
            run = experiment.newest()
            origin = {"created": run.record.created, "environment": run.record.environment}
            assert (run.record, run.faults) == (replace(early, status="running", **origin), ())
            writer.checkpoint({}, late.epochs, state)
            saved = experiment.newest().checkpoint()
            assert saved is not None
            expected = replace(early, epochs=late.epochs, state=state, **origin)
            assert experiment.newest().record == saved.record == expected
            done = writer.finish(filled(1), late)
            weights = weights_digest(filled(1))
            assert done.record == replace(late, status=done.status, weights=weights, **origin)
            assert (done.faults, done.finished) == ((), True)


def test_non_finite_numbers_are_refused_and_change_nothing(experiment: Experiment) -> None:
    wrong = replace(RECORD, ratio=float("nan"))
    with pytest.raises(ValueError, match="not JSON compliant"):
        experiment.begin(wrong)
    assert not experiment.folder.exists()
    writer = experiment.begin(RECORD)
    writer.checkpoint(filled(1), epochs(1))
    with pytest.raises(ValueError, match="not JSON compliant"):
        writer.checkpoint(filled(2), state={"loss": float("inf")})
    with pytest.raises(ValueError, match="not JSON compliant"):
        writer.finish(filled(2), wrong)
    writer.close()
    run = experiment.newest()
    assert (run.status, run.record.epochs) == ("interrupted", epochs(1))
    assert not run.weights_path.exists()


def test_only_a_finished_run_has_weights(experiment: Experiment) -> None:
    run = interrupted(experiment)
    with pytest.raises(InputError, match=r"0001 of .* is interrupted: .* run --resume .*:0001"):
        run.weights()


def test_a_writer_has_the_id_and_folder_of_its_run(experiment: Experiment) -> None:
    with experiment.begin(RECORD) as writer:
        assert isinstance(writer, RunWriter)
        assert writer.folder == experiment.folder / writer.id


# Releasing


def test_a_failed_run_leaves_its_checkpoint(experiment: Experiment) -> None:
    def fail() -> None:
        with experiment.begin(RECORD) as writer:
            writer.checkpoint(filled(4), epochs(4))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    run = experiment.newest()
    saved = run.checkpoint()
    assert saved is not None
    assert (run.status, len(run.record.epochs), values(saved.tensors)) == ("interrupted", 4, {4.0})


def test_a_run_that_fails_without_a_checkpoint_leaves_nothing(experiment: Experiment) -> None:
    with pytest.raises(ZeroDivisionError), experiment.begin(RECORD):
        raise ZeroDivisionError
    assert os.listdir(experiment.folder) == [".lock"]


def test_a_run_with_a_note_stays(experiment: Experiment) -> None:
    with experiment.begin(RECORD):
        experiment.annotate(experiment.newest(), "look into this")
    assert experiment.newest().note == "look into this"


def test_an_abandoned_run_is_deleted(experiment: Experiment) -> None:
    writer = experiment.begin(RECORD)
    writer.checkpoint(filled(1))
    writer.abandon()
    assert os.listdir(experiment.folder) == [".lock"]


def test_a_finished_run_takes_no_more_epochs(experiment: Experiment) -> None:
    writer = experiment.begin(RECORD)
    writer.finish(filled(1), RECORD)
    writer.close()
    assert experiment.newest().status == "done"
    for again in (
        lambda: writer.checkpoint(filled(1)),
        lambda: writer.finish(filled(1), RECORD),
        writer.abandon,
    ):
        with pytest.raises(RuntimeError, match="run 0001 is over"):
            again()


def test_a_run_continues_in_another_thread(experiment: Experiment) -> None:
    writer = experiment.begin(RECORD)
    thread = threading.Thread(target=writer.finish, args=(filled(1), RECORD))
    thread.start()
    thread.join()
    assert not writer.held
    assert experiment.newest().status == "done"


def test_a_folder_deleted_meanwhile_is_reported(experiment: Experiment) -> None:
    with experiment.begin(RECORD) as writer:
        delete_tree(experiment.folder)
        with pytest.raises(InputError, match=r"the folder .*0001 does not exist"):
            writer.checkpoint(filled(1))


# Resuming


def test_an_interrupted_run_can_be_resumed(experiment: Experiment) -> None:
    run = interrupted(experiment, epoch=2)
    with experiment.resume(run) as writer:
        assert experiment.newest().status == "running"
        writer.checkpoint(filled(3), epochs(3))
    run = experiment.newest()
    assert (run.id, run.status, len(run.record.epochs)) == ("0001", "interrupted", 3)
    assert [again.environment for again in run.record.resumed] == [environment()]
    done = experiment.resume(run).finish(filled(4), RECORD)
    assert (done.id, done.status, done.record.model) == ("0001", "done", "cnn5")
    assert len(done.record.resumed) == 2
    assert done.record.created == run.record.created


def test_only_an_interrupted_run_can_be_resumed(experiment: Experiment) -> None:
    run = finished(experiment)
    with pytest.raises(InputError, match=r"run 0001 of .*: done; nothing to resume"):
        experiment.resume(run)
    running = "run 0002 of .*: running; nothing to resume"
    with experiment.begin(RECORD), pytest.raises(InputError, match=running):
        experiment.resume(experiment.newest())
    (run.folder / "run.json").write_text("{}", encoding="utf-8")
    with pytest.raises(InputError, match=r"is unreadable: run.json .*; restore .* --weights "):
        experiment.resume(run)


def test_remains_of_a_killed_process_are_removed(experiment: Experiment) -> None:
    finish, resume = finished(experiment), interrupted(experiment)
    half = f".{CHECKPOINT}-f00"
    for run in (finish, resume):
        (run.folder / CHECKPOINT).write_bytes((resume.folder / CHECKPOINT).read_bytes())
        (run.folder / half).touch()
    (finish.folder / "lock").touch()
    assert experiment.runs() == (finish, resume)
    assert experiment.find("1").checkpoint() is None
    writer = experiment.resume(resume)
    assert sorted(os.listdir(resume.folder)) == [CHECKPOINT, "lock", RUN]
    (resume.folder / half).touch()
    experiment.begin(RECORD).abandon()
    assert sorted(os.listdir(finish.folder)) == [RUN, WEIGHTS]
    assert (resume.folder / half).exists()  # of a live process
    writer.close()
