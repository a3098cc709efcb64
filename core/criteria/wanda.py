"""Wanda: what a weight adds to its layer's output."""

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor, nn

from core.criteria.criterion import Importance, Sample
from core.criteria.inputs import scaled, uses_of, watch_rows
from core.events import Stream
from core.nets.layers import Layer


class Wanda:
    """|w| times the norm of its inputs.

    Sun et al. 2023, "A Simple and Effective Pruning Approach for Large Language Models". The norm
    is the root mean square over the sample; of a convolution, over all places of its kernel. All
    weights of a layer compete; the paper lets those of one output compete. Layers that do not
    multiply rows of inputs by their weights are left out.
    """

    name = "wanda"

    def importance(
        self, model: nn.Module, layers: Sequence[Layer], sample: Sample
    ) -> Stream[Importance]:
        """See `Criterion.importance`."""
        uses = uses_of(model, layers, sample)
        zeros = partial(torch.zeros, dtype=torch.float64)
        squares = {layer: zeros(use.blocks, use.inputs) for layer, use in uses.items()}
        rows = {layer: zeros(use.blocks, 1) for layer, use in uses.items()}

        def add(layer: Layer, blocks: slice, inputs: Tensor) -> None:
            squares[layer][blocks] += inputs.square().sum(1).cpu()
            rows[layer][blocks] += inputs.shape[1]

        yield from watch_rows(model, uses, sample, add)
        norms = {layer: (squares[layer] / rows[layer].clamp_min(1)).sqrt() for layer in uses}
        return scaled(model, norms)
