"""Every family of torchvision's classification nets goes the whole way; see `torchvision_nets`."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import core
from core.data.batches import Splits
from core.graph.tracing import same_logits
from core.nets.layers import parameter_count, prunable_layers
from core.nets.trial import fit
from core.nets.weights import Weights, copy_weights
from tests.core.nets.torchvision_nets import CLASSES, NETS, Row
from tests.core.training_loops import same

pytestmark = pytest.mark.usefixtures("one_thread")

ROWS = [
    pytest.param(row, marks=[pytest.mark.slow] if row.slow else [], id=row.name) for row in NETS
]
ONE_STEP = core.RecipeChanges(epochs=1, batch_size=64, method="one-shot")


@cache
def images(size: int) -> Splits:
    """Noise in three channels: 20, 5 and 5 images."""
    random = torch.Generator().manual_seed(size)
    pixels = torch.randint(0, 256, (30, 3, size, size), generator=random, dtype=torch.uint8)
    labels = torch.arange(30) % CLASSES
    train, *others = zip(pixels.split([20, 5, 5]), labels.split([20, 5, 5]), strict=True)
    return core.splits(train, *others)


@torch.no_grad()
def logits(net: nn.Module, data: Splits) -> Tensor:
    result = net.eval()(data.test.batch(slice(0, 5))[0])
    assert isinstance(result, Tensor)
    return result


@torch.no_grad()
def take_inputs_from_the_first_units(net: nn.Module) -> None:
    for layer in prunable_layers(net)[:-1]:
        net.get_parameter(layer.key)[0] = 0.0


def written_and_read_back(net: nn.Module, other: nn.Module, path: Path) -> Weights:
    core.save(net, path)
    for parameter in other.parameters():
        nn.init.zeros_(parameter)
    core.load_weights(other, path)
    return copy_weights(other)


@pytest.mark.parametrize("row", ROWS)
def test_a_net_is_opened_pruned_made_smaller_trained_and_exported(row: Row, tmp_path: Path) -> None:
    torch.manual_seed(0)
    net, data = row.build(), images(row.size)
    data = core.drain(fit(net, data))
    take_inputs_from_the_first_units(net)
    before = logits(net, data)
    assert before.shape == (5, CLASSES)
    dead = core.remove_dead(net, data)
    assert dead.total == row.dead
    assert same_logits(logits(net, data), before)

    plan = core.plan(net, 4)
    core.prune(net, plan)
    small = core.compact(net, data)
    assert same_logits(logits(small, data), logits(net, data))
    assert parameter_count(small) <= parameter_count(net) - dead.parameters

    tuned = core.finetune(net, plan, data, changes=ONE_STEP)
    weights = copy_weights(net)
    assert tuned.revived == 0
    assert [epoch.epoch for epoch in tuned.epochs] == [1]
    for layer in prunable_layers(net):
        zeros = layer.elements - int(weights[layer.key].count_nonzero())
        assert zeros >= round(plan[layer.name] * layer.elements)
    other = row.build()
    for name in ("net.safetensors", "net.fw"):
        assert same(written_and_read_back(net, other, tmp_path / name), weights)


def test_the_table_has_twenty_nets_of_all_families() -> None:
    assert len({row.name for row in NETS}) >= 20
    assert {row.family.split()[0] for row in NETS} == {
        "AlexNet", "VGG", "ResNet", "ResNeXt", "Wide-ResNet", "DenseNet", "MobileNet",
        "EfficientNet", "MNASNet", "Inception", "GoogLeNet", "ShuffleNet", "SqueezeNet", "RegNet",
        "ConvNeXt", "ViT", "Swin", "MaxViT",
    }  # fmt: skip
