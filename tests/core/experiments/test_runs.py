"""A run: recorded, let go of and taken up again; what is kept comes back as it was."""

from __future__ import annotations

import json
import os
import re
import threading
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from core.data.batches import Images
from core.errors import InputError
from core.experiments.experiment import Experiment, environment
from core.experiments.run_writer import RunWriter
from core.nets.architectures import Cnn5
from core.system.locks import erase
from core.training.checkpoints import Checkpoint
from core.training.loop import Trainer
from core.training.recipes import RECIPES, recipe_named
from tests.core.experiments.recorded_runs import (
    CHECKPOINT,
    FACTS,
    RUN,
    WEIGHTS,
    filled,
    finished,
    interrupted,
    values,
)


@pytest.fixture
def experiment(tmp_path: Path) -> Experiment:
    return Experiment(tmp_path / "it")


# A run and what becomes of it


def test_a_run_from_its_beginning_to_its_end(experiment: Experiment) -> None:
    assert experiment.runs() == ()
    writer = experiment.begin(FACTS)
    (run,) = experiment.runs()
    assert (run.id, run.status, run.facts["model"]) == ("0001", "running", "cnn5")
    assert run.checkpoint() is None
    writer.checkpoint(filled(1), {"epoch": 1})
    writer.checkpoint(filled(2), {"epoch": 2})
    run = experiment.find("0001")
    assert (run.status, run.facts["epoch"], run.facts["model"]) == ("running", 2, "cnn5")
    done = writer.finish(filled(3), {"epoch": 3, "layers": [{"name": "fc"}]})
    assert done == experiment.newest() == experiment.find("1")
    assert (done.status, done.note, done.problem) == ("done", "", None)
    assert done.facts == {
        **FACTS,
        "epoch": 3,
        "layers": [{"name": "fc"}],
        "created": run.facts["created"],
        "environment": environment(),
    }
    assert values(done.weights()) == {3.0}
    assert done.checkpoint() is None
    assert sorted(os.listdir(done.folder)) == ["run.json", "weights.safetensors"]


def test_what_is_recorded_says_when_and_on_what(experiment: Experiment) -> None:
    facts = finished(experiment).facts
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", facts["created"])
    assert facts["environment"] == environment()


def test_a_run_can_end_early(experiment: Experiment) -> None:
    run = finished(experiment, status="stopped")
    assert (run.status, run.finished) == ("stopped", True)
    assert "status" not in run.facts
    writer = experiment.begin(FACTS)
    with pytest.raises(ValueError, match="status 'failed': expected one of done, stopped"):
        writer.finish(filled(1), {"status": "failed"})
    assert writer.held


def test_tensors_come_back_as_they_were(experiment: Experiment) -> None:
    tensors = {
        "none": torch.empty(0, 3),
        "halves": torch.arange(4.0, dtype=torch.bfloat16),
        "flags": torch.tensor([True, False]),
        "spread": torch.arange(6.0).reshape(2, 3).T,
        "number": torch.tensor(7),
    }
    writer = experiment.begin(FACTS)
    writer.checkpoint(tensors, {})
    saved = experiment.newest().checkpoint()
    run = writer.finish(tensors, {})
    assert saved is not None
    for found in (saved.tensors, run.weights()):
        assert found.keys() == tensors.keys()
        assert all(torch.equal(found[name], tensors[name]) for name in tensors)
        assert all(found[name].dtype == tensors[name].dtype for name in tensors)


IMAGES = Images(torch.zeros(24, 1, 28, 28, dtype=torch.uint8), torch.arange(24) % 10, 0.1, 0.3)


@pytest.mark.parametrize("recipe", list(RECIPES))
def test_the_state_of_a_training_goes_through_a_checkpoint(
    recipe: str, experiment: Experiment
) -> None:
    phase = recipe_named(recipe).finetune
    net = Cnn5()
    trainer = Trainer(net, IMAGES, phase, seed=0, precision="fp32")
    sum(parameter.sum() for parameter in net.parameters()).backward()  # type: ignore[union-attr]
    trainer.optimizer.step()
    checkpoint = Checkpoint.of(trainer.state())
    with experiment.begin(FACTS) as writer:
        writer.checkpoint(checkpoint.tensors, {"state": checkpoint.facts})
    saved = experiment.newest().checkpoint()
    assert saved is not None
    assert saved.facts["state"] == json.loads(json.dumps(checkpoint.facts))
    state = Checkpoint(saved.tensors, saved.facts["state"]).state()
    again = Trainer(Cnn5(), IMAGES, phase, seed=1, precision="fp32")
    again.resume(state)
    assert all(
        torch.equal(a, b) for a, b in zip(net.parameters(), again.model.parameters(), strict=True)
    )


finite = st.floats(allow_nan=False, allow_infinity=False)
plain = st.none() | st.booleans() | st.integers() | st.text() | finite
facts = st.dictionaries(
    st.text().filter(lambda key: key not in ("status", "created", "environment")),
    st.recursive(plain, lambda of: st.lists(of) | st.dictionaries(st.text(), of), max_leaves=8),
    max_size=4,
)


@settings(max_examples=40)
@given(facts, facts)
def test_any_facts_come_back_as_they_were(early: dict[str, Any], late: dict[str, Any]) -> None:
    with TemporaryDirectory() as folder:
        experiment = Experiment(Path(folder))
        with experiment.begin(early) as writer:
            begun = dict(experiment.newest().facts)
            assert {key: begun[key] for key in early} == early
            writer.checkpoint({}, late)
            saved = experiment.newest().checkpoint()
            assert saved is not None
            assert experiment.newest().facts == saved.facts == {**begun, **late}
            assert writer.finish({}, late).facts == {**begun, **late}


def test_numbers_that_are_not_finite_are_refused_and_change_nothing(experiment: Experiment) -> None:
    wrong = {"epochs": [{"loss": float("nan")}]}
    with pytest.raises(ValueError, match="not JSON compliant"):
        experiment.begin(wrong)
    assert not experiment.folder.exists()
    writer = experiment.begin(FACTS)
    writer.checkpoint(filled(1), {"epoch": 1})
    for keep in (writer.checkpoint, writer.finish):
        with pytest.raises(ValueError, match="not JSON compliant"):
            keep(filled(2), {"loss": float("inf")})
    writer.close()
    run = experiment.newest()
    assert (run.status, run.facts["epoch"]) == ("interrupted", 1)
    assert not run.weights_path.exists()


def test_only_a_finished_run_has_weights(experiment: Experiment) -> None:
    run = interrupted(experiment)
    with pytest.raises(InputError, match=r"run 0001 of .*: interrupted; give a finished one"):
        run.weights()


def test_a_recording_knows_its_place(experiment: Experiment) -> None:
    with experiment.begin(FACTS) as writer:
        assert isinstance(writer, RunWriter)
        assert writer.folder == experiment.folder / writer.id


# Letting go


def test_what_fails_leaves_its_checkpoint(experiment: Experiment) -> None:
    def fail() -> None:
        with experiment.begin(FACTS) as writer:
            writer.checkpoint(filled(4), {"epoch": 4})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    run = experiment.newest()
    saved = run.checkpoint()
    assert saved is not None
    assert (run.status, run.facts["epoch"], values(saved.tensors)) == ("interrupted", 4, {4.0})


def test_what_fails_before_its_first_checkpoint_leaves_nothing(experiment: Experiment) -> None:
    with pytest.raises(ZeroDivisionError), experiment.begin(FACTS):
        raise ZeroDivisionError
    assert os.listdir(experiment.folder) == [".lock"]


def test_a_run_with_a_note_stays(experiment: Experiment) -> None:
    with experiment.begin(FACTS):
        experiment.annotate(experiment.newest(), "look into this")
    assert experiment.newest().note == "look into this"


def test_an_abandoned_run_goes(experiment: Experiment) -> None:
    writer = experiment.begin(FACTS)
    writer.checkpoint(filled(1), {})
    writer.abandon()
    assert os.listdir(experiment.folder) == [".lock"]


def test_what_is_over_is_over(experiment: Experiment) -> None:
    writer = experiment.begin(FACTS)
    writer.finish(filled(1), {})
    writer.close()
    assert experiment.newest().status == "done"
    for again in (
        lambda: writer.checkpoint(filled(1), {}),
        lambda: writer.finish(filled(1), {}),
        writer.abandon,
    ):
        with pytest.raises(RuntimeError, match="run 0001 is over"):
            again()


def test_a_run_goes_on_in_another_thread(experiment: Experiment) -> None:
    writer = experiment.begin(FACTS)
    thread = threading.Thread(target=writer.finish, args=(filled(1), {}))
    thread.start()
    thread.join()
    assert not writer.held
    assert experiment.newest().status == "done"


def test_a_folder_that_goes_meanwhile_is_told(experiment: Experiment) -> None:
    with experiment.begin(FACTS) as writer:
        erase(experiment.folder)
        with pytest.raises(InputError, match=r"the folder .*0001 does not exist"):
            writer.checkpoint(filled(1), {})


# Going on


def test_an_interrupted_run_goes_on(experiment: Experiment) -> None:
    run = interrupted(experiment, epoch=2)
    with experiment.resume(run) as writer:
        assert experiment.newest().status == "running"
        writer.checkpoint(filled(3), {"epoch": 3})
    run = experiment.newest()
    assert (run.id, run.status, run.facts["epoch"]) == ("0001", "interrupted", 3)
    assert [again["environment"] for again in run.facts["resumed"]] == [environment()]
    done = experiment.resume(run).finish(filled(4), {"epoch": 4})
    assert (done.id, done.status, done.facts["model"]) == ("0001", "done", "cnn5")
    assert len(done.facts["resumed"]) == 2
    assert done.facts["created"] == run.facts["created"]


def test_only_an_interrupted_run_goes_on(experiment: Experiment) -> None:
    run = finished(experiment)
    with pytest.raises(InputError, match=r"run 0001 of .*: done; nothing to go on with"):
        experiment.resume(run)
    running = "run 0002 of .*: running; nothing to go on with"
    with experiment.begin(FACTS), pytest.raises(InputError, match=running):
        experiment.resume(experiment.newest())
    (run.folder / "run.json").write_text("{}", encoding="utf-8")
    with pytest.raises(InputError, match="no status that is known; nothing to go on with"):
        experiment.resume(run)


def test_what_a_killed_process_left_is_cleared(experiment: Experiment) -> None:
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
    experiment.begin(FACTS).abandon()
    assert sorted(os.listdir(finish.folder)) == [RUN, WEIGHTS]
    assert (resume.folder / half).exists()  # of a process that lives
    writer.close()
