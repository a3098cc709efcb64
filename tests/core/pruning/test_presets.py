"""Preset plans: the reference experiment's, and those of the paper's nets."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from core.errors import InputError
from core.nets.layers import parameter_count, prunable_layers
from core.nets.zoo import ZOO, model_spec
from core.pruning.han2015 import HAN2015
from core.pruning.plans import prune_count
from core.pruning.presets import default_preset, preset_plan, presets_of

LAYERS = ("conv1", "conv2", "conv3", "fc1", "fc2")
EVERY = [(model, name) for model in ZOO for name in presets_of(model)]


def outline(model: str) -> nn.Module:
    with torch.device("meta"):
        return model_spec(model).build()


@pytest.mark.parametrize(("model", "name"), EVERY)
def test_presets_cover_the_layers_in_order(model: str, name: str) -> None:
    layers = tuple(layer.name for layer in prunable_layers(outline(model)))
    plan = preset_plan(name, model, layers)
    assert tuple(plan) == layers
    assert all(0 < sparsity < 1 for sparsity in plan.values())


def test_the_presets_of_cnn5_are_those_of_the_reference_experiment() -> None:
    plans = {name: [*preset_plan(name, "cnn5", LAYERS).values()] for name in presets_of("cnn5")}
    assert plans == {
        "moderate": [0.55, 0.80, 0.90, 0.90, 0.60],
        "aggressive": [0.65, 0.95, 0.98, 0.98, 0.90],
        "uniform": [0.68] * 5,
    }
    assert default_preset("cnn5") == "aggressive"


@pytest.mark.parametrize(("model", "kept", "ratio"), [
    ("lenet-300-100", 22_186, 12.02),
    ("lenet-5", 36_860, 11.70),
    # torchvision's AlexNet has other convolutions than the paper's, which was Caffe's.
    ("alexnet", 6_855_760, 8.91),
    ("vgg16", 10_545_809, 13.12),
])  # fmt: skip
def test_the_papers_presets_give_its_compression(model: str, kept: int, ratio: float) -> None:
    net = outline(model)
    layers = prunable_layers(net)
    plan = preset_plan(default_preset(model), model, tuple(layer.name for layer in layers))
    parameters = parameter_count(net)
    pruned = sum(prune_count(plan[layer.name], layer.elements) for layer in layers)
    assert parameters - pruned == kept
    assert round(parameters / kept, 2) == ratio
    assert round(ratio) == HAN2015[model].rate


def test_changing_a_preset_plan_does_not_change_the_preset() -> None:
    preset_plan("moderate", "cnn5", LAYERS)["conv1"] = 0.0
    assert preset_plan("moderate", "cnn5", LAYERS)["conv1"] == 0.55


@pytest.mark.parametrize(
    ("model", "name", "expected"),
    [
        ("cnn5", "mild", "moderate, aggressive, uniform"),
        ("lenet-5", "aggressive", "han2015, uniform"),
        ("mine.py:Net", "han2015", "uniform; the others are for built-in nets: use --ratio X"),
    ],
)
def test_a_preset_of_another_net_is_refused(model: str, name: str, expected: str) -> None:
    with pytest.raises(InputError, match=f"'{name}' of {model}: expected one of {expected}"):
        preset_plan(name, model, LAYERS)


def test_an_unknown_net_has_the_uniform_preset() -> None:
    assert preset_plan("uniform", "mine.py:Net", ("a", "b")) == {"a": 0.68, "b": 0.68}
