"""A net as the contents of a compact file."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from core.data.inputs import Inputs
from core.data.registry import FOLDER
from core.errors import InputError
from core.formats.codebooks import CodebookTensor, QuantizedTensor
from core.formats.codec.compact import Codebook, CompactFile, Steps, Tied, Values
from core.formats.codec.state_dict import from_state, raw
from core.formats.export_formats import EXACT
from core.nets.layers import Layer
from core.nets.weights import Weights, is_damaged
from core.nets.zoo import ZOO, model_spec
from core.settings.settings import DEFAULTS, Settings


def pack(
    weights: Weights,
    layers: Sequence[Layer],
    values: str,
    quantized: Mapping[str, QuantizedTensor],
    model: str,
    facts: Mapping[str, Any],
    buffers: Collection[str] = (),
) -> CompactFile:
    """The contents of a compact file for a net with these weights and prunable layers.

    `values` is one of `VALUES`, `quantized` holds quantized tensors by name, `model` is stored
    if it is in the zoo, and `facts` are those of `image_facts`. A tensor among the `buffers` that
    is too large for the type, such as an attention mask of the least float32, is stored exactly.

    Raises InputError if a file cannot hold a tensor's type.
    """
    aliases = {alias: layer.key for layer in layers for alias in layer.aliases}
    pruned = {layer.key for layer in layers}
    stored = set[str]()

    def keep(name: str, tensor: Tensor) -> Values | None:
        first = aliases.get(name)
        if first in stored:
            return Tied(first)
        stored.add(name)
        if name in quantized:
            return _values(quantized[name])
        if values in EXACT and tensor.dtype == torch.float32:
            tensor = _narrowed(name, tensor, values, name in buffers)
        # A pruned weight may be -0.0, which a file would store as a value.
        return raw(tensor + 0.0 if name in pruned else tensor)

    return from_state(weights, model if model in ZOO else "", dict(facts), keep)


def _narrowed(name: str, tensor: Tensor, values: str, is_buffer: bool) -> Tensor:
    narrowed = tensor.to(getattr(torch, values))
    if is_damaged(narrowed, tensor):
        if is_buffer:
            return tensor
        raise InputError(f"'{name}' has values too large for {values}: use bfloat16 or float32")
    return narrowed


def image_facts(settings: Settings, images: Inputs) -> dict[str, Any]:
    """Facts about a net's images that its name does not imply.

    `inputs` holds the user's settings, `images` those determined from an image folder.
    """
    facts: dict[str, Any] = {}
    if settings.dataset.startswith(FOLDER):
        facts["dataset"] = FOLDER.removesuffix(":")  # its path is private
        if measured := images.explicit_values():
            facts["images"] = measured
    elif settings.dataset != (model_spec(settings.model).dataset or DEFAULTS.dataset):
        facts["dataset"] = settings.dataset
    if settings.protocol != DEFAULTS.protocol:
        facts["protocol"] = settings.protocol
    if specified := settings.inputs.explicit_values():
        facts["inputs"] = specified
    return facts


def _values(quantized: QuantizedTensor) -> Values:
    if not isinstance(quantized, CodebookTensor):
        return Steps(quantized.step, quantized.counts.numpy())
    used = torch.unique(quantized.values[quantized.codes])
    used = used[used != 0]
    if not len(used):
        used = torch.ones(1)
    flat = quantized.tensor().flatten()
    codes = torch.where(flat == 0, 0, 1 + torch.searchsorted(used, flat))
    codes = codes.to(torch.int16).reshape(quantized.shape)
    return Codebook("bfloat16", used.numpy().astype(np.float32), codes.numpy())
