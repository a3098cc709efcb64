"""The long operations of `core.api` as generators, for programs that control their pace.

A stream yields frozen dataclasses of `core.events` while it works and returns its result.
`core.drain(stream, print)` runs one to its end, prints every event and returns the result. A
program may drop a stream at any event; the model is then unchanged.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from core.criteria.criterion import Criterion
from core.criteria.names import MAGNITUDE
from core.criteria.ranking import Ranking, criterion_of, needs_images, rank_base
from core.data.batches import CPU, Splits
from core.data.inputs import DEFAULT_INPUTS, Inputs
from core.data.loading import load as load_dataset
from core.errors import InputError
from core.events import Accuracy, Notice, StopFlag, Stream, drain, never
from core.inference.sparse.net import FasterNet, faster
from core.measure import recalibration, sensitivity_scan
from core.measure.activity import measure_activity
from core.measure.costs import multiplication_costs
from core.measure.evaluation import measure
from core.measure.recalibration import Recalibration
from core.nets.layers import prunable_layers
from core.nets.model_copy import copy_model
from core.nets.prunable.net_forms import check_callable
from core.nets.prunable.plain_net import check_float32, explained, float_types
from core.nets.prunable.unprunable import check_prunable
from core.nets.trial import fit
from core.nets.user_model import splits_for
from core.nets.weights import Weights, copy_weights, load_into
from core.pruning.budgets.costs import NetCosts
from core.pruning.curves import (
    RECONSTRUCTED_SPARSITIES,
    SPARSITIES,
    SPLITS,
    UNIFORM_SPARSITIES,
    Scan,
    check_split,
)
from core.pruning.masks import Masks
from core.pruning.plans import uniform_plan, whole_plan
from core.reconstruction import measured_net, sequence
from core.reconstruction.activations import SAMPLE
from core.reconstruction.scanned.layers_alone import LayersAlone
from core.reconstruction.sequence import Reconstruction
from core.settings.recipe_changes import NO_CHANGES, RecipeChanges
from core.settings.settings import SETTINGS
from core.system.number_formats import PRECISIONS
from core.training import finetuning
from core.training.finetuning import FineTuningResult
from core.training.first_step import try_step
from core.training.losses import Teacher
from core.training.recipes import TrainingSize, recipe_named

COSTS = ("macs", "ms")
"""The kinds of goals that need costs: multiplications and milliseconds."""


def load(
    name: str,
    data_dir: Path | str | None = None,
    inputs: Inputs = DEFAULT_INPUTS,
    stop: StopFlag = never,
) -> Stream[Splits]:
    """Load a data set; see `core.load`."""
    folder = None if data_dir is None else Path(data_dir)
    return Splits.of((yield from load_dataset(name, folder, stop=stop, inputs=inputs)))


def rank(
    model: nn.Module,
    criterion: str | Criterion,
    data: Splits | None,
    *,
    seed: int = 0,
    stop: StopFlag = never,
) -> Stream[Weights]:
    """What decides which weights of a model go: their importances, with the weights' signs.

    By the names of the weights in the state_dict; by magnitude, they are the weights. A notice says
    which layers another criterion leaves to magnitude.

    Raises:
        InputError: the criterion is unknown, needs images, or returns what does not fit the layers;
            or the model cannot be used.
        StoppedError: `stop` returned True.
    """
    if not needs_images(criterion):
        return copy_weights(model)
    SETTINGS["seed"].read(seed)
    if data is None:
        raise InputError(
            f"the criterion '{criterion_of(criterion).name}' sees training images: add "
            "data=core.load(NAME), or leave it out to prune by magnitude"
        )
    check_float32(model)
    copy = copy_model(model).model
    data = yield from fit(copy, splits_for(model, data))
    base = copy_weights(copy)
    return (yield from _ranking(copy, base, criterion, data, seed, stop)).weights


def _ranking(
    copy: nn.Module,
    base: Weights,
    criterion: str | Criterion,
    data: Splits,
    seed: int,
    stop: StopFlag,
) -> Stream[Ranking]:
    ranking = yield from rank_base(copy, base, criterion, data.train, seed=seed, stop=stop)
    if ranking.notice:
        yield Notice(ranking.notice, warning=True)
    return ranking


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
    stop: StopFlag = never,
) -> Stream[FineTuningResult]:
    """Prune a model to a plan and retrain it; see `core.finetune`.

    The model gets its new weights only when the stream ends.
    """
    check_float32(model)
    changes.applied_to(recipe_named(recipe))  # raises if they conflict
    _check(precision, seed)
    copy = copy_model(model)
    data = yield from fit(copy.model, splits_for(model, data), loads=True)
    base = copy_weights(copy.model)
    whole = whole_plan(plan, [layer.name for layer in prunable_layers(copy.model)])
    check_prunable(copy.model)
    copy.check_trainable(data.train.batch(slice(0, 2))[0])
    if changes.epochs == 0:
        raise InputError("epochs = 0: core.finetune trains; see core.prune and core.reconstruct")
    size = TrainingSize(len(data.train), data.train.values)
    settings = changes.applied_to(recipe_named(recipe).fitted_to(size))
    chosen = criterion_of(criterion or settings.criterion)
    settings = replace(settings, criterion=chosen.name)

    def another() -> nn.Module:
        other = copy_model(model).model
        drain(fit(other, data))
        return other

    yield from try_step(another(), data.train, settings.finetune, precision)
    ranking = yield from _ranking(copy.model, base, chosen, data, seed, stop)
    reconstructed = None
    if settings.reconstruct:
        nets = another(), another()
        reconstructed = yield from measured_net.reconstruct_and_measure(
            *nets, base, whole, data, stop, precision, recalibrate
        )
    taught = _teacher(another(), teacher, data, settings.distill, precision)
    result = yield from finetuning.finetune(
        copy.model,
        base,
        whole,
        data,
        settings,
        seed=seed,
        precision=precision,
        stop=stop,
        remake=another,
        recalibrates=recalibrate,
        ranking=ranking,
        reconstructed=reconstructed,
        teacher=taught,
    )
    load_into(model, result.weights)
    return result


def _teacher(
    model: nn.Module, given: nn.Module | None, data: Splits, share: float, precision: str
) -> Teacher | None:
    """What a copy of the model learns from: the teacher given, or by default the model itself."""
    if not share:
        if given is not None:
            raise InputError(
                "a teacher needs a share of the loss: add changes=core.RecipeChanges(distill=0.9)"
            )
        return None
    if given is None:
        return Teacher(model, share, precision)
    net = copy_model(given).model.to(data.train.device)
    layout = drain(fit(net, data)).train.layout
    teachers = Teacher(model, share, precision), Teacher(net, share, precision, layout)
    images = data.train.batch(slice(0, 2))[0]
    own, taught = (each.logits(images).shape[1] for each in teachers)
    if own != taught:
        raise InputError(f"the teacher has {taught} logits, but the model {own}: expected as many")
    return teachers[1]


def reconstruct(
    model: nn.Module,
    plan: Mapping[str, float],
    data: Splits,
    *,
    images: int = SAMPLE,
    seed: int = 0,
    recalibrate: bool = True,
    stop: StopFlag = never,
) -> Stream[Reconstruction]:
    """Prune a model to a plan, layer by layer, so that outputs stay; see `core.reconstruct`.

    The model gets its new weights only when the stream ends.
    """
    check_float32(model)
    SETTINGS["seed"].read(seed)
    if not isinstance(images, int) or images < 1:
        raise InputError(f"images = {images!r}: expected a whole number of at least 1")
    net, dense = (copy_model(model).model for _ in range(2))
    data = yield from fit(net, splits_for(model, data), loads=True)
    whole = whole_plan(plan, [layer.name for layer in prunable_layers(net)])
    check_prunable(net)
    drain(fit(dense, data))
    load_into(dense, copy_weights(net))
    result = yield from sequence.reconstruct(
        net, dense, whole, data.train, images=images, seed=seed, recalibrates=recalibrate, stop=stop
    )
    load_into(model, result.weights)
    return result


def evaluate(model: nn.Module, data: Splits, stop: StopFlag = never) -> Stream[Accuracy]:
    """Measure the accuracy of a model; see `core.evaluate`."""
    check_callable(model)
    copy = copy_model(model).model
    with explained(float_types(model)):
        data = yield from fit(copy, splits_for(model, data))
    return (yield from measure(copy, data, "model", stop))


def recalibrate(
    model: nn.Module, data: Splits, *, seed: int = 0, stop: StopFlag = never
) -> Stream[Recalibration | None]:
    """Compute the running statistics of a pruned model anew; see `core.recalibrate`."""
    check_float32(model)
    SETTINGS["seed"].read(seed)
    copy = copy_model(model).model
    data = yield from fit(copy, splits_for(model, data))
    done = yield from recalibration.recalibrate(copy, data.train, seed=seed, stop=stop)
    if done is not None:
        load_into(model, copy_weights(copy))
    return done


def scan(
    model: nn.Module,
    data: Splits,
    *,
    sparsities: Sequence[float] | None = None,
    uniform: bool = False,
    split: str = SPLITS[0],
    within: float | None = None,
    seed: int = 0,
    precision: str = "fp32",
    recalibrate: bool = True,
    criterion: str | Criterion = MAGNITUDE,
    reconstruct: bool = False,
    stop: StopFlag = never,
) -> Stream[Scan]:
    """Measure the accuracy of a model with one layer pruned at a time; see `core.scan`."""
    check_float32(model)
    _check(precision, seed)
    check_split(split)
    copy = copy_model(model).model
    data = yield from fit(copy, splits_for(model, data))
    check_prunable(copy)
    ranking = yield from _ranking(copy, copy_weights(copy), criterion, data, seed, stop)
    usual = RECONSTRUCTED_SPARSITIES if reconstruct else SPARSITIES
    stream = sensitivity_scan.scan(
        copy,
        data.validation if split == SPLITS[0] else data.test,
        split=split,
        sparsities=usual if sparsities is None else sparsities,
        uniform=(UNIFORM_SPARSITIES if sparsities is None else sparsities) if uniform else (),
        within=within,
        seed=seed,
        precision=precision,
        train=data.train if recalibrate else None,
        ranked=ranking.weights,
        repair=LayersAlone(copy, data.train, stop=stop) if reconstruct else None,
        stop=stop,
    )
    return (yield from stream)


def costs(
    model: nn.Module, data: Splits, kind: str = "macs", stop: StopFlag = never
) -> Stream[NetCosts]:
    """Work out what each layer of a model costs by the weights it keeps; see `core.costs`."""
    if kind not in COSTS:
        raise InputError(f"unknown kind '{kind}': expected one of {', '.join(COSTS)}")
    check_float32(model)
    copy = copy_model(model).model.to(CPU)
    images = (yield from fit(copy, splits_for(copy, data))).validation
    layers, few = prunable_layers(copy), torch.arange(2) % len(images)
    if kind == "macs":
        pair = replace(images, images=images.images[few], labels=images.labels[few])
        return multiplication_costs(
            layers, (yield from measure_activity(copy, pair, stop, images="all"))
        )
    from core.inference.sparse.layer_times import time_layers  # late: loads numba

    weights = copy_weights(copy)

    def pruned(sparsity: float) -> nn.Module:
        plan = uniform_plan(sparsity, [layer.name for layer in layers])
        net = copy_model(copy).model.to(memory_format=torch.contiguous_format)
        load_into(net, Masks.of(weights, layers, plan).apply(weights))
        return net

    image, threads = images.batch(few[:1])[0].contiguous(), torch.get_num_threads()
    return (yield from time_layers(pruned, layers, image, threads, stop=stop))


def accelerate(
    model: nn.Module, data: Splits, batch: int = 1, stop: StopFlag = never
) -> Stream[FasterNet]:
    """Find the fastest way to run a pruned model; see `core.accelerate`."""
    if batch < 1:
        raise InputError(f"a batch of {batch} images: expected 1 or more")
    check_float32(model)
    copy = copy_model(model).model.to(CPU)
    images = (yield from fit(copy, splits_for(copy, data))).test
    sample, _ = images.batch(torch.arange(batch) % len(images))
    copy = copy.to(memory_format=torch.contiguous_format)
    return (yield from faster(copy, sample.contiguous(), torch.get_num_threads(), stop=stop))


def _check(precision: str, seed: int) -> None:
    if precision not in PRECISIONS:
        raise InputError(f"precision '{precision}': expected one of {', '.join(PRECISIONS)}")
    SETTINGS["seed"].read(seed)
