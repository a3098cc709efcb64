"""Pruning VGG-16 to the published sparsities: time and peak memory.

Measures what `p` does before it counts images: the masks of 16 layers, and a pruned copy of the
weights. The plain way is one `kthvalue` of existing magnitudes and one comparison per layer; its
memory includes the magnitudes and a copy.
"""

from __future__ import annotations

import torch
from torch import Tensor

from core.pruning.masks import Masks
from core.pruning.plans import prune_count
from core.system.allocator import keep_freed_memory
from tests.benchmarks.support import vgg16
from tests.benchmarks.support.figures import Figure, in_turns, medians, ratio
from tests.benchmarks.support.memory import in_fresh_process, peak_of

LAYERS, PLAN = vgg16.layers(), vgg16.plan()
COUNTS = {layer.key: prune_count(PLAN[layer.name], layer.elements) for layer in LAYERS}
BYTES = 4 * sum(layer.elements for layer in LAYERS)


def figures(wanted: tuple[str, ...]) -> list[Figure]:
    measured = {"prune_time": _time, "prune_memory": _memory}
    return [measured[key]() for key in wanted]


def _time() -> Figure:
    weights = vgg16.weights()
    magnitudes = {key: weight.abs() for key, weight in weights.items()}

    def plain() -> list[Tensor]:
        return [_above(magnitudes[key], k) for key, k in COUNTS.items()]

    seconds = in_turns({"ours": lambda: _pruned(weights), "plain": plain})
    return Figure(
        key="prune_time",
        what="prune VGG-16: masks and pruned copy, over one kthvalue and comparison per layer",
        value=ratio(seconds["ours"], seconds["plain"]),
        unit="x",
        limit=1.5,
        at_least=False,
        detail=medians(seconds),
    )


def _memory() -> Figure:
    copies = in_fresh_process(__name__, "copies")
    return Figure(
        key="prune_memory",
        what="prune VGG-16: peak memory besides the weights, pruned copy and masks included",
        value=copies,
        unit=" copies",
        limit=1.5,
        at_least=False,
        detail={"plain copies": in_fresh_process(__name__, "plain_copies")},
    )


def copies() -> float:
    """Copies of the weights that our way takes at its peak; run in a process of its own."""
    keep_freed_memory()  # as the programs do
    weights = vgg16.weights()
    return peak_of(lambda: _pruned(weights)) / BYTES


def plain_copies() -> float:
    """Copies of the weights that the plain way takes at its peak; run in a process of its own."""
    weights = vgg16.weights()

    def plain() -> list[Tensor]:
        return [weight * _above(weight.abs(), COUNTS[key]) for key, weight in weights.items()]

    return peak_of(plain) / BYTES


def _pruned(weights: dict[str, Tensor]) -> tuple[Masks, dict[str, Tensor]]:
    masks = Masks.of(weights, LAYERS, PLAN)
    return masks, masks.apply(weights)


def _above(magnitudes: Tensor, k: int) -> Tensor:
    return torch.gt(magnitudes, magnitudes.flatten().kthvalue(k).values)
