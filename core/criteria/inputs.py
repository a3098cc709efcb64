"""The inputs of layers on a sample, as rows of the matrices that weights are multiplied by."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from math import ceil

import torch
from torch import Tensor, nn

from core.criteria.criterion import Importance, Sample
from core.events import Progress, Stream
from core.nets.layers import Layer
from core.reconstruction.inputs import Uses, find_uses, refusal
from core.reconstruction.layers import in_blocks
from core.reconstruction.rows import choices, choose, input_rows
from core.reconstruction.uses import Use, run_watched

OnRows = Callable[[Layer, slice, Tensor], object]
"""Called with a layer, blocks of its weight and their rows of X, [blocks or 1, n, m].

See `core.reconstruction.inputs.Uses` for blocks; blocks with the same inputs share rows.
"""


def uses_of(model: nn.Module, layers: Sequence[Layer], sample: Sample) -> dict[Layer, Uses]:
    """How a net uses those of its layers that multiply rows of inputs by their weights."""
    few, _ = sample.data.batch(slice(0, 2))
    found = find_uses(model, few, layers)
    ranked = (layer for layer in layers if not refusal(layer, found.get(layer.name)))
    return {layer: found[layer.name] for layer in ranked}


def watch_rows(
    model: nn.Module, uses: Mapping[Layer, Uses], sample: Sample, on_rows: OnRows
) -> Stream[None]:
    """Run the sample through a net and report a random part of the rows of some layers.

    `Uses.share` says how large a part is enough.
    """
    generator = torch.Generator().manual_seed(sample.seed)
    named = {layer.name: layer for layer in uses}
    done, total = 0, len(sample)

    def on_use(use: Use) -> bool:
        layer = named[use.layer]
        chosen = choose(use, ceil(uses[layer].share(total) * choices(use)), generator)
        height = layer.shape[0] // uses[layer].blocks
        blocks = slice(use.first // height, (use.first + use.rows) // height)
        on_rows(layer, blocks, input_rows(use, chosen))
        return False

    for images, _ in sample:
        yield Progress("ranking weights", done, total, "images")
        run_watched(model, partial(model, images), list(uses), on_use)
        done += len(images)


def scaled(model: nn.Module, scales: Mapping[Layer, Tensor]) -> Importance:
    """|w| times a scale of its input, which are [blocks, m] by layer."""
    result = {}
    for layer, scale in scales.items():
        weight = model.get_parameter(layer.key).detach().cpu()
        values = in_blocks(weight, len(scale)).abs() * scale[:, None]
        result[layer.name] = values.reshape(weight.shape)
    return result
