"""Where a dense net comes from: torchvision, with a network and without; the cache."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.error import URLError

import pytest
import torch
import torchvision

from core.data.batches import Splits
from core.data.inputs import Inputs
from core.errors import InputError, StoppedError
from core.events import Epoch, Event, Measured, Notice, drain
from core.formats.weights_files import save_weights
from core.jobs import measurement
from core.jobs.dense_net import cached_net, dense_weights, open_dense_net
from core.jobs.workbench import Workbench
from core.nets.weights import weights_digest
from core.nets.zoo import model_spec
from core.settings.settings import Settings
from tests.core.data.folders.drawn import fill
from tests.core.jobs.conftest import small
from tests.core.training_loops import of_type, recorded, same

pytestmark = pytest.mark.usefixtures("one_thread", "few_epochs")


def gives(monkeypatch: pytest.MonkeyPatch, answer: Any) -> None:
    """Let torchvision return weights, or raise."""

    def get_state_dict(**_: object) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    weights = SimpleNamespace(DEFAULT=SimpleNamespace(get_state_dict=get_state_dict))
    monkeypatch.setattr(torchvision.models, "get_model_weights", lambda _: weights)


@pytest.fixture
def without_weights(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A net for a few images whose shipped weights are for other data."""
    whole = Splits.of
    monkeypatch.setattr(Splits, "of", lambda dataset, device: small(dataset, device, whole))
    spec = replace(model_spec("lenet-300-100"), dataset=None)
    monkeypatch.setattr("core.jobs.workbench.model_spec", lambda *_: spec)
    return Settings(model="lenet-300-100", data_dir=data_dir, precision="fp32")


@pytest.fixture
def alexnet() -> Workbench:
    return Workbench(Settings(model="alexnet", precision="fp32"))


def test_a_users_weights_are_told_how_their_few_images_are_normalized(tmp_path: Path) -> None:
    """And a scan of so few images says that it ranks nothing."""
    (file := tmp_path / "net.py").write_text(
        "from torch import nn\ndef net(): return nn.Sequential(nn.Flatten(), nn.Linear(784, 2))\n"
    )
    (images := tmp_path / "pets").mkdir()
    weights = Workbench(Settings(model=f"{file}:net")).fresh_model().state_dict()
    save_weights(path := tmp_path / "net.safetensors", dict(weights), {})

    def said(inputs: Inputs) -> list[str]:
        data = f"folder:{fill(images, 20)}"
        settings = Settings(model=f"{file}:net", dataset=data, weights=path, inputs=inputs)
        events: list[Event] = []
        drain(dense_weights(bench := Workbench(settings)), events.append)
        assert of_type(Notice, events) == []  # nothing is known of the images yet
        drain(bench.splits())
        drain(dense_weights(bench), events.append)
        drain(measurement.scan(bench, weights, sparsities=(0.5,)), events.append)
        return [event.text for event in of_type(Notice, events)]

    normalized, few = said(Inputs(mean=(0.5,)))
    assert normalized.startswith("net.safetensors: images are normalized by --mean 0.5 --std 0.")
    assert "those of the folder's training images" in normalized
    assert few.startswith("4 validation images cannot rank the layers: one image is 25.0 points")
    assert said(Inputs(mean=(0.5,), std=(0.5,))) == [few]


def test_without_a_network_a_torchvision_net_is_untrained_with_a_notice(
    alexnet: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    gives(monkeypatch, URLError(OSError("Name or service not known")))
    events: list[Event] = []
    dense = drain(dense_weights(alexnet), events.append)
    assert not dense.trained
    assert same(dense.weights, dict(alexnet.fresh_model().state_dict()))
    (notice,) = of_type(Notice, events)
    assert notice.warning
    assert notice.text.startswith("alexnet is untrained: its weights could not be downloaded (")
    assert notice.text.endswith("use --weights FILE")


def test_stopping_the_fetch_of_weights_raises(
    alexnet: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    gives(monkeypatch, StoppedError("fetch stopped"))
    with pytest.raises(StoppedError, match="fetch stopped"):
        drain(dense_weights(alexnet))


def test_with_a_network_a_torchvision_net_has_its_pretrained_weights(
    alexnet: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {
        name: torch.zeros_like(tensor)
        for name, tensor in alexnet.fresh_model().state_dict().items()
    }
    gives(monkeypatch, given)
    dense = drain(dense_weights(alexnet))
    assert dense.trained
    assert dense.weights is given


def test_images_of_a_size_the_net_cannot_take_are_refused(data_dir: Path) -> None:
    workbench = Workbench(
        Settings(model="alexnet", data_dir=data_dir, inputs=Inputs(image_size=28))
    )
    with pytest.raises(InputError, match=r"cannot take images \[2, 3, 28, 28\]"):
        drain(open_dense_net(workbench))


def test_the_outline_takes_no_memory_for_weights() -> None:
    workbench = Workbench(Settings(model="vgg16"))
    assert workbench.parameters == 138_357_544
    assert len(workbench.layers) == 16
    assert workbench.models.outline.get_parameter("classifier.0.weight").is_meta


def test_for_other_data_a_dense_net_is_trained_once(
    without_weights: Settings, empty_cache: Path
) -> None:
    settings = replace(without_weights, seed=5)
    trained = []
    for _ in range(2):
        events: list[Event] = []
        trained.append(drain(dense_weights(Workbench(settings)), events.append))
        epochs = of_type(Epoch, events)
    assert epochs == [], "the second time it is there"
    assert same(trained[0].weights, trained[1].weights)
    (path, early) = sorted((empty_cache / "dense").iterdir(), key=lambda path: len(path.name))
    assert path.name.startswith("lenet-300-100-")
    assert early.name.endswith(".early.safetensors")

    other = Workbench(replace(settings, seed=6))
    with pytest.raises(StoppedError, match="stopped"):
        drain(dense_weights(other, stop=lambda: True))


def test_a_dense_net_is_measured_once_whether_it_is_trained_or_opened(
    without_weights: Settings, empty_cache: Path
) -> None:
    measured = []
    for _ in range(2):
        net, events = recorded(open_dense_net(Workbench(replace(without_weights, seed=7))))
        (found,) = of_type(Measured, events)
        assert (found.stage, found.accuracy) == ("dense", net.accuracy)
        measured.append(found.accuracy)
    assert measured[0] == measured[1]


def test_a_stopped_dense_training_resumes(without_weights: Settings, empty_cache: Path) -> None:

    through = drain(dense_weights(Workbench(without_weights)))
    (kept,) = (p for p in (empty_cache / "dense").iterdir() if ".early" not in p.name)
    kept.unlink()

    events: list[Event] = []
    stopped = dense_weights(Workbench(without_weights), lambda: len(of_type(Epoch, events)) > 1)
    with pytest.raises(StoppedError, match="resumes after epoch 2"):
        drain(stopped, events.append)
    assert not kept.exists()
    before, events = events, []
    again = drain(dense_weights(Workbench(without_weights)), events.append)
    assert [epoch.epoch for epoch in of_type(Epoch, before)] == [1, 2]
    assert of_type(Epoch, events)[0].epoch == 3
    assert same(again.weights, through.weights)
    assert sorted(p.suffix for p in kept.parent.iterdir()) == [".safetensors"] * 2

    workbench = Workbench(replace(without_weights, seed=9))
    found = cached_net(workbench, weights_digest(through.weights))
    assert found is not None
    assert same(found.weights, through.weights)
    assert cached_net(workbench, "another") is None
