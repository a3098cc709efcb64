"""Builders of nets: arguments from the user and the data, and what goes wrong."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest
from torch import nn
from torchvision import models
from torchvision.models import list_models

from core.data.counts import Counts
from core.data.inputs import Inputs
from core.errors import InputError, WorkError
from core.nets.model_args import parse_model_args
from core.nets.user_model import build, builder_args
from core.nets.zoo import IMAGENET, model_spec, short_name

MNIST = Counts("mnist", Inputs())

SOURCE = """
from torch import nn
from torchvision import models
from torchvision.models import list_models


class Net(nn.Sequential):
    def __init__(self, in_channels=3, num_classes=1000, width=8, **rest):
        layers = nn.Linear(784 * in_channels, width), nn.Linear(width, num_classes)
        super().__init__(nn.Flatten(), *layers)


def plain(width=4):
    return Net(1, 10, width)


def needs(num_classes, width):
    return Net(1, num_classes, width)
"""

TIMM = '''
"""A stand-in for timm: the same ways of calling and answering."""

from torch import nn
from torchvision import models
from torchvision.models import list_models

KNOWN = ["resnet18", "resnet34", "vit_tiny_patch16_224"]


def list_models():
    return KNOWN


class Net(nn.Module):
    def __init__(self, num_classes=1000, in_chans=3):
        super().__init__()
        self.num_classes = num_classes
        self.pretrained_cfg = dict(
            input_size=(3, 20, 20), mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25), num_classes=1000
        )
        self.conv = nn.Conv2d(in_chans, 4, 3)
        self.head = nn.Linear(4, num_classes)

    def reset_classifier(self, num_classes):
        self.num_classes, self.head = num_classes, nn.Linear(4, num_classes)

    def forward(self, x):
        return self.head(self.conv(x).relu().mean((2, 3)))


def create_model(model_name, pretrained=False, checkpoint_path=None, **kwargs):
    if model_name not in KNOWN:
        raise RuntimeError(f"Unknown model ({model_name})")
    return Net(**kwargs)
'''


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "mine.py"
    path.write_text(SOURCE)
    return path


@pytest.fixture
def timm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "timm.py").write_text(TIMM)
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop("timm", None)


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing can be downloaded."""

    def fail(*_: Any, **__: Any) -> None:
        raise URLError(OSError(-2, "Name or service not known"))

    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr("torch.hub.urlopen", fail)


def built(name: str, args: str = "", counts: Counts | None = MNIST, head: bool = False) -> Any:
    return model_spec(name, args, head).build(counts)


def called_with(name: str, args: str = "", head: bool = False) -> dict[str, Any]:
    return builder_args(name, parse_model_args(args), MNIST, head)


def test_the_data_give_classes_and_channels_to_a_builder_that_takes_them(mine: Path) -> None:
    assert called_with(f"{mine}:Net") == {"in_channels": 1, "num_classes": 10}
    assert called_with(f"{mine}:Net", "num_classes=7") == {"in_channels": 1, "num_classes": 7}
    assert called_with(f"{mine}:needs", "width=3") == {"num_classes": 10, "width": 3}
    assert called_with(f"{mine}:plain") == {}
    assert build(f"{mine}:Net")[2].out_features == 1000, "without data, its own defaults"


def test_torchvision_builders_take_classes_though_their_signature_does_not_say_so() -> None:
    for name in list_models(module=models):
        assert called_with(f"torchvision.models:{name}") == {"num_classes": 10}
    assert called_with("torchvision.models:get_model", "name=resnet18") == {
        "name": "resnet18", "num_classes": 10,
    }  # fmt: skip
    assert model_spec("torchvision.models:resnet18").inputs == Inputs(channels=3)
    net = built("torchvision.models:squeezenet1_1", "dropout=0.25")
    assert (net.classifier[0].p, net.classifier[1].out_channels) == (0.25, 10)


def test_a_net_with_trained_weights_keeps_its_classes_and_channels(mine: Path) -> None:
    assert called_with("torchvision.models:resnet18", "weights=DEFAULT") == {"weights": "DEFAULT"}
    assert called_with("torchvision.models:resnet18", "weights=none")["num_classes"] == 10
    given = "num_classes=10,weights=DEFAULT"
    assert called_with("torchvision.models:resnet18", given, True) == {"weights": "DEFAULT"}


@pytest.mark.usefixtures("timm")
def test_a_builder_of_timm_gets_classes_and_channels() -> None:
    net = built("timm:create_model", "model_name=resnet18")
    assert (net.head.out_features, net.conv.in_channels) == (10, 1)
    pretrained = "model_name=resnet18,pretrained=True"
    spec = model_spec("timm:create_model", pretrained)
    trained = spec.build(MNIST)
    assert (trained.head.out_features, trained.conv.in_channels) == (1000, 3)
    assert spec.inputs_of(trained) == Inputs(20, 3, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25))
    fresh = built("timm:create_model", pretrained, head=True)
    assert (fresh.head.out_features, fresh.num_classes) == (10, 10)


@pytest.mark.usefixtures("timm")
def test_an_unknown_name_in_timm_is_answered_with_close_ones() -> None:
    with pytest.raises(InputError, match=r"knows no model 'resnet19': did you mean resnet18, "):
        built("timm:create_model", "model_name=resnet19")


def test_a_missing_timm_is_answered_with_the_command_that_installs_it() -> None:
    with pytest.raises(InputError, match=r"no module timm; pip install 'featherweight\[models\]'$"):
        built("timm:create_model", "model_name=resnet18")


@pytest.mark.parametrize(
    ("name", "args", "message"),
    [
        ("torchvision.models:resnet19", "", "has no 'resnet19': .*did you mean .*resnet18"),
        (
            "torchvision.models:resnet",
            "",
            "'resnet' of [^:]* is not a class or function: did you mean .*resnet18",
        ),
        (
            "torchvision.models:get_model",
            "name=resnet19",
            "knows no model 'resnet19': did you mean",
        ),
        ("torchvision.models:resnet18", "weights=BEST", "has no weights 'BEST': .*IMAGENET1K_V1"),
        ("torchvision.models:resnet18", "num_clases=3", "raised TypeError: .*'num_clases'"),
        ("torchvision.models:resnet18", "num_classes=-3", "raised RuntimeError: .*negative"),
        ("{mine}:plain", "wide=3", "'plain' of .* takes no argument 'wide': expected width$"),
        ("{mine}:needs", "", r"needs arguments \(width\): add --model-args width=VALUE"),
    ],
)
def test_a_builder_that_cannot_be_called_so_says_how(
    name: str, args: str, message: str, mine: Path
) -> None:
    with pytest.raises(InputError, match=message):
        built(name.format(mine=mine), args)


@pytest.mark.usefixtures("offline")
def test_weights_that_cannot_be_downloaded_are_named_with_a_way_out(tmp_path: Path) -> None:
    with pytest.raises(WorkError) as caught:
        built("torchvision.models:squeezenet1_1", "weights=DEFAULT")
    text = str(caught.value)
    assert "torchvision.models:squeezenet1_1 could not be downloaded (Name or service" in text
    assert f"squeezenet1_1-b8a52dc0.pth to {tmp_path / 'torch' / 'hub' / 'checkpoints'}" in text
    assert "leave out weights=DEFAULT and use --weights FILE" in text


def test_trained_weights_for_other_classes_ask_for_a_fresh_head() -> None:
    with pytest.raises(InputError, match=r"expected value 1000 but got 10.*add --fresh-head"):
        built("torchvision.models:squeezenet1_1", "weights=DEFAULT,num_classes=10")


def test_the_images_of_trained_weights_are_theirs() -> None:
    def inputs(name: str, args: str = "weights=DEFAULT") -> Inputs:
        return model_spec(f"torchvision.models:{name}", args).inputs_of(nn.Linear(1, 1))

    assert inputs("resnet18") == IMAGENET
    assert inputs("inception_v3").image_size == 299
    assert inputs("vit_b_16", "weights=IMAGENET1K_SWAG_E2E_V1").image_size == 384
    assert inputs("get_model", "name=vit_h_14,weights=DEFAULT").image_size == 518


def test_only_arguments_that_can_name_no_code_are_safe() -> None:
    assert model_spec("torchvision.models:resnet18", "weights=DEFAULT").has_safe_args
    assert model_spec("some.package:build", "depth=[3,4],bias=False").has_safe_args
    assert not model_spec("torch.hub:load", "repo_or_dir=some/where,model=x").has_safe_args


@pytest.mark.parametrize(
    ("name", "message"),
    [("cnn5", "remove --fresh-head"), ("vgg16", "use --model torchvision.models:vgg16")],
)
def test_the_nets_of_the_zoo_take_no_arguments(name: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        model_spec(name, fresh_head=True)
    with pytest.raises(InputError, match="takes no --model-args num_classes=3"):
        model_spec(name, "num_classes=3")


def test_a_net_that_is_looked_up_is_called_by_its_name() -> None:
    args = "model_name=hf_hub:timm/resnet18.a1_in1k"
    assert short_name("timm:create_model", args) == "timm.hf_hub-timm-resnet18.a1_in1k"
    assert short_name("torchvision.models:resnet18", "num_classes=3") == "models.resnet18"


@pytest.mark.parametrize("split", ["", "train"])
def test_an_image_folder_is_counted_before_it_is_loaded(tmp_path: Path, split: str) -> None:
    from PIL import Image

    for name, mode in (("cat", "L"), ("dog", "L"), ("emu", "RGB")):
        folder = tmp_path / split / name
        folder.mkdir(parents=True)
        for index in range(12):
            Image.new(mode, (8, 8)).save(folder / f"{index}.png")
    counts = Counts(f"folder:{tmp_path}", Inputs())
    assert (counts.classes, counts.channels) == (3, 3)
    assert Counts(f"folder:{tmp_path}", Inputs(channels=1)).channels == 1
