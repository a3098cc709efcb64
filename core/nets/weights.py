"""The weights of a net: a plain state_dict, its digest, and whether it fits a model."""

import hashlib
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor, nn

from core.errors import InputError
from core.events import Accuracy
from core.nets.calls import NetCall
from core.nets.layers import prunable_layers

Weights = dict[str, Tensor]
"""A plain state_dict: names to tensors."""


class HasShape(Protocol):
    """A tensor, or one that is still in a file."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Its sizes."""


class DenseWeights(NamedTuple):
    """A dense net's weights, and those early in its training if they were kept.

    Attributes:
        trained: False for freshly initialized weights.
        notes: what the user should know about the file they are from.
        accuracy: of the weights, if they were measured just now.
    """

    weights: Weights
    early: Weights | None
    trained: bool = True
    notes: tuple[str, ...] = ()
    accuracy: Accuracy | None = None


def state_dict(model: nn.Module) -> Weights:
    """The tensors in the state_dict of `model`, which share its memory; see `extra_state`.

    Raises NetError if the net's own code raises.
    """
    state = _whole_state(model)
    return {name: value for name, value in state.items() if isinstance(value, Tensor)}


def extra_state(model: nn.Module) -> dict[str, Any]:
    """What a state_dict holds beside tensors, from `get_extra_state` or code of the net's own.

    It stays in the model, and is stored in no file. Raises NetError as `state_dict` does.
    """
    state = _whole_state(model).items()
    return {name: value for name, value in state if not isinstance(value, Tensor)}


def _whole_state(model: nn.Module) -> dict[str, Any]:
    with NetCall("state_dict()"):
        return model.state_dict()


def copy_weights(model: nn.Module) -> Weights:
    """The state_dict of `model` as contiguous copies on the CPU."""
    return {
        name: tensor.detach().to("cpu", copy=True, memory_format=torch.contiguous_format)
        for name, tensor in state_dict(model).items()
    }


def load_into(model: nn.Module, weights: Mapping[str, Tensor], *, assign: bool = False) -> None:
    """Load a state_dict of the model's own, as `copy_weights` returns it.

    Modules that check the version of a state_dict, such as torchvision's MNASNet, are told their
    own, which a plain dict does not carry; and modules with extra state the one they have.
    `assign` shares the memory of `weights`.

    Raises NetError if the net's own code raises, or it has other tensors by now.
    """
    state = versioned({**weights, **extra_state(model)}, module_versions(model))
    with NetCall("load_state_dict()"):
        model.load_state_dict(state, assign=assign)


def module_versions(model: nn.Module) -> dict[str, int]:
    """The versions of a model's modules by their names, where they have one."""
    named = model.named_modules(remove_duplicate=False)
    versions = ((name, getattr(module, "_version", None)) for name, module in named)
    return {name: version for name, version in versions if version is not None}


def versioned(weights: Mapping[str, Tensor], versions: Mapping[str, int]) -> Mapping[str, Tensor]:
    """A state_dict with the versions of the modules that wrote it, as torch's own carries them."""
    state = OrderedDict(weights)
    metadata = OrderedDict((name, {"version": version}) for name, version in versions.items())
    state._metadata = metadata  # type: ignore[attr-defined]
    return state


def weights_digest(weights: Weights) -> str:
    """16 hexadecimal digits of the SHA-256 of names, types, shapes and values, in name order."""
    digest = hashlib.sha256()
    for name in sorted(weights):
        tensor = weights[name].detach().cpu().contiguous()
        digest.update(f"{name}\0{tensor.dtype}\0{tuple(tensor.shape)}\0".encode())
        # As bytes, because NumPy has no bfloat16.
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()[:16]


def check_fit(weights: Weights, model: nn.Module, path: Path) -> Weights:
    """Check that tensors read from a file are a state_dict of `model`, and return them.

    Raises InputError if their names, shapes or types are not the model's; or if values are not
    finite, except in buffers and frozen parameters where those of `model` are not finite either.
    """
    expected = state_dict(model)
    wrong = differences(shapes(weights), shapes(expected)) or _wrong_values(
        weights, model, expected
    )
    if wrong := wrong or _untied(weights, model):
        raise InputError(f"{path} does not fit {type(model).__name__}: {wrong}")
    for layer in prunable_layers(model):
        for key in layer.keys:
            weights[key].add_(0.0)  # multiplying by a mask leaves negative zeros: make them zeros
    return {name: weights[name] for name in expected}


def damaged(weights: Weights, model: nn.Module, before: Weights) -> str | None:
    """The first tensor of a state_dict of `model` with values that are not finite; None if none.

    Buffers and frozen parameters may hold such values, such as an attention mask, where `before`
    does.
    """
    named = model.named_parameters(remove_duplicate=False)
    trained = {name for name, parameter in named if parameter.requires_grad}
    zero = torch.zeros(())
    for name, tensor in weights.items():
        if is_damaged(tensor, zero if name in trained else before.get(name, zero)):
            return name
    return None


def check_initial(model: nn.Module) -> None:
    """Raise InputError if weights that a net was built with and that it trains are not finite."""
    for name, parameter in model.named_parameters():
        if parameter.requires_grad and not bool(parameter.isfinite().all()):
            raise InputError(
                f"{type(model).__name__} is built with values in '{name}' that are not finite: "
                "mend its code, or use --weights FILE"
            )


def is_damaged(tensor: Tensor, before: Tensor) -> bool:
    """Whether values are not finite that were finite `before`."""
    finite = tensor.isfinite()
    return not bool(finite.all()) and bool((~finite & before.isfinite().to(finite.device)).any())


def element_limit(expected: Weights) -> int:
    """The most values to read from a file; enough to tell that a file holds some larger net."""
    return max(1 << 22, sum(tensor.numel() for tensor in expected.values()))


def cast_like(weights: Weights, expected: Weights) -> Weights:
    """Cast tensors to the types of those of the same name."""
    return {
        name: tensor.to(expected[name].dtype) if name in expected else tensor
        for name, tensor in weights.items()
    }


def _untied(weights: Weights, model: nn.Module) -> str | None:
    """Describe a tied weight that differs between its names; None if there is none."""
    for layer in prunable_layers(model):
        for alias in layer.aliases:
            if not torch.equal(weights[layer.key], weights[alias]):
                return f"'{layer.key}' and '{alias}' are one weight in the net but differ here"
    return None


def shapes(weights: Mapping[str, HasShape]) -> dict[str, tuple[int, ...]]:
    """The shapes of tensors by name."""
    return {name: tuple(tensor.shape) for name, tensor in weights.items()}


def differences(
    stored: Mapping[str, tuple[int, ...]], expected: Mapping[str, tuple[int, ...]]
) -> str:
    """How names and shapes differ from those of a net, both sides; empty if they do not."""
    missing = [name for name in expected if name not in stored]
    surplus = [name for name in stored if name not in expected]
    reshaped = [
        f"'{name}' has shape {stored[name]}, expected {shape}"
        for name, shape in expected.items()
        if stored.get(name, shape) != shape
    ]
    return "; ".join(
        filter(
            None,
            (
                _some(missing, len(expected), "missing"),
                _some(surplus, len(stored), "surplus"),
                *reshaped[:_SHOWN],
                f"and {len(reshaped) - _SHOWN} more shapes differ" * (len(reshaped) > _SHOWN),
            ),
        )
    )


_SHOWN, _LONGEST = 3, 80
"""Names of each kind in a message, and characters of a name: a file's may be of any length."""


def _some(names: Sequence[str], of: int, what: str) -> str:
    """The first names and their number; empty if there are none."""
    names = [f"'{name[:_LONGEST]}'" for name in names]
    if len(names) < 2:
        return f"{names[0]} is {what}" if names else ""
    shown = ", ".join(names[:_SHOWN])
    return f"{len(names)} of {of} names are {what} ({shown}{', ...' * (len(names) > _SHOWN)})"


def _wrong_values(weights: Weights, model: nn.Module, expected: Weights) -> str | None:
    for name, tensor in expected.items():
        if weights[name].dtype != tensor.dtype:
            return f"'{name}' has type {weights[name].dtype}, expected {tensor.dtype}"
    if damage := damaged(weights, model, expected):
        return f"'{damage}' has values that are not finite"
    return None
