"""The size of a pruned net, by every common way of counting."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Sequence

import torch
from safetensors.torch import save
from torch import Tensor

from core.errors import InputError
from core.formats.codec.compact import CompactFile
from core.nets.footprint import BYTES_PER_VALUE, Sizes
from core.nets.layers import Layer
from core.nets.weights import Weights

CONVOLUTION_BITS, LINEAR_BITS = 8, 5
"""Bits of an index in Han, Mao and Dally (2016), section 2."""

MAX_PARAMETERS = 20_000_000
"""Most parameters of a net whose files are measured unasked: more take a minute or longer."""


def measure_sizes(
    weights: Weights,
    layers: Sequence[Layer],
    parameters: int,
    compact_file: Callable[[Weights], CompactFile],
) -> Sizes:
    """Measure the bytes a net takes; the files are made in memory.

    Args:
        weights: a state_dict.
        layers: the net's prunable layers.
        parameters: of the whole net.
        compact_file: what a compact file of these weights holds, in float32.
    """
    # Importing the codec loads numba, which a session without a fine-tuning does not need.
    from core.formats.codec import encode

    nonzero = parameters - sum(_zeros(weights[layer.key]) for layer in layers)
    counted = BYTES_PER_VALUE * nonzero, _indexed(layers, weights, parameters)
    if parameters > MAX_PARAMETERS:
        return Sizes(*counted, None, None, None)
    dense = save({name: tensor.contiguous() for name, tensor in weights.items()})
    try:
        compact = len(encode(compact_file(weights)))
    except (InputError, MemoryError):  # a training that is over is not to be lost
        compact = None
    return Sizes(*counted, len(dense), len(_zipped(dense)), compact)


def _zeros(weight: Tensor) -> int:
    return weight.numel() - int(weight.count_nonzero())


def _indexed(layers: Sequence[Layer], weights: Weights, parameters: int) -> int:
    """Bytes with relative indices."""
    others = parameters - sum(layer.elements for layer in layers)
    bits = 8 * BYTES_PER_VALUE * others
    for layer in layers:
        index = LINEAR_BITS if len(layer.shape) == 2 else CONVOLUTION_BITS
        entries = _entries(weights[layer.key], 1 << index)
        bits += entries * (8 * BYTES_PER_VALUE + index)
    return -(-bits // 8)


def _entries(weight: Tensor, reach: int) -> int:
    """Nonzeros, and the zeros that are stored where the next is further than an index reaches."""
    places = weight.flatten().nonzero().flatten()
    gaps = torch.diff(places, prepend=places.new_full((1,), -1))
    return len(places) + int(((gaps - 1) // reach).sum())


def _zipped(data: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as file:
        file.writestr("net.safetensors", data)
    return buffer.getvalue()
