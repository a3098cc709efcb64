"""The weights of a net that are left out of pruning, and why."""

from collections.abc import Iterator
from typing import cast

from torch import nn
from torch.nn.parameter import is_lazy
from torch.nn.utils import parametrize
from torch.nn.utils.spectral_norm import SpectralNorm
from torch.nn.utils.weight_norm import WeightNorm

from core.errors import InputError
from core.nets.layers import prunable_layers, prunable_names, prunable_weights
from core.system.error_text import some

COMPUTED = "computed from other parameters on every call"
OWN = "defined by the net's own code, outside of any layer"


def unprunable_weights(model: nn.Module) -> dict[str, str]:
    """The weights that cannot be pruned, by name, with the reason.

    Biases, norms and other vectors, which are never pruned, are not among them.
    """
    pruned = {id(weight) for module in model.modules() for _, weight in prunable_weights(module)}
    found: dict[str, str] = {}
    for path, module in model.named_modules():
        computed, place = _computed(module), f"{path}." if path else ""
        found |= {place + name: COMPUTED for name in computed}
        if parametrize.type_before_parametrizations(module).__module__.startswith("torch.nn."):
            continue
        sources = tuple(f"{name}_" for name in computed)
        for name, parameter in module._parameters.items():
            is_source = bool(sources) and name.startswith(sources)
            if id(parameter) not in pruned and _is_matrix(parameter) and not is_source:
                found[place + name] = OWN
    return found


def unprunable_summary(model: nn.Module) -> Iterator[str]:
    """One line for each reason why weights cannot be pruned."""
    found = unprunable_weights(model)
    for reason in dict.fromkeys(found.values()):
        names = [name for name, why in found.items() if why == reason]
        yield f"{some(names)} cannot be pruned: {reason}"


def check_prunable(model: nn.Module) -> None:
    """Raise InputError if a net has nothing to prune."""
    if not prunable_layers(model):
        reasons = "; ".join(unprunable_summary(model))
        more = f": {reasons}" if reasons else ", such as nn.Linear"
        raise InputError(f"{type(model).__name__} has no prunable weights{more}")


def _computed(module: nn.Module) -> list[str]:
    """The names of a module's weights that are computed from parameters with other names."""
    parameters = module._parameters
    names = [n for n in prunable_names(module) if n not in parameters and hasattr(module, n)]
    for hook in module._forward_pre_hooks.values():
        if isinstance(hook, WeightNorm | SpectralNorm):
            names.append(hook.name)
    if parametrize.is_parametrized(module):
        steps_of = cast(dict[str, parametrize.ParametrizationList], module.parametrizations)
        for name, steps in steps_of.items():
            if any(map(_is_matrix, steps.parameters(recurse=False))):
                names.append(name)
    return list(dict.fromkeys(names))


def _is_matrix(parameter: nn.Parameter | None) -> bool:
    """Whether it has at least two dimensions, not counting those of size 1."""
    if parameter is None or is_lazy(parameter):
        return False
    return sum(size > 1 for size in parameter.shape) > 1
