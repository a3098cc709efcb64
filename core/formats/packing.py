"""A net as the contents of a compact file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from core.data.inputs import Inputs
from core.data.registry import FOLDER
from core.errors import InputError
from core.formats.codebooks import CodebookTensor, QuantizedTensor
from core.formats.codec.compact import Codebook, CompactFile, Steps, Tied, Values
from core.formats.codec.state import from_state, raw
from core.formats.export_formats import EXACT
from core.nets.layers import Layer
from core.nets.weights import Weights
from core.nets.zoo import ZOO, model_spec
from core.settings.settings import DEFAULTS, Settings


def pack(
    weights: Weights,
    layers: Sequence[Layer],
    values: str,
    rounded: Mapping[str, QuantizedTensor],
    model: str,
    facts: Mapping[str, Any],
) -> CompactFile:
    """The contents of a compact file for a net.

    Args:
        weights: a state_dict.
        layers: the net's prunable layers.
        values: one of `VALUES`.
        rounded: the tensors that are quantised, by name.
        model: the net's name; the file names it if it is one of the zoo's.
        facts: which images the net is for, see `image_facts`.

    Raises:
        InputError: a file cannot hold a tensor's type.
    """
    aliases = {alias: la.key for la in layers for alias in la.aliases}
    pruned = {la.key for la in layers}
    before: set[str] = set()

    def keep(name: str, tensor: Tensor) -> Values | None:
        first = aliases.get(name)
        if first in before:
            return Tied(first)
        before.add(name)
        if name in rounded:
            return _values(rounded[name])
        if values in EXACT and tensor.dtype == torch.float32:
            tensor = _narrowed(name, tensor, values)
        # What is pruned may be a negative zero, which a file would keep as a value.
        return raw(tensor + 0.0 if name in pruned else tensor)

    return from_state(weights, model if model in ZOO else "", dict(facts), keep)


def _narrowed(name: str, tensor: Tensor, values: str) -> Tensor:
    made = tensor.to(getattr(torch, values))
    if not bool(made.isfinite().all()) and bool(tensor.isfinite().all()):
        raise InputError(f"'{name}' has values too large for {values}: use bfloat16 or float32")
    return made


def image_facts(settings: Settings, images: Inputs) -> dict[str, Any]:
    """Which images a net is for, where its name does not say so.

    `inputs` holds the options a person gave, `images` what was worked out from a folder.
    """
    facts: dict[str, Any] = {}
    if settings.dataset.startswith(FOLDER):
        facts["dataset"] = FOLDER.removesuffix(":")  # where it is, is nobody else's business
        if seen := images.given():
            facts["images"] = seen
    elif settings.dataset != (model_spec(settings.model).dataset or DEFAULTS.dataset):
        facts["dataset"] = settings.dataset
    if settings.protocol != DEFAULTS.protocol:
        facts["protocol"] = settings.protocol
    if said := settings.inputs.given():
        facts["inputs"] = said
    return facts


def _values(rounded: QuantizedTensor) -> Values:
    if not isinstance(rounded, CodebookTensor):
        return Steps(rounded.step, rounded.counts.numpy())
    used = torch.unique(rounded.values[rounded.codes])
    used = used[used != 0]
    if not len(used):
        used = torch.ones(1)
    flat = rounded.tensor().flatten()
    codes = torch.where(flat == 0, 0, 1 + torch.searchsorted(used, flat))
    plain = codes.to(torch.int16).reshape(rounded.shape).numpy()
    return Codebook("bfloat16", used.numpy().astype(np.float32), plain)
