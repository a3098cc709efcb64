"""The inputs of layers on a sample, as rows of the matrices that weights are multiplied by."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from math import ceil

import torch
from torch import Tensor, nn

from core.criteria.criterion import Sample
from core.events import Progress, Stream
from core.nets.layers import Layer
from core.reconstruction.inputs import Uses, find_uses
from core.reconstruction.rows import choices, choose, input_rows
from core.reconstruction.uses import Use, run_watched

OnRows = Callable[[str, slice, Tensor], object]
"""Called with the name of a layer, blocks of its weight and their rows of X, [blocks or 1, n, m].

See `core.reconstruction.inputs.Uses` for blocks; blocks with the same inputs share rows.
"""


def uses_of(model: nn.Module, layers: Sequence[Layer], sample: Sample) -> Mapping[str, Uses]:
    """How a net uses its layers, see `find_uses`."""
    few, _ = sample.data.batch(slice(0, 2))
    return find_uses(model, few, layers)


def watch_rows(
    model: nn.Module, uses: Mapping[Layer, Uses], sample: Sample, on_rows: OnRows
) -> Stream[None]:
    """Run the sample through a net and report a random part of the rows of some layers.

    `Uses.share` says how large a part is enough.
    """
    generator = torch.Generator().manual_seed(sample.seed)
    named = {layer.name: (layer, uses[layer]) for layer in uses}
    done, total = 0, len(sample)

    def on_use(use: Use) -> bool:
        layer, known = named[use.layer]
        chosen = choose(use, ceil(known.share(total) * choices(use)), generator)
        height = layer.shape[0] // known.blocks
        blocks = slice(use.first // height, (use.first + use.rows) // height)
        on_rows(use.layer, blocks, input_rows(use, chosen))
        return False

    for images, _ in sample:
        yield Progress("ranking weights", done, total, "images")
        run_watched(model, partial(model, images), list(uses), on_use)
        done += len(images)
