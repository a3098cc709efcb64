"""Checks of the settings before anything is downloaded, timed or trained."""

from collections.abc import Mapping
from pathlib import Path

import torch

from core.data.registry import describe, is_folder
from core.formats.weights_files import load_weights
from core.jobs.workbench import Workbench
from core.nets.user_model import check_prunable, try_forward
from core.pruning.allocation import check_reach
from core.pruning.goals import Goal


def check(workbench: Workbench, weights: Path | None = None) -> None:
    """Try the net of the settings on its weights file and on images of the data set's shape.

    A user's own net is built and called. Image folders are not checked: their shape is known only
    once they are read. `weights` replaces the weights file of the settings.

    Raises:
        InputError: the net cannot be built, has nothing to prune or cannot take such images, or
            the file does not fit it.
    """
    settings, spec, device = workbench.settings, workbench.spec, workbench.models.device
    if (path := weights or settings.weights) is not None:
        load_weights(path, workbench.models.uninitialized())
    if spec.is_user_model:
        net = workbench.models.uninitialized()
        check_prunable(net)
    else:  # shapes are enough, and cost nothing
        device = torch.device("meta")
        with device:
            net = spec.build()
    if not is_folder(settings.dataset):
        description = describe(settings.dataset)
        images = settings.inputs.over(spec.inputs).over(description.inputs)
        channels, side = images.channels or 1, images.image_size or 1
        images.normalization(channels, *description.scales(channels))
        batch = torch.zeros(2, channels, side, side, device=device)
        try_forward(net, batch, description.classes)


def check_goal(workbench: Workbench, goal: Goal, locked: Mapping[str, float]) -> None:
    """Raise InputError if no weights of the net could meet `goal`.

    A weights file may hold zeros, so its locked layers may be smaller than their plan says.
    """
    locks = locked if workbench.settings.weights is None else {}
    check_reach(workbench.layers, workbench.parameters, goal.budget(workbench.parameters), locks)
