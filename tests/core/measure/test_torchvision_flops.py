"""FLOPs of torchvision's nets, of every family, against those that torch's own counter finds."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
import torchvision
from torch import nn
from torch.utils.flop_counter import FlopCounterMode, sdpa_flop_count
from torchvision.models.maxvit import MaxVit, RelativePositionalMultiHeadAttention
from torchvision.models.swin_transformer import ShiftedWindowAttention
from torchvision.models.vision_transformer import VisionTransformer

from core.data.batches import Images
from core.events import drain
from core.measure.activity import measure_activity
from core.measure.costs import FLOPS_PER_MAC
from core.nets.layers import prunable_layers

slow = pytest.mark.slow


def named(name: str, side: int = 32, *, marks: Any = (), **arguments: Any) -> Any:
    """A net of torchvision by its name, and the side of its images."""
    build = partial(torchvision.models.get_model, name, num_classes=10, **arguments)
    return pytest.param(build, side, id=name, marks=marks)


NETS = [
    named("alexnet", 64, marks=slow),
    named("vgg11_bn", marks=slow),
    named("resnet18"),
    named("resnext50_32x4d", marks=slow),
    named("wide_resnet50_2", marks=slow),
    named("densenet121"),
    named("mobilenet_v2"),
    named("mobilenet_v3_small"),
    named("efficientnet_b0"),
    named("efficientnet_v2_s", marks=slow),
    named("mnasnet0_5"),
    named("inception_v3", 75, init_weights=False, marks=slow),
    named("googlenet", init_weights=False),
    named("shufflenet_v2_x0_5"),
    named("squeezenet1_1"),
    named("regnet_x_400mf"),
    named("regnet_y_400mf"),
    named("convnext_tiny", marks=slow),
    named("vit_b_32", image_size=32, marks=slow),
    named("swin_t"),
    named("swin_v2_t", marks=slow),
    pytest.param(partial(VisionTransformer, 32, 8, 2, 4, 64, 128), 32, id="vit"),
    pytest.param(partial(MaxVit, (32, 32), 8, 4, [8, 16], [1, 1], 8, 0.0), 32, id="maxvit"),
]
"""Every family, in full width or, where that takes more than a CPU second, marked slow."""

IMAGES = 2
ATTENTION = (nn.MultiheadAttention, ShiftedWindowAttention, RelativePositionalMultiHeadAttention)


def _attention_flops(
    query: list[int], key: list[int], value: list[int], *_: object, **__: object
) -> int:
    return sdpa_flop_count(query, key, value)


ON_A_CPU = {torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: _attention_flops}
"""Torch's counter knows attention's kernels for CUDA only."""


def filled(build: Callable[[], nn.Module]) -> nn.Module:
    """The net with one small number for all its values: FLOPs do not depend on them."""
    try:
        with torch.device("meta"):  # skips the initialization
            net = build()
    except (RuntimeError, NotImplementedError):  # it reads values
        net = build()
    net = net.to_empty(device="cpu").eval()
    with torch.no_grad():
        for tensor in net.state_dict().values():
            tensor.fill_(0.01 if tensor.is_floating_point() else 0)
    return net


@pytest.mark.parametrize(("build", "side"), NETS)
def test_the_flops_are_those_that_torch_counts(build: Callable[[], nn.Module], side: int) -> None:
    net = filled(build)
    pixels = torch.full((IMAGES, 3, side, side), 100, dtype=torch.uint8)
    data = Images(pixels, torch.zeros(IMAGES, dtype=torch.long), 0.0, 1.0)
    activity = drain(measure_activity(net, data, images="all"))
    counter = FlopCounterMode(display=False, custom_mapping=ON_A_CPU)
    torch.backends.mha.set_fastpath_enabled(False)  # one kernel, which torch does not count
    try:
        with torch.no_grad(), counter:
            net(data.batch(slice(None))[0])
    finally:
        torch.backends.mha.set_fastpath_enabled(True)
    assert FLOPS_PER_MAC * activity.macs * IMAGES == counter.get_total_flops() > 0
    assert activity.uncounted == ()
    unused = {layer.name for layer in prunable_layers(net)} - set(activity.layers)
    assert all(layer.startswith(("aux", "AuxLogits")) for layer in unused)
    attention = (
        nn.MultiheadAttention,
        ShiftedWindowAttention,
        RelativePositionalMultiHeadAttention,
    )
    attends = any(isinstance(module, attention) for module in net.modules())
    assert (activity.unprunable > 0) == attends
