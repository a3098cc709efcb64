"""What a pruned net takes, told in the ways that people count it."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from safetensors.torch import save
from torch import Tensor

from core.errors import InputError
from core.nets.footprint import BYTES_PER_VALUE, Sizes
from core.nets.layers import Layer
from core.nets.weights import Weights

if TYPE_CHECKING:
    from core.jobs.workbench import Workbench

CONVOLUTION_BITS, LINEAR_BITS = 8, 5
"""Of an index in Han, Mao and Dally (2016), section 2."""

MOST_PARAMETERS = 20_000_000
"""Of a net whose files are made only to be measured: beyond, that would take a minute and more."""


def sizes_of(bench: Workbench, weights: Weights) -> Sizes:
    """Measure a net of the workbench; the files are made in memory."""
    # Numba comes in with it, which a session without a fine-tuning does not need.
    from core.formats.codec import encode
    from core.formats.packing import packed

    nonzero = bench.parameters - sum(_zeros(weights[layer.key]) for layer in bench.layers)
    counted = BYTES_PER_VALUE * nonzero, _indexed(bench.layers, weights, bench.parameters)
    if bench.parameters > MOST_PARAMETERS:
        return Sizes(*counted, None, None, None)
    dense = save({name: tensor.contiguous() for name, tensor in weights.items()})
    try:
        compact = len(encode(packed(bench, weights, "float32", {})))
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
