"""Torchvision's classification nets at small sizes: a row for each, and what is checked of it.

Of every row `test_torchvision_nets` checks that it opens with `--model` and `--model-args`, is
planned, pruned, and fine-tuned by a step; that without its dead units it has the same logits, and
the smaller net too, to 1e-4; and that it is exported and read back, bit for bit, as safetensors and
as a compact file. `dead` is how many units are dead once the first unit of every layer has no
inputs: it shows which of a family's layers are understood.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from core.nets.zoo import model_spec
from tests.core.nets.narrow_torchvision import narrower

CLASSES = 5

_OWN = "tests.core.nets.narrow_torchvision"


@dataclass(frozen=True)
class Row:
    """One net.

    Attributes:
        family: as torchvision names it.
        name: of its builder.
        dead: see above.
        args: what --model-args give beside the number of classes.
        size: side of its images in pixels.
        narrow: how many times fewer channels its layers get.
        slow: takes more than a second.
        module: of its builder.
    """

    family: str
    name: str
    dead: int
    args: str = ""
    size: int = 32
    narrow: int = 8
    slow: bool = False
    module: str = "torchvision.models"

    def build(self) -> nn.Module:
        given = f"{self.args},num_classes={CLASSES}".removeprefix(",")
        with narrower(self.narrow, 3, CLASSES):
            return model_spec(f"{self.module}:{self.name}", given).build()


_DENSE = "growth_rate=8,block_config=[2,2,2,2],num_init_features=16"
_SHUFFLE = "stages_repeats=[2,2,2],stages_out_channels=[8,16,32,64,128]"
_VIT = "image_size=32,patch_size=8,num_layers=2,num_heads=2,hidden_dim=16,mlp_dim=32"
_SWIN = "patch_size=[2,2],embed_dim=12,depths=[2,1],num_heads=[1,2],window_size=[4,4]"
_MAXVIT = (
    "input_size=[32,32],stem_channels=8,partition_size=2,block_channels=[8,16],block_layers=[1,1],"
    "head_dim=4,stochastic_depth_prob=0.1"
)
_NO_INIT = "init_weights=False"

NETS = (
    Row("AlexNet", "alexnet", 4, size=64, narrow=16),
    Row("VGG", "vgg16_bn", 10, _NO_INIT, narrow=16, slow=True),
    Row("ResNet", "resnet18", 8),
    Row("ResNet", "resnet50", 33, narrow=32, slow=True),
    Row("ResNeXt", "resnext50_32x4d", 1, narrow=16, slow=True),
    Row("Wide-ResNet", "wide_resnet50_2", 33, narrow=32, slow=True),
    Row("DenseNet", "DenseNet", 8, _DENSE, narrow=1),
    Row("MobileNet v2", "mobilenet_v2", 2, "width_mult=0.25", narrow=1, slow=True),
    Row("MobileNet v3", "mobilenet_v3_small", 12, "width_mult=0.25", narrow=1, slow=True),
    Row("EfficientNet", "efficientnet_b0", 19, slow=True),
    Row("EfficientNet v2", "efficientnet_v2", 5, narrow=1, module=_OWN),
    Row("MNASNet", "MNASNet", 3, "alpha=0.25", narrow=1, slow=True),
    Row("Inception", "inception_v3", 50, f"aux_logits=False,{_NO_INIT}", size=75, slow=True),
    Row("GoogLeNet", "googlenet", 21, f"aux_logits=True,{_NO_INIT}", narrow=16, slow=True),
    Row("ShuffleNet", "ShuffleNetV2", 1, _SHUFFLE, narrow=1),
    Row("SqueezeNet", "squeezenet1_1", 9),
    Row("RegNet", "regnet_y_400mf", 17, slow=True),
    Row("ConvNeXt", "convnext", 0, narrow=1, module=_OWN),
    Row("ViT", "VisionTransformer", 0, _VIT, narrow=1),
    Row("Swin", "SwinTransformer", 0, _SWIN, narrow=1),
    Row("Swin v2", "swin_v2", 0, narrow=1, module=_OWN),
    Row("MaxViT", "MaxVit", 5, _MAXVIT, narrow=1),
)
