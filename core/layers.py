"""Which weights of a net can be pruned, and what surrounds them."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

PRUNABLE = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.Linear)


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer whose weight can be pruned; its bias never is.

    Attributes:
        name: the module's path in the net, such as `conv1`.
        shape: the weight's shape, output units first.
        elements: weights that can be pruned.
        parameters: the weights and the bias.
    """

    name: str
    shape: tuple[int, ...]
    elements: int
    parameters: int

    @property
    def key(self) -> str:
        """The weight's name in a state_dict."""
        return f"{self.name}.weight"


def prunable_layers(model: nn.Module) -> tuple[Layer, ...]:
    """The layers of `model` that can be pruned, in the order in which it names them."""
    return tuple(
        Layer(
            name=name,
            shape=tuple(module.weight.shape),
            elements=module.weight.numel(),
            parameters=sum(p.numel() for p in module.parameters(recurse=False)),
        )
        for name, module in model.named_modules()
        if isinstance(module, PRUNABLE)
    )


def parameter_count(model: nn.Module) -> int:
    """All parameters of `model`, prunable or not."""
    return sum(p.numel() for p in model.parameters())


def dropouts(model: nn.Module) -> dict[str, nn.Dropout]:
    """The dropout that follows each prunable layer, by the layer's name, where there is one."""
    found: dict[str, nn.Dropout] = {}
    layer = None
    for name, module in model.named_modules():
        if isinstance(module, PRUNABLE):
            layer = name
        elif isinstance(module, nn.Dropout) and layer is not None:
            found[layer] = module
    return found
