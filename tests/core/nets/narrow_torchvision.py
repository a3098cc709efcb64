"""Torchvision's nets made narrow, so that tests of them are cheap."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from math import gcd
from typing import Any

import pytest
from torch import nn
from torchvision.models import ConvNeXt, EfficientNet, SwinTransformer
from torchvision.models.convnext import CNBlockConfig
from torchvision.models.efficientnet import FusedMBConvConfig, MBConvConfig
from torchvision.models.swin_transformer import PatchMergingV2, SwinTransformerBlockV2


@contextmanager
def narrower(factor: int, *kept: int) -> Iterator[None]:
    """Let every layer that is built have fewer channels; numbers in `kept` stay."""
    conv, linear, norm = (kind.__init__ for kind in (nn.Conv2d, nn.Linear, nn.BatchNorm2d))

    def fewer(channels: int) -> int:
        return channels if channels in kept else max(1, channels // factor)

    def init_conv(self: Any, in_channels: int, out_channels: int, *args: Any, **more: Any) -> None:
        ends = fewer(in_channels), fewer(out_channels)
        if (groups := more.get("groups", 1)) > 1:
            more["groups"] = ends[0] if groups == in_channels else gcd(groups, *ends)
        conv(self, *ends, *args, **more)

    def init_linear(
        self: Any, in_features: int, out_features: int, *args: Any, **more: Any
    ) -> None:
        linear(self, fewer(in_features), fewer(out_features), *args, **more)

    def init_norm(self: Any, num_features: int, *args: Any, **more: Any) -> None:
        norm(self, fewer(num_features), *args, **more)

    with pytest.MonkeyPatch.context() as patch:
        if factor > 1:
            patch.setattr(nn.Conv2d, "__init__", init_conv)
            patch.setattr(nn.Linear, "__init__", init_linear)
            patch.setattr(nn.BatchNorm2d, "__init__", init_norm)
        yield


def efficientnet_v2(num_classes: int) -> nn.Module:
    settings = [
        FusedMBConvConfig(1, 3, 1, 8, 8, 1),
        FusedMBConvConfig(4, 3, 2, 8, 16, 2),
        MBConvConfig(4, 3, 2, 16, 24, 2),
    ]
    norm = partial(nn.BatchNorm2d, eps=1e-3)
    return EfficientNet(settings, 0.2, num_classes=num_classes, norm_layer=norm, last_channel=64)


def convnext(num_classes: int) -> nn.Module:
    blocks = [CNBlockConfig(8, 16, 2), CNBlockConfig(16, 24, 1), CNBlockConfig(24, None, 1)]
    return ConvNeXt(blocks, 0.1, num_classes=num_classes)


def swin_v2(num_classes: int) -> nn.Module:
    parts = {"block": SwinTransformerBlockV2, "downsample_layer": PatchMergingV2}
    sizes = [2, 2], 12, [2, 1], [1, 2], [4, 4]
    return SwinTransformer(*sizes, num_classes=num_classes, **parts)
