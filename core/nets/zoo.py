"""The nets that are known by name, and the user's own. Naming one loads no torch; building does."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from core.data.inputs import AS_THEY_ARE, Inputs
from core.errors import InputError
from core.nets import user_model

if TYPE_CHECKING:
    from torch import nn


_TORCHVISION = "torchvision.models:"

IMAGENET = Inputs(image_size=224, channels=3, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
"""The images that torchvision's weights were trained on."""


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """A net that can be built.

    Attributes:
        name: what people call it; of their own ones, where its code is.
        factory: `module:callable` that builds it, with fresh weights; None for the user's own.
        dataset: the data set that its shipped weights were trained on; None without any.
        inputs: the images that it is for, where its weights were trained on others than `dataset`.
    """

    name: str
    factory: str | None = None
    dataset: str | None = None
    inputs: Inputs = AS_THEY_ARE

    @property
    def is_own(self) -> bool:
        """It is the user's: building it runs their code."""
        return self.factory is None

    @property
    def is_torchvisions(self) -> bool:
        """It and its trained weights are torchvision's."""
        return self.factory is not None and self.factory.startswith(_TORCHVISION)

    def build(self) -> nn.Module:
        """A new net with weights drawn from torch's global generator.

        Raises:
            InputError: the user's code does not give one, see `own.build`.
        """
        if self.factory is None:
            return user_model.build(self.name)
        module, _, attribute = self.factory.partition(":")
        net: nn.Module = getattr(import_module(module), attribute)()
        return net

    @property
    def shipped_weights(self) -> Path:
        """The safetensors file with its trained dense weights, a part of the package."""
        from importlib import resources  # not before the first screen

        return Path(str(resources.files("core.nets").joinpath("dense", f"{self.name}.safetensors")))


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
    """What a net is called where there is little room: the user's own without its folders."""
    return name if name in ZOO else user_model.title(name)


def model_spec(name: str) -> ModelSpec:
    """The net called `name`; nothing of it is run.

    Raises:
        InputError: the zoo has no such net, and there is no such file of the user's.
    """
    if name in ZOO:
        return ZOO[name]
    if ":" not in name:
        known = ", ".join(ZOO)
        raise InputError(f"unknown model '{name}': expected one of {known}, or {user_model.FORMS}")
    user_model.check_place(name)
    return ModelSpec(name)
