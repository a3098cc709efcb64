"""The size of a pruned net, counted in every common way."""

import io
import zipfile
from collections.abc import Callable, Sequence

import torch
from safetensors.torch import save

from core.errors import InputError
from core.formats.codec.compact import CompactFile
from core.nets.footprint import BYTES_PER_VALUE, Sizes
from core.nets.layers import Layer
from core.nets.weights import Weights

CONVOLUTION_BITS, LINEAR_BITS = 8, 5
"""Bits per relative index in Han, Mao and Dally (2016), section 2."""

MAX_PARAMETERS = 20_000_000
"""Larger nets are measured only on request: their files take a minute or longer."""

SIZES_COST = 0.02
"""The share of a fine-tuning's time that measuring the sizes of its net's files takes, roughly."""


def measure_sizes(
    weights: Weights,
    layers: Sequence[Layer],
    parameters: int,
    compact_file: Callable[[Weights], CompactFile],
) -> Sizes:
    """Measure the bytes a net takes; files are written to memory.

    `weights` is a state_dict, `parameters` the number of all of the net's parameters, and
    `compact_file` makes a compact file of weights in float32.
    """
    # The codec loads numba, which a session without fine-tuning does not need.
    from core.formats.codec import encode

    zeros = sum(layer.elements - int(weights[layer.key].count_nonzero()) for layer in layers)
    counts = BYTES_PER_VALUE * (parameters - zeros), _indexed(layers, weights, parameters)
    if parameters > MAX_PARAMETERS:
        return Sizes(*counts, None, None, None)
    dense = save({name: tensor.contiguous() for name, tensor in weights.items()})
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as file:
        file.writestr("net.safetensors", dense)
    try:
        compact = len(encode(compact_file(weights)))
    except (InputError, MemoryError):  # a finished training must not be lost
        compact = None
    return Sizes(*counts, len(dense), zipped.getbuffer().nbytes, compact)


def _indexed(layers: Sequence[Layer], weights: Weights, parameters: int) -> int:
    """Bytes if nonzeros are stored with relative indices."""
    others = parameters - sum(layer.elements for layer in layers)
    bits = 8 * BYTES_PER_VALUE * others
    for layer in layers:
        index = LINEAR_BITS if len(layer.shape) == 2 else CONVOLUTION_BITS
        places = weights[layer.key].flatten().nonzero().flatten()
        gaps = torch.diff(places, prepend=places.new_full((1,), -1))
        # A zero is stored wherever the next nonzero is beyond the index's reach.
        entries = len(places) + int(((gaps - 1) // (1 << index)).sum())
        bits += entries * (8 * BYTES_PER_VALUE + index)
    return -(-bits // 8)
