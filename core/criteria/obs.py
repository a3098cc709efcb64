"""Optimal brain surgeon: what is lost with a weight once the others have made up for it."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn

from core.criteria.criterion import Importance, Sample
from core.criteria.inputs import scaled, uses_of, watch_rows
from core.errors import StoppedError
from core.events import Progress, Stream
from core.nets.layers import Layer
from core.reconstruction.inputs import MOST_VALUES, Uses
from core.reconstruction.problems import Sums, factor

DAMPING = 0.1
"""Added to the diagonal of H, relative to its mean; of 0.0003 to 0.1, best on validation."""


class Obs:
    """The root of w^2 / [H^-1]_ii, the least error of a layer's output without the weight.

    H is the Gram matrix of the layer's inputs, damped: Hassibi & Stork 1993, "Second Order
    Derivatives for Network Pruning: Optimal Brain Surgeon", equation 5, for a layer's output as in
    Frantar & Alistarh 2022, "Optimal Brain Compression". The other weights stay as they are; to
    have them make up for it, reconstruct. Layers that do not multiply rows of inputs by their
    weights are left out; those with many inputs take H in parts, blocks on its diagonal.

    Gram matrices take longer than the training between two steps of gradual pruning: an object
    computes those of the first net it sees, and ranks later weights by them.
    """

    name = "obs"

    def __init__(self) -> None:
        self._scales: Mapping[Layer, Tensor] | None = None

    def importance(
        self, model: nn.Module, layers: Sequence[Layer], sample: Sample
    ) -> Stream[Importance]:
        """See `Criterion.importance`."""
        if self._scales is None:
            self._scales = yield from _scales(model, layers, sample)
        return scaled(model, self._scales)


class _Part(NamedTuple):
    """Some columns of a layer's weight, whose Gram matrices fit into memory."""

    layer: Layer
    uses: Uses
    columns: slice

    @property
    def width(self) -> int:
        return int(self.columns.stop - self.columns.start)

    @property
    def values(self) -> int:
        return self.uses.blocks * self.width**2


def _scales(
    model: nn.Module, layers: Sequence[Layer], sample: Sample
) -> Stream[Mapping[Layer, Tensor]]:
    """The root of 1 / [H^-1]_ii for each input, [blocks, m], by layer."""
    used = uses_of(model, layers, sample).items()
    parts = [_Part(layer, uses, columns) for layer, uses in used for columns in uses.parts]
    scales: dict[Layer, list[Tensor]] = {}
    for group in _groups(parts):
        sums = [Sums(part.uses.blocks, 0, part.width) for part in group]
        uses = {part.layer: part.uses for part in group}
        yield from watch_rows(model, uses, sample, partial(_add_rows, group, sums))
        for part, each in zip(group, sums, strict=True):
            yield Progress(f"inverting the Gram matrix of {part.layer.name}")
            if sample.stop():
                raise StoppedError("stopped while ranking the weights")
            scales.setdefault(part.layer, []).append(_scale(each))
    return {layer: torch.cat(some, 1) for layer, some in scales.items()}


def _add_rows(
    group: Sequence[_Part], sums: Sequence[Sums], layer: Layer, blocks: slice, inputs: Tensor
) -> None:
    """Add rows of a layer's inputs to the sums of its parts."""
    for part, each in zip(group, sums, strict=True):
        if part.layer == layer:
            rows = inputs[..., part.columns]
            each.add(
                blocks.start, rows, rows.new_empty(blocks.stop - blocks.start, rows.shape[1], 0)
            )


def _scale(sums: Sums) -> Tensor:
    problem = sums.problem()
    if not sums.finite():
        return torch.full_like(problem.squares, torch.nan)
    gram = problem.damped(torch.zeros_like(problem.cross), DAMPING).gram
    inverse = torch.cholesky_inverse(factor(gram)).diagonal(dim1=1, dim2=2)
    return (sums.rows[:, None].clamp_min(1) * inverse).rsqrt()


def _groups(parts: Sequence[_Part]) -> Iterator[Sequence[_Part]]:
    """Parts whose Gram matrices fit into memory together."""
    group: list[_Part] = []
    for part in parts:
        if group and sum(each.values for each in (*group, part)) > MOST_VALUES:
            yield group
            group = []
        group.append(part)
    if group:
        yield group
