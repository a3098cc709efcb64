"""The models of a workbench: which own their memory, and which share that of weights."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from core.jobs.models import Models
from core.nets.weights import copy_weights
from core.nets.zoo import model_spec
from tests.core.training_loops import same
from tests.core.user_nets import write

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def models() -> Models:
    return Models(model_spec("lenet-300-100"), CPU)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Models:
    mine = write(tmp_path_factory.mktemp("own"))
    return Models(model_spec(f"{mine}:Net"), CPU)


def test_a_seed_gives_the_same_weights_and_leaves_the_callers_generator_alone(
    models: Models, own: Models
) -> None:
    before = torch.get_rng_state()
    for made in (models, own):
        one, same_seed, other = (copy_weights(made.fresh(seed)) for seed in (1, 1, 2))
        assert same(one, same_seed)
        assert not same(one, other)
    assert torch.get_rng_state().equal(before)


def test_layers_and_parameters_are_known_without_memory_for_weights(models: Models) -> None:
    assert [layer.name for layer in models.layers] == ["fc1", "fc2", "fc3"]
    assert models.parameters == 266_610
    assert all(parameter.is_meta for parameter in models.outline.parameters())


def test_uninitialized_models_share_no_memory(models: Models, own: Models) -> None:
    for made in (models, own):
        one, other = made.uninitialized(), made.uninitialized()
        places = [{parameter.data_ptr() for parameter in net.parameters()} for net in (one, other)]
        assert places[0].isdisjoint(places[1])
        assert not any(parameter.is_meta for parameter in one.parameters())


def test_inference_shares_weights_except_for_user_nets(models: Models, own: Models) -> None:
    for made, shares in ((models, True), (own, False)):
        weights = copy_weights(made.fresh(3))
        asked = made.for_inference(weights)
        assert same(copy_weights(asked), weights)
        found = {name: parameter.data_ptr() == weights[name].data_ptr() for name, parameter in
                 asked.named_parameters()}  # fmt: skip
        assert set(found.values()) == {shares}


def test_a_users_net_that_cannot_be_copied_is_built_again(tmp_path: Path) -> None:
    path = tmp_path / "once.py"
    path.write_text(
        "from torch import nn\n"
        "class Net(nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.fc = nn.Linear(784, 10)\n"
        "    def __deepcopy__(self, memo):\n"
        "        raise RuntimeError('never twice')\n"
        "    def forward(self, x):\n"
        "        return self.fc(x.flatten(1))\n"
    )
    models = Models(model_spec(f"{path}:Net"), CPU)
    assert copy_weights(models.uninitialized()).keys() == {"fc.weight", "fc.bias"}


SOURCE = """
import threading
from torch import nn


class Transposed(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 4)
        self.once = self.fc.weight.t()

    def forward(self, x):
        return x @ self.once


class Locked(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc, self.lock = nn.Linear(4, 4), threading.Lock()

    def forward(self, x):
        with self.lock:
            return self.fc(x)


class Logs(Locked):
    def __init__(self):
        super().__init__()
        self.log = open(__file__)
"""


@pytest.mark.parametrize("name", ["Transposed", "Locked", "Logs"])
def test_uninitialized_models_are_separate_and_trainable(name: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(SOURCE)
    models = Models(model_spec(f"{path}:{name}"), CPU)
    one, other = models.uninitialized(), models.uninitialized()
    one(torch.ones(2, 4)).sum().backward()
    assert one.get_parameter("fc.weight").grad is not None
    assert other.get_parameter("fc.weight").grad is None
    weights = {key: tensor + 1 for key, tensor in one.state_dict().items()}
    asked = models.for_inference(weights)
    assert torch.equal(asked.get_parameter("fc.weight"), weights["fc.weight"])
    assert not torch.equal(one.get_parameter("fc.weight"), weights["fc.weight"])
