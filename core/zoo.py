"""The nets that are known by name. Naming them loads no torch; building one does."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import InputError

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """A net of the zoo.

    Attributes:
        factory: `module:callable` that builds it, with fresh weights.
        dataset: the data set that its shipped weights were trained on.
    """

    name: str
    factory: str
    dataset: str

    def build(self) -> nn.Module:
        """A new net with weights drawn from torch's global generator."""
        module, _, attribute = self.factory.partition(":")
        net: nn.Module = getattr(import_module(module), attribute)()
        return net

    @property
    def shipped_weights(self) -> Path:
        """The safetensors file with its trained dense weights, a part of the package."""
        from importlib import resources  # not before the first screen

        return Path(str(resources.files("core").joinpath("dense", f"{self.name}.safetensors")))


ZOO = {
    spec.name: spec
    for spec in (
        ModelSpec("cnn5", "core.nets:Cnn5", "mnist"),
        ModelSpec("lenet-300-100", "core.nets:LeNet300", "mnist"),
        ModelSpec("lenet-5", "core.nets:LeNet5", "mnist"),
    )
}


def model_spec(name: str) -> ModelSpec:
    """The net called `name`; raises InputError for a name that the zoo does not have."""
    if name not in ZOO:
        raise InputError(f"unknown model '{name}': expected one of {', '.join(ZOO)}")
    return ZOO[name]
