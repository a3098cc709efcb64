"""Nets built with arguments, with trained weights, and with a fresh head."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torchvision import models

from core.data.batches import Splits
from core.errors import InputError
from core.events import Epoch, Event, Notice, drain
from core.experiments.experiment import Experiment
from core.jobs.dense_net import open_dense_net
from core.jobs.preflight import check
from core.jobs.recorded_jobs import finetune
from core.jobs.restore import restore, settings_of
from core.jobs.workbench import Workbench
from core.nets.weights import copy_weights
from core.pruning.plans import uniform_plan
from core.settings.recipe_changes import RecipeChanges
from core.settings.settings import Settings
from tests.core.jobs.conftest import small
from tests.core.training_loops import of_type, same

pytestmark = pytest.mark.usefixtures("one_thread", "few_epochs")

SOURCE = """
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, num_classes=7, width=4, weights=None):
        super().__init__()
        self.body = nn.Sequential(nn.Flatten(), nn.Linear(784, width), nn.ReLU())
        self.head = nn.Linear(width, num_classes)
        if weights is not None:
            for parameter in self.parameters():
                torch.nn.init.constant_(parameter, weights)

    def forward(self, x):
        return self.head(self.body(x))
"""


@pytest.fixture
def mine(tmp_path: Path) -> str:
    path = tmp_path / "mine.py"
    path.write_text(SOURCE)
    return f"{path}:Net"


@pytest.fixture(autouse=True)
def few_images(empty_cache: Path) -> Iterator[None]:
    whole = Splits.of
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Splits, "of", lambda dataset, device: small(dataset, device, whole))
        yield


@pytest.fixture
def workbench(mine: str, data_dir: Path) -> Any:
    """What makes a workbench from `model_args` and `fresh_head`."""
    changes = RecipeChanges(epochs=1)
    same = Settings(model=mine, data_dir=data_dir, precision="fp32", changes=changes)
    return lambda **given: Workbench(replace(same, **given))


def test_a_run_remembers_the_arguments_of_its_net(workbench: Any, tmp_path: Path) -> None:
    bench, events = workbench(model_args="width=6"), list[Event]()
    base = drain(open_dense_net(bench), events.append)
    assert base.weights["body.1.weight"].shape == (6, 784)
    assert base.weights["head.weight"].shape == (10, 6), "the classes are the data's"
    assert of_type(Notice, events)[0].text.endswith("mine.py:Net (num_classes=10,width=6)")
    experiment = Experiment(tmp_path / "runs")
    tuned = drain(finetune(bench, base, uniform_plan(0.5, bench.layer_names), experiment))
    run = experiment.newest()
    assert (run.record.model_args, run.record.fresh_head) == ("width=6", False)
    assert same(drain(restore(bench, base, experiment, run)).net.weights, tuned.weights)
    for given, way in (({}, "width=6"), ({"model_args": "width=7"}, "width=6")):
        with pytest.raises(InputError, match=f"model args .*open it with --model-args {way}$"):
            settings_of(run, workbench(**given).settings)
    with pytest.raises(InputError, match=r"fresh head .*open it with --no-fresh-head$"):
        settings_of(run, workbench(model_args="width=6", fresh_head=True).settings)
    again = drain(open_dense_net(workbench(model_args="width=6")))
    assert again.digest == base.digest, "the dense net was cached"
    other = drain(open_dense_net(workbench(model_args="width=7")))
    assert other.weights["body.1.weight"].shape == (7, 784)


def test_trained_weights_are_the_dense_net(workbench: Any) -> None:
    with pytest.raises(InputError, match=r"for 7 classes, the data set has 10: add --fresh"):
        check(workbench(model_args="weights=0.5"))
    with pytest.raises(InputError, match=r"for 7 classes, the data set has 10: add --fresh"):
        drain(open_dense_net(workbench(model_args="weights=0.5")))


def test_trained_weights_for_the_same_classes_are_not_trained_again(
    workbench: Any, mine: str
) -> None:
    path = Path(mine.rpartition(":")[0])
    path.write_text(SOURCE.replace("num_classes=7", "num_classes=10"))
    bench, events = workbench(model_args="weights=0.5"), list[Event]()
    check(bench)
    net = drain(open_dense_net(bench), events.append)
    assert set(torch.cat([tensor.flatten() for tensor in net.weights.values()]).tolist()) == {0.5}
    assert net.trained
    assert not of_type(Epoch, events)


def test_trained_weights_for_other_classes_are_refused_before_a_folder_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("cat", "dog"):
        (tmp_path / "pets" / name).mkdir(parents=True)  # without images: reading them would fail
    checkpoints = tmp_path / "torch" / "hub" / "checkpoints"
    checkpoints.mkdir(parents=True)
    trained = models.squeezenet1_1().state_dict()
    torch.save(trained, checkpoints / "squeezenet1_1-b8a52dc0.pth")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    settings = Settings(
        model="torchvision.models:squeezenet1_1",
        model_args="weights=DEFAULT",
        dataset=f"folder:{tmp_path / 'pets'}",
    )
    with pytest.raises(InputError, match="for 1,000 classes, the data set has 2: add --fresh-head"):
        check(Workbench(settings))
    fresh = copy_weights(Workbench(replace(settings, fresh_head=True)).fresh_model())
    assert fresh.pop("classifier.1.weight").shape == (2, 512, 1, 1)
    assert fresh.pop("classifier.1.bias").shape == (2,)
    assert all(tensor.equal(trained[name]) for name, tensor in fresh.items())


def test_a_fresh_head_is_told_drawn_from_the_seed_and_trained(workbench: Any) -> None:
    bench, events = workbench(model_args="weights=0.5", fresh_head=True), list[Event]()
    check(bench)
    fresh = copy_weights(bench.fresh_model())
    assert fresh["head.weight"].shape == (10, 4)
    assert fresh["head.weight"].unique().numel() == 40
    assert set(fresh["body.1.weight"].flatten().tolist()) == {0.5}
    assert same(fresh, copy_weights(bench.models.fresh(0)))
    net = drain(open_dense_net(bench), events.append)
    texts = [notice.text for notice in of_type(Notice, events)]
    assert "the last layer, head, is new: drawn from seed 0" in texts
    assert of_type(Epoch, events)
    assert not same(net.weights, fresh)
