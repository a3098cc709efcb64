"""Helpers of the training tests: short recipes, recorded events, reference loops."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from core.data.batches import Images
from core.events import Batch, Event, Stream, drain
from core.nets.architectures import Cnn5
from core.nets.layers import Layer
from core.nets.weights import Weights
from core.pruning.plans import Plan
from core.training.recipes import RECIPES, Recipe

T = TypeVar("T")

STEPS = 10
"""Steps per epoch of the tiny splits: 120 images in batches of 12."""


def recorded(stream: Stream[T]) -> tuple[T, list[Event]]:
    events: list[Event] = []
    return drain(stream, events.append), events


def of_type(kind: type[T], events: Sequence[Event]) -> list[T]:
    return [event for event in events if isinstance(event, kind)]


def short(name: str, epochs: int = 1, **changes: Any) -> Recipe:
    """A recipe with small batches, for the tiny splits."""
    recipe = RECIPES[name]
    phase = replace(recipe.finetune, batch_size=12, epochs=epochs)
    of_phase = {key: changes.pop(key) for key in tuple(changes) if hasattr(phase, key)}
    return replace(recipe, finetune=replace(phase, **of_phase), **changes)


def fresh(seed: int = 0) -> Cnn5:
    torch.manual_seed(seed)
    return Cnn5()


def same(one: Weights, other: Weights) -> bool:
    return all(torch.equal(one[name], other[name]) for name in one.keys() | other.keys())


def kept_counts(weights: Mapping[str, Tensor], layers: Sequence[Layer]) -> dict[str, int]:
    return {layer.name: int(weights[layer.key].count_nonzero()) for layer in layers}


def planned_counts(plan: Plan, layers: Sequence[Layer]) -> dict[str, int]:
    return {la.name: la.elements - round(plan[la.name] * la.elements) for la in layers}


def plain_accuracy(weights: Weights, data: Images, net: Callable[[], nn.Module] = Cnn5) -> float:
    """The accuracy in percent by a reference loop."""
    model = net().eval()
    model.load_state_dict(weights)
    pixels = (data.images / 255 - data.mean) / data.std
    right = 0
    with torch.no_grad():
        for start in range(0, len(data), 37):
            guesses = model(pixels[start : start + 37]).argmax(1).tolist()
            right += sum(map(int.__eq__, guesses, data.labels[start : start + 37].tolist()))
    return 100 * right / len(data)


def stopped_after(
    batches: int, start: Callable[[Callable[[], bool]], Stream[T]]
) -> tuple[T, list[Event]]:
    """Run a stream and raise its stop flag after a number of batches."""
    events: list[Event] = []
    result = drain(start(lambda: len(of_type(Batch, events)) >= batches), events.append)
    return result, events
