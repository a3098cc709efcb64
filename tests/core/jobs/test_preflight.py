"""Invalid settings are refused without data, dense net or cache."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from core.data.inputs import Inputs
from core.data.registry import DATASETS
from core.errors import InputError
from core.formats.weights_files import save_weights
from core.jobs.preflight import check, check_goal
from core.jobs.workbench import Workbench
from core.nets.zoo import ZOO, model_spec
from core.pruning.goals import Goal, parse_goal
from core.settings.settings import Settings

NEVER_PRUNED = 394
"""Number of biases of cnn5."""


@pytest.mark.parametrize("dataset", list(DATASETS))
@pytest.mark.parametrize("model", list(ZOO))
def test_every_net_of_the_zoo_takes_every_known_data_set(
    model: str, dataset: str, empty_cache: Path
) -> None:
    spec = ZOO[model]
    small = Inputs() if spec.dataset or dataset == "mnist" else Inputs(image_size=64)
    check(Workbench(Settings(model=model, dataset=dataset, inputs=small)))
    assert not empty_cache.exists()


@pytest.mark.parametrize(
    "inputs", [Inputs(image_size=20), Inputs(channels=3), Inputs(image_size=64)]
)
@pytest.mark.parametrize("model", [name for name, spec in ZOO.items() if spec.dataset])
def test_the_nets_with_shipped_weights_are_built_for_other_images(
    model: str, inputs: Inputs
) -> None:
    check(Workbench(Settings(model=model, inputs=inputs)))


def test_images_that_are_too_small_for_a_net_are_refused() -> None:
    text = "images of 19x19 pixels are too small for cnn5: use a larger --image-size"
    with pytest.raises(InputError, match=text):
        check(Workbench(Settings(inputs=Inputs(image_size=19))))


def test_the_file_that_is_named_beside_the_settings_is_the_one_that_is_checked() -> None:
    workbench = Workbench(Settings())
    check(workbench, model_spec("cnn5").shipped_weights)
    with pytest.raises(InputError, match="does not fit Cnn5"):
        check(workbench, model_spec("lenet-5").shipped_weights)


@pytest.mark.parametrize(
    ("classes", "dataset", "is_named"),
    [(3, "mnist", True), (3, "fashion-mnist", False), (0, "mnist", False)],
)
def test_weights_for_other_classes_name_the_default_data_set(
    classes: int, dataset: str, is_named: bool, tmp_path: Path
) -> None:
    (file := tmp_path / "net.py").write_text(
        "from torch import nn\n"
        "def net(num_classes): return nn.Sequential(nn.Flatten(), nn.Linear(784, num_classes))\n"
    )
    head = {"1.weight": torch.ones(classes, 784), "1.bias": torch.ones(classes)}
    save_weights(
        path := tmp_path / "mine.safetensors", head if classes else {"x": head["1.bias"]}, {}
    )
    with pytest.raises(InputError, match="does not fit Sequential") as refusal:
        check(Workbench(Settings(model=f"{file}:net", dataset=dataset, weights=path)))
    end = "; the data set is mnist, the default: --dataset names yours"
    assert str(refusal.value).endswith(end) == is_named


@pytest.mark.parametrize("value", ["nan", "-inf"])
def test_a_net_that_is_built_with_nan_is_refused_unless_its_weights_are_given(
    value: str, tmp_path: Path
) -> None:
    """Buffers and frozen parameters may hold infinities on purpose."""
    file, weights = tmp_path / "net.py", tmp_path / "net.safetensors"
    file.write_text(
        "import torch\n"
        "def net(value, trained):\n"
        "    net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(784, 10))\n"
        "    net.register_buffer('mask', torch.tensor(float(value)))\n"
        "    net[1].bias.data[3] = float(value)\n"
        "    net[1].bias.requires_grad_(trained)\n"
        "    return net\n"
    )

    def net(trained: bool) -> Workbench:
        args = f"value='{value}',trained={trained}"
        return Workbench(Settings(model=f"{file}:net", model_args=args))

    check(net(False))
    with pytest.raises(InputError, match=r"built with values in '1\.bias' that are not finite"):
        check(net(True))
    state = net(True).fresh_model().state_dict()
    save_weights(weights, {name: torch.ones_like(tensor) for name, tensor in state.items()}, {})
    check(net(True), weights)


@pytest.mark.parametrize(
    ("goal", "locked", "is_met"),
    [
        (f"{NEVER_PRUNED} kept", {}, True),
        (f"{NEVER_PRUNED - 1} kept", {}, False),
        ("228010 kept", {}, True),
        ("228011 kept", {}, False),
        ("60x", {"fc1": 0.99}, True),
        ("60x", {"fc1": 0.5}, False),
    ],
)
def test_a_goal_out_of_reach_is_refused_without_weights(
    goal: str, locked: dict[str, float], is_met: bool
) -> None:
    workbench, wanted = Workbench(Settings()), parse_goal(goal)
    if is_met:
        check_goal(workbench, wanted, locked)
    else:
        with pytest.raises(InputError, match="expected"):
            check_goal(workbench, wanted, locked)


def test_locked_layers_of_a_file_of_weights_may_hold_zeros() -> None:
    settings = Settings(weights=model_spec("cnn5").shipped_weights)
    check_goal(Workbench(settings), Goal("ratio", 60.0), {"fc1": 0.5})
