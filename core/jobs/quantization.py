"""Quantization of a pruned net: shared values for weights, steps for biases, fine-tuning."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from torch import nn
from torch.optim import Optimizer

from core.events import Epoch, Notice, StopFlag, Stream, never, portions, within
from core.formats.codebooks import CodebookTensor, QuantizedTensor, StepTensor
from core.formats.export_formats import LEVELS
from core.formats.straight_through import StraightThrough
from core.jobs.workbench import Workbench
from core.measure.evaluation import evaluate
from core.nets.calls import NetError
from core.nets.layers import bias_key, dropouts
from core.nets.weights import Weights, copy_weights, load_into, state_dict
from core.pruning.masks import Masks, sparsity_of
from core.training.gradual import Pruner
from core.training.loop import Trainer
from core.training.recipes import Phase

KINDS: Mapping[str, type[CodebookTensor | StepTensor]] = {
    "codebook": CodebookTensor,
    "steps": StepTensor,
}
"""Kinds of shared values: from k-means, or evenly spaced."""

BIAS_STEP = 0.25
"""Bias step relative to the root mean square of a layer's biases: finer changed no prediction."""

COARSE = 16
"""Number of values per layer above which bias steps shrink in proportion."""

RATE = 0.1
"""Fraction of the recipe's learning rate: the values only have to settle."""

RECOVERABLE = 1.0
"""Points beyond the allowed drop that fine-tuning may recover."""


@dataclass(frozen=True, eq=False)
class QuantizedNet:
    """A quantized net.

    Attributes:
        quantized: its quantized weights and biases, by name.
        size: number of values the weights of a layer share.
        validation: accuracy in percent.
    """

    weights: Weights
    quantized: Mapping[str, QuantizedTensor]
    size: int
    validation: float


def quantize(
    workbench: Workbench,
    weights: Weights,
    size: int,
    kind: str = "codebook",
    epochs: int = 0,
    stop: StopFlag = never,
) -> Stream[QuantizedNet]:
    """Let the weights of each layer share `size` values and train these for `epochs` epochs.

    Zeros of `weights` stay. Returns the best epoch on validation, the untrained net included; when
    `stop` is raised, the best so far. `kind` is one of `KINDS`.

    Raises InputError if the size is not from 1 to 256.
    """
    layers = workbench.layers
    quantized: dict[str, QuantizedTensor] = {
        layer.key: KINDS[kind].of(weights[layer.key], size) for layer in layers
    }
    step = BIAS_STEP * min(1.0, COARSE / size)
    biases = [name for layer in layers if (name := bias_key(layer.key)) in weights]
    quantized |= {key: StepTensor.by(weights[key], step) for key in biases if weights[key].numel()}
    model = workbench.models.uninitialized()
    tensors = {name: values.tensor() for name, values in quantized.items()}
    load_into(model, _with_aliases(workbench, {**weights, **tensors}))
    validation = yield from _validate(workbench, model, stop)
    best = QuantizedNet(copy_weights(model), quantized, size, validation)
    if not epochs:
        return best
    estimator = StraightThrough(weights, quantized)
    return (yield from _train(workbench, weights, model, estimator, epochs, best, stop))


def quantize_within_drop(
    workbench: Workbench,
    weights: Weights,
    max_drop: float,
    kind: str = "codebook",
    epochs: int = 0,
    stop: StopFlag = never,
) -> Stream[QuantizedNet]:
    """Find the fewest values per layer within `max_drop` points of the net's validation accuracy.

    If no number of values meets it, returns the net with the largest. See `quantize`.
    """
    first, rest = portions(1, len(LEVELS))
    model = workbench.models.for_inference(weights)
    exact = yield from within(first, _validate(workbench, model, stop))
    stream = quantize_to(workbench, weights, exact - max_drop, kind, epochs, stop)
    return (yield from within(rest, stream))


def quantize_to(
    workbench: Workbench,
    weights: Weights,
    least: float,
    kind: str = "codebook",
    epochs: int = 0,
    stop: StopFlag = never,
) -> Stream[QuantizedNet]:
    """The same with at least `least` percent on validation."""
    for size, part in zip(LEVELS, portions(*[1] * len(LEVELS)), strict=True):
        net = yield from within(part, quantize(workbench, weights, size, kind, stop=stop))
        if epochs and least - RECOVERABLE <= net.validation < least:
            tuning = quantize(workbench, weights, size, kind, epochs, stop)
            net = yield from within(part, tuning)
        passed = net.validation >= least
        hint = "" if passed else f", below {least:.2f}"
        text = f"{size} values per layer: validation {net.validation:.2f} %{hint}"
        yield Notice(text, warning=not passed and size == LEVELS[-1])
        if passed:
            break
    return net


def _with_aliases(workbench: Workbench, weights: Weights) -> Weights:
    """The weights with tied weights and biases under all their names."""
    keys = {alias: layer.key for layer in workbench.layers for alias in layer.aliases}
    keys |= {bias_key(alias): bias_key(key) for alias, key in keys.items()}
    return {**weights, **{name: weights[key] for name, key in keys.items() if name in weights}}


def _validate(workbench: Workbench, model: nn.Module, stop: StopFlag) -> Stream[float]:
    data, precision = yield from workbench.prepared(stop)
    return (yield from evaluate(model, data.validation, "validating", stop, precision=precision))


def _train(
    workbench: Workbench,
    weights: Weights,
    model: nn.Module,
    estimator: StraightThrough,
    epochs: int,
    best: QuantizedNet,
    stop: StopFlag,
) -> Stream[QuantizedNet]:
    """Train the shared values; returns the best epoch, or `best` if none is better.

    A recipe that distills does so from `weights`, the net that is quantized.
    """
    data, precision = yield from workbench.prepared(stop)
    phase = workbench.finetuning.finetune
    phase = replace(phase, epochs=epochs, lr=RATE * phase.lr, weight_decay=0.0, l1=0.0)
    seed, teacher = workbench.settings.seed, workbench.teacher(weights, precision)
    trainer = Trainer(model, data.train, phase, seed, precision, teacher=teacher)
    pruner = _pruner(workbench, model, phase, trainer.steps_in_epoch)

    def after_step(optimizer: Optimizer) -> None:
        pruner.after_step(optimizer)
        estimator.after_step(model)

    while not trainer.finished:
        try:
            loss = yield from trainer.run_epoch(stop, after_step, pruner.sparsity)
            if loss is None:
                break
            validation = yield from _validate(workbench, model, never)
        except NetError as error:
            yield Notice(f"{error}: the best epoch so far is kept", warning=True)
            break
        if validation > best.validation:
            quantized = dict(estimator.quantized)
            best = QuantizedNet(copy_weights(model), quantized, best.size, validation)
        revived = pruner.masks.revived(state_dict(model))
        seconds, sparsity = trainer.epoch_seconds, pruner.sparsity()
        images = workbench.split_sizes[0] if workbench.split_sizes else 0
        yield Epoch(trainer.epoch, loss, validation, seconds, sparsity, True, revived, images)
    return best


def _pruner(workbench: Workbench, model: nn.Module, phase: Phase, steps_in_epoch: int) -> Pruner:
    """Keeps zeros zero and scales dropout as the recipe says."""
    weights = state_dict(model)
    plan = {layer.name: sparsity_of(weights[layer.key]) for layer in workbench.layers}
    masks = Masks({key: weights[key] == 0 for layer in workbench.layers for key in layer.keys})
    recipe = replace(workbench.finetuning, finetune=phase, method="one-shot", rounds=1)
    before = {name: drop.p for name, drop in dropouts(model).items()}
    return Pruner(model, plan, recipe, masks, steps_in_epoch, before)
