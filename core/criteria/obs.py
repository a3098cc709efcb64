"""Optimal brain surgeon: what is lost with a weight once the others have made up for it."""

from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor, nn

from core.criteria.criterion import Importance, Sample
from core.criteria.inputs import uses_of, watch_rows
from core.errors import StoppedError
from core.events import Progress, Stream
from core.nets.layers import Layer
from core.reconstruction.inputs import MOST_VALUES, Uses, refusal
from core.reconstruction.layers import in_blocks
from core.reconstruction.problems import Sums, factor

DAMPING = 0.1
"""Added to the diagonal of H, relative to its mean; of 0.0003 to 0.1, best on validation."""


class Obs:
    """The root of w^2 / [H^-1]_ii, the least error of a layer's output without the weight.

    H is the Gram matrix of the layer's inputs, damped: Hassibi & Stork 1993, "Second Order
    Derivatives for Network Pruning: Optimal Brain Surgeon", equation 5, for a layer's output as in
    Frantar & Alistarh 2022, "Optimal Brain Compression". The other weights stay as they are; to
    have them make up for it, reconstruct. Layers that do not multiply rows of inputs by their
    weights, or whose Gram matrices are too large, are left out.

    Gram matrices take longer than the training between two steps of gradual pruning: an object
    computes those of the first net it sees, and ranks later weights by them.
    """

    name = "obs"

    def __init__(self) -> None:
        self._scales: Mapping[str, Tensor] | None = None

    def importance(
        self, model: nn.Module, layers: Sequence[Layer], sample: Sample
    ) -> Stream[Importance]:
        """See `Criterion.importance`."""
        if self._scales is None:
            self._scales = yield from _scales(model, layers, sample)
        result = {}
        for layer in layers:
            if layer.name in self._scales:
                scale = self._scales[layer.name]
                weight = model.get_parameter(layer.key).detach().cpu()
                values = in_blocks(weight, len(scale)).abs() * scale[:, None]
                result[layer.name] = values.reshape(weight.shape)
        return result


def _scales(
    model: nn.Module, layers: Sequence[Layer], sample: Sample
) -> Stream[Mapping[str, Tensor]]:
    """The root of 1 / [H^-1]_ii for each input, [blocks, m], by layer."""
    found = uses_of(model, layers, sample)
    uses = {
        layer: found[layer.name] for layer in layers if not refusal(layer, found.get(layer.name))
    }
    scales = {}
    for group in _groups(uses):
        sums = {layer.name: Sums(use.blocks, 0, use.inputs) for layer, use in group.items()}

        def add(name: str, blocks: slice, inputs: Tensor, sums: Mapping[str, Sums] = sums) -> None:
            none = inputs.new_empty(blocks.stop - blocks.start, inputs.shape[1], 0)
            sums[name].add(blocks.start, inputs, none)

        yield from watch_rows(model, group, sample, add)
        for name, each in sums.items():
            yield Progress(f"inverting the Gram matrix of {name}")
            if sample.stop():
                raise StoppedError("stopped while ranking the weights")
            scales[name] = _scale(each)
    return scales


def _scale(sums: Sums) -> Tensor:
    problem = sums.problem()
    gram = problem.damped(torch.zeros_like(problem.cross), DAMPING).gram
    inverse = torch.cholesky_inverse(factor(gram)).diagonal(dim1=1, dim2=2)
    return (sums.rows[:, None].clamp_min(1) * inverse).rsqrt()


def _groups(uses: Mapping[Layer, Uses]) -> Iterator[Mapping[Layer, Uses]]:
    """The layers in groups whose Gram matrices fit into memory together."""
    group: dict[Layer, Uses] = {}
    values = 0
    for layer, use in uses.items():
        size = use.blocks * use.inputs**2
        if group and values + size > MOST_VALUES:
            yield group
            group, values = {}, 0
        group[layer] = use
        values += size
    if group:
        yield group
