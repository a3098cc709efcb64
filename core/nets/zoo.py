"""The nets known by name, and the user's own. Only building one loads torch."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from core.data.inputs import DEFAULT_INPUTS, Inputs
from core.data.registry import DATASETS
from core.errors import InputError
from core.nets import user_model
from core.nets.builders import CLASSES, loads_weights, looked_up, weight_inputs
from core.nets.model_args import ModelArgs, has_text, parse_model_args
from core.nets.user_code.names import FORMS, base_name, check_model_name, is_same_name, meant

if TYPE_CHECKING:
    from torch import nn

    from core.data.counts import Counts

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
        args: the arguments of a user's own net, as text.
        fresh_head: whether a user's own net gets a new last layer for the data's classes.
        arguments: of the factory, by name.
    """

    name: str
    factory: str | None = None
    dataset: str | None = None
    inputs: Inputs = DEFAULT_INPUTS
    args: str = ""
    fresh_head: bool = False
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

    @property
    def given(self) -> ModelArgs:
        """The arguments by name."""
        return parse_model_args(self.args)

    @property
    def has_safe_args(self) -> bool:
        """Whether its arguments cannot name code, a file or an address: torchvision's, or no text.

        `torch.hub:load` for example takes the address of code to run.
        """
        return self.name.startswith(_TORCHVISION) or not has_text(list(self.given.values()))

    @property
    def is_pretrained(self) -> bool:
        """Whether a user's own net is built with trained weights."""
        return loads_weights(self.given)

    @property
    def is_built_trained(self) -> bool:
        """Whether nothing of it is left to train: its head is that of its trained weights."""
        kept = self.name.startswith(_TORCHVISION) or CLASSES not in self.given
        return self.is_pretrained and not self.fresh_head and kept

    def build(self, counts: Counts | None = None) -> nn.Module:
        """Build it with weights from torch's global generator; raises as `user_model.build`.

        The `counts` of the data complete the arguments of a user's own net.
        """
        if self.factory is None:
            net = user_model.build(self.name, self.given, counts, self.fresh_head)
            if self.fresh_head:
                from core.nets.fresh_head import replace_head

                replace_head(net, self.given.get(CLASSES) or (counts.classes if counts else 0))
            return net
        module, _, attribute = self.factory.partition(":")
        made: nn.Module = getattr(import_module(module), attribute)(**self.arguments)
        return made

    def inputs_of(self, net: nn.Module) -> Inputs:
        """The image settings of the weights that `net` was built with, as far as known."""
        return weight_inputs(user_model.builder_of(self.name), self.given, net).over(self.inputs)

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


def short_name(name: str, args: str = "") -> str:
    """A net's name for display: a user's own without folders, with the model its builder looks up.

    `timm:create_model` with `model_name=resnet18` is `timm.resnet18`.
    """
    if name in ZOO:
        return name
    base, found = base_name(name), looked_up(parse_model_args(args))
    safe = re.sub(r"[^\w.-]+", "-", found or "")
    return f"{base.partition('.')[0]}.{safe}" if safe else base


def is_same_model(recorded: str, named: str) -> bool:
    """Whether the net a user names may be the one in a file; runs no code."""
    zoo = recorded in ZOO or named in ZOO
    return recorded == named if zoo else is_same_name(recorded, named)


def model_spec(name: str, args: str = "", fresh_head: bool = False) -> ModelSpec:
    """The net called `name`, not built; raises InputError if there is none.

    Only a user's own takes arguments and a fresh head, see `ModelSpec`.
    """
    if name in ZOO:
        if args or fresh_head:
            option = f"--model-args {args}" if args else "--fresh-head"
            own = ZOO[name].factory if ZOO[name].is_from_torchvision else None
            way = f"use --model {own}" if own else f"remove {option}"
            raise InputError(f"{name} takes no {option}: {way}")
        return ZOO[name]
    if ":" not in name:
        known = ", ".join(ZOO)
        text = f"unknown model '{name}': expected one of {known}, or {FORMS}{meant(name)}"
        raise InputError(text)
    check_model_name(name)
    inputs = Inputs(channels=3) if name.startswith(_TORCHVISION) else DEFAULT_INPUTS
    return ModelSpec(name, inputs=inputs, args=args, fresh_head=fresh_head)
