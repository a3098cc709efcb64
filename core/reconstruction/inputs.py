"""The sums of a layer: its inputs in the net as it is now, and its outputs in the dense net."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from math import ceil, gcd, isqrt
from typing import NamedTuple

import torch
from torch import Tensor, nn

from core.errors import StoppedError
from core.events import Progress, StopFlag, Stream
from core.nets.layers import Layer
from core.reconstruction.activations import Activations
from core.reconstruction.problems import Sums
from core.reconstruction.rows import choices, choose, input_rows, output_rows
from core.reconstruction.uses import OnUse, Use, run_watched

_ROWS = 200
"""Rows of X to sample for each of its columns, if there are as many: more make no difference."""

_FEWEST_ROWS = 8
"""The fewest, for layers whose Gram matrices would otherwise take more than `_PRODUCTS`."""

_PRODUCTS = 2e11
"""Multiplications that a layer's Gram matrices may take: some ten seconds."""

_LEAST_ROWS = 20_000
"""Rows of X to sample at least."""

_BATCH_VALUES = 1 << 25
"""Most values of the rows of X of the images at once: 128 MiB."""

_NOT_PRODUCTS = ("transposed convolution", "embedding", "bilinear", "recurrent")
"""Kinds of layers that do not multiply rows of inputs by their weights, or not only."""

MOST_VALUES = 1 << 25
"""Most values of the Gram matrices of a part of a layer's inputs: 256 MiB, for 5,792 inputs.

All that is made of them takes 1.5 GiB.
"""


@dataclass(eq=False)
class Uses:
    """How a net uses a layer's weight.

    Attributes:
        number: products with it in a call of the net.
        blocks: parts of its rows that have inputs of their own.
        inputs: columns of a block.
        images: that were tried.
        rows: of X that they have for each block, on average.
        other: whether the weight is used in another way, too.
    """

    number: int = 0
    blocks: int = 1
    inputs: int = 0
    images: int = 1
    rows: float = 0.0
    other: bool = False
    _step: int = field(default=0, repr=False)

    def add(self, use: Use, outputs: int) -> None:
        """One more product; `outputs` are the rows of the weight."""
        self.number += 1
        self._step = gcd(self._step, use.first, use.rows, outputs)
        groups = use.convolution.groups if use.convolution else 1
        self.blocks = max(outputs // self._step, groups)
        rows = choices(use) * (len(use.inputs) if use.convolution else 1)
        self.rows += rows * use.rows / outputs

    @property
    def wanted(self) -> float:
        """How many rows of X are enough."""
        affordable = max(_FEWEST_ROWS * self.inputs, _PRODUCTS / self.inputs**2)
        return max(_LEAST_ROWS, min(_ROWS * self.inputs, affordable))

    def share(self, images: int) -> float:
        """The fraction of the rows of so many images to sample."""
        return min(1.0, self.wanted / max(1.0, self.of(images)))

    def of(self, images: int) -> float:
        """The rows of X of so many images."""
        return self.rows / self.images * images

    @property
    def parts(self) -> tuple[slice, ...]:
        """The columns of a block in parts of about the same size, as few as memory allows."""
        most = max(1, isqrt(MOST_VALUES // self.blocks))
        size = ceil(self.inputs / ceil(self.inputs / most))
        return tuple(
            slice(start, min(start + size, self.inputs)) for start in range(0, self.inputs, size)
        )

    def batch(self, share: float) -> int:
        """Most images whose rows fit into memory at once, if this fraction of them is sampled."""
        values = share * self.rows / self.images * self.inputs * self.blocks
        return max(1, int(_BATCH_VALUES / max(1.0, values)))


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

    run_watched(net, lambda: net(images), layers, on_use, on_other)
    return found


def refusal(layer: Layer, uses: Uses | None) -> str:
    """Why a layer cannot be reconstructed; empty if it can."""
    if uses is None or (not uses.number and not uses.other):
        return "the net does not multiply by it as a linear layer or convolution does"
    if uses.other:
        if layer.kind in _NOT_PRODUCTS:
            return f"{layer.kind} weights are not reconstructed"
        return "the net also uses its weights in other ways than in a product with its inputs"
    return ""


class _Rows(NamedTuple):
    chosen: Tensor
    outputs: Tensor


_Watch = Callable[[OnUse], None]
"""Runs some images and reports how they use a layer."""


class UnsuitableError(Exception):
    """A layer cannot be reconstructed on the sample; says why."""


_CHANGED = "the net uses it differently from batch to batch"


class Part(NamedTuple):
    """Some columns of a layer's weight, and what the others are by now.

    Attributes:
        columns: of each block; may be none.
        others: the weight [blocks, out, m] in float32, with zeros in these columns, whose outputs
            are taken from those to keep; None if it is all zero.
    """

    columns: slice
    others: Tensor | None = None


@dataclass(frozen=True, eq=False)
class Half:
    """A net, the pruned or the dense one, and the sample on its way through it."""

    net: nn.Module
    activations: Activations

    def watch(self, layer: Layer, number: int, images: Tensor, on_use: OnUse) -> None:
        """Run some images of batch `number` and report how they use a layer."""
        run_watched(self.net, lambda: self.activations.finish(number, images), [layer], on_use)


def add_up(
    now: Half,
    dense: Half,
    layer: Layer,
    uses: Uses,
    part: Part,
    generator: torch.Generator,
    step: str,
    stop: StopFlag,
) -> Stream[Sums]:
    """Run a sample of images through both nets, as far as the layer, and add up its rows.

    The generator draws the rows. If both are one net, it runs once. Raises StoppedError if `stop`
    is raised, and UnsuitableError.
    """
    inputs = len(range(*part.columns.indices(uses.inputs)))
    sums = Sums(uses.blocks, layer.shape[0] // uses.blocks, inputs)
    sizes = now.activations.sizes()
    share = uses.share(sum(sizes))
    done = 0
    for number, size in enumerate(sizes):
        for images in torch.split(torch.arange(size), uses.batch(share)):
            if stop():
                raise StoppedError("stopped before the layer was reconstructed")
            yield Progress(step, done, sum(sizes), "images")
            watch, other = (partial(half.watch, layer, number, images) for half in (now, dense))
            if now is dense and part.others is None:
                _add_both(sums, watch, part, uses.number, share, generator)
            else:
                rows = _output_rows(other, uses.number, share, generator)
                _add_inputs(sums, watch, part, rows)
            done += len(images)
    yield Progress(step, done, sum(sizes), "images")
    if not sums.finite():
        raise UnsuitableError("its inputs or outputs are not all finite")
    return sums


def _add_both(
    sums: Sums, watch: _Watch, part: Part, number: int, share: float, generator: torch.Generator
) -> None:
    """Add the inputs and the outputs that a layer has in one net."""
    seen = 0

    def on_use(use: Use) -> bool:
        nonlocal seen
        seen += 1
        chosen = choose(use, ceil(share * choices(use)), generator)
        outputs = output_rows(use, chosen).unflatten(1, (-1, sums.outputs)).transpose(0, 1)
        sums.add(use.first // sums.outputs, input_rows(use, chosen)[..., part.columns], outputs)
        return seen == number

    watch(on_use)
    if seen != number:
        raise UnsuitableError(_CHANGED)


def _output_rows(
    watch: _Watch, number: int, share: float, generator: torch.Generator
) -> list[_Rows]:
    rows: list[_Rows] = []

    def on_use(use: Use) -> bool:
        chosen = choose(use, ceil(share * choices(use)), generator)
        rows.append(_Rows(chosen, output_rows(use, chosen)))
        return len(rows) == number

    watch(on_use)
    return rows


def _add_inputs(sums: Sums, watch: _Watch, part: Part, rows: list[_Rows]) -> None:
    left: Iterator[_Rows] = iter(rows)
    seen = 0

    def on_use(use: Use) -> bool:
        nonlocal seen
        seen += 1
        expected = next(left, None)
        if expected is None:
            raise UnsuitableError(_CHANGED)
        inputs = input_rows(use, expected.chosen)
        outputs = expected.outputs.unflatten(1, (-1, sums.outputs)).transpose(0, 1)
        if inputs.shape[1] != outputs.shape[1]:
            raise UnsuitableError(_CHANGED)
        first = use.first // sums.outputs
        if part.others is not None:
            others = part.others[first : first + len(outputs)].to(inputs.device)
            outputs = outputs - inputs @ others.mT
        sums.add(first, inputs[..., part.columns], outputs)
        return seen == len(rows)

    watch(on_use)
    if next(left, None) is not None:
        raise UnsuitableError(_CHANGED)
