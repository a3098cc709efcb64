"""The prunable weights of a net, and what surrounds them."""

from collections.abc import Iterator
from dataclasses import dataclass

from torch import nn
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd
from torch.nn.parameter import is_lazy

from core.errors import InputError

PRUNABLE = (_ConvNd, nn.Linear, nn.Bilinear, nn.Embedding, nn.EmbeddingBag)
"""Modules with a prunable `weight`; convolutions may be grouped or transposed."""

_PACKED = ("in_proj_weight", "q_proj_weight", "k_proj_weight", "v_proj_weight")
"""The weights of `nn.MultiheadAttention` other than its output projection, a linear layer."""


@dataclass(frozen=True, slots=True)
class Layer:
    """A prunable weight; biases are never pruned.

    Attributes:
        name: the module's path in the net, such as `conv1`, with the weight's name if the module
            has several, such as `attention.in_proj_weight`.
        elements: number of weights.
        parameters: the weights, and the module's bias.
        weight: the weight's name in the state_dict if it is not `NAME.weight`.
        aliases: other names of a tied weight in the state_dict.
        kind: such as `depthwise convolution` or `linear`; empty if unknown.
    """

    name: str
    shape: tuple[int, ...]
    elements: int
    parameters: int
    weight: str = ""
    aliases: tuple[str, ...] = ()
    kind: str = ""

    @property
    def key(self) -> str:
        """The weight's name in the state_dict."""
        return self.weight or f"{self.name}.weight"

    @property
    def keys(self) -> tuple[str, ...]:
        """All names of the weight in the state_dict."""
        return (self.key, *self.aliases)


def prunable_layers(model: nn.Module) -> tuple[Layer, ...]:
    """The prunable layers of `model`, in the order of its modules.

    A weight that several modules share is one layer, under its first name; an empty weight is
    omitted. Raises InputError if a lazy module has not learned its size.
    """
    if lazy := lazy_tensors(model):
        raise InputError(
            f"lazy '{lazy[0]}' has no size yet: run a batch of images through the model first"
        )
    names: dict[int, list[str]] = {}
    for name, parameter in model.named_parameters(remove_duplicate=False):
        names.setdefault(id(parameter), []).append(name)
    weights = {id(weight) for module in model.modules() for _, weight in prunable_weights(module)}
    seen: set[int] = set()
    layers = []
    for path, module in model.named_modules():
        own = sum(p.numel() for p in module.parameters(recurse=False) if id(p) not in seen)
        seen.update(id(p) for p in module.parameters(recurse=False) if id(p) not in weights)
        for name, weight in prunable_weights(module):
            if id(weight) in seen or not weight.numel():
                continue
            seen.add(id(weight))
            key = f"{path}.{name}" if path else name
            single = name == "weight"
            layers.append(
                Layer(
                    name=(path if single else key) or name,
                    shape=tuple(weight.shape),
                    elements=weight.numel(),
                    parameters=own if single else weight.numel(),
                    weight="" if single and path else key,
                    aliases=tuple(alias for alias in names[id(weight)] if alias != key),
                    kind=_kind(module),
                )
            )
    return tuple(layers)


def lazy_tensors(model: nn.Module) -> list[str]:
    """The names of parameters and buffers whose sizes are not known yet."""
    tensors = (*model.named_parameters(), *model.named_buffers())
    return [name for name, tensor in tensors if is_lazy(tensor)]


def parameter_count(model: nn.Module) -> int:
    """The number of parameters of `model`, prunable or not; shared ones count once."""
    return sum(p.numel() for p in model.parameters())


def dropouts(model: nn.Module) -> dict[str, nn.Dropout]:
    """The dropouts that follow a prunable layer, by the layer's name."""
    dropout: dict[str, nn.Dropout] = {}
    layer = None
    for name, module in model.named_modules():
        if isinstance(module, PRUNABLE) and _is_plain(module):
            layer = name
        elif isinstance(module, nn.Dropout) and layer is not None:
            dropout[layer] = module
    return dropout


def prunable_names(module: nn.Module) -> tuple[str, ...]:
    """The names of the weights that can be pruned in a module of this kind."""
    if isinstance(module, PRUNABLE):
        return ("weight",)
    if isinstance(module, nn.MultiheadAttention):
        return _PACKED
    if isinstance(module, nn.RNNCellBase):
        return ("weight_ih", "weight_hh")
    if isinstance(module, nn.RNNBase):
        return tuple(name for name in module._flat_weights_names if name.startswith("weight_"))
    return ()


def prunable_weights(module: nn.Module) -> Iterator[tuple[str, nn.Parameter]]:
    """The prunable weights of a module itself, by name, in the order of its parameters."""
    names = prunable_names(module)
    for name, weight in module._parameters.items():
        if weight is not None and name in names:
            yield name, weight


def _kind(module: nn.Module) -> str:
    """The kind of a module with prunable weights; attention's projections are linear."""
    match module:
        case _ConvTransposeNd():
            return "transposed convolution"
        case _ConvNd(groups=groups, in_channels=channels) if groups == channels > 1:
            return "depthwise convolution"
        case _ConvNd():
            return "convolution"
        case nn.Bilinear():
            return "bilinear"
        case nn.Embedding() | nn.EmbeddingBag():
            return "embedding"
        case nn.RNNBase() | nn.RNNCellBase():
            return "recurrent"
        case _:
            return "linear"


def _is_plain(module: nn.Module) -> bool:
    """Whether its weight is a parameter, not computed by a parametrization or weight norm."""
    return isinstance(module._parameters.get("weight"), nn.Parameter)


def bias_key(key: str) -> str:
    """The name in the state_dict of the bias that belongs to a weight."""
    return key.removesuffix("weight") + "bias"
