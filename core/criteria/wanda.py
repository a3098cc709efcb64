"""Wanda: what a weight adds to its layer's output."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from core.criteria.criterion import Importance, Sample
from core.criteria.inputs import uses_of, watch_rows
from core.events import Stream
from core.nets.layers import Layer
from core.reconstruction.inputs import refusal
from core.reconstruction.layers import in_blocks


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
        found = uses_of(model, layers, sample)
        uses = {
            layer: found[layer.name]
            for layer in layers
            if not refusal(layer, found.get(layer.name))
        }
        squares = {
            layer.name: torch.zeros(use.blocks, use.inputs, dtype=torch.float64)
            for layer, use in uses.items()
        }
        rows = {layer.name: torch.zeros(use.blocks, 1) for layer, use in uses.items()}

        def add(name: str, blocks: slice, inputs: Tensor) -> None:
            squares[name][blocks] += inputs.square().sum(1).cpu()
            rows[name][blocks] += inputs.shape[1]

        yield from watch_rows(model, uses, sample, add)
        result = {}
        for layer, use in uses.items():
            norm = (squares[layer.name] / rows[layer.name].clamp_min(1)).sqrt()
            weight = model.get_parameter(layer.key).detach().cpu()
            values = in_blocks(weight, use.blocks).abs() * norm[:, None]
            result[layer.name] = values.reshape(weight.shape)
        return result
