"""Checks of the settings before anything is downloaded, timed or trained."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor

from core.data.batches import Images
from core.data.registry import describe, is_folder
from core.errors import InputError
from core.events import drain
from core.experiments.runs import Run
from core.formats.weights_files import SizesError, load_weights
from core.jobs.workbench import Workbench
from core.measure.activity import measure_activity
from core.measure.costs import multiplication_costs
from core.nets.calls import refused
from core.nets.prunable.plain_net import explained
from core.nets.prunable.unprunable import check_prunable
from core.nets.trial import try_forward, try_loading
from core.nets.weights import check_initial, state_dict
from core.pruning.allocation import check_locked, check_reach
from core.pruning.budgets.costs import parameter_costs
from core.pruning.goals import Goal
from core.settings.settings import DEFAULTS
from core.training.first_step import check_gradients, try_step


def check(workbench: Workbench, weights: Path | Run | None = None, trains: bool = False) -> None:
    """Try the net of the settings on its weights file and on images of the data set's shape.

    A user's own net is built, called and, if the work `trains` it, trained for one step. It is not
    called for image folders: their classes are known only once they are read. `weights` is a file,
    or a run that produced one, in place of the weights file of the settings.

    Raises:
        InputError: the net cannot be built, has nothing to prune or weights that are not finite,
            cannot take such images or cannot be trained, or the file does not fit it.
    """
    settings, spec, device = workbench.settings, workbench.spec, workbench.models.device
    if isinstance(weights, Run):
        weights.dense_weights(workbench.models.uninitialized())
    elif (path := weights or settings.weights) is not None:
        with naming_its_data(workbench):
            load_weights(path, workbench.models.uninitialized())
    net = workbench.models.uninitialized()
    if spec.is_user_model:
        check_prunable(net)
        with refused():
            try_loading(net, state_dict(net))
        if weights is None and settings.weights is None:
            check_initial(net)
        if trains:
            check_gradients(net)
    if is_folder(settings.dataset):
        images = settings.inputs.over(workbench.models.inputs)
        if images.channels and images.image_size:  # those of trained weights
            side = images.image_size
            zeros = torch.zeros(2, images.channels, side, side, device=device)
            workbench.models.check_head(net, zeros)
    else:
        description, batch = describe(settings.dataset), _blank_images(workbench)
        images = settings.inputs.over(workbench.models.inputs).over(description.inputs)
        images.normalization(len(batch[0]), *description.scales(len(batch[0])))
        workbench.models.check_head(net, batch)
        with explained(workbench.models.changes):
            try_forward(net, batch, description.classes)
        if trains and spec.is_user_model:
            few = Images(batch.byte(), batch[:, 0, 0, 0].long(), 0.0, 1.0, torch.contiguous_format)
            drain(try_step(net, few, workbench.finetuning.finetune))


def _blank_images(workbench: Workbench) -> Tensor:
    """Two images of zeros [2, C, H, W] of the shape that a data set other than a folder has."""
    settings, models = workbench.settings, workbench.models
    images = settings.inputs.over(models.inputs).over(describe(settings.dataset).inputs)
    side = images.image_size or 1
    return torch.zeros(2, images.channels or 1, side, side, device=models.device)


@contextmanager
def naming_its_data(workbench: Workbench) -> Iterator[None]:
    """Name the default data set where weights of a user's own net have other sizes for it."""
    try:
        yield
    except SizesError as error:
        if not workbench.spec.is_user_model or workbench.settings.dataset != DEFAULTS.dataset:
            raise
        hint = f"the data set is {DEFAULTS.dataset}, the default: --dataset names yours"
        raise InputError(f"{error}; {hint}") from error


def check_goal(workbench: Workbench, goal: Goal, locked: Mapping[str, float]) -> None:
    """Raise InputError if no weights of the net could meet `goal`, as far as is known yet.

    A weights file may hold zeros, so its locked layers may be smaller than their plan says. How
    long the net takes, and how large the images of a folder are, is known only later.
    """
    settings, layers = workbench.settings, workbench.layers
    if goal.unit == "ns" or (goal.unit == "macs" and is_folder(settings.dataset)):
        check_locked(workbench.layer_names, locked)
        return
    costs = parameter_costs(layers, workbench.parameters)
    if goal.unit == "macs":
        batch = _blank_images(workbench)
        few = Images(batch.byte(), batch[:, 0, 0, 0].long(), 0.0, 1.0, torch.contiguous_format)
        with refused():
            net = workbench.models.uninitialized()
            activity = drain(measure_activity(net, few, images="all"))
        costs = multiplication_costs(layers, activity)
    locks = locked if settings.weights is None else {}
    check_reach(layers, costs, goal.budget(round(costs.dense)), locks)
