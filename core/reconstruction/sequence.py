"""Layer after layer: each is pruned so that its output stays what it is in the dense net.

The inputs of a layer come from the net whose layers before it are reconstructed already, and the
outputs to keep from the dense net on its own inputs, so that a layer also mends what those before
it have changed. (SparseGPT, Frantar & Alistarh 2023, and ALPS, Meng et al. 2024, keep the outputs
that the dense layer has for the changed inputs.)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import nn

from core.data.batches import Images
from core.errors import StoppedError
from core.events import StopFlag, Stream, never, portions, within
from core.nets.layers import Layer, bias_key, prunable_layers
from core.nets.weights import Weights, copy_weights
from core.pruning.masks import Masks
from core.reconstruction.inputs import (
    LEAST_ROWS,
    ROWS,
    Uses,
    UsesChangedError,
    add_up,
    find_uses,
    refusal,
)
from core.reconstruction.layers import in_blocks, solve
from core.reconstruction.problems import Sums

SAMPLE = 4_000
"""Training images that the layers are reconstructed on."""

_FORWARD = 1e9
"""Multiplications that running the sample as far as one more layer is worth, about."""

_SOLVES = 50
"""How often a layer's Gram matrix is factored until its support is chosen, about."""

Recalibrate = Callable[[nn.Module], Stream[object]]
"""Computes the running statistics of a net anew, in place; run after each layer.

It may raise StoppedError, as `core.measure.evaluation` does.
"""


@dataclass(frozen=True)
class LayerResult:
    """A layer's output error, as fractions of the dense output's energy.

    Attributes:
        kept: its nonzero weights.
        magnitude: the error of magnitude pruning with as many weights; None if unknown.
        error: that of the weights now.
        reason: why the layer is pruned by magnitude, and not reconstructed; empty if it is.
    """

    name: str
    kept: int
    magnitude: float | None = None
    error: float | None = None
    reason: str = ""


@dataclass(frozen=True, eq=False)
class Reconstruction:
    """A net pruned layer by layer.

    Attributes:
        weights: its state_dict.
        masks: which weights are pruned.
        layers: in the order in which the net uses them.
        images, seed: the sample of training images that it was made with.
        stopped: whether it was stopped early; the layers left are pruned by magnitude.
    """

    weights: Weights
    masks: Masks
    layers: tuple[LayerResult, ...]
    images: int
    seed: int
    stopped: bool


def reconstruct(
    net: nn.Module,
    dense: nn.Module,
    plan: Mapping[str, float],
    data: Images,
    *,
    seed: int = 0,
    images: int = SAMPLE,
    recalibrate: Recalibrate | None = None,
    stop: StopFlag = never,
) -> Stream[Reconstruction]:
    """Prune a net to a plan, layer by layer, without labels or training.

    Args:
        net: the dense net; it is pruned in place.
        dense: a copy of it, which stays.
        plan: a sparsity for every layer.
        data: training images; a sample drawn from `seed` is used.
        seed: of the sample.
        images: its size.
        recalibrate: for nets with running statistics.
        stop: the layers done by then are kept, the others pruned by magnitude.
    """
    layers = prunable_layers(net)
    before = copy_weights(net)
    masks = Masks.of(before, layers, plan)
    work = _Work(net, dense, data, seed, min(images, len(data)), masks, stop)
    results, stopped = dict[str, LayerResult](), False
    found = find_uses(dense, data.batch(slice(0, 2))[0], layers)
    order = [layer for name in found for layer in layers if layer.name == name]
    order += [layer for layer in layers if layer.name not in found]
    costs = [_cost(place, layer, found.get(layer.name)) for place, layer in enumerate(order, 1)]
    for layer, portion in zip(order, portions(*costs), strict=True):
        try:
            if not stopped:
                stream = work.layer(layer, found.get(layer.name))
                results[layer.name] = yield from within(portion, stream)
                if recalibrate is not None:
                    yield from recalibrate(net)
        except StoppedError:
            stopped = True
        if layer.name not in results:
            results[layer.name] = work.by_magnitude(layer, "stopped")
    return Reconstruction(
        copy_weights(net), work.masks, tuple(results.values()), work.images, seed, stopped
    )


def _cost(place: int, layer: Layer, uses: Uses | None) -> float:
    """About how long a layer takes, relative to others; it is the n-th."""
    if uses is None or refusal(layer, uses):
        return 0.0
    return _FORWARD * place + sum(_costs(layer, uses))


def _costs(layer: Layer, uses: Uses) -> tuple[float, float]:
    """About how many multiplications adding up a layer's Gram matrices takes, and solving it."""
    values = uses.blocks * float(uses.inputs) ** 2
    adding = values * max(ROWS * uses.inputs, LEAST_ROWS)
    return adding, values * _SOLVES * (uses.inputs / 3 + layer.shape[0] / uses.blocks)


class _Work:
    """A net on its way from dense to pruned."""

    def __init__(
        self,
        net: nn.Module,
        dense: nn.Module,
        data: Images,
        seed: int,
        images: int,
        masks: Masks,
        stop: StopFlag,
    ) -> None:
        self.net, self.dense, self.data, self.stop = net, dense, data, stop
        self.masks, self.images = masks, images
        self.generator = torch.Generator().manual_seed(seed)
        self.sample = torch.randperm(len(data), generator=self.generator)[:images]
        self.changed = False

    def layer(self, layer: Layer, uses: Uses | None) -> Stream[LayerResult]:
        if reason := refusal(layer, uses):
            return self.by_magnitude(layer, reason)
        assert uses is not None
        if not self.changed and not bool(self.masks.pruned[layer.key].any()):
            return LayerResult(layer.name, layer.elements, 0.0, 0.0)
        adding, solving = portions(*_costs(layer, uses))
        try:
            sums = yield from within(adding, self._sums(layer, uses))
        except UsesChangedError:
            return self.by_magnitude(layer, "the net uses it differently from batch to batch")
        weight = self.net.get_parameter(layer.key).detach().cpu()
        blocks = in_blocks(weight.double(), uses.blocks)
        kept = in_blocks(~self.masks.pruned[layer.key], uses.blocks)
        bias = self._bias(layer)
        step = f"choosing the weights of {layer.name}"
        solution = yield from within(
            solving, solve(sums, blocks, kept, bias=bias is not None, step=step, stop=self.stop)
        )
        self._set(layer, solution.weight.reshape(weight.shape).float())
        if bias is not None and solution.bias_change is not None:
            bias.data += solution.bias_change.flatten().float().to(bias.device)
        return LayerResult(layer.name, int(kept.sum()), solution.magnitude, solution.error)

    def _sums(self, layer: Layer, uses: Uses) -> Stream[Sums]:
        return add_up(
            self.net, self.dense, layer, uses, self.data, self.sample, self.generator, self.stop
        )

    def by_magnitude(self, layer: Layer, reason: str) -> LayerResult:
        weight = self.net.get_parameter(layer.key).detach().cpu()
        pruned = self.masks.pruned[layer.key]
        self._set(layer, weight.masked_fill(pruned, 0.0))
        return LayerResult(layer.name, self.masks.kept(layer), reason=reason)

    def _set(self, layer: Layer, values: torch.Tensor) -> None:
        pruned = values == 0
        self.masks.pruned.update(dict.fromkeys(layer.keys, pruned))
        weight = self.net.get_parameter(layer.key).detach()
        self.changed |= not torch.equal(weight.cpu(), values)
        weight.copy_(values)

    def _bias(self, layer: Layer) -> nn.Parameter | None:
        if not layer.key.endswith("weight"):
            return None
        try:
            bias = self.net.get_parameter(bias_key(layer.key))
        except AttributeError:
            return None
        return bias if bias.shape == layer.shape[:1] else None
