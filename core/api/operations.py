"""Long operations: each runs a stream of `core.streams` and returns its result."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from typing import TypeVar

from torch import nn

from core import streams
from core.criteria.criterion import Criterion
from core.criteria.names import MAGNITUDE
from core.data.batches import Splits
from core.events import Accuracy, Event, StopFlag, Stream, drain, never
from core.inference.sparse.net import FasterNet
from core.measure.recalibration import Recalibration
from core.pruning.budgets.costs import NetCosts
from core.pruning.curves import Scan
from core.reconstruction.activations import SAMPLE
from core.reconstruction.sequence import Reconstruction
from core.settings.recipe_changes import NO_CHANGES, RecipeChanges
from core.training.finetuning import FineTuningResult

T = TypeVar("T")

OnEvent = Callable[[Event], object]


def run(stream: Stream[T], on_event: OnEvent | None) -> T:
    """Run a stream to its end and return its result; closes it if `on_event` raises."""
    with closing(stream):
        return drain(stream) if on_event is None else drain(stream, on_event)


def finetune(
    model: nn.Module,
    plan: Mapping[str, float],
    data: Splits,
    *,
    recipe: str = "fast",
    changes: RecipeChanges = NO_CHANGES,
    criterion: str | Criterion | None = None,
    seed: int = 0,
    precision: str = "fp32",
    recalibrate: bool = True,
    teacher: nn.Module | None = None,
    on_event: OnEvent | None = None,
    stop: StopFlag = never,
) -> FineTuningResult:
    """Prune a model to a plan, retrain it, and load the best epoch's weights into it.

    Pruned weights are exactly zero after every step. The best epoch is the one with the highest
    validation accuracy of those that ended at the full plan.

    Args:
        model: takes images [N, C, H, W] and returns logits [N, K].
        plan: sparsity per layer, a fraction from 0 to 1; layers not named keep their weights.
            Existing zeros stay zero.
        data: `train` is trained on, `validation` picks the epoch, `test` is only reported.
        recipe: `fast` or `reference`, see `core.training.recipes`.
        changes: to the recipe, such as `core.RecipeChanges(epochs=3)`.
        criterion: what ranks the weights, as in `core.prune`; None for the recipe's, magnitude by
            default. Whenever more weights are pruned, it ranks the current ones; `obs` by the Gram
            matrices of the round's first net.
        seed: for the order of the images and for dropout, and for the criterion's sample.
        precision: `fp32` or `bf16`.
        recalibrate: compute running statistics anew before weights pruned in one shot are measured.
        teacher: the net whose outputs the model learns if the recipe distills, such as the dense
            net; by default, the model as it is given. It is copied to the model's device.
        on_event: called with each event, such as `core.Batch` and `core.Epoch`.
        stop: stop flag, checked before each batch; the result is then the best epoch so far.

    Returns:
        The weights, their masks, accuracies in percent, and the epochs.

    Raises:
        InputError: the model, the plan, the recipe, its changes or the teacher cannot be used; the
            model is tried first, on a copy, for one training step.
        WorkError: the loss diverged, or the model's own code raised, before an epoch ended at the
            full plan; later, the best epoch is returned, with what was raised in its `error`.

    Example:
        >>> import core, torch
        >>> from torch import nn
        >>> model = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
        >>> images = torch.randint(0, 256, (240, 1, 8, 8), dtype=torch.uint8)
        >>> data = core.splits((images, torch.arange(240) % 10))
        >>> plan = core.plan(model, 10)
        >>> result = core.finetune(model, plan, data, changes=core.RecipeChanges(epochs=2))
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
        changes=changes,
        criterion=criterion,
        seed=seed,
        precision=precision,
        recalibrate=recalibrate,
        teacher=teacher,
        stop=stop,
    )
    return run(stream, on_event)


def reconstruct(
    model: nn.Module,
    plan: Mapping[str, float],
    data: Splits,
    *,
    images: int = SAMPLE,
    seed: int = 0,
    recalibrate: bool = True,
    on_event: OnEvent | None = None,
    stop: StopFlag = never,
) -> Reconstruction:
    """Prune a model to a plan so that each layer keeps its output, without labels or training.

    Layer by layer, ADMM chooses which weights to keep, and least squares their values and the
    biases (ALPS, Meng et al. 2024), from the layer's inputs in the net pruned so far and its
    outputs in the dense net. As many weights are kept as by `core.prune`, and on the sample, the
    error of a layer's output is never above that of magnitude pruning.

    Args:
        model: takes images [N, C, H, W] and returns logits [N, K]; its prunable weights [out, ...]
            and the biases [out] of their layers change.
        plan: sparsity per layer, a fraction from 0 to 1; layers not named keep all weights, whose
            values may change. Existing zeros stay zero.
        data: only images of `train` are used, without labels.
        images: size of the random sample of them; fewer if they have more than 150 million pixel
            values, as 1,000 color images of 224 x 224 do.
        seed: draws the sample.
        recalibrate: compute running statistics anew on the way and at the end, as
            `core.recalibrate` does; a net without them pays nothing.
        on_event: called with each event, such as `core.Progress`.
        stop: stop flag, checked before each batch and each step; the layers done are kept, the
            others pruned by magnitude.

    Returns:
        The weights and masks, and for each layer the output error on the sample, by magnitude and
        now, or why it is pruned by magnitude, such as that it is a transposed convolution. Layers
        with more than 5,792 inputs are reconstructed in parts, whose Gram matrices [inputs, inputs]
        take at most 256 MiB each; up to 1.5 GiB is used in all, beside 1 GiB for the sample.

    Raises:
        InputError: the model, the plan or `images` cannot be used.
        WorkError: the model's own code raised.

    Example:
        >>> import core, torch
        >>> from torch import nn
        >>> _ = torch.manual_seed(0)
        >>> model = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
        >>> images = torch.randint(0, 256, (240, 1, 8, 8), dtype=torch.uint8)
        >>> data = core.splits((images, torch.arange(240) % 10))
        >>> result = core.reconstruct(model, {"1": 0.9, "3": 0.5}, data)
        >>> [(layer.name, layer.kept, layer.error < layer.magnitude) for layer in result.layers]
        [('1', 205, True), ('3', 160, True)]
        >>> int(model[1].weight.count_nonzero())
        205
    """
    stream = streams.reconstruct(
        model, plan, data, images=images, seed=seed, recalibrate=recalibrate, stop=stop
    )
    return run(stream, on_event)


def evaluate(
    model: nn.Module, data: Splits, *, on_event: OnEvent | None = None, stop: StopFlag = never
) -> Accuracy:
    """Measure the accuracy of a model on validation and on test.

    Args:
        model: takes images [N, C, H, W] and returns logits [N, K].
        data: the images.
        on_event: called with each event, such as `core.Progress`.
        stop: stop flag, checked before each batch.

    Returns:
        Two accuracies in percent.

    Raises:
        InputError: the model cannot take the images, or cannot be copied.
        WorkError: the model's own code raised for later images.
        StoppedError: `stop` returned True.

    Example:
        >>> import core, torch
        >>> from torch import nn
        >>> model = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
        >>> images = torch.randint(0, 256, (240, 1, 8, 8), dtype=torch.uint8)
        >>> data = core.splits((images, torch.arange(240) % 10))
        >>> masks = core.prune(model, {"1": 1.0})  # without weights, it always predicts one class
        >>> core.evaluate(model, data)
        Accuracy(validation=10.0, test=10.0)
    """
    return run(streams.evaluate(model, data, stop), on_event)


def recalibrate(
    model: nn.Module,
    data: Splits,
    *,
    seed: int = 0,
    on_event: OnEvent | None = None,
    stop: StopFlag = never,
) -> Recalibration | None:
    """Compute the running statistics of a pruned model anew, in place.

    Pruning changes what BatchNorm and InstanceNorm (with `track_running_stats`) get, so that their
    statistics of training no longer fit. No labels are used, and nothing is trained.

    Args:
        model: only its running statistics change.
        data: a sample of up to 1,000 images of `train` is used; of large images, fewer.
        seed: for the sample.
        on_event: called with each event, such as `core.Progress`.
        stop: stop flag, checked before each batch.

    Returns:
        The number of layers with such statistics, and of images used; None if there are none.

    Raises:
        InputError: the model cannot take the images, or cannot be copied.
        StoppedError: `stop` returned True; the model is unchanged.

    Example:
        >>> import core, torch
        >>> from torch import nn
        >>> norm = nn.BatchNorm1d(32)
        >>> model = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), norm, nn.Linear(32, 10))
        >>> images = torch.randint(0, 256, (240, 1, 8, 8), dtype=torch.uint8)
        >>> data = core.splits((images, torch.arange(240) % 10))
        >>> masks = core.prune(model, {"1": 1.0})
        >>> core.recalibrate(model, data)
        Recalibration(layers=1, images=210, seed=0)
        >>> torch.allclose(norm.running_mean, model[1].bias, atol=1e-6)
        True
    """
    return run(streams.recalibrate(model, data, seed=seed, stop=stop), on_event)


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
    recalibrate: bool = True,
    criterion: str | Criterion = MAGNITUDE,
    reconstruct: bool = False,
    on_event: OnEvent | None = None,
    stop: StopFlag = never,
) -> Scan:
    """Measure the accuracy of a model with one layer pruned at a time.

    Args:
        model: takes images [N, C, H, W] and returns logits [N, K].
        data: the images.
        sparsities: fractions from 0 to 1 to measure; None for 0.40 to 0.95 in steps of 0.05, and
            0.97, 0.98 and 0.99 of reconstructed layers.
        uniform: also prune all layers to the same sparsity; if `sparsities` is None, up to 1.00.
        split: `validation` or `test`.
        within: half-width of a 95 % interval in points of accuracy: each sparsity is measured on
            enough images for an interval this narrow. None measures on all images.
        seed: for the order of the images.
        precision: `fp32`, or `bf16` where it is faster; the counts are the same.
        recalibrate: compute running statistics anew for each sparsity, see `core.recalibrate`.
        criterion: what ranks the weights, as in `core.prune`.
        reconstruct: reconstruct each pruned layer alone, as `core.reconstruct` does all of them.
        on_event: called with each event, such as `core.Progress`.
        stop: stop flag, checked before each sparsity; the result is then partial.

    Returns:
        Accuracy in percent by sparsity, for each layer by name and for all layers at once.

    Raises:
        InputError: the model, a sparsity, the split or `within` cannot be used.

    Example:
        >>> import core, torch
        >>> from torch import nn
        >>> model = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
        >>> images = torch.randint(0, 256, (240, 1, 8, 8), dtype=torch.uint8)
        >>> data = core.splits((images, torch.arange(240) % 10))
        >>> scan = core.scan(model, data, sparsities=(0.5, 1.0), uniform=True)
        >>> [(point.sparsity, point.images) for point in scan.layers["1"]]
        [(0.5, 10), (1.0, 10)]
        >>> scan.uniform[1].accuracy
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
        recalibrate=recalibrate,
        criterion=criterion,
        reconstruct=reconstruct,
        stop=stop,
    )
    return run(stream, on_event)


def costs(
    model: nn.Module,
    data: Splits,
    kind: str = "macs",
    *,
    on_event: OnEvent | None = None,
    stop: StopFlag = never,
) -> NetCosts:
    """Work out what each layer of a model costs by the weights it keeps, for `core.plan`.

    Args:
        model: takes images [N, C, H, W] and returns logits [N, K].
        data: the model is run on one or two validation images.
        kind: "macs", multiplications per image; or "ms", the time per image on this processor, in
            nanoseconds: each layer is timed at several sparsities, alone, in the kernels of
            `core.accelerate` or in torch, whichever is faster.
        on_event: called with each event, such as `core.Progress`.
        stop: stop flag, checked between measurements.

    Returns:
        The costs of each layer, and those that no plan saves.

    Raises:
        InputError: the kind is unknown, the model cannot be used, or, for "ms", pruning does not
            make it faster.
        StoppedError: `stop` returned True.

    Example:
        >>> import core, torch
        >>> from torch import nn
        >>> model = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
        >>> images = torch.randint(0, 256, (240, 1, 8, 8), dtype=torch.uint8)
        >>> data = core.splits((images, torch.arange(240) % 10))
        >>> costs = core.costs(model, data)
        >>> costs.dense
        2368.0
        >>> plan = core.plan(model, 25, "macs_percent", costs=costs)
        >>> costs.of({"1": 2048 - round(2048 * plan["1"]), "3": 320 - round(320 * plan["3"])})
        592.0
    """
    return run(streams.costs(model, data, kind, stop), on_event)


def accelerate(
    model: nn.Module,
    data: Splits,
    batch: int = 1,
    *,
    on_event: OnEvent | None = None,
    stop: StopFlag = never,
) -> FasterNet:
    """Find the fastest way to run a pruned model on this processor.

    Dead units are removed, and each layer computes with its nonzeros only where that is faster than
    torch.

    Args:
        model: takes images [N, C, H, W] and returns logits [N, K].
        data: test images are used for timing.
        batch: the batch size to optimize for.
        on_event: called with each event, such as `core.Progress`.
        stop: stop flag, checked between measurements.

    Returns:
        The fastest net as `net`, with the same logits up to rounding, and how it runs. Use it for
        inference on the CPU, with the number of threads torch is set to.

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
