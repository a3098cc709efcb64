"""The size of a pruned net, counted in every common way."""

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
"""Bits per relative index in Han, Mao and Dally (2016), section 2."""

MAX_PARAMETERS = 20_000_000
"""Larger nets are measured only on request: their files take a minute or longer."""


def measure_sizes(
    weights: Weights,
    layers: Sequence[Layer],
    parameters: int,
    compact_file: Callable[[Weights], CompactFile],
) -> Sizes:
    """Measure the bytes a net takes; files are written to memory.

    Args:
        weights: a state_dict.
        layers: the net's prunable layers.
        parameters: parameters of the whole net.
        compact_file: makes a compact file of weights, in float32.
    """
    # The codec loads numba, which a session without fine-tuning does not need.
    from core.formats.codec import encode

    zeros = (weights[it.key].numel() - int(weights[it.key].count_nonzero()) for it in layers)
    nonzero = parameters - sum(zeros)
    counted = BYTES_PER_VALUE * nonzero, _indexed(layers, weights, parameters)
    if parameters > MAX_PARAMETERS:
        return Sizes(*counted, None, None, None)
    dense, zipped = save({name: it.contiguous() for name, it in weights.items()}), io.BytesIO()
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as file:
        file.writestr("net.safetensors", dense)
    try:
        compact = len(encode(compact_file(weights)))
    except (InputError, MemoryError):  # must not lose a finished training
        compact = None
    return Sizes(*counted, len(dense), zipped.getbuffer().nbytes, compact)


def _indexed(layers: Sequence[Layer], weights: Weights, parameters: int) -> int:
    """Bytes if nonzeros are stored with relative indices."""
    others = parameters - sum(layer.elements for layer in layers)
    bits = 8 * BYTES_PER_VALUE * others
    for layer in layers:
        index = LINEAR_BITS if len(layer.shape) == 2 else CONVOLUTION_BITS
        entries = _entries(weights[layer.key], 1 << index)
        bits += entries * (8 * BYTES_PER_VALUE + index)
    return -(-bits // 8)


def _entries(weight: Tensor, reach: int) -> int:
    """Nonzeros, plus the zeros stored where the next nonzero is beyond an index's reach."""
    places = weight.flatten().nonzero().flatten()
    gaps = torch.diff(places, prepend=places.new_full((1,), -1))
    return len(places) + int(((gaps - 1) // reach).sum())
