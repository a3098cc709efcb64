"""Calls that take a while: each runs a stream of `core.streams`, and returns its result."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from typing import TypeVar

from torch import nn

from core import streams
from core.data.batches import Splits
from core.events import Accuracy, Event, StopFlag, Stream, drain, never
from core.inference.sparse.net import Faster
from core.pruning.curves import Scan
from core.settings.choices import NO_CHOICES, Choices
from core.training.finetuning import FineTuningResult

T = TypeVar("T")

OnEvent = Callable[[Event], object]


def run(stream: Stream[T], on_event: OnEvent | None) -> T:
    """Run a stream to its end and return its result; an error in `on_event` ends it too."""
    with closing(stream):
        return drain(stream) if on_event is None else drain(stream, on_event)


def finetune(
    model: nn.Module,
    plan: Mapping[str, float],
    data: Splits,
    *,
    recipe: str = "fast",
    choices: Choices = NO_CHOICES,
    seed: int = 0,
    precision: str = "fp32",
    on_event: OnEvent | None = None,
    stop: StopFlag = never,
) -> FineTuningResult:
    """Prune a model to a plan, retrain what is left, and load the best epoch's weights into it.

    Pruned weights are exactly zero after every step. The best epoch is the one with the highest
    validation accuracy of those that ended at the full plan.

    Args:
        model: takes images [N, C, H, W] and returns logits [N, K].
        plan: the sparsity of each layer, a fraction from 0 to 1; layers that are not named keep
            their weights. Zeros that the model has stay zero.
        data: trained on `train`, chosen by `validation`; `test` is only reported.
        recipe: `fast` or `reference`, see `core.training.recipes`.
        choices: changes to the recipe, such as `core.Choices(epochs=3)`.
        seed: for the order of the images and for dropout.
        precision: `fp32` or `bf16`.
        on_event: called with each event, such as `core.Batch` and `core.Epoch`.
        stop: asked before each batch; once it returns True, the best epoch so far is the result.

    Returns:
        The weights, the masks in force, accuracies in percent, and the epochs.

    Raises:
        InputError: the model, the plan, the recipe or the choices cannot be used.
        WorkError: the loss diverged before an epoch ended at the full plan.

    Example:
        >>> import core, torch
        >>> from torch import nn
        >>> model = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
        >>> images = torch.randint(0, 256, (240, 1, 8, 8), dtype=torch.uint8)
        >>> data = core.splits((images, torch.arange(240) % 10))
        >>> plan = core.plan(model, 10)
        >>> result = core.finetune(model, plan, data, choices=core.Choices(epochs=2))
        >>> [epoch.epoch for epoch in result.epochs], result.revived
        ([1, 2], 0)
        >>> sum(int(weight.count_nonzero()) for weight in model.parameters()) <= 2410 / 10
        True
    """
    stream = streams.finetune(
        model,
        plan,
        data,
        recipe=recipe,
        choices=choices,
        seed=seed,
        precision=precision,
        stop=stop,
    )
    return run(stream, on_event)


def evaluate(
    model: nn.Module,
    data: Splits,
    *,
    on_event: OnEvent | None = None,
    stop: StopFlag = never,
) -> Accuracy:
    """Measure the accuracy of a model, which stays as it is, on validation and on test.

    Args:
        model: takes images [N, C, H, W] and returns logits [N, K].
        data: the images.
        on_event: called with each event, such as `core.Progress`.
        stop: asked before each batch; once it returns True, the call ends.

    Returns:
        Two accuracies in percent.

    Raises:
        InputError: the model cannot take the images, or cannot be copied.
        StoppedError: `stop` returned True.

    Example:
        >>> import core, torch
        >>> from torch import nn
        >>> model = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
        >>> images = torch.randint(0, 256, (240, 1, 8, 8), dtype=torch.uint8)
        >>> data = core.splits((images, torch.arange(240) % 10))
        >>> masks = core.prune(model, {"1": 1.0})  # without weights, it always answers the same
        >>> core.evaluate(model, data)
        Accuracy(validation=10.0, test=10.0)
    """
    return run(streams.evaluate(model, data, stop), on_event)


def scan(
    model: nn.Module,
    data: Splits,
    *,
    sparsities: Sequence[float] | None = None,
    uniform: bool = False,
    split: str = "validation",
    within: float | None = None,
    seed: int = 0,
    precision: str = "fp32",
    on_event: OnEvent | None = None,
    stop: StopFlag = never,
) -> Scan:
    """Measure the accuracy of a model, which stays as it is, with one layer at a time pruned.

    Args:
        model: takes images [N, C, H, W] and returns logits [N, K].
        data: the images.
        sparsities: fractions from 0 to 1, measured for each layer; None is 0.40 to 0.95 in
            steps of 0.05.
        uniform: also prune all layers to the same sparsity; with `sparsities` None up to 1.00.
        split: `validation` or `test`.
        within: half the width of a 95 % interval, in points of accuracy: each sparsity is
            measured on so many images that its interval is no wider. None measures on all.
        seed: for the order of the images.
        precision: `fp32`, or `bf16` where that is faster; the counts are the same.
        on_event: called with each event, such as `core.Progress`.
        stop: asked before each sparsity; once it returns True, what was measured is the result.

    Returns:
        For each layer by its name, and for all at once, the accuracy in percent at each sparsity.

    Raises:
        InputError: the model, a sparsity, the split or `within` cannot be used.

    Example:
        >>> import core, torch
        >>> from torch import nn
        >>> model = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
        >>> images = torch.randint(0, 256, (240, 1, 8, 8), dtype=torch.uint8)
        >>> data = core.splits((images, torch.arange(240) % 10))
        >>> found = core.scan(model, data, sparsities=(0.5, 1.0), uniform=True)
        >>> [(point.sparsity, point.images) for point in found.layers["1"]]
        [(0.5, 10), (1.0, 10)]
        >>> found.uniform[1].accuracy
        10.0
    """
    stream = streams.scan(
        model,
        data,
        sparsities=sparsities,
        uniform=uniform,
        split=split,
        within=within,
        seed=seed,
        precision=precision,
        stop=stop,
    )
    return run(stream, on_event)


def accelerate(
    model: nn.Module,
    data: Splits,
    batch: int = 1,
    *,
    on_event: OnEvent | None = None,
    stop: StopFlag = never,
) -> Faster:
    """Find out how a pruned model, which stays as it is, runs fastest on this processor.

    Dead units are left out, and each layer runs by its nonzeros alone where that takes less time
    than torch takes.

    Args:
        model: takes images [N, C, H, W] and returns logits [N, K].
        data: its test images are what is timed.
        batch: the number of images at once that it is to be fast for.
        on_event: called with each event, such as `core.Progress`.
        stop: asked between measurements; once it returns True, the call ends.

    Returns:
        The fastest net, as `net`, which takes the same images and gives the same logits but for
        rounding; and how it runs. It is for evaluation, on the processor, and uses as many
        threads as torch is set to.

    Raises:
        InputError: `batch` is less than 1, or the model cannot be used.
        StoppedError: `stop` returned True.

    Example:
        >>> import core, torch
        >>> from torch import nn
        >>> model = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
        >>> images = torch.randint(0, 256, (240, 1, 8, 8), dtype=torch.uint8)
        >>> data = core.splits((images, torch.arange(240) % 10))
        >>> masks = core.prune(model, core.plan(model, 20))
        >>> fast = core.accelerate(model, data)
        >>> some, labels = data.test.batch(slice(0, 5))
        >>> torch.allclose(fast.net(some), model(some), atol=1e-4)
        True
    """
    return run(streams.accelerate(model, data, batch, stop), on_event)
