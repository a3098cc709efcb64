"""Nets of torchvision whose builders cannot make them narrow: built from the same parts."""

from __future__ import annotations

from functools import partial

from torch import nn
from torchvision.models import (
    AlexNet,
    ConvNeXt,
    DenseNet,
    EfficientNet,
    MaxVit,
    RegNet,
    ResNet,
    SwinTransformer,
    efficientnet,
)
from torchvision.models.convnext import CNBlockConfig
from torchvision.models.efficientnet import FusedMBConvConfig, MBConvConfig
from torchvision.models.regnet import BlockParams
from torchvision.models.resnet import BasicBlock, Bottleneck
from torchvision.models.swin_transformer import PatchMergingV2, SwinTransformerBlockV2
from torchvision.models.vgg import VGG, make_layers


def _narrow_classifier(net: nn.Module, units: int = 32) -> nn.Module:
    """Give the classifier few hidden units: it has most of AlexNet's and VGG's weights."""
    places = [i for i, module in enumerate(net.classifier) if isinstance(module, nn.Linear)]
    sizes = [net.classifier[places[0]].in_features, units, units]
    outputs = [units, units, net.classifier[places[-1]].out_features]
    for place, *ends in zip(places, sizes, outputs, strict=True):
        net.classifier[place] = nn.Linear(*ends)
    return net


def alexnet(num_classes: int) -> nn.Module:
    return _narrow_classifier(AlexNet(num_classes))


def vgg(num_classes: int, batch_norm: bool) -> nn.Module:
    widths = [8, "M", 8, "M", 16, 16, "M", 16, 16, "M", 512, "M"]
    return _narrow_classifier(VGG(make_layers(widths, batch_norm), num_classes, init_weights=False))


def resnet_basic(num_classes: int) -> nn.Module:
    return ResNet(BasicBlock, [2, 1, 1, 1], num_classes)


def resnet_bottleneck(num_classes: int, groups: int = 1, width_per_group: int = 64) -> nn.Module:
    """Also a ResNeXt, with groups, and a Wide-ResNet, with a larger width."""
    layers = [1, 1, 1, 1]
    return ResNet(Bottleneck, layers, num_classes, groups=groups, width_per_group=width_per_group)


def densenet(num_classes: int) -> nn.Module:
    return DenseNet(8, (2, 2, 2, 2), 16, num_classes=num_classes)


def efficientnet_b(num_classes: int) -> nn.Module:
    settings, last = efficientnet._efficientnet_conf(
        "efficientnet_b0", width_mult=0.25, depth_mult=0.3
    )
    return EfficientNet(settings, 0.2, num_classes=num_classes, last_channel=last)


def efficientnet_v2(num_classes: int) -> nn.Module:
    settings = [
        FusedMBConvConfig(1, 3, 1, 8, 8, 1),
        FusedMBConvConfig(4, 3, 2, 8, 16, 2),
        MBConvConfig(4, 3, 2, 16, 24, 2),
    ]
    norm = partial(nn.BatchNorm2d, eps=1e-3)
    return EfficientNet(settings, 0.2, num_classes=num_classes, norm_layer=norm, last_channel=64)


def regnet(num_classes: int) -> nn.Module:
    block = BlockParams.from_init_params(4, 16, 8.0, 2.0, 8, se_ratio=0.25)
    return RegNet(block, num_classes)


def convnext(num_classes: int) -> nn.Module:
    blocks = [CNBlockConfig(8, 16, 2), CNBlockConfig(16, 24, 1), CNBlockConfig(24, None, 1)]
    return ConvNeXt(blocks, 0.1, num_classes=num_classes)


def swin_v2(num_classes: int) -> nn.Module:
    return SwinTransformer(
        [2, 2], 12, [2, 1], [1, 2], [4, 4], num_classes=num_classes,
        block=SwinTransformerBlockV2, downsample_layer=PatchMergingV2,
    )  # fmt: skip


def maxvit(num_classes: int) -> nn.Module:
    return MaxVit(
        (32, 32), 8, 2, [8, 16], [1, 1], 4, stochastic_depth_prob=0.1, num_classes=num_classes
    )
