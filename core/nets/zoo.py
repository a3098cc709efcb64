"""The nets known by name, and the user's own. Only building one loads torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from core.data.inputs import DEFAULT_INPUTS, Inputs
from core.data.registry import DATASETS
from core.errors import InputError
from core.nets import user_model

if TYPE_CHECKING:
    from torch import nn

_TORCHVISION = "torchvision.models:"

IMAGENET = Inputs(image_size=224, channels=3, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
"""The image settings of torchvision's weights."""


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """A net and how to build it.

    Attributes:
        name: its name; for a user's own, the path or module of its code.
        factory: `module:callable` that builds it with fresh weights; None for a user's own.
        dataset: the data set of its shipped weights, if any.
        inputs: image settings of its weights if they were not trained on `dataset`.
        arguments: of the factory, by name.
    """

    name: str
    factory: str | None = None
    dataset: str | None = None
    inputs: Inputs = DEFAULT_INPUTS
    arguments: Mapping[str, int] = field(default_factory=dict, hash=False)

    def for_data(self, dataset: str, inputs: Inputs) -> ModelSpec:
        """The net for the classes and images of a known data set.

        Only the nets with shipped weights are built for other images than MNIST's; those of an
        image folder are known only once it is read.
        """
        if self.dataset is None or dataset not in DATASETS:
            return self
        description = DATASETS[dataset]
        images = inputs.over(description.inputs)
        arguments = {
            "num_classes": description.classes,
            "in_channels": images.channels or description.channels,
            "image_size": images.image_size or description.image_size,
        }
        return replace(self, arguments=arguments)

    @property
    def is_user_model(self) -> bool:
        """Whether building it runs the user's code."""
        return self.factory is None

    @property
    def is_from_torchvision(self) -> bool:
        """Whether it and its trained weights come from torchvision."""
        return self.factory is not None and self.factory.startswith(_TORCHVISION)

    def build(self) -> nn.Module:
        """Build it with weights from torch's global generator; raises as `user_model.build`."""
        if self.factory is None:
            return user_model.build(self.name)
        module, _, attribute = self.factory.partition(":")
        net: nn.Module = getattr(import_module(module), attribute)(**self.arguments)
        return net

    @property
    def shipped_weights(self) -> Path:
        """The safetensors file of its trained dense weights, shipped with the package."""
        return Path(__file__).with_name("dense") / f"{self.name}.safetensors"


ZOO = {
    spec.name: spec
    for spec in (
        ModelSpec("cnn5", "core.nets.architectures:Cnn5", "mnist"),
        ModelSpec("lenet-300-100", "core.nets.architectures:LeNet300", "mnist"),
        ModelSpec("lenet-5", "core.nets.architectures:LeNet5", "mnist"),
        ModelSpec("alexnet", f"{_TORCHVISION}alexnet", inputs=IMAGENET),
        ModelSpec("vgg16", f"{_TORCHVISION}vgg16", inputs=IMAGENET),
    )
}


def short_name(name: str) -> str:
    """A net's name for display: a user's own without folders."""
    return name if name in ZOO else user_model.base_name(name)


def model_spec(name: str) -> ModelSpec:
    """The net called `name`, not built; raises InputError if there is none."""
    if name in ZOO:
        return ZOO[name]
    if ":" not in name:
        known = ", ".join(ZOO)
        raise InputError(f"unknown model '{name}': expected one of {known}, or {user_model.FORMS}")
    user_model.check_model_name(name)
    return ModelSpec(name)
