"""Quantising a pruned net: codebooks for its weights, steps for its biases, and more training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import nn

from core.codebooks import Codebook
from core.evaluation import evaluate
from core.events import Epoch, Notice, StopFlag, Stream, never
from core.gradual import Pruner
from core.layers import dropouts
from core.pruning import Masks, zero_share
from core.recipes import Phase
from core.sharing import Sharing, Steps
from core.trainer import Trainer, copy_weights
from core.weights import Weights
from core.workbench import Workbench

SIZES = (2, 3, 4, 5, 6, 8, 12, 16, 24, 32, 64, 128, 256)
"""Values in a codebook, from the smallest file to the most exact net."""

RATE = 0.1
"""Of the recipe's learning rate: the shared values only have to settle."""

FAR = 1.0
"""Points of accuracy beyond the drop that training is not expected to win back."""


@dataclass(frozen=True, eq=False)
class Quantised:
    """A quantised net.

    Attributes:
        weights: what it computes with.
        books: by the name of the weight in the state_dict.
        steps: the biases, likewise.
        sizes: values in the codebook of each layer, as asked for.
        validation: accuracy in percent.
    """

    weights: Weights
    books: Mapping[str, Codebook]
    steps: Mapping[str, Steps]
    sizes: Mapping[str, int]
    validation: float


def quantise(
    bench: Workbench,
    weights: Weights,
    sizes: Mapping[str, int],
    epochs: int,
    stop: StopFlag = never,
) -> Stream[Quantised]:
    """Share the values of each layer's weights, and train what is shared.

    The best epoch on validation is the result, the untrained net among them; when `stop` is raised
    it is the best so far.

    Args:
        bench: the model and the data.
        weights: of a pruned net, a state_dict; its zeros stay.
        sizes: values in the codebook of each layer.
        epochs: of training; 0 for none.
        stop: looked at between batches.

    Raises:
        InputError: a size is not from 1 to 256.
    """
    books = {la.key: Codebook.of(weights[la.key], sizes[la.name]) for la in bench.layers}
    steps = {name: Steps.of(weights[name]) for name in _vectors(bench)}
    sharing = Sharing(weights, books, steps)
    model = bench.models.vehicle()
    model.load_state_dict(_tied(bench, {**weights, **sharing.tensors()}))
    validation = yield from _validated(bench, model, stop)
    best = Quantised(copy_weights(model), books, steps, dict(sizes), validation)
    if not epochs:
        return best
    return (yield from _trained(bench, model, sharing, epochs, best, stop))


def smallest(
    bench: Workbench,
    weights: Weights,
    max_drop: float,
    epochs: int,
    stop: StopFlag = never,
) -> Stream[Quantised]:
    """The fewest values, the same for all layers, that keep validation within a drop.

    That is `max_drop` points of accuracy below the net as it is, at most. Where no size does, the
    largest is the result. See `quantise` for the rest.
    """
    model = bench.models.reading(weights)
    least = (yield from _validated(bench, model, stop)) - max_drop
    for size in SIZES:
        sizes = dict.fromkeys(bench.layer_names, size)
        tried = yield from quantise(bench, weights, sizes, 0, stop)
        if tried.validation < least and epochs and tried.validation >= least - FAR:
            tried = yield from quantise(bench, weights, sizes, epochs, stop)
        within = tried.validation >= least
        yield Notice(
            f"{size} values a layer: validation {tried.validation:.2f} %"
            + ("" if within else f", below {least:.2f}")
        )
        if within or size == SIZES[-1]:
            return tried
    raise AssertionError("the last size is taken as it is")


def _vectors(bench: Workbench) -> list[str]:
    """The biases and all other parameters that are vectors."""
    named = bench.models.vehicle().named_parameters()
    return [name for name, it in named if it.dim() <= 1 and it.numel()]


def _tied(bench: Workbench, weights: Weights) -> Weights:
    """The same under all names that a weight has."""
    other = {alias: weights[la.key] for la in bench.layers for alias in la.aliases}
    return {**weights, **other}


def _validated(bench: Workbench, model: nn.Module, stop: StopFlag) -> Stream[float]:
    data = yield from bench.splits(stop)
    precision = yield from bench.precision(data)
    return (yield from evaluate(model, data.validation, "validate", stop, precision=precision))


def _trained(
    bench: Workbench,
    model: nn.Module,
    sharing: Sharing,
    epochs: int,
    best: Quantised,
    stop: StopFlag,
) -> Stream[Quantised]:
    """Train what is shared; the best epoch, or `best` where none is better."""
    data = yield from bench.splits(stop)
    precision = yield from bench.precision(data)
    recipe = bench.finetuning
    phase = _phase(recipe.finetune, epochs)
    held = replace(recipe, finetune=phase, method="one-shot", rounds=1)
    weights = model.state_dict()
    plan = {layer.name: zero_share(weights[layer.key]) for layer in bench.layers}
    masks = Masks({key: weights[key] == 0 for layer in bench.layers for key in layer.keys})
    before = {name: drop.p for name, drop in dropouts(model).items()}
    trainer = Trainer(model, data.train, phase, bench.settings.seed, precision)
    pruner = Pruner(model, plan, held, masks, len(data.train), before)

    def after_step(optimizer: torch.optim.Optimizer) -> None:
        pruner.after_step(optimizer)
        sharing.after_step(model)

    while not trainer.finished:
        loss = yield from trainer.run_epoch(stop, after_step)
        if loss is None:
            break
        validation = yield from _validated(bench, model, never)
        if validation > best.validation:
            best = Quantised(copy_weights(model), *sharing.state(), best.sizes, validation)
        sparsity = pruner.sparsity()
        revived = masks.revived(model.state_dict())
        yield Epoch(trainer.epoch, loss, validation, trainer.epoch_seconds, sparsity, True, revived)

    return best


def _phase(phase: Phase, epochs: int) -> Phase:
    return replace(phase, epochs=epochs, lr=RATE * phase.lr, weight_decay=0.0, l1=0.0)
