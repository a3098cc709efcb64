"""The sums of a layer: its inputs in the net as it is now, and its outputs in the dense net."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import ceil, gcd
from typing import NamedTuple

import torch
from torch import Tensor, nn

from core.data.batches import Images
from core.errors import StoppedError
from core.events import Progress, StopFlag, Stream
from core.measure.evaluation import batch_size_for
from core.nets.layers import Layer
from core.reconstruction.problems import Sums
from core.reconstruction.rows import choices, choose, input_rows, output_rows
from core.reconstruction.uses import Use, run_watched

_ROWS = 200
"""Rows of X to sample for each of its columns, if there are as many: more change nothing."""

_FEWEST_ROWS = 8
"""The same for layers whose Gram matrices would then take more than `_PRODUCTS`."""

_PRODUCTS = 2e11
"""Multiplications that a layer's Gram matrices may take: some ten seconds."""

_LEAST_ROWS = 20_000
"""Rows of X to sample at least."""

_BATCH, _BATCH_VALUES = 250, 1 << 25
"""Most images at once, and most values of their rows of X: 128 MiB."""

_NOT_PRODUCTS = ("transposed convolution", "embedding", "bilinear", "recurrent")
"""Kinds of layers that do not multiply rows of inputs by their weights, or not only."""

MOST_VALUES = 1 << 25
"""Most values of a layer's Gram matrices: 256 MiB, and 1.5 GiB for all that is made of them."""


@dataclass(eq=False)
class Uses:
    """How a net uses a layer's weight.

    Attributes:
        number: products with it in a call of the net.
        blocks: parts of its rows that have inputs of their own.
        inputs: columns of a block.
        images: that were tried.
        rows: rows of X they have in all.
        other: whether the weight is used in another way, too.
    """

    number: int = 0
    blocks: int = 1
    inputs: int = 0
    images: int = 1
    rows: int = 0
    other: bool = False
    _step: int = field(default=0, repr=False)

    def add(self, use: Use, outputs: int) -> None:
        """One more product; `outputs` are the rows of the weight."""
        self.number += 1
        self._step = gcd(self._step, use.first, use.rows, outputs)
        groups = use.convolution.groups if use.convolution else 1
        self.blocks = max(outputs // self._step, groups)
        self.rows += choices(use) * (len(use.inputs) if use.convolution else 1)

    @property
    def wanted(self) -> float:
        """How many rows of X are enough."""
        affordable = max(_FEWEST_ROWS * self.inputs, _PRODUCTS / self.inputs**2)
        return max(_LEAST_ROWS, min(_ROWS * self.inputs, affordable))

    def share(self, images: int) -> float:
        """The fraction of the rows of so many images to sample."""
        return min(1.0, self.wanted / max(1.0, self.rows / self.images * images))

    def batch(self, share: float) -> int:
        """Most images whose rows fit into memory at once, if this fraction of them is sampled."""
        values = share * self.rows / self.images * self.inputs * self.blocks
        return max(1, min(_BATCH, int(_BATCH_VALUES / max(1.0, values))))


def find_uses(net: nn.Module, images: Tensor, layers: Sequence[Layer]) -> dict[str, Uses]:
    """How a net uses its layers, in the order in which it does; unused ones are missing."""
    named, found = {layer.name: layer for layer in layers}, dict[str, Uses]()

    def on_use(use: Use) -> bool:
        layer = named[use.layer]
        uses = found.setdefault(use.layer, Uses(images=len(images)))
        uses.add(use, layer.shape[0])
        uses.inputs = layer.elements // layer.shape[0]
        return False

    def on_other(name: str) -> None:
        found.setdefault(name, Uses(images=len(images))).other = True

    run_watched(net, images, layers, on_use, on_other)
    return found


def unseen(layer: Layer, uses: Uses | None) -> str:
    """Why a layer has no rows of inputs that its weights are multiplied by; empty if it has."""
    if uses is None or (not uses.number and not uses.other):
        return "the net does not multiply by it as a linear layer or convolution does"
    if uses.other:
        if layer.kind in _NOT_PRODUCTS:
            return f"{layer.kind} weights are not reconstructed"
        return "the net also uses its weights in other ways than in a product with its inputs"
    return ""


def too_large(uses: Uses) -> str:
    """Why the Gram matrices of a layer's inputs do not fit into memory; empty if they do."""
    values = uses.blocks * uses.inputs**2
    if values > MOST_VALUES:
        return (
            f"its {uses.inputs:,} inputs need Gram matrices of {values * 8 / 2**20:,.0f} MiB, "
            f"more than {MOST_VALUES * 8 >> 20} MiB"
        )
    return ""


def refusal(layer: Layer, uses: Uses | None) -> str:
    """Why a layer cannot be reconstructed; empty if it can."""
    return unseen(layer, uses) or ("" if uses is None else too_large(uses))


class _Rows(NamedTuple):
    chosen: Tensor
    outputs: Tensor


class UsesChangedError(Exception):
    """The two nets, or two batches, use a layer in different ways."""


def add_up(
    net: nn.Module,
    dense: nn.Module,
    layer: Layer,
    uses: Uses,
    data: Images,
    sample: Tensor,
    generator: torch.Generator,
    step: str,
    stop: StopFlag,
) -> Stream[Sums]:
    """Run a sample of images through both nets, as far as the layer, and add up its rows.

    The generator draws the rows. Raises StoppedError if `stop` is raised, and UsesChangedError.
    """
    sums = Sums(uses.blocks, layer.shape[0] // uses.blocks, uses.inputs)
    share = uses.share(len(sample))
    done = 0
    for index in torch.split(sample, batch_size_for(data, uses.batch(share))):
        if stop():
            raise StoppedError("stopped before the layer was reconstructed")
        yield Progress(step, done, len(sample), "images")
        images, _ = data.batch(index)
        rows = _output_rows(dense, layer, uses, images.clone(), share, generator)
        _add_inputs(sums, net, layer, uses, images, rows)
        done += len(index)
    yield Progress(step, done, len(sample), "images")
    return sums


def _output_rows(
    dense: nn.Module,
    layer: Layer,
    uses: Uses,
    images: Tensor,
    share: float,
    generator: torch.Generator,
) -> list[_Rows]:
    rows: list[_Rows] = []

    def on_use(use: Use) -> bool:
        chosen = choose(use, ceil(share * choices(use)), generator)
        rows.append(_Rows(chosen, output_rows(use, chosen)))
        return len(rows) == uses.number

    run_watched(dense, images, [layer], on_use)
    return rows


def _add_inputs(
    sums: Sums, net: nn.Module, layer: Layer, uses: Uses, images: Tensor, rows: list[_Rows]
) -> None:
    left: Iterator[_Rows] = iter(rows)
    height, seen = layer.shape[0] // uses.blocks, 0

    def on_use(use: Use) -> bool:
        nonlocal seen
        seen += 1
        expected = next(left, None)
        if expected is None:
            raise UsesChangedError
        inputs = input_rows(use, expected.chosen)
        outputs = expected.outputs.unflatten(1, (-1, height)).transpose(0, 1)
        if inputs.shape[1] != outputs.shape[1]:
            raise UsesChangedError
        sums.add(use.first // height, inputs, outputs)
        return seen == len(rows)

    run_watched(net, images, [layer], on_use)
    if next(left, None) is not None:
        raise UsesChangedError
