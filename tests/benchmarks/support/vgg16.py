"""VGG-16's layers with random weights, and their sparsities in Han et al. (2015, table 5)."""

from __future__ import annotations

import torch
from torch import Tensor
from torchvision.models import vgg16

from core.nets.layers import Layer, prunable_layers
from core.pruning.plans import Plan

_KEPT = (58, 22, 34, 36, 53, 24, 42, 32, 27, 34, 35, 29, 36, 4, 4, 23)


def layers() -> tuple[Layer, ...]:
    """Its 16 layers, in order, without allocating weights."""
    with torch.device("meta"):
        return prunable_layers(vgg16())


def weights() -> dict[str, Tensor]:
    """Its 138 M weights, without biases, normally distributed from a fixed seed."""
    generator = torch.Generator().manual_seed(0)
    return {
        layer.key: torch.empty(layer.shape).normal_(0.0, 0.02, generator=generator)
        for layer in layers()
    }


def plan() -> Plan:
    """The published sparsity of each layer."""
    return {layer.name: 1 - kept / 100 for layer, kept in zip(layers(), _KEPT, strict=True)}
