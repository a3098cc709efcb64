"""What is left of a net of the paper's, 12x smaller, without training."""

from __future__ import annotations

from pathlib import Path

import pytest

import core
from core.formats.weights_files import load_weights
from core.nets.architectures import LeNet300
from core.nets.layers import prunable_layers
from core.nets.zoo import model_spec
from core.pruning.presets import preset_plan

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.slow
def test_lenet_300_keeps_its_accuracy(mnist_dir: Path) -> None:
    data = core.load("mnist", mnist_dir)
    net = LeNet300()
    net.load_state_dict(load_weights(model_spec("lenet-300-100").shipped_weights, net))
    layers = prunable_layers(net)
    plan = preset_plan("han2015", "lenet-300-100", [layer.name for layer in layers])
    result = core.reconstruct(net, plan, data)
    assert sum(layer.kept for layer in result.layers) == 21_776
    assert core.evaluate(net, data).test >= 98.2  # dense 98.61
