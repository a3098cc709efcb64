"""The running statistics of a pruned net, computed anew (recalibration).

In evaluation, BatchNorm and its like use the mean and variance that their inputs had in training.
Pruning changes these inputs, so the stored statistics no longer fit, and a net that has lost little
looks ruined. New ones need some training images and no labels (Li et al. 2020, "EagleEye: Fast
Sub-net Evaluation for Efficient Neural Network Pruning", section 3.3: adaptive BatchNorm).

It mends the mean and scale of what each layer puts out, channel by channel; not what pruning has
lost within a channel.
"""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase

from core.data.batches import Images
from core.errors import StoppedError
from core.events import Progress, StopFlag, Stream, never
from core.nets.calls import NetCall, evaluation_mode
from core.nets.layers import prunable_layers
from core.nets.weights import Weights
from core.pruning.masks import Masks

SAMPLE_IMAGES, SAMPLE_VALUES = 1_000, 16_000_000
"""Most images of the sample, and most pixel values: 106 color images of 224 x 224.

Of those, 1,000 would take minutes in a large net, and its first layers see 50,000 places in each.
"""

BATCH_IMAGES, BATCH_VALUES = 125, 3_000_000
"""The same for one batch, between two checks of the stop flag."""

SAMPLE_SEED = 0
"""Of the sample, whatever a run's own seed is: a plan has one accuracy, before any training."""

RECALIBRATING = "recalibrating"
"""The step that its progress is of."""

CALL = "forward() with its normalization layers in training"

Statistics = Mapping[str, Mapping[str, Tensor]]
"""The running statistics of a net: buffers by name, by the name of their layer."""


@dataclass(frozen=True, slots=True)
class Recalibration:
    """What running statistics are computed from.

    Attributes:
        layers: that have them.
        images: of the training set.
        seed: that these are drawn from.
    """

    layers: int
    images: int
    seed: int


def running_norms(model: nn.Module) -> dict[str, _NormBase]:
    """The layers of torch with running statistics, by name: BatchNorm and InstanceNorm."""
    return {
        name: module
        for name, module in model.named_modules()
        if isinstance(module, _NormBase) and module.running_mean is not None
    }


def fixed_statistics(model: nn.Module) -> tuple[str, ...]:
    """The layers with running statistics that cannot be computed anew: those of other classes.

    Torch's layers are known to compute theirs in training; torchvision's FrozenBatchNorm2d, say,
    never does.
    """
    return tuple(
        name
        for name, module in model.named_modules()
        if not isinstance(module, _NormBase)
        and any(key.startswith("running_") for key, _ in module.named_buffers(recurse=False))
    )


def sample_batches(data: Images, seed: int, most_images: int = SAMPLE_IMAGES) -> tuple[Tensor, ...]:
    """The sample's images in batches of one size, as their mean needs; none of a single image."""
    values = max(1, data.values)
    images = max(2, min(most_images, SAMPLE_VALUES // values))
    most = max(2, min(BATCH_IMAGES, BATCH_VALUES // values))
    images = min(len(data), images)
    if images < 2:
        return ()
    size = max(2, images // math.ceil(images / most))
    order = torch.randperm(len(data), generator=torch.Generator().manual_seed(seed))
    return torch.split(order[: images // size * size], size)


def recalibration_of(
    model: nn.Module, data: Images, seed: int = SAMPLE_SEED
) -> Recalibration | None:
    """What `recalibrate` would compute; None if there is nothing to compute."""
    layers = len(running_norms(model))
    images = sum(map(len, sample_batches(data, seed))) if layers else 0
    return Recalibration(layers, images, seed) if images else None


def recalibrate(
    model: nn.Module, data: Images, *, seed: int = SAMPLE_SEED, stop: StopFlag = never
) -> Stream[Recalibration | None]:
    """Compute the running statistics of `model` anew, on a sample of `data` drawn from `seed`.

    They are the plain means over equal batches of what the layers find in each. Only layers with
    running statistics are in training meanwhile: dropouts drop nothing, and no gradients are
    computed. A net without such layers runs no batch. `model` is left in evaluation mode, with
    buffers of its own in these layers.

    Raises StoppedError if `stop` is raised; the statistics are then those from before.
    """
    what = recalibration_of(model, data, seed)
    if what is None:
        return None
    norms = running_norms(evaluation_mode(model))
    before, done = statistics(norms), 0
    try:
        with collecting(norms):
            for index in sample_batches(data, seed):
                yield Progress(RECALIBRATING, done, what.images, "images")
                if stop():
                    raise StoppedError("stopped before the statistics were computed")
                images, _ = data.batch(index)
                with torch.no_grad(), NetCall(CALL, images):
                    model(images)
                done += len(index)
        yield Progress(RECALIBRATING, done, what.images, "images")
    except BaseException:
        set_statistics(norms, before)
        raise
    return what


def prune_into(
    model: nn.Module,
    base: Weights,
    plan: Mapping[str, float],
    data: Images,
    *,
    ranked: Weights | None = None,
    recalibrates: bool = True,
    stop: StopFlag = never,
) -> Stream[Recalibration | None]:
    """Load `base` into `model`, pruned to `plan` in one shot, and recalibrate it if asked.

    `ranked` decides which weights go, see `core.criteria.ranking`; by default, `base` itself does.
    If the plan prunes nothing, the net is the base, with the base's statistics.
    """
    masks = Masks.of(base if ranked is None else ranked, prunable_layers(model), plan)
    masks.load(model, base)
    if not recalibrates or not running_norms(model) or not masks.revived(base):
        return None
    return (yield from recalibrate(model, data, stop=stop))


def statistics(norms: Mapping[str, _NormBase]) -> Statistics:
    """The buffers of these layers; not copied."""
    return {name: dict(norm.named_buffers(recurse=False)) for name, norm in norms.items()}


def set_statistics(norms: Mapping[str, _NormBase], values: Statistics) -> None:
    """Give layers the buffers that `statistics` returned."""
    for name, norm in norms.items():
        for key, value in values[name].items():
            setattr(norm, key, value)


class CallCounter:
    """A hook that gives every call of a layer the same weight in its running means.

    So does the momentum None of BatchNorm, which InstanceNorm takes for 0.
    """

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, norm: _NormBase, _args: object) -> None:
        """Before a call of the layer."""
        self.calls += 1
        norm.momentum = 1.0 / self.calls


@contextmanager
def collecting(norms: Mapping[str, _NormBase]) -> Iterator[dict[str, CallCounter]]:
    """A context in which layers compute their statistics anew, as the means over their calls.

    They begin with new buffers, since those of a model may be the memory of stored weights. Layers
    that are not called, such as those of heads that a net only has for training, get theirs back.
    """
    before = statistics(norms)
    counters = {name: CallCounter() for name in norms}
    momenta = {name: norm.momentum for name, norm in norms.items()}
    hooks = [norm.register_forward_pre_hook(counters[name]) for name, norm in norms.items()]
    try:
        for norm in norms.values():
            for key, value in dict(norm.named_buffers(recurse=False)).items():
                setattr(norm, key, torch.zeros_like(value))
            norm.reset_running_stats()
            norm.training = True  # train() would also reach layers inside this one
        yield counters
    finally:
        for hook in hooks:
            hook.remove()
        for name, norm in norms.items():
            norm.training, norm.momentum = False, momenta[name]
        set_statistics(
            {name: norm for name, norm in norms.items() if not counters[name].calls}, before
        )
