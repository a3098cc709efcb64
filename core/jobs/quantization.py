"""Quantization of a pruned net: shared values for weights, steps for biases, and tuning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from torch import nn
from torch.optim import Optimizer

from core.events import Epoch, Notice, StopFlag, Stream, never
from core.formats.codebooks import Rounded, Shared, Stepped
from core.formats.export_formats import LEVELS
from core.formats.straight_through import Sharing
from core.jobs.workbench import Workbench
from core.measure.evaluation import evaluate
from core.nets.layers import bias_of, dropouts
from core.nets.weights import Weights
from core.pruning.masks import Masks, sparsity_of
from core.training.gradual import Pruner
from core.training.loop import Trainer, copy_weights
from core.training.recipes import Phase

KINDS: Mapping[str, type[Shared | Stepped]] = {"codebook": Shared, "steps": Stepped}
"""Kinds of shared values: found by k-means, or evenly spaced."""

BIAS_STEP = 0.25
"""Bias step, relative to the root mean square of a layer's biases: finer changed no prediction."""

COARSE = 16
"""Values of a layer's weights up to which biases are no finer; beyond they are in proportion."""

RATE = 0.1
"""Fraction of the recipe's learning rate: the values only have to settle."""

FAR = 1.0
"""Points beyond the allowed drop that tuning is not expected to recover."""


@dataclass(frozen=True, eq=False)
class QuantizedNet:
    """A quantised net.

    Attributes:
        weights: the weights it computes with.
        rounded: its quantized weights and biases, by name.
        size: most values the weights of a layer share.
        validation: validation accuracy in percent.
    """

    weights: Weights
    rounded: Mapping[str, Rounded]
    size: int
    validation: float


def quantize(
    workbench: Workbench,
    weights: Weights,
    size: int,
    *,
    kind: str = "codebook",
    epochs: int = 0,
    stop: StopFlag = never,
) -> Stream[QuantizedNet]:
    """Give the weights of each layer shared values, and train these.

    Returns the best epoch on validation, the untrained net included; when `stop` is raised, the
    best so far.

    Args:
        workbench: the model and the data.
        weights: state_dict of a pruned net; its zeros stay.
        size: number of values the weights of a layer share.
        kind: one of `KINDS`.
        epochs: epochs of training; 0 for none.
        stop: checked between batches.

    Raises:
        InputError: the size is not from 1 to 256.
    """
    rounded: dict[str, Rounded] = {
        la.key: KINDS[kind].of(weights[la.key], size) for la in workbench.layers
    }
    part = BIAS_STEP * min(1.0, COARSE / size)
    rounded |= {name: Stepped.by(weights[name], part) for name in _biases(workbench, weights)}
    model = workbench.models.uninitialized()
    tensors = {name: it.tensor() for name, it in rounded.items()}
    model.load_state_dict(_tied(workbench, {**weights, **tensors}))
    validation = yield from _validated(workbench, model, stop)
    best = QuantizedNet(copy_weights(model), rounded, size, validation)
    if not epochs:
        return best
    return (yield from _trained(workbench, model, Sharing(weights, rounded), epochs, best, stop))


def quantize_within_drop(
    workbench: Workbench,
    weights: Weights,
    max_drop: float,
    *,
    kind: str = "codebook",
    epochs: int = 0,
    stop: StopFlag = never,
) -> Stream[QuantizedNet]:
    """Find the fewest values, the same number for all layers, within a drop in validation accuracy.

    The drop is `max_drop` points below the given net. If no size meets it, the largest is
    returned. See `quantize` for the rest.
    """
    exact = yield from _validated(workbench, workbench.models.for_inference(weights), stop)
    least = exact - max_drop
    for size in LEVELS:
        tried = yield from quantize(workbench, weights, size, kind=kind, stop=stop)
        if epochs and least - FAR <= tried.validation < least:
            tried = yield from quantize(
                workbench, weights, size, kind=kind, epochs=epochs, stop=stop
            )
        below = "" if tried.validation >= least else f", wanted {least:.2f}"
        last = bool(below) and size == LEVELS[-1]
        text = f"{size} values per layer: validation {tried.validation:.2f} %{below}"
        yield Notice(text, warning=last)
        if not below:
            break
    return tried


def _biases(workbench: Workbench, weights: Weights) -> list[str]:
    """Those of the layers whose weights are shared; all else that a net has stays as it is."""
    names = (bias_of(layer.key) for layer in workbench.layers)
    return [name for name in names if name in weights and weights[name].numel()]


def _tied(workbench: Workbench, weights: Weights) -> Weights:
    """The same under all names that a weight or a bias has."""
    keys = {alias: la.key for la in workbench.layers for alias in la.aliases}
    keys |= {bias_of(alias): bias_of(key) for alias, key in keys.items()}
    return {**weights, **{it: weights[key] for it, key in keys.items() if it in weights}}


def _validated(workbench: Workbench, model: nn.Module, stop: StopFlag) -> Stream[float]:
    data = yield from workbench.splits(stop)
    precision = yield from workbench.precision(data)
    return (yield from evaluate(model, data.validation, "validate", stop, precision=precision))


def _trained(
    workbench: Workbench,
    model: nn.Module,
    sharing: Sharing,
    epochs: int,
    best: QuantizedNet,
    stop: StopFlag,
) -> Stream[QuantizedNet]:
    """Train what is shared; the best epoch, or `best` where none is better."""
    data = yield from workbench.splits(stop)
    precision = yield from workbench.precision(data)
    phase = _phase(workbench.finetuning.finetune, epochs)
    trainer = Trainer(model, data.train, phase, workbench.settings.seed, precision)
    pruner = _holding(workbench, model, phase, len(data.train))

    def after_step(optimizer: Optimizer) -> None:
        pruner.after_step(optimizer)
        sharing.after_step(model)

    while not trainer.finished:
        loss = yield from trainer.run_epoch(stop, after_step)
        if loss is None:
            break
        validation = yield from _validated(workbench, model, never)
        if validation > best.validation:
            best = QuantizedNet(copy_weights(model), dict(sharing.rounded), best.size, validation)
        revived = pruner.masks.revived(model.state_dict())
        yield Epoch(
            trainer.epoch,
            loss,
            validation,
            trainer.epoch_seconds,
            pruner.sparsity(),
            True,
            revived,
        )
    return best


def _holding(workbench: Workbench, model: nn.Module, phase: Phase, images: int) -> Pruner:
    """What keeps zeros zero, and scales dropout as the recipe says."""
    weights = model.state_dict()
    plan = {layer.name: sparsity_of(weights[layer.key]) for layer in workbench.layers}
    masks = Masks({key: weights[key] == 0 for layer in workbench.layers for key in layer.keys})
    recipe = replace(workbench.finetuning, finetune=phase, method="one-shot", rounds=1)
    before = {name: drop.p for name, drop in dropouts(model).items()}
    return Pruner(model, plan, recipe, masks, images, before)


def _phase(phase: Phase, epochs: int) -> Phase:
    return replace(phase, epochs=epochs, lr=RATE * phase.lr, weight_decay=0.0, l1=0.0)
