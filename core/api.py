"""What `import core` gives a script: a few verbs over a model of one's own, in one's own process.

    splits       images and labels in memory, cut into train, validation and test
    load         a data set known by name, likewise
    plan         from a goal to a sparsity for every layer
    prune        a plan applied to a model in one shot
    finetune     prune and retrain a model: a stream of events, its result a `FineTuned`
    evaluate     how good a model is
    remove_dead  dead units of a pruned model made zeros, exactly
    compact      a smaller dense model without them
    accelerate   how it runs fastest here: layers by their nonzeros where that pays
    take_masks, give_masks   from and to `torch.nn.utils.prune`

A stream is a generator: `drain(stream, print)` runs it, hands every event on and gives its result.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.utils import prune as torch_prune

from core.data import load as load_dataset
from core.data.batches import CPU, Images, Splits
from core.data.inputs import AS_THEY_ARE, Inputs
from core.errors import InputError
from core.events import Accuracy, StopFlag, Stream, never
from core.graph import dead_units
from core.graph.compaction import compacted
from core.graph.prefix_cache import UntraceableError
from core.inference.sparse.net import Faster, faster
from core.measure.evaluation import measure
from core.nets.footprint import DeadUnits
from core.nets.layers import PRUNABLE, parameter_count, prunable_layers
from core.nets.user_model import fitted, laid_out
from core.pruning.allocation import NOTHING_LOCKED, allocate
from core.pruning.goals import Goal, Kind
from core.pruning.masks import Masks
from core.pruning.plans import Plan
from core.pruning.what_if import Profile
from core.settings.choices import NO_CHOICES, Choices
from core.training import finetuning
from core.training.finetuning import FineTuned
from core.training.loop import copy_weights
from core.training.recipes import recipe_named

Pixels = Tensor | NDArray[np.uint8]
Labels = Tensor | NDArray[np.int64]
T = TypeVar("T")

HELD_OUT = 12
"""Every so many-th of the images, by label, is for validation, and as many for test."""


def splits(
    train: tuple[Pixels, Labels],
    validation: tuple[Pixels, Labels] | None = None,
    test: tuple[Pixels, Labels] | None = None,
) -> Splits:
    """Images in memory, cut into train, validation and test.

    What is not given is held out of what is there: every twelfth image of each class.

    Args:
        train: images [N, C, H, W] in uint8 and labels [N]; so the other two.
        validation: what choices look at.
        test: what is only reported.

    Raises:
        InputError: images and labels do not belong together, or are too few to hold any out.
    """
    parts = {"train": _checked(train, "train")}
    for name, given in (("test", test), ("validation", validation)):
        if given is None:
            parts["train"], parts[name] = _held_out(*parts["train"])
        else:
            parts[name] = _checked(given, name)
    pixels = parts["train"][0].to(torch.float32)
    mean, std = float(pixels.mean() / 255), float(pixels.std() / 255) or 1.0
    made = {name: Images(*part, mean, std) for name, part in parts.items()}
    return Splits(made["train"], made["validation"], made["test"])


def load(
    name: str = "mnist", data_dir: Path | None = None, inputs: Inputs = AS_THEY_ARE
) -> Stream[Splits]:
    """The splits of a data set that is known by name, fetched where it is missing.

    Args:
        name: such as `mnist` or `folder:PATH`.
        data_dir: where its files are kept; None is the platform's cache folder.
        inputs: the size, the channels and the normalisation that the images shall have.

    Raises:
        InputError, WorkError: as `datasets.load`.
    """
    return Splits.of((yield from load_dataset(name, data_dir, inputs=inputs)))


def plan(
    model: nn.Module,
    value: float,
    kind: Kind = "ratio",
    *,
    method: str = "lamp",
    locked: Mapping[str, float] = NOTHING_LOCKED,
) -> Plan:
    """From a goal to a sparsity for every layer of `model`, as its weights are.

    Args:
        model: it stays as it is.
        value: how light the net shall be: 20 is 20x.
        kind: `ratio`, or `kept` (nonzero parameters), or `mib` (MiB of nonzero values).
        method: one of `goals.METHODS`, but for `sensitivity`, which needs a scan.
        locked: sparsities of layers that stay as they are.

    Raises:
        InputError: the goal is out of reach, or `allocation.allocate` raises it.
    """
    weights = copy_weights(model)
    layers = prunable_layers(model)
    parameters = parameter_count(model)
    return allocate(
        method,
        [Profile.of(layer, weights[layer.key].numpy()) for layer in layers],
        Goal(kind, value).budget(parameters),
        other_parameters=parameters - sum(layer.parameters for layer in layers),
        locked=locked,
    )


def prune(model: nn.Module, plan: Mapping[str, float]) -> Masks:
    """Set the smallest weights of each layer of `model` to zero, as `plan` says.

    Layers that the plan does not name keep what they have. `Masks.hold` keeps the zeros in a
    training of one's own.

    Raises:
        InputError: the plan names a layer that the model does not have, or no sparsity.
    """
    weights = copy_weights(model)
    masks = Masks.of(weights, prunable_layers(model), _whole(model, plan))
    model.load_state_dict(masks.apply(weights))
    return masks


def finetune(
    model: nn.Module,
    plan: Mapping[str, float],
    data: Splits,
    *,
    recipe: str = "fast",
    choices: Choices = NO_CHOICES,
    seed: int = 0,
    precision: str = "fp32",
    stop: StopFlag = never,
) -> Stream[FineTuned]:
    """Prune `model` to `plan` and retrain what is left; it ends up with the best epoch's weights.

    The same as the program does, see `finetuning.finetune`; layers that the plan does not name
    keep what they have.

    Raises:
        InputError: as `prune`, or there is no such recipe, or the choices contradict each other.
        WorkError: the loss diverged before any epoch ended at the full plan.
    """
    how = choices.applied_to(recipe_named(recipe))
    whole, base = _whole(model, plan), copy_weights(model)
    vehicle = deepcopy(model)  # its dropouts and its layout in memory change
    data = fitted(vehicle, data)
    if choices.batch_size is None:
        how = replace(how, finetune=how.finetune.within(data.train.values))
    result = yield from finetuning.finetune(
        vehicle, base, whole, data, how, seed=seed, precision=precision, stop=stop
    )
    model.load_state_dict(result.weights)
    return result


def evaluate(model: nn.Module, data: Splits, stop: StopFlag = never) -> Stream[Accuracy]:
    """The accuracy of `model` in percent, on validation and on test.

    Raises:
        InputError: it cannot take the images.
        StoppedError: `stop` was raised.
    """
    modes = {module: module.training for module in model.modules()}
    # What torch.nn.utils.prune holds cannot be copied.
    trial = model if torch_prune.is_pruned(model) else deepcopy(model)
    try:
        return (yield from measure(model, laid_out(trial, data), "given", stop))
    finally:
        for module, training in modes.items():
            module.training = training


def remove_dead(model: nn.Module, data: Splits) -> DeadUnits:
    """Set what belongs to dead units of `model` to zero, constants folded; no logit changes.

    Masks that it was pruned by hold more than there is from then on: `take_masks` gives new ones.

    Args:
        model: a pruned net.
        data: a few images of which it is tried on.

    Raises:
        InputError: torch.fx cannot follow the net, or it cannot take the images.
    """
    return _followed(model, data, dead_units.remove_dead)


def compact(model: nn.Module, data: Splits) -> nn.Module:
    """A smaller dense net with the logits of `model`, which has no dead units; for evaluation.

    Raises:
        InputError: as `remove_dead`.
    """
    return _followed(model, data, compacted)


def accelerate(
    model: nn.Module, data: Splits, batch: int = 1, stop: StopFlag = never
) -> Stream[Faster]:
    """Find out how a pruned model runs fastest on this machine's processor.

    The result's `net` takes images as `model` does and gives its logits; it is for evaluation, on
    the processor, and computes with as many threads as torch is set to.

    Args:
        model: it stays as it is.
        data: its test images are what is timed.
        batch: images at once, for which it shall be fast.
        stop: gives up.

    Raises:
        InputError: `batch` is no number of images, `torch.nn.utils.prune` holds masks of the
            model, or it cannot take the images.
        StoppedError: `stop` was raised.
    """
    if batch < 1:
        raise InputError(f"a batch of {batch} images: expected 1 or more")
    _check_plain(model)
    trial = deepcopy(model).cpu()
    images = laid_out(trial, data).test.on(CPU)
    some, _ = images.batch(torch.arange(batch) % len(images))
    trial = trial.to(memory_format=torch.contiguous_format)
    threads = torch.get_num_threads()
    return (yield from faster(trial, some.contiguous(), threads, stop=stop))


def take_masks(model: nn.Module) -> Masks:
    """Make the masks of `torch.nn.utils.prune` ours: the model holds plain, pruned weights then.

    What is zero without a mask counts as pruned too, as everywhere.
    """
    for module in model.modules():
        if isinstance(module, PRUNABLE) and hasattr(module, "weight_mask"):
            torch_prune.remove(module, "weight")
    nothing_more = {layer.name: 0.0 for layer in prunable_layers(model)}
    return Masks.of(copy_weights(model), prunable_layers(model), nothing_more)


def give_masks(model: nn.Module, masks: Masks) -> None:
    """Hand masks to `torch.nn.utils.prune`, which then holds them by its reparametrisation.

    Raises:
        InputError: a mask is for a weight that `torch.nn.utils.prune` cannot hold.
    """
    modules = {}
    for key in masks.pruned:
        path, _, name = key.rpartition(".")
        modules[key] = model.get_submodule(path)
        if name != "weight" or not isinstance(modules[key], PRUNABLE):
            raise InputError(f"'{key}' is no weight of a module: expected a layer of its own")
    for key, pruned in masks.pruned.items():
        module = modules[key]
        torch_prune.custom_from_mask(module, "weight", ~pruned)


def _followed(model: nn.Module, data: Splits, what: Callable[[nn.Module, Tensor], T]) -> T:
    """Do something with a model and a few images in evaluation; its modes stay as they were."""
    _check_plain(model)
    modes = {module: module.training for module in model.modules()}
    try:
        images, _ = laid_out(deepcopy(model), data).validation.batch(slice(0, 3))
        return what(model, images)
    except UntraceableError as error:
        raise InputError(f"dead units of {type(model).__name__} cannot be told: {error}") from error
    finally:
        for module, training in modes.items():
            module.training = training


def _check_plain(model: nn.Module) -> None:
    if torch_prune.is_pruned(model):
        raise InputError("torch.nn.utils.prune holds its masks: call take_masks(model) first")


def _whole(model: nn.Module, plan: Mapping[str, float]) -> Plan:
    """A plan with every layer of a model."""
    names = [layer.name for layer in prunable_layers(model)]
    for name in plan:
        if name not in names:
            raise InputError(f"unknown layer '{name}': expected one of {', '.join(names)}")
    return {name: plan.get(name, 0.0) for name in names}


def _checked(given: tuple[Pixels, Labels], what: str) -> tuple[Tensor, Tensor]:
    images, labels = (torch.as_tensor(part) for part in given)
    if images.dim() != 4 or images.dtype != torch.uint8:
        raise InputError(
            f"images of {what} are {list(images.shape)} in {images.dtype}: expected "
            "[N, C, H, W] in uint8"
        )
    if labels.shape != (len(images),) or labels.is_floating_point():
        raise InputError(
            f"labels of {what} are {list(labels.shape)} in {labels.dtype}: expected "
            f"[{len(images)}] whole numbers, one for each image"
        )
    return images, labels.to(torch.int64)


def _held_out(
    images: Tensor, labels: Tensor
) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    held = torch.zeros(len(labels), dtype=torch.bool)
    for label in torch.unique(labels):
        held[(labels == label).nonzero()[HELD_OUT - 1 :: HELD_OUT]] = True
    if not held.any():
        expected = f"expected {HELD_OUT} or more of a class to hold any out"
        raise InputError(f"{len(labels)} images: {expected}")
    return (images[~held], labels[~held]), (images[held], labels[held])
