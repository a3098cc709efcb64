"""Torchvision's classification nets at small sizes: a row for each, and what is checked of it.

Of every row `test_torchvision_nets` checks that it opens with `--model` and `--model-args`, is
planned, pruned, and fine-tuned by a step; that without its dead units it has the same logits, and
the smaller net too, to 1e-4; and that it is exported and read back, bit for bit, as safetensors and
as a compact file. `dead` is how many units the first unit of every layer, once without inputs,
leaves dead.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.nets.zoo import ModelSpec, model_spec

CLASSES = 5

_NARROW = "tests.core.nets.narrow_torchvision"
_OWN = "torchvision.models"


@dataclass(frozen=True)
class Row:
    """One net.

    Attributes:
        family: as torchvision names it.
        model, args: what --model and --model-args name.
        size: side of its images in pixels.
        dead: see above.
        slow: takes more than a second.
    """

    family: str
    model: str
    args: str
    size: int
    dead: int
    slow: bool = False

    @property
    def name(self) -> str:
        return self.model.rpartition(":")[2] + (f"({self.args})" if self.args else "")

    @property
    def spec(self) -> ModelSpec:
        given = f"{self.args},num_classes={CLASSES}".removeprefix(",")
        return model_spec(self.model, given)


_VIT = "image_size=32,patch_size=8,num_layers=2,num_heads=2,hidden_dim=16,mlp_dim=32"
_SWIN = "patch_size=[2,2],embed_dim=12,depths=[2,1],num_heads=[1,2],window_size=[4,4]"
_SHUFFLE = "stages_repeats=[2,2,2],stages_out_channels=[8,16,32,64,128]"

NETS = (
    Row("AlexNet", f"{_NARROW}:alexnet", "", 64, 0),
    Row("VGG", f"{_NARROW}:vgg", "batch_norm=False", 32, 0),
    Row("VGG", f"{_NARROW}:vgg", "batch_norm=True", 32, 0),
    Row("ResNet", f"{_NARROW}:resnet_basic", "", 32, 0),
    Row("ResNet", f"{_NARROW}:resnet_bottleneck", "", 32, 0),
    Row("ResNet", f"{_OWN}:resnet18", "", 32, 0, slow=True),
    Row("ResNeXt", f"{_NARROW}:resnet_bottleneck", "groups=32,width_per_group=4", 32, 0),
    Row("Wide-ResNet", f"{_NARROW}:resnet_bottleneck", "width_per_group=128", 32, 0),
    Row("DenseNet", f"{_NARROW}:densenet", "", 32, 0),
    Row("MobileNet v2", f"{_OWN}:mobilenet_v2", "width_mult=0.25", 32, 0),
    Row("MobileNet v3", f"{_OWN}:mobilenet_v3_small", "width_mult=0.25", 32, 0),
    Row("EfficientNet", f"{_NARROW}:efficientnet_b", "", 32, 0),
    Row("EfficientNet v2", f"{_NARROW}:efficientnet_v2", "", 32, 0),
    Row("MNASNet", f"{_OWN}:MNASNet", "alpha=0.25", 32, 0),
    Row(
        "Inception", f"{_OWN}:inception_v3", "aux_logits=False,init_weights=False", 75, 0, slow=True
    ),
    Row("GoogLeNet", f"{_OWN}:googlenet", "aux_logits=True,init_weights=False", 32, 0, slow=True),
    Row("ShuffleNet", f"{_OWN}:ShuffleNetV2", _SHUFFLE, 32, 0),
    Row("SqueezeNet", f"{_OWN}:squeezenet1_1", "", 32, 0),
    Row("RegNet", f"{_NARROW}:regnet", "", 32, 0),
    Row("ConvNeXt", f"{_NARROW}:convnext", "", 32, 0),
    Row("ViT", f"{_OWN}:VisionTransformer", _VIT, 32, 0),
    Row("Swin", f"{_OWN}:SwinTransformer", _SWIN, 32, 0),
    Row("Swin v2", f"{_NARROW}:swin_v2", "", 32, 0),
    Row("MaxViT", f"{_NARROW}:maxvit", "", 32, 0),
)
